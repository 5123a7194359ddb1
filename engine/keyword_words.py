# ruff: noqa: RUF001 — words of many scripts are the subject
"""The words by which people of many languages end or resume messages, as they write them alone.

A word is here when, said alone, it means "write me no more" (or "write me again") in its language
and nothing common in another: Finnish *seis* is also the Spanish six, and Swahili *acha* the Hindi
"fine". Words of appointments and carts (CANCEL, END) and plain assent (YES, OK) are not here; a
configuration may add them.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's words.

    Attributes:
        marks_matter: Without its accents a word would mean something else ("đúng" is "right"),
            so only the listed spellings count.
    """

    stop: tuple[str, ...]
    start: tuple[str, ...]
    marks_matter: bool = False


def _words(stop: str, start: str, *, marks_matter: bool = False) -> Words:
    return Words(
        stop=tuple(word.strip() for word in stop.split("|")),
        start=tuple(word.strip() for word in start.split("|")),
        marks_matter=marks_matter,
    )


WORDS: Final[dict[str, Words]] = {
    "English": _words(
        "STOP | STOPALL | STOP ALL | UNSUBSCRIBE | UNSUBSCRIBE ME | OPT OUT | OPTOUT | QUIT"
        " | REMOVE ME | STOP MESSAGES | STOP PROMOTIONS | NO MORE MESSAGES",
        "START | UNSTOP | SUBSCRIBE | RESUBSCRIBE | OPT IN | OPTIN",
    ),
    "Dutch": _words(
        "STOP | STOPPEN | AFMELDEN | MELD MIJ AF | MELD ME AF | UITSCHRIJVEN | SCHRIJF MIJ UIT",
        "START | AANMELDEN | MELD MIJ AAN | INSCHRIJVEN",
    ),
    "German": _words(
        "STOPP | ABMELDEN | ABBESTELLEN | AUSTRAGEN | ABO BEENDEN",
        "START | STARTEN | ANMELDEN | ABONNIEREN",
    ),
    "French": _words(
        "ARRÊT | ARRÊTER | ARRÊTEZ | STOPPER | DÉSABONNER | ME DÉSABONNER | SE DÉSABONNER"
        " | DÉSABONNEMENT | DÉSINSCRIRE | ME DÉSINSCRIRE | SE DÉSINSCRIRE | DÉSINSCRIPTION",
        "DÉMARRER | S'ABONNER | M'ABONNER | ABONNER | M'INSCRIRE | S'INSCRIRE",
    ),
    "Spanish": _words(
        "ALTO | BAJA | DAR DE BAJA | DARME DE BAJA | DARSE DE BAJA | DETENER | PARAR"
        " | DESUSCRIBIR | DESUSCRIBIRME | CANCELAR SUSCRIPCIÓN",
        "DAR DE ALTA | DARME DE ALTA | INICIAR | SUSCRIBIR | SUSCRIBIRME",
    ),
    "Portuguese": _words(
        "PARAR | PARE | SAIR | DESCADASTRAR | DESCADASTRE | DESINSCREVER | CANCELAR INSCRIÇÃO"
        " | CANCELAR SUBSCRIÇÃO | REMOVER INSCRIÇÃO",
        "INICIAR | INSCREVER | SUBSCREVER | RECADASTRAR",
    ),
    "Italian": _words(
        "FERMA | FERMATE | BASTA | DISISCRIVI | DISISCRIVIMI | DISISCRIZIONE | CANCELLAMI"
        " | ANNULLA ISCRIZIONE",
        "AVVIA | INIZIA | ISCRIVIMI | ISCRIVITI",
    ),
    "Catalan": _words("ATURA | ATURAR | DONAR DE BAIXA", "DONAR D'ALTA | SUBSCRIURE"),
    "Swedish": _words(
        "STOPP | STOPPA | AVREGISTRERA | AVPRENUMERERA | AVSLUTA PRENUMERATION",
        "STARTA | PRENUMERERA",
    ),
    "Norwegian": _words(
        "STOPP | AVMELD | MELD AV | AVSLUTT ABONNEMENT", "START | PÅMELD | MELD PÅ"
    ),
    "Danish": _words("STOP | AFMELD | FRAMELD | AFMELD MIG", "START | TILMELD | TILMELD MIG"),
    "Finnish": _words("LOPETA | LOPETTAA | PERUUTA TILAUS", "ALOITA | TILAA VIESTIT"),
    "Icelandic": _words("HÆTTA | AFSKRÁ", "BYRJA | SKRÁ MIG"),
    "Estonian": _words("LÕPETA | PEATA", "ALUSTA | TELLI SÕNUMID"),
    "Latvian": _words("PĀRTRAUKT | APTURĒT | ATRAKSTĪTIES", "SĀKT | PIERAKSTĪTIES"),
    "Lithuanian": _words(
        "STABDYTI | SUSTABDYTI | ATSISAKYTI | ATSISAKAU", "PRADĖTI | PRENUMERUOTI"
    ),
    "Polish": _words(
        "STOP | WYPISZ | WYPISZ MNIE | REZYGNUJĘ | REZYGNACJA | ZREZYGNUJ",
        "START | ZAPISZ MNIE | SUBSKRYBUJ",
    ),
    "Czech": _words("ODHLÁSIT | ODHLÁSIT SE | ZASTAVIT", "PŘIHLÁSIT | PŘIHLÁSIT SE | ODEBÍRAT"),
    "Slovak": _words("ODHLÁSIŤ | ODHLÁSIŤ SA | ZASTAVIŤ", "PRIHLÁSIŤ | PRIHLÁSIŤ SA | ODOBERAŤ"),
    "Hungarian": _words(
        "LEIRATKOZÁS | LEIRATKOZOM | LEIRATKOZNI | ÁLLJ",
        "FELIRATKOZÁS | FELIRATKOZOM | FELIRATKOZNI",
    ),
    "Romanian": _words(
        "OPREȘTE | OPREŞTE | DEZABONARE | DEZABONEAZĂ | MĂ DEZABONEZ",
        "ABONARE | ABONEAZĂ | MĂ ABONEZ",
    ),
    "Croatian, Bosnian, Serbian": _words(
        "ODJAVA | ODJAVI | ODJAVI ME | ZAUSTAVI | PREKINI | ОДЈАВА | ОДЈАВИ | ЗАУСТАВИ | ПРЕКИНИ",
        "PRIJAVA | PRIJAVI ME | POKRENI | ПРИЈАВА | ПРИЈАВИ МЕ",
    ),
    "Slovene": _words("ODJAVA | ODJAVI ME | USTAVI", "PRIJAVI ME | ZAČNI"),
    "Albanian": _words("NDALO | ÇREGJISTROHU | ÇABONOHU", "FILLO | ABONOHU"),
    "Russian": _words(
        "СТОП | ОТПИСАТЬСЯ | ОТПИСКА | ОТПИШИТЕ МЕНЯ | ОТПИСАТЬ",
        "СТАРТ | ПОДПИСАТЬСЯ | ПОДПИСКА",
        marks_matter=True,
    ),
    "Ukrainian": _words(
        "СТОП | ВІДПИСАТИСЯ | ВІДПИСАТИСЬ | ВІДПИСКА",
        "СТАРТ | ПІДПИСАТИСЯ | ПІДПИСАТИСЬ",
        marks_matter=True,
    ),
    "Bulgarian": _words(
        "СТОП | ОТПИШИ МЕ | ОТПИСВАНЕ", "СТАРТ | АБОНИРАЙ МЕ | ЗАПИШИ МЕ", marks_matter=True
    ),
    "Kazakh": _words("ТОҚТАТУ | ЖАЗЫЛЫМНАН ШЫҒУ", "БАСТАУ | ЖАЗЫЛУ", marks_matter=True),
    "Greek": _words(
        "ΣΤΟΠ | ΣΤΑΜΑΤΑ | ΣΤΑΜΑΤΗΣΤΕ | ΔΙΑΚΟΠΗ | ΔΙΑΓΡΑΦΗ | ΑΠΕΓΓΡΑΦΗ | Διακοπή | Διαγραφή"
        " | Απεγγραφή | Σταμάτα | Σταματήστε",
        "ΕΝΑΡΞΗ | ΕΓΓΡΑΦΗ | Έναρξη | Εγγραφή",
    ),
    "Turkish": _words(
        "RET | DURDUR | DURDURUN | ABONELİKTEN ÇIK | ABONELİKTEN ÇIKIŞ | LİSTEDEN ÇIK",
        "BAŞLA | BAŞLAT | ABONE OL",
    ),
    "Azerbaijani": _words("DAYAN | DAYANDIR | ABUNƏLİKDƏN ÇIX", "BAŞLA | ABUNƏ OL"),
    "Arabic": _words(
        "إيقاف | ايقاف | أوقف | اوقف | توقف | قف | إلغاء الاشتراك | الغاء الاشتراك"
        " | إلغاء اشتراكي | الغاء اشتراكي",
        "ابدأ | ابدا | اشترك | اشتراك | تفعيل الاشتراك",
    ),
    "Persian": _words("لغو | توقف | لغو عضویت | لغو اشتراک", "شروع | عضویت | اشتراک"),
    "Urdu": _words("بند کریں | بند کرو | روکیں | روک دیں", "شروع کریں | شروع کرو"),
    "Hebrew": _words("הסר | הסירו אותי | הסר אותי | עצור | הפסק | הסרה", "התחל | הצטרף | הצטרפות"),
    "Hindi": _words(
        "रोकें | रोको | बंद करें | बंद करो | बन्द करें | BAND KARO | BAND KAREIN",
        "शुरू करें | शुरू करो | SHURU KARO | SHURU KAREIN",
        marks_matter=True,
    ),
    "Marathi": _words("थांबवा | बंद करा", "सुरू करा", marks_matter=True),
    "Bengali": _words("বন্ধ | বন্ধ করুন | বন্ধ করো", "শুরু | শুরু করুন", marks_matter=True),
    "Gujarati": _words("બંધ કરો | રોકો", "શરૂ કરો", marks_matter=True),
    "Tamil": _words("நிறுத்து | நிறுத்தவும்", "தொடங்கு | தொடங்கவும்", marks_matter=True),
    "Telugu": _words("ఆపు | ఆపండి", "ప్రారంభించు | ప్రారంభించండి", marks_matter=True),
    "Indonesian": _words(
        "BERHENTI | HENTIKAN | STOP PROMO | BERHENTI BERLANGGANAN", "MULAI | BERLANGGANAN"
    ),
    "Malay": _words("BERHENTI | HENTI | HENTIKAN", "MULA | LANGGAN"),
    "Filipino": _words("ITIGIL | TIGIL | HINTO | IHINTO", "SIMULAN | MAGSIMULA"),
    "Vietnamese": _words(
        "DỪNG | DỪNG LẠI | NGỪNG | HỦY ĐĂNG KÝ | HUỶ ĐĂNG KÝ | HUY DANG KY",
        "BẮT ĐẦU | ĐĂNG KÝ | BAT DAU | DANG KY",
        marks_matter=True,
    ),
    "Thai": _words(
        "หยุด | หยุดส่ง | ยกเลิกการสมัคร | ยกเลิกรับข่าวสาร", "เริ่ม | สมัคร | สมัครรับข่าวสาร", marks_matter=True
    ),
    "Chinese": _words(
        "停止 | 退订 | 退訂 | 取消订阅 | 取消訂閱 | 拒收",
        "开始 | 開始 | 订阅 | 訂閱 | 恢复订阅 | 恢復訂閱",
    ),
    "Japanese": _words(
        "停止 | 配信停止 | 解除 | 登録解除 | 退会 | ストップ",
        "開始 | 配信開始 | 配信再開 | 登録 | スタート",
        marks_matter=True,
    ),
    "Korean": _words("중지 | 그만 | 수신거부 | 구독취소 | 구독 취소", "시작 | 수신동의 | 구독"),
    "Swahili": _words("SIMAMISHA | SITISHA | JIONDOE", "ANZA | JIUNGE"),
    "Afrikaans": _words("STAAK | TEKEN MY UIT", "BEGIN | TEKEN MY IN"),
}

# ruff: noqa: RUF001 — look-alike letters are the subject

import pytest

from engine.keyword_words import WORDS
from engine.keywords import Keywords, Meaning, UselessKeyword

KEYWORDS = Keywords(stop=["GENOEG"], start=["JA GRAAG"])


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        pytest.param("STOP", Meaning.STOP, id="as listed"),
        pytest.param("stop.", Meaning.STOP, id="a full stop"),
        pytest.param(" Berhenti! ", Meaning.STOP, id="spaces and an exclamation mark"),
        pytest.param("„Stopp“", Meaning.STOP, id="quoted"),
        pytest.param("*STOP*\n\n", Meaning.STOP, id="bold, line ends"),
        pytest.param("🛑STOP🛑🏿", Meaning.STOP, id="emoji with a skin tone"),
        pytest.param("stop ❤️", Meaning.STOP, id="emoji with a selector"),
        pytest.param("stop 1️⃣ℹ️", Meaning.STOP, id="emoji of a digit and of a letter"),
        pytest.param("stop 🏴\U000e0067\U000e0062\U000e007f", Meaning.STOP, id="a region's flag"),
        pytest.param("s\u200bt\u2060op\ufeff", Meaning.STOP, id="invisible characters"),
        pytest.param("\u202bSTOP\u202c", Meaning.STOP, id="direction marks"),
        pytest.param("ＳＴＯＰ", Meaning.STOP, id="full-width"),
        pytest.param("𝐒𝐓𝐎𝐏", Meaning.STOP, id="mathematical bold"),
        pytest.param("arrêt", Meaning.STOP, id="composed accent"),
        pytest.param("arre\u0302t", Meaning.STOP, id="combining accent"),
        pytest.param("arret", Meaning.STOP, id="no accent"),
        pytest.param("abonelikten çık", Meaning.STOP, id="Turkish in small letters"),
        pytest.param("ABONELIKTEN CIK", Meaning.STOP, id="Turkish on another keyboard"),
        pytest.param("διακοπή", Meaning.STOP, id="Greek"),
        pytest.param("إِيقَاف", Meaning.STOP, id="Arabic with its vowels"),
        pytest.param("اي\u0640\u0640قاف", Meaning.STOP, id="Arabic, stretched, no hamza"),
        pytest.param("opt-out", Meaning.STOP, id="hyphen for a space"),
        pytest.param("STOP  \t ALL", Meaning.STOP, id="many spaces inside"),
        pytest.param("수신거부", Meaning.STOP, id="Korean"),
        pytest.param("退訂", Meaning.STOP, id="Chinese"),
        pytest.param("genoeg!", Meaning.STOP, id="configured"),
        pytest.param("start", Meaning.START, id="start"),
        pytest.param("S’abonner", Meaning.START, id="typographic apostrophe"),
        pytest.param("Ja   graag 👍", Meaning.START, id="configured, of two words"),
        pytest.param("yes", None, id="yes is no start word"),
        pytest.param("OK", None, id="nor is ok"),
        pytest.param("please stop it", None, id="inside a sentence"),
        pytest.param("don't stop", None, id="the opposite"),
        pytest.param("bus stop", None, id="another thing"),
        pytest.param("STOP 2", None, id="with a number"),
        pytest.param("stop👍now", None, id="emoji between words"),
        pytest.param("ja 👍 graag", None, id="emoji inside a word of two"),
        pytest.param("đúng", None, id="Vietnamese right is not stop"),
        pytest.param("dung", None, id="nor is it without its accents"),
        pytest.param("seis", None, id="six"),
        pytest.param("", None, id="empty"),
        pytest.param("🙂" * 4096, None, id="only emoji"),
    ],
)
def test_meaning(text: str, meaning: Meaning | None) -> None:
    assert KEYWORDS.meaning(text) is meaning


def test_the_organizations_words_hold_for_it_alone() -> None:
    assert Keywords().meaning("genoeg") is None


def test_folding_pairs_that_case_alone_would_miss() -> None:
    keywords = Keywords(stop=["STRASSE", "ΛΟΓΟΣ", "ISPARTA", "İZMİR"])

    folded = [
        keywords.meaning(t) for t in ("Straße", "λόγος".replace("ό", "ο"), "ısparta", "izmir")
    ]

    assert folded == [Meaning.STOP] * 4


@pytest.mark.parametrize("word", ["", " ", "!!!", "👍", "\u200b"])
def test_a_word_without_letters_is_refused(word: str) -> None:
    with pytest.raises(UselessKeyword, match="no letters or digits") as refused:
        Keywords(stop=[word])

    assert refused.value.word == word


@pytest.mark.parametrize(
    ("stop", "start"),
    [
        pytest.param([], ["stop"], id="a built-in word turned round"),
        pytest.param(["Start"], [], id="the other way"),
        pytest.param(["genug"], ["Genug!"], id="both configured"),
    ],
)
def test_a_word_cannot_mean_both(stop: list[str], start: list[str]) -> None:
    with pytest.raises(UselessKeyword, match="already means"):
        Keywords(stop=stop, start=start)


def test_a_word_may_be_configured_that_is_built_in() -> None:
    assert Keywords(stop=["stop"]).meaning("STOP") is Meaning.STOP


def test_the_built_in_words_speak_many_languages_and_never_contradict_each_other() -> None:
    words = [
        (word, meaning)
        for language in WORDS.values()
        for listed, meaning in ((language.stop, Meaning.STOP), (language.start, Meaning.START))
        for word in listed
    ]

    assert len(WORDS) >= 25
    assert [(word, Keywords().meaning(word)) for word, _ in words] == words

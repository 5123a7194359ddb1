"""What the columns of an audience file mean, by the headings people and products give them."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine import names


class Field(StrEnum):
    PHONE = "phone"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    COMPANY = "company"
    EMAIL = "email"
    TAGS = "tags"
    LANGUAGE = "language"
    TIMEZONE = "timezone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row to look.

    Attributes:
        fields: Positions by field; the first that holds something counts.
        attributes: Names and positions of all other columns.
        ignored: Headings that cannot name an attribute, or name one twice, as written.
    """

    fields: dict[Field, tuple[int, ...]]
    attributes: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...]

    @property
    def has_phone(self) -> bool:
        return Field.PHONE in self.fields

    @property
    def recognised(self) -> int:
        return sum(map(len, self.fields.values()))


def columns(header: Sequence[str]) -> Columns:
    """Find the meaning of each heading; of several phones WhatsApp's and mobile ones come first."""
    found: dict[Field, list[tuple[int, int]]] = {}
    attributes: dict[str, int] = {}
    ignored: list[str] = []
    for position, heading in enumerate(header):
        known = _MEANINGS.get(_key(heading))
        if known is not None:
            field, rank = known
            found.setdefault(field, []).append((rank, position))
            continue
        try:
            name = names.attribute(heading)
        except names.InvalidName:
            ignored.extend([heading] if heading.strip() else [])
            continue
        if name in attributes:
            ignored.append(heading)
        else:
            attributes[name] = position
    return Columns(
        fields={field: tuple(at for _, at in sorted(places)) for field, places in found.items()},
        attributes=tuple(attributes.items()),
        ignored=tuple(ignored),
    )


def _key(heading: str) -> str:
    """Return a heading without case, accents, spaces and punctuation."""
    bare = unicodedata.normalize("NFKD", names.folded(heading))
    return "".join(c for c in bare if c.isalnum())


# A bare "number" is not here: it may as well be a house's or an order's.
# In each field the headings that say it most clearly come first.
_HEADINGS: Final[dict[Field, str]] = {
    Field.PHONE: """
        whatsapp, whatsapp number, whatsapp phone, whatsapp phone number, whatsapp nummer,
        nomor whatsapp, no whatsapp, numero whatsapp, wa, wa id, wa number, no wa, nomor wa,
        mobile, mobile number, mobile phone, mobile phone number, mobile no, cell, cell phone,
        cell number, cellphone, cellular, msisdn, gsm, mobiel, mobiel nummer, mobiele nummer,
        mobiele telefoon, handy, handynummer, mobil, mobilnummer, mobiltelefon, portable,
        telephone portable, movil, celular, numero celular, telefono movil, cellulare, telemovel,
        nomor hp, no hp, hp, nomor handphone, cep telefonu, phone, phone number, phone no, phone 1,
        phone 1 value, phones, telephone, telephone number, telephone no, tel, tel no, telefoon,
        telefoonnummer, telefon, telefonnummer, rufnummer, numero de telephone, telefono,
        numero de telefono, numero di telefono, telefone, numero de telefone, nomor telepon,
        telepon, no telepon, no telp, telefon numarasi, telefono numeris, puhelin, puhelinnumero,
        contact number, contact phone, contact no, e164
    """,
    Field.NAME: """
        name, full name, display name, contact name, customer name, contact, naam,
        volledige naam, voor en achternaam, vollstandiger name, nom complet, nombre completo,
        nome completo, nama, nama lengkap, ad soyad, fullname
    """,
    Field.FIRST_NAME: """
        first name, given name, forename, first, voornaam, vorname, prenom, nombre, nome,
        primer nombre, primeiro nome, nama depan, fornavn, fornamn, etunimi, imie
    """,
    Field.LAST_NAME: """
        last name, surname, family name, second name, last, achternaam, nachname, nom,
        nom de famille, apellido, apellidos, cognome, sobrenome, apelido, nama belakang, efternavn,
        efternamn, sukunimi, nazwisko
    """,
    Field.COMPANY: """
        company, company name, organization, organisation, organization name, organization 1 name,
        organisation name, business, business name, bedrijf, bedrijfsnaam, firma, unternehmen,
        entreprise, societe, empresa, azienda, perusahaan, sirket, firmanavn, yritys
    """,
    Field.EMAIL: """
        email, e mail, email address, e mail address, e mail 1 value, mail, mailadres, emailadres,
        e mail adresse, emailadresse, adresse email, courriel, correo, correo electronico,
        endereco de email, indirizzo email, alamat email, surel, eposta, sahkoposti
    """,
    Field.TAGS: "tags, tag, labels, label, etiketten, etiquetas, etiquettes, etichette",
    Field.LANGUAGE: """
        language, lang, language code, preferred language, locale, taal, sprache, langue, idioma,
        lingua, bahasa, sprak, sprog, kieli, dil
    """,
    Field.TIMEZONE: """
        timezone, time zone, tz, tijdzone, zeitzone, fuseau horaire, zona horaria, fuso horario,
        fuso orario, zona waktu
    """,
}
_MEANINGS: Final = {
    _key(heading): (field, rank)
    for field, listed in _HEADINGS.items()
    for rank, heading in enumerate(listed.split(","))
}

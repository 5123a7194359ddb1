"""What the columns of an audience file mean, by the headings people and products give them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine import names
from engine.attributes import RESERVED


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
    REGION = "region"  # of phones without a country code


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row to look.

    Attributes:
        fields: Positions by field; the first that holds something counts.
        attributes: Names and positions of all other columns.
        ignored: Headings that cannot name an attribute, or name one twice, as written.
        labels: Positions of what a phone is called ("Mobile"), by the position of the phone.
        ours: It is an export of our own, whose values are in the form in which they are kept.
    """

    fields: dict[Field, tuple[int, ...]]
    attributes: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...]
    labels: Mapping[int, int] = field(default_factory=dict)
    ours: bool = False

    @property
    def has_phone(self) -> bool:
        return Field.PHONE in self.fields

    @property
    def recognised(self) -> int:
        return sum(map(len, self.fields.values()))


EXPORT_MARK: Final = "dripline_contact"
"""The first heading of an export of our own."""

EXPORT_FACTS: Final = ("name", "first_name", "company", "email", "language", "timezone", "tags")
"""Headings of an export that mean what they mean in any file."""

EXPORT_ONLY: Final = (
    "dripline_whatsapp_id",
    "dripline_user_id",
    "dripline_other_identities",
    "dripline_may_be_written_to",
    "dripline_consent_since",
    "dripline_consent_proof",
    "dripline_source",
    "dripline_added_at",
)
"""Headings of an export that an import leaves alone: consent is not given by a file."""


def columns(header: Sequence[str]) -> Columns:
    """Find the meaning of each heading; of several phones WhatsApp's and mobile ones come first."""
    if header and header[0].strip().lower() == EXPORT_MARK:
        return _of_export(header)
    found: dict[Field, list[tuple[int, int]]] = {}
    attributes: dict[str, int] = {}
    ignored: list[str] = []
    phones: dict[str, int] = {}
    labels: dict[str, int] = {}
    for position, heading in enumerate(header):
        key = _key(heading)
        numbered = _NUMBERED.fullmatch(key)
        if numbered is not None and numbered["what"] != "value":
            if numbered["of"] == "phone":
                labels[numbered["number"]] = position
            continue
        if key in _LEFT_OUT:
            continue
        known = _meaning(key, numbered)
        if known is not None:
            meant, rank = known
            found.setdefault(meant, []).append((rank, position))
            if numbered is not None and meant is Field.PHONE:
                phones[numbered["number"]] = position
            if meant is not Field.REGION:
                continue
        try:
            name = names.attribute(heading)
        except names.InvalidName:
            ignored.extend([heading] if heading.strip() else [])
            continue
        if name in attributes or name in RESERVED:
            ignored.append(heading)
        else:
            attributes[name] = position
    return Columns(
        fields={each: tuple(at for _, at in sorted(places)) for each, places in found.items()},
        attributes=tuple(attributes.items()),
        ignored=tuple(ignored),
        labels={phones[number]: at for number, at in labels.items() if number in phones},
    )


def _of_export(header: Sequence[str]) -> Columns:
    fields: dict[Field, tuple[int, ...]] = {}
    attributes: dict[str, int] = {}
    for position, heading in enumerate(header):
        name = heading.strip().lower()
        if name in {*EXPORT_FACTS, Field.PHONE}:
            fields.setdefault(Field(name), (position,))
        elif name not in {EXPORT_MARK, *EXPORT_ONLY, ""}:
            with suppress(names.InvalidName):
                attributes.setdefault(names.attribute(name), position)
    return Columns(fields=fields, attributes=tuple(attributes.items()), ignored=(), ours=True)


def _meaning(key: str, numbered: re.Match[str] | None) -> tuple[Field, int] | None:
    if key in _MEANINGS:
        return _MEANINGS[key]
    if numbered is not None and numbered["of"] in {"phone", "email"}:
        meant = Field.PHONE if numbered["of"] == "phone" else Field.EMAIL
        # The further ones come behind all that have one name alone.
        return meant, _FURTHER + int(numbered["number"])
    return None


def _key(heading: str) -> str:
    """Return a heading without case, accents, spaces and punctuation."""
    bare = unicodedata.normalize("NFKD", names.folded(heading))
    return "".join(c for c in bare if c.isalnum())


# Google's: "Phone 2 - Value" beside "Phone 2 - Label", which was "Type" once.
_NUMBERED: Final = re.compile(
    r"(?P<of>phone|email|address|relation|website|im|event|organization|customfield|externalid|"
    r"calendarlink|jot)(?P<number>[0-9]{1,2})(?P<what>value|label|type)"
)
_FURTHER: Final = 1_000
_LEFT_OUT: Final = frozenset(
    ("photo", "phoneticfirstname", "phoneticmiddlename", "phoneticlastname", "yominame")
)

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
        contact number, contact phone, contact no, e164, primary phone, home phone, business phone,
        work phone, default address phone, shipping phone, billing phone, shipping address phone
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
        entreprise, societe, empresa, azienda, perusahaan, sirket, firmanavn, yritys,
        associated company, default address company
    """,
    Field.EMAIL: """
        email, e mail, email address, e mail address, e mail 1 value, mail, mailadres, emailadres,
        e mail adresse, emailadresse, adresse email, courriel, correo, correo electronico,
        endereco de email, indirizzo email, alamat email, surel, eposta, sahkoposti
    """,
    Field.TAGS: """
        tags, tag, labels, label, group membership, etiketten, etiquetas, etiquettes, etichette
    """,
    Field.REGION: "country code, default address country code, phone country",
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

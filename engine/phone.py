"""Phone numbers: as people write them on the way in, E.164 with + everywhere inside."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NewType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from engine.country_zones import COUNTRY_ZONES

Phone = NewType("Phone", str)


class InvalidPhone(ValueError):
    """The text is no phone number we may write to.

    Attributes:
        reason: A sentence for staff; it never repeats the number, so it may be logged.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def of(self, written: str) -> str:
        """Return what is wrong with it and how to write one, for who has just typed *written*."""
        fix = "" if "write " in self.reason else f" {_WRITE}"
        return f"{written[:_SHOWN]!r} is no phone. {self.reason}{fix}"


def parse(text: str, *, country: str | None) -> Phone:
    """Read a number as people write it; it must be valid to the phone library.

    >>> parse("+31 (0)6 1234-5678", country=None)
    '+31612345678'
    >>> parse("0031612345678", country=None)
    '+31612345678'
    >>> parse("06 12 34 56 78", country="NL")
    '+31612345678'

    Args:
        text: Spaces, dashes, dots, brackets, invisible characters, digits of any script, ``tel:``
            and a spreadsheet's apostrophe or ``.0`` are understood.
        country: Region (``NL``) of numbers written without a country code; None refuses those.

    Raises:
        InvalidPhone: Says what is wrong, in a sentence for the person who wrote it.
    """
    written = _tidied(text)
    if not written.startswith("+") and country is None:
        raise InvalidPhone("It has no country code: write it with + and the country code.")
    try:
        number = phonenumbers.parse(written, country)
    except NumberParseException as error:
        raise InvalidPhone(_REFUSALS.get(error.error_type, _NOT_A_NUMBER)) from error
    found = Phone(f"+{number.country_code}{phonenumbers.national_significant_number(number)}")
    if not phonenumbers.is_valid_number(number):
        # An old form, which WhatsApp's ids still have: the library knows its twin alone.
        for twin in twins(found):
            if phonenumbers.is_valid_number(_number(twin)):
                return twin
        raise InvalidPhone(_why_not_valid(number, international=written.startswith("+")))
    return found


def own(text: str) -> Phone:
    """Read a number of ours, or one WhatsApp vouches for: only its E.164 form counts.

    The platform hands out numbers the phone library does not know, such as test numbers.

    >>> own("+1 555 000 1111")
    '+15550001111'

    Raises:
        InvalidPhone: It is not + and 7 to 15 digits that begin with a country code.
    """
    written = _tidied(text)
    if _E164.fullmatch(written) is None:
        raise InvalidPhone("Write it with + and the country code, 7 to 15 digits in all.")
    return Phone(written)


def twins(phone: Phone) -> tuple[Phone, ...]:
    """Return the other numbers that reach the same person; none in most countries.

    Brazil put a 9 before its mobile numbers, Mexico took away a 1, Argentina dials a 9 from abroad.
    WhatsApp knows people by either form, so look-ups try both.

    >>> twins(Phone("+5511987654321")), twins(Phone("+551187654321"))
    (('+551187654321',), ('+5511987654321',))

    Args:
        phone: E.164; it need not be valid.
    """
    for form, other in _TWINS:
        if form.fullmatch(phone):
            return (Phone(form.sub(other, phone)),)
    return ()


def with_twins(phones: Iterable[Phone]) -> tuple[Phone, ...]:
    """Return phones and the other numbers that reach the same people, each once."""
    return tuple(dict.fromkeys(each for phone in phones for each in (phone, *twins(phone))))


def canonical(phone: Phone) -> Phone:
    """Return the same number for all twins, to compare by; it may be none that can be dialled."""
    return max((phone, *twins(phone)), key=len)


def country_of(phone: Phone) -> str | None:
    """Return the region (``NL``); None for numbers of no country and those the library ignores.

    >>> country_of(Phone("+31612345678"))
    'NL'
    """
    region = phonenumbers.region_code_for_number(_number(phone))
    return None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region


def zone_of(phone: Phone) -> str | None:
    """Return the IANA zone if all clocks of the number's country agree, else None.

    >>> zone_of(Phone("+31612345678"))
    'Europe/Amsterdam'
    >>> zone_of(Phone("+12125550123")) is None
    True
    """
    country = country_of(phone)
    return None if country is None else COUNTRY_ZONES.get(country)


def masked(phone: str) -> str:
    """Return the number as logs may show it; safe for any text.

    >>> masked("+31612345678")
    '+31…678'
    """
    return f"{phone[:3]}…{phone[-3:]}" if len(phone) >= _SHORTEST_MASKABLE else "…"


_TWINS: Final = (
    (re.compile(r"\+55([1-9]{2})9([6-9][0-9]{7})"), r"+55\1\2"),
    (re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+521([2-9][0-9]{9})"), r"+52\1"),
    (re.compile(r"\+52([2-9][0-9]{9})"), r"+521\1"),
    (re.compile(r"\+549([1-3][0-9]{9})"), r"+54\1"),
    (re.compile(r"\+54([1-3][0-9]{9})"), r"+549\1"),
)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORTEST_MASKABLE: Final = 8
_LONGEST_WRITTEN: Final = 100
_PLAIN: Final = re.compile(r"\+?[0-9]+")
_SHORTENED: Final = re.compile(r"[0-9]+[.,]?[0-9]*E\+?[0-9]+", re.IGNORECASE)
_AS_DECIMAL: Final = re.compile(r"(\+?[0-9]{7,15})\.0")
_SCHEME: Final = re.compile(r"(?:tel|whatsapp):", re.IGNORECASE)
_SHOWN: Final = 30
_WRITE: Final = "Write it with + and the country code, like +31612345678."
_NOT_A_NUMBER: Final = "It is not a phone number."
_REFUSALS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "Its country code does not exist.",
    NumberParseException.TOO_SHORT_AFTER_IDD: "It is too short.",
    NumberParseException.TOO_SHORT_NSN: "It is too short.",
    NumberParseException.TOO_LONG: "It is too long.",
}


def _tidied(text: str) -> str:
    """Return digits with at most one leading +, a leading 00 read as +."""
    written = text.strip()
    if _PLAIN.fullmatch(written) is None:  # most rows of a file are plain already
        written = _decluttered(text)
    return f"+{written[2:]}" if written.startswith("00") else written


def _decluttered(text: str) -> str:
    if len(text) > _LONGEST_WRITTEN:
        raise InvalidPhone("It is too long.")
    shown = "".join(map(_plain_character, text)).strip().lstrip("'")
    shown = _SCHEME.sub("", shown, count=1).strip()
    if not shown:
        raise InvalidPhone("It is empty.")
    if _SHORTENED.fullmatch(shown):
        raise InvalidPhone("A spreadsheet shortened it: format the column as text.")
    if (decimal := _AS_DECIMAL.fullmatch(shown)) is not None:
        shown = decimal[1]
    digits = "".join(c for c in shown if c not in " -.()[]/")
    if not _PLAIN.fullmatch(digits):
        raise InvalidPhone(_NOT_A_NUMBER)
    return digits


def _plain_character(character: str) -> str:
    """Return the ASCII a character stands for in a number, "" for what nobody sees."""
    if character.isascii() and character.isprintable():
        return character
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd" | "Zs" | "Zl" | "Zp" | "Cc":
            return " "
        case "Cf" | "Mn":
            return ""
        case "Sm" | "Po" | "Ps" | "Pe":  # full-width and small forms of + ( ) . /, a minus sign
            return unicodedata.normalize("NFKC", character).replace("\N{MINUS SIGN}", "-")
        case _:
            return character


def _why_not_valid(number: PhoneNumber, *, international: bool) -> str:
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.TOO_SHORT:
            return "It is too short."
        case phonenumbers.ValidationResult.TOO_LONG:
            return "It is too long." if international else _MAYBE_FOREIGN
        case _:
            return "No phone can have this number." if international else _MAYBE_FOREIGN


_MAYBE_FOREIGN: Final = (
    "It is no number of this country: write numbers of others with + and the country code."
)


def _number(phone: Phone) -> PhoneNumber:
    """Return the library's value; an own number may be unknown to it, so no check here."""
    try:
        return phonenumbers.parse(phone, None)
    except NumberParseException:
        return PhoneNumber()

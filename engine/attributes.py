"""What a contact's attributes may hold, by type: read as people write it, kept in one form."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self

from engine import names
from engine.ids import ContactId
from engine.personalise import BUILT_IN

LONGEST_VALUE: Final = 1_000
"""Characters of a value at most, as of a cell in a file."""


class AttributeType(StrEnum):
    """What all values of an attribute are; the value is the word staff write."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YESNO = "yesno"

    @property
    def example(self) -> str:
        return _EXAMPLES[self]

    @property
    def must_be(self) -> str:
        """What a value must be, as the end of "... must be"."""
        return _MUST_BE[self]


class Misfit(ValueError):
    """A value is not of its attribute's type; the message ends a sentence that names it.

    Attributes:
        type: What it should be.
    """

    def __init__(self, type_: AttributeType) -> None:
        super().__init__(f"must be {type_.must_be}, such as {type_.example}")
        self.type = type_


class ReservedName(ValueError):
    """The name is that of something every contact has; the message is a sentence for staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyping:
    """An attribute that becomes of another type.

    Attributes:
        form: How its values are read.
    """

    name: str
    type: AttributeType
    form: "Form"

    def __str__(self) -> str:
        said = [self.type, *(word for word, holds in self._words() if holds)]
        return f"{','.join(said)} {self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what str() wrote."""
        said, _, name = text.partition(" ")
        type_, *words = said.split(",")
        form = Form(decimal_comma=_COMMA in words, month_first=_MONTH in words)
        return cls(name=name, type=AttributeType(type_), form=form)

    def _words(self) -> tuple[tuple[str, bool], ...]:
        return (_COMMA, self.form.decimal_comma), (_MONTH, self.form.month_first)


_COMMA: Final = "decimal_comma"
_MONTH: Final = "month_first"


class ValuesUnfit(Exception):
    """Some contacts have a value that the new type cannot have; nothing was changed.

    Attributes:
        count: How many of those looked at.
        contacts: A few of them.
    """

    def __init__(self, count: int, contacts: Sequence[ContactId]) -> None:
        super().__init__(f"{count} values are not of the type")
        self.count = count
        self.contacts = tuple(contacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How numbers and dates are written where a value comes from.

    Attributes:
        decimal_comma: ``1,234`` is a little more than one; else it is a thousand and some.
        month_first: ``5/6/2026`` is a day in May; else one in June.
    """

    decimal_comma: bool = False
    month_first: bool = False

    @classmethod
    def usual_in(cls, country: str | None) -> Self:
        """Return the form usual in a country (``NL``); None: decimal points and days first."""
        return cls(
            decimal_comma=country is not None and country not in _DECIMAL_POINT,
            month_first=country in _MONTH_FIRST,
        )

    def shown_by(self, values: Iterable[str]) -> "Form":
        """Return this form as values of one column correct it, where they are beyond doubt."""
        months, days, commas, points = 0, 0, 0, 0
        for value in values:
            if (found := _NUMERIC_DATE.match(value.strip())) is not None:
                days += int(found["first"]) > _MONTHS
                months += int(found["second"]) > _MONTHS
            digits = _bare_number(value)
            if digits is not None and _THOUSANDS.fullmatch(digits) is None:
                last = max(digits.rfind(","), digits.rfind("."))
                if last >= 0 and digits.count(digits[last]) == 1:
                    commas += digits[last] == ","
                    points += digits[last] == "."
        form = self
        if bool(months) is not bool(days):
            form = replace(form, month_first=bool(months))
        if bool(commas) is not bool(points):
            form = replace(form, decimal_comma=bool(commas))
        return form


CANONICAL: Final = Form()
"""The form in which values are kept: ``1234.5``, ``2026-12-01``, ``yes``."""


def name(text: str) -> str:
    """Read the name of an attribute, which tokens, commands and columns share.

    >>> name("Last order (€)")
    'last_order'

    Raises:
        InvalidName: See :func:`engine.names.attribute`.
        ReservedName: Every contact has something of that name.
    """
    read_name = names.attribute(text)
    if read_name in RESERVED:
        raise ReservedName(
            f"{read_name} is something every contact has, so no attribute can have that name:"
            " choose another."
        )
    return read_name


RESERVED: Final = frozenset({*BUILT_IN, "tags", "language", "timezone"})
"""Names that mean something else in a command or a text."""


def read(text: str, type_: AttributeType, *, form: Form = CANONICAL) -> str:
    """Return *text* in the one form in which values of a type are kept.

    >>> read("1.234,50", AttributeType.NUMBER, form=Form(decimal_comma=True))
    '1234.5'
    >>> read("21 May 1990", AttributeType.DATE)
    '1990-05-21'
    >>> read("Ja", AttributeType.YESNO)
    'yes'

    Args:
        text: One line, as `names.cleaned` leaves it, not empty.

    Raises:
        Misfit: It is no value of that type.
    """
    match type_:
        case AttributeType.TEXT:
            found = text[:LONGEST_VALUE].strip() or None
        case AttributeType.NUMBER:
            found = _number(text, form)
        case AttributeType.DATE:
            found = _date(text, form)
        case AttributeType.YESNO:
            found = _WORDS.get(names.folded(text))
    if found is None:
        raise Misfit(type_)
    return found


def fits(text: str, type_: AttributeType, *, form: Form = CANONICAL) -> bool:
    try:
        read(text, type_, form=form)
    except Misfit:
        return False
    return True


def type_of(values: Iterable[str], *, form: Form = CANONICAL) -> AttributeType:
    """Return the narrowest type that all *values* have; text where there are none.

    What a number would lose something of is a text: a leading zero or +, more than 15 digits.

    >>> type_of(["12", "3.5"]), type_of(["0123"]), type_of(["yes", "maybe"])
    (<AttributeType.NUMBER: 'number'>, <AttributeType.TEXT: 'text'>, <AttributeType.TEXT: 'text'>)
    """
    found = list(values)
    if not found:
        return AttributeType.TEXT
    for type_ in (AttributeType.YESNO, AttributeType.DATE, AttributeType.NUMBER):
        if all(_is_plainly(value, type_, form) for value in found):
            return type_
    return AttributeType.TEXT


def retyped(
    values: Mapping[str, int], type_: AttributeType, *, form: Form
) -> tuple[dict[str, str], dict[str, int]]:
    """Return what each value becomes under another type, and those that fit none, with counts.

    Args:
        values: Values as kept, with how many contacts have each.
        form: How texts among them are taken; numbers and dates are kept in one form anyway.
    """
    become: dict[str, str] = {}
    unfit: dict[str, int] = {}
    for value, count in values.items():
        try:
            become[value] = read(value, type_, form=form)
        except Misfit:
            unfit[value] = count
    return become, unfit


_EXAMPLES: Final = {
    AttributeType.TEXT: "Utrecht",
    AttributeType.NUMBER: "1234.5",
    AttributeType.DATE: "2026-12-01",
    AttributeType.YESNO: "yes",
}
_MUST_BE: Final = {
    AttributeType.TEXT: "some text",
    AttributeType.NUMBER: "a number",
    AttributeType.DATE: "a date",
    AttributeType.YESNO: "yes or no",
}

_MONTHS: Final = 12
_DIGITS_KEPT: Final = 15  # what spreadsheets and JSON readers keep of a number


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DECIMAL_POINT: Final = frozenset(
    _words("""
        US GB IE AU NZ CA IN MX CN JP KR TH MY SG PH HK TW IL NG KE GH PK BD LK CH LI PE GT HN NI SV
        PA DO PR UG TZ ZW BW JM TT BS BB MT KH NP MM ET AE SA QA KW BH OM JO EG
    """)
)
_MONTH_FIRST: Final = frozenset(("US", "PH", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW"))

# Numbers

_BETWEEN_GROUPS: Final = "' \N{RIGHT SINGLE QUOTATION MARK}"
_LONGEST_NUMBER: Final = 24  # fewer digits than Decimal rounds at
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}([.,])[0-9]{3}")  # or three decimals
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})*")
_KEEPS_ALL: Final = re.compile(r"-?(?:0|[1-9][0-9.,]*|0[.,][0-9]+)")


def _bare_number(text: str) -> str | None:
    """Return digits, sign and separators of what may be a number; None: it is none."""
    bare = "".join(
        "" if unicodedata.category(c) in {"Sc", "Zs"} or c in _BETWEEN_GROUPS else c
        for c in text.replace("\N{MINUS SIGN}", "-")
    )
    return bare if _NUMBER.fullmatch(bare) else None


def _number(text: str, form: Form) -> str | None:
    bare = _bare_number(text)
    if bare is None:
        return None
    comma, point = bare.rfind(","), bare.rfind(".")
    if comma >= 0 and point >= 0:
        decimal, grouping = (",", ".") if comma > point else (".", ",")
        whole = bare.partition(decimal)[0]
        if bare.count(decimal) > 1 or not _GROUPED.fullmatch(whole) or decimal in whole:
            return None
        bare = bare.replace(grouping, "")
    elif bare.count(",") + bare.count(".") > 1:
        if not _GROUPED.fullmatch(bare):
            return None
        bare = bare.replace(",", "").replace(".", "")
    elif (found := _THOUSANDS.fullmatch(bare)) and (found[1] == ",") is not form.decimal_comma:
        bare = bare.replace(found[1], "")
    if len(bare) > _LONGEST_NUMBER:
        return None
    written = f"{Decimal(bare.replace(',', '.')).normalize():f}"
    return "0" if written == "-0" else written


# Dates

_NUMERIC_DATE: Final = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<between>[./-])(?P<second>[0-9]{1,2})(?P=between)"
    r"(?P<year>[0-9]{4}|[0-9]{2})(?:[T ,].*)?"
)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<between>[./-])(?P<month>[0-9]{1,2})(?P=between)(?P<day>[0-9]{1,2})"
    r"(?:[T ,].*)?"
)
_WITH_NAME: Final = re.compile(
    r"(?:[^\W\d_]+,? )?(?:(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|[.º])?[ -](?:de |of )?"
    r"(?P<month>[^\W\d_]+)\.?|(?P<month_too>[^\W\d_]+)\.? (?P<day_too>[0-9]{1,2})(?:st|nd|rd|th)?)"
    r",?[ -](?:de )?(?P<year>[0-9]{4})(?:[T ,].*)?",
    re.IGNORECASE,
)
_TWO_DIGITS: Final = 100
_PIVOT: Final = 30  # as spreadsheets do: 29 is 2029, 30 is 1930


def _date(text: str, form: Form) -> str | None:
    written = text.strip()
    if (found := _YEAR_FIRST.fullmatch(written)) is not None:
        return _day(int(found["year"]), int(found["month"]), int(found["day"]))
    if (found := _NUMERIC_DATE.fullmatch(written)) is not None:
        first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
        if year < _TWO_DIGITS and len(found["year"]) == len("00"):
            year += 2000 if year < _PIVOT else 1900
        # A dot puts the day first everywhere.
        month_first = form.month_first and found["between"] != "."
        day, month = (second, first) if month_first else (first, second)
        return _day(year, month, day)
    if (found := _WITH_NAME.fullmatch(written)) is not None:
        month_named = _MONTH_NAMES.get(_plain(found["month"] or found["month_too"]))
        day_written = found["day"] or found["day_too"]
        return (
            None if month_named is None else _day(int(found["year"]), month_named, int(day_written))
        )
    return None


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _plain(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in bare if c.isalpha())


_MONTH_WORDS: Final = (
    "january jan januari januar janvier janv enero ene gennaio gen janeiro jnr",
    "february feb februari februar fevrier fevr febrero febbraio fevereiro fev",
    "march mar maart mrt marz marzo mars marco maret",
    "april apr avril avr abril abr aprile",
    "may mei mai mayo maggio mag maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug augustus aout agosto ago agustus agu",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro nop nopember",
    "december dec dezember dez decembre diciembre dic dicembre dezembro desember des",
)
_MONTH_NAMES: Final = {
    word: month for month, words in enumerate(_MONTH_WORDS, start=1) for word in words.split()
}

# Yes and no

_WORDS: Final = dict.fromkeys(
    map(
        names.folded,
        _words("""
            yes y true on 1 ja j oui vrai wahr waar si sí sì sim vero verdadero verdadeiro ya evet
        """),
    ),
    "yes",
) | dict.fromkeys(
    map(
        names.folded,
        _words("""
            no n false off 0 nee nein non faux falsch onwaar não nao falso tidak hay\u0131r hayir
        """),
    ),
    "no",
)


def _is_plainly(value: str, type_: AttributeType, form: Form) -> bool:
    """Whether a value is of the type at first sight, without anything lost by taking it so."""
    if not fits(value, type_, form=form):
        return False
    match type_:
        case AttributeType.NUMBER:
            digits = sum(c.isdigit() for c in value)
            return digits <= _DIGITS_KEPT and _KEEPS_ALL.fullmatch(value.strip()) is not None
        case AttributeType.YESNO:
            # A one or a single letter may as well mean something else.
            return value.isalpha() and len(value) > 1
        case AttributeType.DATE:
            found = _NUMERIC_DATE.fullmatch(value.strip())
            return found is None or len(found["year"]) > len("00")
        case AttributeType.TEXT:
            return True

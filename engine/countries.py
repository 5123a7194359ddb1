"""Countries by what people call them, and those WhatsApp does not let the account write to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NewType

import phonenumbers

from engine.country_names import COUNTRY_NAMES
from engine.names import folded
from engine.phone import Phone, country_of

Country = NewType("Country", str)
"""Two letters, as the phone library has them (``NL``)."""


class NoSuchCountry(ValueError):
    """The text names no country."""


def country(text: str) -> Country:
    """Read a country by its two letters or its English name.

    >>> country("br"), country("Brazil"), country(" united states ")
    ('BR', 'BR', 'US')

    Raises:
        NoSuchCountry: There is none.
    """
    written = folded(text)
    found = _BY_NAME.get(written, written.upper())
    if found not in COUNTRY_NAMES:
        raise NoSuchCountry
    return Country(found)


def begins_name(text: str) -> bool:
    """Whether a country's name begins with it.

    >>> begins_name("united"), begins_name("NL")
    (True, False)
    """
    return any(name.startswith(folded(text)) for name in _BY_NAME)


def name_of(code: str) -> str:
    """Return what a country is called; one that has no name here by its letters.

    >>> name_of("BR"), name_of("ZZ")
    ('Brazil', 'ZZ')
    """
    return COUNTRY_NAMES.get(code, code)


@dataclass(frozen=True, slots=True)
class Banned:
    """Countries WhatsApp does not let the account write to.

    >>> Banned.of(["BR"]).reaches(Phone("+5511987654321")), Banned.of(["BR"]).reaches(None)
    (True, False)
    """

    countries: frozenset[str]
    prefixes: tuple[str, ...]

    @staticmethod
    def of(countries: Sequence[str]) -> "Banned":
        return _banned(tuple(countries))

    def reaches(self, phone: Phone | None) -> bool:
        """Whether a number is of one of them; None: WhatsApp hides whose it is."""
        # A number is taken apart only where its beginning may be one of theirs: it is asked for
        # every message.
        return (
            phone is not None
            and bool(self.prefixes)
            and phone.startswith(self.prefixes)
            and country_of(phone) in self.countries
        )


@lru_cache(maxsize=64)
def _banned(countries: tuple[str, ...]) -> Banned:
    codes = {phonenumbers.country_code_for_region(each) for each in countries}
    return Banned(frozenset(countries), tuple(f"+{code}" for code in sorted(codes - {0})))


NONE_BANNED: Final = Banned(frozenset(), ())
_BY_NAME: Final = {folded(name): code for code, name in COUNTRY_NAMES.items()}

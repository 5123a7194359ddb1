"""What the value of a button carries, so that clicking twice does once."""

import re
from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a button is about, and which version of it the message showed.

    Attributes:
        subject: An id of ours; never a right, since anybody can send any value.
        version: Moves with every change, so that the next message's button counts again.
    """

    subject: str
    version: int

    def __str__(self) -> str:
        """Return the form a button carries.

        >>> str(Value(subject="17", version=3))
        '17@3'
        """
        return f"{self.subject}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a button's value; None when it carries no version."""
        found = _WRITTEN.fullmatch(text)
        return None if found is None else cls(subject=found[1], version=int(found[2]))

    @property
    def id(self) -> int | None:
        """The subject as an id; None: it cannot be one of ours.

        >>> Value(subject="17", version=3).id, Value(subject="Welcome", version=3).id
        (17, None)
        """
        known = self.subject.isascii() and self.subject.isdecimal()
        return int(self.subject) if known and len(self.subject) <= _DIGITS else None


_DIGITS: Final = 18
_WRITTEN: Final = re.compile(r"(.{0,1900})@([0-9]{1,18})", re.DOTALL)

"""The automatic brake: when a campaign is stopped, for staff to look at, before it does more harm.

It looks at what was sent within a day, and never at what was sent before staff let it go on.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from engine import duration

WITHIN: Final = timedelta(hours=24)
"""How far back it looks."""


class InvalidShare(ValueError):
    """The text is no share; the message says what is."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Share:
    """A part of a whole, in tenths of a percent."""

    tenths: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read ``20%`` or ``2.5%``; None for ``off``.

        >>> Share.parse("2.5%")
        Share(tenths=25)

        Raises:
            InvalidShare: It is neither, or not between 0.1% and 100%.
        """
        if text.strip().lower() == duration.OFF:
            return None
        found = _SHARE.fullmatch(text.strip())
        tenths = 0 if found is None else int(found[1]) * 10 + int(found[2] or 0)
        if not 1 <= tenths <= _ALL:
            raise InvalidShare(
                f'{text[:40]!r} is no share: write "20%", between 0.1% and 100%, or "off"'
            )
        return cls(tenths=tenths)

    def exceeded(self, part: int, whole: int) -> bool:
        """Whether *part* is more of *whole* than this.

        >>> Share(tenths=200).exceeded(20, 100), Share(tenths=200).exceeded(21, 100)
        (False, True)
        """
        return part * _ALL > whole * self.tenths

    def __str__(self) -> str:
        whole, rest = divmod(self.tenths, 10)
        return f"{whole}.{rest}%" if rest else f"{whole}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """What stops a campaign.

    Attributes:
        failures, opt_outs: A larger share of its messages does; None: that never does.
        after: It takes so many messages before a share says anything.
    """

    failures: Share | None
    opt_outs: Share | None
    after: int

    @property
    def on(self) -> bool:
        return self.failures is not None or self.opt_outs is not None


NO_BRAKE: Final = Brake(failures=None, opt_outs=None, after=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What came of a campaign's messages lately.

    Attributes:
        went: Taken by the platform and not failed since.
        failed: Given up.
        opted_out: People who answered one of them with a word for STOP.
    """

    went: int
    failed: int
    opted_out: int


def why_stopped(driven: Driven, brake: Brake) -> str | None:
    """Return for what a campaign is to be stopped, as a sentence; None: for nothing.

    >>> few = Brake(failures=Share(tenths=200), opt_outs=None, after=5)
    >>> why_stopped(Driven(went=7, failed=3, opted_out=0), few)
    '3 of the last 10 messages failed, more than 20% (brake_failures in the configuration).'
    """
    decided = driven.went + driven.failed
    if (
        brake.failures is not None
        and decided >= brake.after
        and brake.failures.exceeded(driven.failed, decided)
    ):
        return (
            f"{driven.failed:,} of the last {decided:,} messages failed, more than"
            f" {brake.failures} (brake_failures in the configuration)."
        )
    if (
        brake.opt_outs is not None
        and driven.went >= brake.after
        and brake.opt_outs.exceeded(driven.opted_out, driven.went)
    ):
        return (
            f"{driven.opted_out:,} of the last {driven.went:,} people it reached said STOP, more"
            f" than {brake.opt_outs} (brake_opt_outs in the configuration)."
        )
    return None


LOW_QUALITY: Final = (
    "WhatsApp rates the number's quality low, because people block or report it; write only to"
    " people who asked for it, or Meta limits the number."
)
"""Why a number is stopped for its quality."""

_SHARE: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?\s*%")
_ALL: Final = 1000

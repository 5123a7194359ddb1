"""How many recipients staff may act on at once, and what it takes for more; how long it lasts."""

from dataclasses import dataclass
from datetime import timedelta

from engine.campaign import Settings
from engine.rate_window import bulk_per_second
from engine.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The limits of the organization, and the count staff gave.

    Attributes:
        large: Above it the count is wanted; 0: never.
        approval: Above it a second owner would have to approve; 0: never.
        count: None: staff gave none.
    """

    large: int
    approval: int
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Nothing was done: the same command with ``count=<recipients>`` does it.

    Attributes:
        recipients: How many it is for now.
        given: The count staff gave, which is another one; None: they gave none.
    """

    recipients: int
    given: int | None


class TooLarge(Refusal):
    """More recipients than one person may decide on."""

    def __init__(self, recipients: int, approval: int) -> None:
        super().__init__(
            f"That is for {recipients:,} recipients, and above {approval:,} a second owner has to"
            " approve (sending.approval_above in the configuration), which this version cannot ask"
            " for yet. Choose fewer recipients, or raise the limit there."
        )
        self.recipients = recipients


def judged(recipients: int, size: Size) -> Asked | None:
    """Return whether staff have to give the count first; None: it may be done.

    >>> judged(5, Size(large=10, approval=0, count=None)) is None
    True
    >>> judged(11, Size(large=10, approval=0, count=None))
    Asked(recipients=11, given=None)

    Raises:
        TooLarge: No count helps.
    """
    if 0 < size.approval < recipients:
        raise TooLarge(recipients, size.approval)
    if size.large <= 0 or recipients <= size.large or size.count == recipients:
        return None
    return Asked(recipients=recipients, given=size.count)


def lasts(
    recipients: int,
    *,
    per_second: int,
    settings: Settings,
    gap: timedelta = timedelta(),
    per_hour: int = 0,
    people: int = 0,
) -> timedelta:
    """Return about how long sending to *recipients* takes at a number's limit *per_second*.

    Args:
        gap: Between two messages of the number, on average.
        per_hour: Of the organization; 0: no limit.
        people: How many may be written to within a day; 0: no limit.

    >>> lasts(680, per_second=80, settings=Settings())
    datetime.timedelta(seconds=10)
    >>> lasts(680, per_second=80, settings=Settings(), people=250)
    datetime.timedelta(days=2)
    """
    span = timedelta(seconds=-(-recipients // bulk_per_second(per_second)))
    if settings.rate is not None:
        span = max(span, recipients * settings.rate.interval)
    span = max(span, (recipients - 1) * gap)
    if per_hour:
        span = max(span, timedelta(hours=(recipients - 1) // per_hour))
    if people:
        span = max(span, timedelta(days=(recipients - 1) // people))
    if settings.per_day is not None:
        span = max(span, timedelta(days=(recipients - 1) // settings.per_day))
    return span

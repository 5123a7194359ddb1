"""What a day came to, in numbers."""

from dataclasses import dataclass
from datetime import datetime

from storage.database import Unit
from storage.queries import load

_SQL = load("summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What became of the messages sent on a day, by the full hours of statistics.

    Attributes:
        opted_out: Contacts who said STOP on the day, or were opted out.
    """

    sent: int
    delivered: int
    read: int
    replied: int
    failed: int
    opted_out: int

    @property
    def nothing(self) -> bool:
        return not (self.sent or self.failed or self.opted_out)


async def day(unit: Unit, *, start: datetime, end: datetime) -> Day:
    rows = await unit.rows(_SQL["sent"], start=start, end=end)
    told = {row["metric"]: row["count"] for row in rows}
    return Day(
        sent=told.get("accepted", 0),
        delivered=told.get("delivered", 0),
        read=told.get("read", 0),
        replied=told.get("replied", 0),
        failed=told.get("dead", 0),
        opted_out=await unit.value(_SQL["opted_out"], start=start, end=end),
    )

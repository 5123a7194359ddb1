"""What a simulation came to: by day and step how many get a message, who does not, and why."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Final, Self

from engine.ids import ContactId
from engine.reasons import Reason

NAMED: Final = 3
"""How many contacts are kept by name for each line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a step for a contact; no reason: it is sent."""

    reason: Reason | None

    @classmethod
    def sent(cls) -> Self:
        return cls(None)

    @classmethod
    def left_out(cls, reason: Reason) -> Self:
        return cls(reason)


@dataclass(slots=True)
class Line:
    """A day and a step."""

    day: date
    step: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    first: dict[Outcome, list[ContactId]] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        return self.counts[Outcome.sent()]


_CODES: Final = (Outcome.sent(), *map(Outcome.left_out, Reason))
_NUMBERS: Final = {outcome: number for number, outcome in enumerate(_CODES)}


@dataclass(slots=True)
class Tally:
    """Counts by day and step, and the whole list in some bytes a piece.

    Attributes:
        zone: In which days are counted.
        contacts: By the places that :meth:`add` is given.
        cut_short: It goes on for longer than is looked at.
    """

    zone: tzinfo
    began_at: datetime
    contacts: Sequence[ContactId]
    lines: dict[tuple[date, int], Line] = field(default_factory=dict)
    cut_short: bool = False
    _places: "array[int]" = field(default_factory=lambda: array("I"))
    _steps: "array[int]" = field(default_factory=lambda: array("H"))
    _seconds: "array[int]" = field(default_factory=lambda: array("q"))
    _codes: "array[int]" = field(default_factory=lambda: array("B"))

    def add(self, at: datetime, step: int, outcome: Outcome, places: Sequence[int]) -> None:
        """Note that *outcome* became of a step at *at* for the contacts at *places*."""
        day = at.astimezone(self.zone).date()
        line = self.lines.setdefault((day, step), Line(day=day, step=step))
        line.counts[outcome] += len(places)
        named = line.first.setdefault(outcome, [])
        named.extend(self.contacts[place] for place in places[: NAMED - len(named)])
        several = len(places)
        self._places.extend(places)
        self._steps.extend([step] * several)
        self._seconds.extend([int(at.timestamp())] * several)
        self._codes.extend([_NUMBERS[outcome]] * several)

    def __len__(self) -> int:
        return len(self._places)

    def each(self) -> Iterator[tuple[ContactId, int, datetime, Outcome]]:
        """Yield contact, step, when and what of all, in the order of time."""
        rows = zip(self._places, self._steps, self._seconds, self._codes, strict=True)
        for place, step, second, code in rows:
            at = datetime.fromtimestamp(second, UTC)
            yield self.contacts[place], step, at, _CODES[code]

    @property
    def days(self) -> Counter[date]:
        """How many messages are sent by day."""
        counted: Counter[date] = Counter()
        for line in self.lines.values():
            counted[line.day] += line.sent
        return +counted

    @property
    def named(self) -> set[ContactId]:
        """Those that lines name."""
        return {
            each for line in self.lines.values() for some in line.first.values() for each in some
        }

    @property
    def totals(self) -> Counter[Outcome]:
        counted: Counter[Outcome] = Counter()
        for line in self.lines.values():
            counted += line.counts
        return counted

    @property
    def ends_on(self) -> date | None:
        """The last day on which anything happens; None: nothing does."""
        return max((line.day for line in self.lines.values()), default=None)

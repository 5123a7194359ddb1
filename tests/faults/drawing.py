"""What goes wrong under a seed: which faults, when, and for how long."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LASTS_S = 16.0
"""A storm's length; whatever goes wrong begins within it."""

_FEWEST, _MOST = 4, 7

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Mood:
    """The pretend platform behaves so for a while."""

    turned: Json
    back: Json


@dataclass(frozen=True, slots=True)
class Killed:
    """A part dies without a word."""

    part: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A part stands still, and goes on as if nothing had been."""

    part: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """Postgres is stopped in order and started again."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """Redis forgets everything."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Every connection of ours to Postgres is ended by it."""


@dataclass(frozen=True, slots=True)
class Jumped:
    """The business clock moves ahead at once."""

    seconds: float


What = Mood | Killed | Frozen | Restarted | Flushed | Cut | Jumped


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        at_s: Seconds after the storm began.
        lasts_s: Until it is over; 0 for what is over at once.
    """

    name: str
    at_s: float
    lasts_s: float
    what: What

    def __str__(self) -> str:
        lasting = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.at_s:4.1f} s {self.name}{lasting}"


@dataclass(frozen=True, slots=True)
class Storm:
    """All that one seed draws.

    Attributes:
        unknown: What the second broadcast does with messages in doubt.
        withheld: Whether webhooks are lost for good, so that the product cannot know everything.
        errors: Whether the platform fails messages by itself.
    """

    seed: int
    unknown: str
    faults: tuple[Fault, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(fault.name for fault in self.faults)

    @property
    def withheld(self) -> bool:
        return "webhooks withheld" in self.names

    def chance(self, of: str) -> random.Random:
        """Return the chance that rules one thing; the same seed gives the same."""
        return _chance(self.seed, of)

    def frozen(self, part: str) -> list[tuple[float, float]]:
        """Return when *part* stands still, from and until, in seconds of the storm."""
        return [
            (fault.at_s, fault.at_s + fault.lasts_s)
            for fault in self.faults
            if fault.what == Frozen(part)
        ]

    def __str__(self) -> str:
        drawn = ", ".join(map(str, self.faults))
        return f"seed {self.seed} (unknown={self.unknown}): {drawn}"


def draw(seed: int) -> Storm:
    """Draw several different faults and their moments."""
    chance = _chance(seed, "faults")
    names = chance.sample(sorted(_KINDS), chance.randint(_FEWEST, _MOST))
    faults = []
    for name in names:
        shortest, longest, make = _KINDS[name]
        at = chance.uniform(0.5, LASTS_S - longest)
        faults.append(Fault(name, at, chance.uniform(shortest, longest), make(chance)))
    return Storm(
        seed=seed,
        unknown=chance.choice(("resend", "resend", "ask", "drop")),
        faults=tuple(sorted(faults, key=lambda fault: fault.at_s)),
    )


def _chance(seed: int, of: str) -> random.Random:
    return random.Random(f"{seed} {of}")  # noqa: S311 — to repeat a run, not to hide anything


_CALM_WEBHOOKS = {"late_s": 0, "doubled": 0, "shuffled": 0, "withheld": 0}
_Make = Callable[[random.Random], What]


def _outage(kind: str) -> _Make:
    return lambda _: Mood({"outage": kind}, {"outage": None})


def _webhooks(**share: float) -> _Make:
    return lambda _: Mood({"webhooks": share}, {"webhooks": dict.fromkeys(share, 0)})


def _errors(code: str, least: float, most: float) -> _Make:
    return lambda chance: Mood(
        {"errors": {code: round(chance.uniform(least, most), 3)}}, {"errors": {code: 0}}
    )


_KINDS: Mapping[str, tuple[float, float, _Make]] = {
    "answers lost": (
        2,
        8,
        lambda chance: Mood(
            {"lose_answer": round(chance.uniform(0.05, 0.3), 3)}, {"lose_answer": 0}
        ),
    ),
    "answers late": (2, 8, lambda _: Mood({"latency_ms": [300, 1500]}, {"latency_ms": [20, 60]})),
    "calls answered 500": (0.5, 3, _outage("500")),
    "calls refused": (0.5, 3, _outage("refuse")),
    "calls left hanging": (0.3, 1, _outage("hang")),
    "throttled": (2, 5, _errors("130429", 0.05, 0.3)),
    "failed by webhook": (2, 8, _errors("131026", 0.02, 0.1)),
    "webhooks late": (2, 8, _webhooks(late_s=5)),
    "webhooks doubled": (4, 10, _webhooks(doubled=0.5)),
    "webhooks shuffled": (4, 10, _webhooks(shuffled=0.5)),
    "webhooks withheld": (2, 8, _webhooks(withheld=0.3)),
    "lanes killed": (0, 0, lambda _: Killed("lanes")),
    "jobs killed": (0, 0, lambda _: Killed("jobs")),
    "bot killed": (0, 0, lambda _: Killed("bot")),
    "Postgres killed": (0, 0, lambda _: Killed("postgres")),
    "Redis killed": (0, 0, lambda _: Killed("redis")),
    "lanes frozen": (0.5, 7, lambda _: Frozen("lanes")),
    "jobs frozen": (0.5, 7, lambda _: Frozen("jobs")),
    "bot frozen": (0.5, 5, lambda _: Frozen("bot")),
    "Postgres frozen": (0.5, 5, lambda _: Frozen("postgres")),
    "Redis frozen": (0.5, 5, lambda _: Frozen("redis")),
    "Postgres restarted": (0, 0, lambda _: Restarted()),
    "Redis flushed": (0, 0, lambda _: Flushed()),
    "connections cut": (0, 0, lambda _: Cut()),
    "clock moved": (0, 0, lambda chance: Jumped(chance.choice((60.0, 900.0, 4000.0)))),
}
"""By name: how long it lasts at least and at most, in seconds, and what it is."""

CALM: Json = {
    "latency_ms": [20, 60],
    "sent": 1,
    "delivered": 1,
    "read": 0.5,
    "reply": 0,
    "stop": 0,
    "delays_s": {"sent": 0, "delivered": 1, "read": 3, "reply": 5},
    "errors": {"130429": 0, "131026": 0},
    "outage": None,
    "lose_answer": 0,
    "webhooks": _CALM_WEBHOOKS,
}
"""How the platform behaves when nothing goes wrong."""

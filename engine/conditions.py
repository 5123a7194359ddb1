"""Whether a step goes to a contact: what became of the steps before, and the contact's tags."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Self, assert_never

from engine.ids import StepId
from engine.message import OPEN, PROGRESS, State

LONGEST_WAIT: Final = timedelta(hours=24)
"""A step with wait=delivered goes on after this, delivered or not."""


class Fact(StrEnum):
    """What may be asked of an earlier step; one left out is neither read nor replied to."""

    REPLIED = "replied"
    NOT_REPLIED = "not_replied"
    DELIVERED = "delivered"
    READ = "read"
    NOT_READ = "not_read"
    CLICKED = "clicked"


class Otherwise(StrEnum):
    """What becomes of a contact whom a condition keeps from a step."""

    SKIP = "skip"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that must hold; exactly one of *fact*, *tag* and *property* is there.

    Attributes:
        step: Of the fact; None: the step before.
        tag: The contact has it.
        property: Of the event that enrolled the contact; it is *value*, in any case.
    """

    fact: Fact | None = None
    step: StepId | None = None
    tag: str | None = None
    property: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a step asks.

    Attributes:
        all_of: All must hold; empty: it goes to everybody.
        wait: Until the step before is delivered, at most LONGEST_WAIT.
    """

    all_of: tuple[Condition, ...] = ()
    otherwise: Otherwise = Otherwise.SKIP
    wait: bool = False

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(each.tag for each in self.all_of if each.tag is not None)

    @property
    def steps(self) -> frozenset[StepId]:
        """Return the steps it names."""
        return frozenset(each.step for each in self.all_of if each.step is not None)

    def renamed(self, steps: Mapping[StepId, StepId]) -> "Conditions":
        """Return the same about other steps; a step that is not among *steps* stays."""
        asked = (
            each if each.step is None else replace(each, step=steps.get(each.step, each.step))
            for each in self.all_of
        )
        return replace(self, all_of=tuple(asked))

    @property
    def looks_back(self) -> bool:
        """Whether earlier messages decide."""
        return self.wait or any(each.fact is not None for each in self.all_of)

    def to_json(self) -> dict[str, Any]:
        """Return it for a jsonb column; what is at its default is left out."""
        written: dict[str, Any] = {}
        if self.all_of:
            written["if"] = [_written(each) for each in self.all_of]
        if self.otherwise is not Otherwise.SKIP:
            written["else"] = self.otherwise.value
        if self.wait:
            written["wait"] = State.DELIVERED.value
        return written

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        return cls(
            all_of=tuple(_read(each) for each in written.get("if", ())),
            otherwise=Otherwise(written.get("else", Otherwise.SKIP)),
            wait="wait" in written,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What became of the message of a step, for one contact in one run."""

    state: State
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    replied_at: datetime | None = None
    clicked_at: datetime | None = None

    @property
    def may_still_arrive(self) -> bool:
        return self.delivered_at is None and (self.state in OPEN or self.state in PROGRESS)


def holds(
    conditions: Conditions,
    before: Evidence | None,
    evidence: Mapping[StepId, Evidence],
    tags: Collection[str],
    properties: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """Return whether all conditions hold.

    Args:
        before: Of the step before; None: the contact had none.
        evidence: Of the steps of the run that have a message; others were never planned.
        properties: Of the event that enrolled the contact.
    """

    def so(asked: Condition) -> bool:
        if asked.tag is not None:
            return asked.tag in tags
        if asked.property is not None:
            said = properties.get(asked.property)
            return said is not None and str(said).casefold() == asked.value.casefold()
        of = before if asked.step is None else evidence.get(asked.step)
        return asked.fact is not None and _is_so(asked.fact, of)

    return all(map(so, conditions.all_of))


def _is_so(fact: Fact, of: Evidence | None) -> bool:
    match fact:
        case Fact.REPLIED:
            return of is not None and of.replied_at is not None
        case Fact.NOT_REPLIED:
            return of is None or of.replied_at is None
        case Fact.DELIVERED:
            return of is not None and of.delivered_at is not None
        case Fact.READ:
            return of is not None and of.read_at is not None
        case Fact.NOT_READ:
            return of is None or of.read_at is None
        case Fact.CLICKED:
            return of is not None and of.clicked_at is not None
        case _:
            assert_never(fact)


def _written(condition: Condition) -> dict[str, Any]:
    if condition.tag is not None:
        return {"tag": condition.tag}
    if condition.property is not None:
        return {"property": condition.property, "value": condition.value}
    written: dict[str, Any] = {"fact": str(condition.fact)}
    if condition.step is not None:
        written["step"] = condition.step
    return written


def _read(written: Mapping[str, Any]) -> Condition:
    if "tag" in written:
        return Condition(tag=written["tag"])
    if "property" in written:
        return Condition(property=written["property"], value=written["value"])
    return Condition(fact=Fact(written["fact"]), step=written.get("step"))

"""Write a step: what staff said of one becomes a whole step, or a sentence about what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from enum import Enum
from typing import Final, Literal, TypeAlias, TypeVar

from engine import hours as sending_hours
from engine import names
from engine.attributes import AttributeType
from engine.campaign import Step
from engine.campaign_ports import Attributes, StepDraft, Templates
from engine.conditions import Condition, Conditions, Fact, Otherwise
from engine.content import TemplateMessage
from engine.hours import Hours
from engine.ids import StepId
from engine.refusal import Refusal
from engine.timing import Anchor, Timing
from engine.usecases.compose import Wanted, compose

T = TypeVar("T")


class Unsaid(Enum):
    """Staff said nothing about it, as against wanting none (None)."""

    UNSAID = "unsaid"


UNSAID: Final = Unsaid.UNSAID
NotSaid: TypeAlias = Literal[Unsaid.UNSAID]


class StepDoesNotFit(Refusal):
    """What was said of a step does not go together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A condition as staff wrote it; exactly one of *fact*, *tag* and *property*.

    Attributes:
        number: Of the step the fact is about; None: the step before.
        property: Of the event that enrolled, which is *value*.
    """

    fact: Fact | None = None
    number: int | None = None
    tag: str | None = None
    property: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWish:
    """What staff said of a step; None means none of it, UNSAID that it stays as it is.

    Attributes:
        after: A delay, or the date attribute it counts from.
        yearly: Whether the anniversaries of that date count.
        wanted: What it says.
        fallback: A template for a closed service window.
    """

    after: timedelta | Anchor | NotSaid = UNSAID
    yearly: bool | NotSaid = UNSAID
    clock: time | NotSaid | None = UNSAID
    weekday: int | NotSaid | None = UNSAID
    conditions: tuple[Asked, ...] | NotSaid | None = UNSAID
    otherwise: Otherwise | NotSaid = UNSAID
    wait: bool | NotSaid = UNSAID
    hours: str | NotSaid | None = UNSAID
    days: str | NotSaid | None = UNSAID
    wanted: Wanted | NotSaid = UNSAID
    fallback: Wanted | NotSaid | None = UNSAID

    @property
    def times(self) -> bool:
        """Whether it says anything about when."""
        said = (self.after, self.yearly, self.clock, self.weekday, self.wait)
        return any(each is not UNSAID for each in said)

    @property
    def hourly(self) -> bool:
        """Whether it says in which hours or on which days."""
        return self.hours is not UNSAID or self.days is not UNSAID


async def write_step(
    *,
    wish: StepWish,
    old: Step | None,
    before: Sequence[Step],
    window: Hours,
    templates: Templates,
    attributes: Attributes,
    types: Mapping[str, AttributeType],
) -> StepDraft:
    """Return the step that staff want.

    Args:
        old: As it is; None: it is new.
        before: The steps that come before it, in order.
        window: The hours in which the campaign sends.
        types: The attributes there are.

    Raises:
        StepDoesNotFit, DoesNotFit, NoSuchTemplate, ManyLanguages: Something does not go together.
    """
    timing, after = _timing(wish, old, types)
    content = old.content if old else None
    if wish.wanted is not UNSAID:
        content = await compose(wanted=wish.wanted, known=templates, attributes=attributes)
    if content is None:
        raise StepDoesNotFit("A step needs text=, template= or media=.")
    fallback = old.fallback if old else None
    if wish.fallback is not UNSAID:
        fallback = await _fallback(wish.fallback, templates, attributes)
    if fallback is not None and isinstance(content, TemplateMessage):
        raise StepDoesNotFit(
            "fallback= is for a text or a file, which wants an open service window; a template"
            " goes out at any time, so leave it out (fallback=off)."
        )
    draft = StepDraft(
        after=after,
        content=content,
        timing=timing,
        conditions=_conditions(wish, old, before),
        fallback=fallback,
        hours=_said(wish.hours, old.hours if old else None),
        days=_said(wish.days, old.days if old else None),
    )
    _check_inside(draft, window)
    return draft


def check_order(steps: Sequence[Step]) -> None:
    """Check that every step asks only about steps before it.

    Raises:
        StepDoesNotFit: One does not.
    """
    seen: set[StepId] = set()
    for number, step in enumerate(steps, start=1):
        if number == 1 and step.conditions.looks_back:
            raise StepDoesNotFit(
                f"Step {step.number} would be the first, and asks about the step before: change its"
                " if= or wait= first."
            )
        if not step.conditions.steps <= seen:
            raise StepDoesNotFit(
                f"Step {step.number} asks in its if= about a step that would no longer come before"
                " it: change that first."
            )
        seen.add(step.id)


def _timing(
    wish: StepWish, old: Step | None, types: Mapping[str, AttributeType]
) -> tuple[Timing, timedelta]:
    timing = old.timing if old else Timing()
    after = old.after if old else timedelta()
    match wish.after:
        case timedelta() as delay:
            timing, after = replace(timing, anchor=None), delay
        case Anchor() as anchor:
            yearly = timing.anchor.yearly if timing.anchor else False
            _check_date(anchor.attribute, types)
            timing, after = replace(timing, anchor=replace(anchor, yearly=yearly)), timedelta()
        case Unsaid.UNSAID:
            pass
    if wish.yearly is not UNSAID:
        if timing.anchor is None:
            raise StepDoesNotFit(
                "yearly= goes only with a date of the contact, like after=0d:birthday."
            )
        timing = replace(timing, anchor=replace(timing.anchor, yearly=wish.yearly))
    return (
        replace(
            timing,
            clock=_said(wish.clock, timing.clock),
            weekday=_said(wish.weekday, timing.weekday),
        ),
        after,
    )


def _check_date(attribute: str, types: Mapping[str, AttributeType]) -> None:
    known = types.get(attribute)
    if known is None:
        dates = [name for name, type_ in types.items() if type_ is AttributeType.DATE]
        closest = names.closest(attribute, dates)
        meant = f" Did you mean {closest}?" if closest else ""
        raise StepDoesNotFit(
            f"No contact has an attribute {attribute}.{meant} An import or /drip contact edit"
            f" <contact> {attribute}=2026-12-31 gives one its first."
        )
    if known is not AttributeType.DATE:
        raise StepDoesNotFit(f"{attribute} holds {known.value}, and a step counts from a date.")


async def _fallback(
    wanted: Wanted | None, templates: Templates, attributes: Attributes
) -> TemplateMessage | None:
    if wanted is None:
        return None
    content = await compose(wanted=wanted, known=templates, attributes=attributes)
    if not isinstance(content, TemplateMessage):
        raise StepDoesNotFit("fallback= names a template.")
    return content


def _conditions(wish: StepWish, old: Step | None, before: Sequence[Step]) -> Conditions:
    conditions = old.conditions if old else Conditions()
    if wish.conditions is not UNSAID:
        asked = wish.conditions or ()
        conditions = replace(conditions, all_of=tuple(_condition(each, before) for each in asked))
        if not asked and wish.otherwise is UNSAID:
            conditions = replace(conditions, otherwise=Otherwise.SKIP)
    if wish.otherwise is not UNSAID:
        if not conditions.all_of:
            raise StepDoesNotFit("else= goes only with if=.")
        conditions = replace(conditions, otherwise=wish.otherwise)
    if wish.wait is not UNSAID:
        conditions = replace(conditions, wait=wish.wait)
    if conditions.looks_back and not before:
        raise StepDoesNotFit(
            "The first step has no step before it that if= or wait= could ask about; if=tag:<tag>"
            " works there."
        )
    return conditions


def _condition(asked: Asked, before: Sequence[Step]) -> Condition:
    if asked.fact is None:
        return Condition(tag=asked.tag, property=asked.property, value=asked.value)
    if asked.number is None:
        return Condition(fact=asked.fact)
    for step in before:
        if step.number == asked.number:
            return Condition(fact=asked.fact, step=step.id)
    there = f"1 to {len(before)}" if len(before) > 1 else "1" if before else "none"
    raise StepDoesNotFit(
        f"if={asked.fact}:{asked.number} asks about a step that does not come before this one;"
        f" before it: {there}."
    )


def _check_inside(draft: StepDraft, window: Hours) -> None:
    clock, weekday = draft.timing.clock, draft.timing.weekday
    own = sending_hours.chosen(window, draft.hours, draft.days)
    if weekday is not None and weekday not in own.days:
        raise StepDoesNotFit(
            f"on={_DAYS[weekday]} is none of the days it may go out on,"
            f" {sending_hours.show_days(own.days)}: give the step days= of its own."
        )
    if clock is not None and not own.shows(clock.hour * 60 + clock.minute):
        raise StepDoesNotFit(
            f"at={clock:%H:%M} is outside of the hours it may go out in, {own}: give the step"
            " hours= of its own."
        )


def _said(said: T | NotSaid, otherwise: T) -> T:
    return otherwise if said is UNSAID else said


_DAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

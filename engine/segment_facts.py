"""Whether one contact is in a segment, from plain facts: the meaning that the SQL has to have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from engine.consent import Consent
from engine.ids import CampaignId, ListId, SegmentId
from engine.phone import Phone, with_twins
from engine.segment import (
    All,
    Attribute,
    Condition,
    ConsentIs,
    Count,
    DateIs,
    DateOp,
    Definition,
    Did,
    Everybody,
    Field,
    HasPhone,
    HasTag,
    InSegment,
    IsSet,
    Moment,
    Not,
    NumberIs,
    OnList,
    Some,
    SpanIs,
    SpanOp,
    Standing,
    Text,
    TextIs,
    TextOp,
    Took,
    YesNoIs,
    compares,
)

# Values from before the attribute had its type may be no number or day; they fulfil nothing.
NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?$"
FIRST_DIGIT: Final = "0"
AFTER_DIGITS: Final = ":"
YES: Final = ("yes", "true")
NO: Final = ("no", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one contact.

    Attributes:
        texts, counts, moments: Absent: not known.
        attributes: As text; days as 2026-12-31.
        did: By campaign.
    """

    moments: Mapping[Moment, datetime]
    texts: Mapping[Text, str] = field(default_factory=dict)
    counts: Mapping[Count, int] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    phones: frozenset[Phone] = frozenset()
    tags: frozenset[str] = frozenset()
    lists: frozenset[ListId] = frozenset()
    did: Mapping[CampaignId, frozenset[Did]] = field(default_factory=dict)
    consent: Consent = field(default_factory=Consent)


def holds(
    definition: Definition,
    facts: Facts,
    *,
    at: datetime,
    segments: Mapping[SegmentId, Definition],
) -> bool:
    """Whether the contact is in it at *at*; *segments* are all that it names, however deep."""
    judge = _Judge(facts, at, ZoneInfo(definition.zone), segments)
    return judge.holds(definition.where)


def lower(text: str) -> str:
    """Return *text* in small letters, each letter by itself, as the database has it.

    >>> lower("İSTANBUL"[1:])
    'stanbul'
    """
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


@dataclass(frozen=True, slots=True)
class _Judge:
    facts: Facts
    at: datetime
    zone: tzinfo
    segments: Mapping[SegmentId, Definition]

    def holds(self, condition: Condition) -> bool:
        facts = self.facts
        match condition:
            case All(parts=parts):
                return all(map(self.holds, parts))
            case Some(parts=parts):
                return any(map(self.holds, parts))
            case Not(part=part):
                return not self.holds(part)
            case Everybody():
                return True
            case HasTag(tag=tag):
                return tag in facts.tags
            case HasPhone(phone=phone):
                return not facts.phones.isdisjoint(with_twins([phone]))
            case OnList(list_id=found):
                return found in facts.lists
            case InSegment(segment_id=found):
                inner = self.segments[found]
                return holds(inner, facts, at=self.at, segments=self.segments)
            case Took(did=did, campaign_id=campaign):
                return did in facts.did.get(campaign, frozenset())
            case ConsentIs(value=standing):
                return _standing(facts.consent) is standing
            case IsSet(field=field):
                return self._text(field) not in (None, "")
            case TextIs(field=field, op=op, value=wanted):
                text = self._text(field)
                return text is not None and _fits(op, lower(text), lower(wanted))
            case NumberIs(field=field, op=number_op, value=number):
                value = self._number(field)
                return value is not None and compares(number_op, value, number)
            case DateIs():
                return self._on_date(condition)
            case SpanIs():
                return self._in_span(condition)
            case YesNoIs(field=field, value=yes):
                return lower(facts.attributes.get(field.name, "")) in (YES if yes else NO)
            case _:
                assert_never(condition)

    def _text(self, field: Field) -> str | None:
        match field:
            case Attribute(name=name):
                return self.facts.attributes.get(name)
            case Text():
                return self.facts.texts.get(field)
            case Count():
                count = self.facts.counts.get(field)
                return None if count is None else str(count)
            case Moment():
                moment = self.facts.moments.get(field)
                return None if moment is None else moment.isoformat()
            case _:
                assert_never(field)

    def _number(self, field: Count | Attribute) -> Decimal | None:
        text = self._text(field)
        return Decimal(text) if text is not None and re.fullmatch(NUMBER, text) else None

    def _on_date(self, condition: DateIs) -> bool:
        field, day = condition.field, condition.value
        if isinstance(field, Attribute):
            text = self._day(field)
            written = day.isoformat()
            match condition.op:
                case DateOp.BEFORE:
                    return text is not None and text < written
                case DateOp.AFTER:
                    return text is not None and text > written
                case DateOp.ON:
                    return text == written
                case other:
                    assert_never(other)
        moment = self.facts.moments.get(field)
        begins = datetime.combine(day, time(), self.zone)
        ends = datetime.combine(day + timedelta(days=1), time(), self.zone)
        match condition.op:
            case DateOp.BEFORE:
                return moment is not None and moment < begins
            case DateOp.AFTER:
                return moment is not None and moment >= ends
            case DateOp.ON:
                return moment is not None and begins <= moment < ends
            case other:
                assert_never(other)

    def _in_span(self, condition: SpanIs) -> bool:
        field, span = condition.field, condition.value
        if isinstance(field, Attribute):
            text = self._day(field)
            today = self.at.astimezone(self.zone).date()
            if text is None:
                return False
            match condition.op:
                case SpanOp.WITHIN:
                    return (today - span).isoformat() <= text <= today.isoformat()
                case SpanOp.OLDER:
                    return text < (today - span).isoformat()
                case SpanOp.NEXT:
                    return today.isoformat() <= text <= (today + span).isoformat()
                case other:
                    assert_never(other)
        moment = self.facts.moments.get(field)
        if moment is None:
            return False
        match condition.op:
            case SpanOp.WITHIN:
                return self.at - span <= moment <= self.at
            case SpanOp.OLDER:
                return moment < self.at - span
            case SpanOp.NEXT:
                return self.at <= moment <= self.at + span
            case other:
                assert_never(other)

    def _day(self, field: Attribute) -> str | None:
        text = self.facts.attributes.get(field.name)
        return text if text is not None and FIRST_DIGIT <= text < AFTER_DIGITS else None


def _standing(consent: Consent) -> Standing:
    reason = consent.against(promotional=True)
    return Standing.REACHABLE if reason is None else Standing(reason.value)


def _fits(op: TextOp, text: str, wanted: str) -> bool:
    match op:
        case TextOp.IS:
            return text == wanted
        case TextOp.CONTAINS:
            return wanted in text
        case TextOp.BEGINS:
            return text.startswith(wanted)
        case _:
            assert_never(op)

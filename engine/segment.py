"""Which contacts are meant: conditions on what is known of a contact, joined by all, any and not.

A condition holds or does not; what is not known of a contact fulfils none, so "is not" and "!=" are
`Not` of "is" and "=", and count contacts without a value in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from engine.ids import CampaignId, ListId, SegmentId
from engine.phone import Phone


class Text(StrEnum):
    """A text every contact may have. The value is the word of the language."""

    NAME = "name"
    FIRST_NAME = "first_name"
    COMPANY = "company"
    EMAIL = "email"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    COUNTRY = "country"
    SOURCE = "source"
    STATUS = "status"


class Count(StrEnum):
    """A whole number every contact may have."""

    CONVERSATIONS = "conversations"
    RATING = "rating"


class Moment(StrEnum):
    """When something happened; never in the future."""

    CREATED = "created"
    LAST_MESSAGE = "last_message"
    LAST_REPLY = "last_reply"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the organization's own, by its name."""

    name: str


Field = Text | Count | Moment | Attribute


class TextOp(StrEnum):
    """How a text compares, whatever its case."""

    IS = "is"
    CONTAINS = "contains"
    BEGINS = "begins with"


class NumberOp(StrEnum):
    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class DateOp(StrEnum):
    BEFORE = "before"
    AFTER = "after"
    ON = "on"


class SpanOp(StrEnum):
    """How far from now: in the last, longer ago than, in the next so many days."""

    WITHIN = "within"
    OLDER = "older than"
    NEXT = "within the next"


class Standing(StrEnum):
    """Whether a contact may get promotional messages, and if not, the first reason."""

    REACHABLE = "reachable"
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    PLATFORM_STOPPED = "platform_stopped"
    ERASED = "erased"


class Status(StrEnum):
    """How a contact's conversation with the organization stands."""

    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"


class Did(StrEnum):
    """What a contact did in a campaign; in a broadcast, enrolled is to be of its audience."""

    ENROLLED = "enrolled"
    FINISHED = "finished"
    REPLIED = "replied"
    READ = "read"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class Everybody:
    pass


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str


@dataclass(frozen=True, slots=True)
class HasPhone:
    phone: Phone


@dataclass(frozen=True, slots=True)
class OnList:
    list_id: ListId


@dataclass(frozen=True, slots=True)
class InSegment:
    segment_id: SegmentId


@dataclass(frozen=True, slots=True)
class Took:
    """What somebody did in a campaign; *broadcast*: it is one, and has no enrollments."""

    did: Did
    campaign_id: CampaignId
    broadcast: bool


@dataclass(frozen=True, slots=True)
class IsSet:
    field: Field


@dataclass(frozen=True, slots=True)
class TextIs:
    field: Text | Attribute
    op: TextOp
    value: str


@dataclass(frozen=True, slots=True)
class NumberIs:
    field: Count | Attribute
    op: NumberOp
    value: Decimal


@dataclass(frozen=True, slots=True)
class DateIs:
    """A day of the segment's zone, for moments; a day as it is written, for attributes."""

    field: Moment | Attribute
    op: DateOp
    value: date


@dataclass(frozen=True, slots=True)
class SpanIs:
    """A span from now; of whole days for attributes, which are days."""

    field: Moment | Attribute
    op: SpanOp
    value: timedelta


@dataclass(frozen=True, slots=True)
class YesNoIs:
    field: Attribute
    value: bool


@dataclass(frozen=True, slots=True)
class ConsentIs:
    value: Standing


@dataclass(frozen=True, slots=True)
class All:
    """All of at least two."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of at least two."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Leaf = (
    Everybody
    | HasTag
    | HasPhone
    | OnList
    | InSegment
    | Took
    | IsSet
    | TextIs
    | NumberIs
    | DateIs
    | SpanIs
    | YesNoIs
    | ConsentIs
)
Condition = Leaf | All | Some | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Whom a segment holds.

    Attributes:
        zone: IANA name of the zone whose days "before 2026-12-01" means: the organization's when
            the definition was written.
    """

    where: Condition
    zone: str


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the conditions that are not made of others, as written."""
    match condition:
        case All(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from leaves(part)
        case Not(part=part):
            yield from leaves(part)
        case leaf:
            yield leaf


def segments_in(condition: Condition) -> tuple[SegmentId, ...]:
    """Return the segments it names, each once."""
    found = (leaf.segment_id for leaf in leaves(condition) if isinstance(leaf, InSegment))
    return tuple(dict.fromkeys(found))


def lists_in(condition: Condition) -> tuple[ListId, ...]:
    """Return the lists it names, each once."""
    found = (leaf.list_id for leaf in leaves(condition) if isinstance(leaf, OnList))
    return tuple(dict.fromkeys(found))


def lists_behind(
    segments: Iterable[SegmentId], definitions: Mapping[SegmentId, Definition]
) -> set[ListId]:
    """Return the lists that decide who is in some of *segments*, also through other segments."""
    return {each for where in _behind(segments, definitions) for each in lists_in(where)}


def tags_behind(
    segments: Iterable[SegmentId], definitions: Mapping[SegmentId, Definition]
) -> set[str]:
    """Return the tags that decide who is in some of *segments*, also through other segments."""
    found = (leaf for where in _behind(segments, definitions) for leaf in leaves(where))
    return {leaf.tag for leaf in found if isinstance(leaf, HasTag)}


def _behind(
    segments: Iterable[SegmentId], definitions: Mapping[SegmentId, Definition]
) -> Iterator[Condition]:
    seen: set[SegmentId] = set()
    waiting = [each for each in segments if each in definitions]
    while waiting:
        segment = waiting.pop()
        if segment in seen:
            continue
        seen.add(segment)
        where = definitions[segment].where
        yield where
        waiting += [each for each in segments_in(where) if each in definitions]


def compares(op: NumberOp, left: Decimal, right: Decimal) -> bool:
    match op:
        case NumberOp.EQUAL:
            return left == right
        case NumberOp.LESS:
            return left < right
        case NumberOp.AT_MOST:
            return left <= right
        case NumberOp.MORE:
            return left > right
        case NumberOp.AT_LEAST:
            return left >= right
        case _:
            assert_never(op)

"""Conditions as staff read and write them.

::

    tag:lead and not tag:customer and city is "Amsterdam" and last_reply within 30d
    (read:Welcome or clicked:Welcome) and orders >= 3 and consent is reachable

`and` binds before `or`; `show` writes what `parse` (engine.segment_parser) reads as the same.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from engine import duration
from engine.attributes import AttributeType
from engine.ids import CampaignId, ListId, SegmentId
from engine.segment import (
    All,
    Attribute,
    Condition,
    ConsentIs,
    Count,
    DateIs,
    Everybody,
    Field,
    HasPhone,
    HasTag,
    InSegment,
    IsSet,
    Moment,
    Not,
    NumberIs,
    NumberOp,
    OnList,
    Some,
    SpanIs,
    Text,
    TextIs,
    TextOp,
    Took,
    YesNoIs,
)

KEYWORDS: Final = frozenset({"and", "or", "not", "all", "consent"})
BUILT_IN: Final[Mapping[str, Text | Count | Moment]] = {
    field.value: field for fields in (Text, Count, Moment) for field in fields
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names there are in an organization.

    Attributes:
        attributes: Their types, by name.
        campaigns: Archived ones too; True: a broadcast.
    """

    attributes: Mapping[str, AttributeType]
    tags: Collection[str]
    lists: Mapping[str, ListId]
    segments: Mapping[str, SegmentId]
    campaigns: Mapping[str, tuple[CampaignId, bool]]


def show(condition: Condition, known: Known) -> str:
    """Write a condition; what has lost its name is written by its number, as ``list:#3``."""
    return Writer(known).whole(condition)


def written_name(name: str) -> str:
    r"""Return *name* as one word of the language, in quotes where it needs them.

    >>> written_name("vip"), written_name('to "call"')
    ('vip', '"to \\"call\\""')
    """
    return name if _PLAIN.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_PLAIN: Final = re.compile(r"[^\W_][\w.+-]*")


class Writer:
    """Writes conditions with the names of an organization."""

    def __init__(self, known: Known) -> None:
        self._lists: dict[int, str] = {found: name for name, found in known.lists.items()}
        self._segments: dict[int, str] = {found: name for name, found in known.segments.items()}
        self._campaigns: dict[int, str] = {
            found: name for name, (found, _) in known.campaigns.items()
        }

    def whole(self, condition: Condition) -> str:
        match condition:
            case Some(parts=parts):
                return " or ".join(map(self._in_some, parts))
            case All(parts=parts):
                return " and ".join(map(self._in_all, parts))
            case Not(part=part):
                return self._negated(part)
            case leaf:
                return self._leaf(leaf, "is", "=")

    def _in_some(self, part: Condition) -> str:
        return f"({self.whole(part)})" if isinstance(part, Some) else self.whole(part)

    def _in_all(self, part: Condition) -> str:
        return f"({self.whole(part)})" if isinstance(part, Some | All) else self.whole(part)

    def _negated(self, part: Condition) -> str:
        match part:
            case TextIs(op=TextOp.IS) | IsSet() | YesNoIs() | ConsentIs():
                return self._leaf(part, "is not", "!=")
            case NumberIs(op=NumberOp.EQUAL):
                return self._leaf(part, "is not", "!=")
            case All() | Some():
                return f"not ({self.whole(part)})"
            case _:
                return f"not {self.whole(part)}"

    def _leaf(self, leaf: Condition, is_: str, equals: str) -> str:
        match leaf:
            case Everybody():
                return "all"
            case HasTag(tag=tag):
                return f"tag:{written_name(tag)}"
            case HasPhone(phone=phone):
                return f"phone:{phone}"
            case OnList(list_id=found):
                return f"list:{_name(self._lists, found)}"
            case InSegment(segment_id=found):
                return f"segment:{_name(self._segments, found)}"
            case Took(did=did, campaign_id=found):
                return f"{did}:{_name(self._campaigns, found)}"
            case IsSet(field=field):
                return f"{self._field(field)} {is_} set"
            case TextIs(field=field, op=op, value=text):
                said = is_ if op is TextOp.IS else op.value
                return f"{self._field(field)} {said} {quoted(text)}"
            case NumberIs(field=field, op=op, value=number):
                sign = equals if op is NumberOp.EQUAL else op.value
                return f"{self._field(field)} {sign} {number:f}"
            case DateIs(field=field, op=op, value=day):
                return f"{self._field(field)} {op} {day.isoformat()}"
            case SpanIs(field=field, op=op, value=span):
                return f"{self._field(field)} {op} {duration.show(span)}"
            case YesNoIs(field=field, value=yes):
                return f"{self._field(field)} {is_} {'yes' if yes else 'no'}"
            case ConsentIs(value=standing):
                return f"consent {is_} {standing}"
            case All() | Some() | Not():
                raise AssertionError("made of others")
            case _:
                assert_never(leaf)

    def _field(self, field: Field) -> str:
        if not isinstance(field, Attribute):
            return field.value
        taken = field.name in KEYWORDS or field.name in BUILT_IN
        return f"attribute:{field.name}" if taken else field.name


def _name(names: Mapping[int, str], found: int) -> str:
    name = names.get(found)
    return f"#{found}" if name is None else written_name(name)

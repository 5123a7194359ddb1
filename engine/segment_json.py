"""Conditions as the database keeps them: ``{"all": [{"tag": "lead"}, {"not": {"list": 3}}]}``."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar, assert_never

from engine.ids import CampaignId, ListId, SegmentId
from engine.phone import Phone
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
    NumberOp,
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
)

Json = dict[str, Any]
F = TypeVar("F", Text, Count, Moment)


class UnreadableSegment(ValueError):
    """The JSON is no condition; it was written by something else, or by a later version."""


def to_json(definition: Definition) -> Json:
    return {"where": condition_to_json(definition.where), "zone": definition.zone}


def from_json(content: Json) -> Definition:
    """Read what :func:`to_json` wrote.

    Raises:
        UnreadableSegment: It did not write this.
    """
    try:
        return Definition(where=condition_from_json(content["where"]), zone=content["zone"])
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise UnreadableSegment(str(error)) from error


def condition_to_json(condition: Condition) -> Json:
    match condition:
        case Everybody():
            return {"everybody": True}
        case HasTag(tag=tag):
            return {"tag": tag}
        case HasPhone(phone=phone):
            return {"phone": phone}
        case OnList(list_id=found):
            return {"list": found}
        case InSegment(segment_id=found):
            return {"segment": found}
        case Took(did=did, campaign_id=found, broadcast=broadcast):
            return {"did": did, "campaign": found, "broadcast": broadcast}
        case IsSet(field=field):
            return {"set": _field(field)}
        case TextIs(field=field, op=op, value=text):
            return {"text": _field(field), "op": op, "value": text}
        case NumberIs(field=field, op=op, value=number):
            return {"number": _field(field), "op": op, "value": f"{number:f}"}
        case DateIs(field=field, op=op, value=day):
            return {"date": _field(field), "op": op, "value": day.isoformat()}
        case SpanIs(field=field, op=op, value=span):
            return {"span": _field(field), "op": op, "value": int(span.total_seconds())}
        case YesNoIs(field=field, value=yes):
            return {"yesno": _field(field), "value": yes}
        case ConsentIs(value=standing):
            return {"consent": standing}
        case All(parts=parts):
            return {"all": [condition_to_json(part) for part in parts]}
        case Some(parts=parts):
            return {"any": [condition_to_json(part) for part in parts]}
        case Not(part=part):
            return {"not": condition_to_json(part)}
        case _:
            assert_never(condition)


def condition_from_json(content: Json) -> Condition:
    """Read what :func:`condition_to_json` wrote; anything else raises some ValueError."""
    match content:
        case {"all": parts}:
            return All(tuple(map(condition_from_json, parts)))
        case {"any": parts}:
            return Some(tuple(map(condition_from_json, parts)))
        case {"not": part}:
            return Not(condition_from_json(part))
        case {"everybody": True}:
            return Everybody()
        case {"tag": tag}:
            return HasTag(str(tag))
        case {"phone": phone}:
            return HasPhone(Phone(phone))
        case {"list": found}:
            return OnList(ListId(found))
        case {"segment": found}:
            return InSegment(SegmentId(found))
        case {"did": did, "campaign": found, "broadcast": broadcast}:
            return Took(Did(did), CampaignId(found), bool(broadcast))
        case {"consent": standing}:
            return ConsentIs(Standing(standing))
        case _:
            return _comparison(content)


def _comparison(content: Json) -> Condition:
    match content:
        case {"set": field}:
            return IsSet(_read_field(field))
        case {"text": field, "op": op, "value": value}:
            return TextIs(_among(_read_field(field), Text), TextOp(op), str(value))
        case {"number": field, "op": op, "value": value}:
            return NumberIs(_among(_read_field(field), Count), NumberOp(op), Decimal(value))
        case {"date": field, "op": op, "value": value}:
            return DateIs(_among(_read_field(field), Moment), DateOp(op), date.fromisoformat(value))
        case {"span": field, "op": op, "value": value}:
            return SpanIs(_among(_read_field(field), Moment), SpanOp(op), timedelta(seconds=value))
        case {"yesno": {"attribute": name}, "value": bool(value)}:
            return YesNoIs(Attribute(name), value)
        case _:
            raise UnreadableSegment(f"no condition has {sorted(content)}")


def _field(field: Field) -> Json | str:
    return {"attribute": field.name} if isinstance(field, Attribute) else field.value


def _read_field(content: Json | str) -> Field:
    match content:
        case {"attribute": str(name)}:
            return Attribute(name)
        case str(word):
            for known in (Text, Count, Moment):
                if word in known.__members__.values():
                    return known(word)
    raise UnreadableSegment(f"no field is {content!r}")


def _among(field: Field, known: type[F]) -> F | Attribute:
    if isinstance(field, known | Attribute):
        return field
    raise UnreadableSegment(f"{field} is no {known.__name__}")

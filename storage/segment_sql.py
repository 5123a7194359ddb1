"""A condition as a predicate of SQL over ``contacts c``, with parameters only.

The predicate is true for who is meant, false or null for the others. Nothing written by people is
ever part of the text: tags, values and names of attributes are parameters. Every table in it is
asked for the organization.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from engine.ids import SegmentId
from engine.phone import with_twins
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
    leaves,
)
from engine.segment_facts import AFTER_DIGITS, FIRST_DIGIT, NO, NUMBER, YES


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """The text of a predicate, and its parameters from the first free one on."""

    text: str
    values: tuple[object, ...]


def predicate(
    definition: Definition,
    *,
    at: datetime,
    segments: Mapping[SegmentId, Definition],
    parameters: Sequence[str],
    careful: bool,
) -> Predicate:
    """Compile a definition.

    Args:
        parameters: Of the query around it; one is the organization.
        at: What "within 30d" counts from.
        segments: All that it names, however deep.
        careful: Whether values of a number's attribute are looked at before they are taken for
            one, which takes as long as all the rest; else Postgres refuses what is none.
    """
    compiler = _Compiler(at=at, segments=segments, parameters=parameters, careful=careful)
    text = compiler.of(definition.where, definition.zone)
    return Predicate(text=text, values=tuple(compiler.values))


_COLUMN: Final[Mapping[Text | Count | Moment, str]] = {
    Text.NAME: "c.name",
    Text.FIRST_NAME: "c.first_name",
    Text.COMPANY: "c.company",
    Text.EMAIL: "c.email",
    Text.LANGUAGE: "c.language",
    Text.TIMEZONE: "c.timezone",
    Text.COUNTRY: "c.country",
    Text.SOURCE: "c.source",
    Text.STATUS: "c.workflow_status",
    Count.CONVERSATIONS: "c.conversation_count",
    Count.RATING: "c.last_rating",
    Moment.CREATED: "c.created_at",
    Moment.LAST_MESSAGE: "c.last_message_at",
    Moment.LAST_REPLY: "c.last_reply_at",
}
_IN_DRIP: Final = {
    Did.ENROLLED: "",
    Did.FINISHED: " and m.state = 'completed'",
    Did.REPLIED: " and (m.replied > 0 or m.state = 'replied')",
    Did.READ: " and m.read > 0",
}
_IN_BROADCAST: Final = {
    Did.ENROLLED: "",
    Did.FINISHED: " and m.accepted_at is not null",
    Did.REPLIED: " and m.replied_at is not null",
    Did.READ: " and m.read_at is not null",
}


# A segment deleted in the moment in which something began to name it.
_NOBODY: Final = Definition(where=Not(Everybody()), zone="UTC")


@dataclass(slots=True, kw_only=True)
class _Compiler:
    at: datetime
    segments: Mapping[SegmentId, Definition]
    parameters: Sequence[str]
    careful: bool
    values: list[object] = field(default_factory=list)
    _places: dict[tuple[str, object], str] = field(default_factory=dict)

    def of(self, condition: Condition, zone: str, *, joins: bool = True) -> str:
        """Return the predicate of a condition.

        Args:
            joins: Whether it stands alone or beside others with "and", where the planner makes
                joins of memberships; else each is looked up, or hashed, for itself.
        """
        match condition:
            case All(parts=parts):
                return " and ".join(f"({self.of(part, zone, joins=joins)})" for part in parts)
            case Some(parts=parts):
                return self._some(parts, zone, joins=joins)
            case Not(part=part):
                return self._not(part, zone)
            case Everybody():
                return "true"
            case InSegment(segment_id=found):
                inner = self._named(found)
                return self.of(inner.where, inner.zone, joins=joins)
            case HasTag() | HasPhone() | OnList() | Took():
                return self._exists([condition])
            case ConsentIs(value=standing):
                because = "left_out_because(c, true)"
                if standing is Standing.REACHABLE:
                    return f"{because} is null"
                return f"{because} = {self._place(standing.value, 'text')}"
            case IsSet(field=asked):
                return self._is_set(asked)
            case TextIs():
                return self._text_is(condition)
            case NumberIs():
                return self._number_is(condition)
            case DateIs():
                return self._date_is(condition, zone)
            case SpanIs():
                return self._span_is(condition, zone)
            case YesNoIs(field=asked, value=yes):
                words = self._place(YES if yes else NO, "text[]")
                return f"lower({self._raw(asked)}) = any({words})"
            case _:
                assert_never(condition)

    def _named(self, segment: SegmentId) -> Definition:
        return self.segments.get(segment, _NOBODY)

    # Joined

    def _some(self, parts: Sequence[Condition], zone: str, *, joins: bool) -> str:
        """Return the parts joined by or.

        Of memberships, and of conditions made of them, one set is made and joined with; an or would
        have each contact looked up in each.
        """
        flat = list(self._flattened(parts, zone))
        members = [part for part, _ in flat if isinstance(part, HasTag | HasPhone | OnList | Took)]
        others = [
            (part, of_zone)
            for part, of_zone in flat
            if not isinstance(part, HasTag | HasPhone | OnList | Took)
        ]
        if joins and all(self._has_members(part) for part, _ in others) and others + members[1:]:
            sets = [f"select m.contact_id {rows}" for rows in self._sets(members)] + [
                f"select c.id from contacts c"  # noqa: S608 — text of this module alone
                f" where c.organization_id = {self.tenant} and ({self.of(part, of_zone)})"
                for part, of_zone in others
            ]
            # Not "union all": the planner has to know that they are distinct.
            return f"c.id in ({' union '.join(sets)})"
        looked_up = [f"({self.of(part, of_zone, joins=False)})" for part, of_zone in others]
        return " or ".join([*([self._exists(members)] if members else []), *looked_up])

    def _has_members(self, condition: Condition) -> bool:
        for leaf in leaves(condition):
            if isinstance(leaf, HasTag | HasPhone | OnList | Took):
                return True
            if isinstance(leaf, InSegment) and self._has_members(
                self._named(leaf.segment_id).where
            ):
                return True
        return False

    def _flattened(self, parts: Sequence[Condition], zone: str) -> Iterator[tuple[Condition, str]]:
        for part in parts:
            match part:
                case Some(parts=inner):
                    yield from self._flattened(inner, zone)
                case InSegment(segment_id=found):
                    inner_segment = self._named(found)
                    yield from self._flattened([inner_segment.where], inner_segment.zone)
                case _:
                    yield part, zone

    def _not(self, part: Condition, zone: str) -> str:
        if isinstance(part, Some):
            # So that each "not exists" stands by itself, where it can be planned as a join.
            return " and ".join(f"({self._not(each, zone)})" for each in part.parts)
        if isinstance(part, HasTag | HasPhone | OnList | Took):
            return f"not {self._exists([part])}"
        if isinstance(part, InSegment):
            inner = self._named(part.segment_id)
            return self._not(inner.where, inner.zone)
        # Null, which is not known, counts as no.
        return f"({self.of(part, zone, joins=False)}) is not true"

    # Memberships

    def _exists(self, members: Sequence[HasTag | HasPhone | OnList | Took]) -> str:
        sets = list(self._sets(members))
        if len(sets) == 1:
            return f"exists (select {sets[0]} and m.contact_id = c.id)"
        union = " union all ".join(f"select m.contact_id {rows}" for rows in sets)
        return f"exists (select from ({union}) m where m.contact_id = c.id)"

    def _sets(self, members: Sequence[HasTag | HasPhone | OnList | Took]) -> Iterator[str]:
        """Yield a "from … where …" for each kind of membership, over rows called m."""
        tags = tuple(dict.fromkeys(m.tag for m in members if isinstance(m, HasTag)))
        if tags:
            yield (
                f"from contact_tags m where m.organization_id = {self.tenant}"
                f" and m.tag = {self._any_of(tags, 'text')}"
            )
        lists = tuple(dict.fromkeys(m.list_id for m in members if isinstance(m, OnList)))
        if lists:
            yield (
                f"from list_members m where m.organization_id = {self.tenant}"
                f" and m.list_id = {self._any_of(lists, 'bigint')}"
            )
        phones = with_twins(m.phone for m in members if isinstance(m, HasPhone))
        if phones:
            yield (
                f"from contact_identities m where m.organization_id = {self.tenant}"
                f" and m.kind = 'phone' and m.value = {self._any_of(phones, 'text')}"
            )
        for did in Did:
            took = [m for m in members if isinstance(m, Took) and m.did is did]
            yield from self._campaigns(did, took)

    def _campaigns(self, did: Did, took: Sequence[Took]) -> Iterator[str]:
        if did is Did.CLICKED:
            clicked = tuple(dict.fromkeys(each.campaign_id for each in took))
            if clicked:
                yield (
                    f"from clicks m where m.organization_id = {self.tenant}"
                    f" and m.campaign_id = {self._any_of(clicked, 'bigint')}"
                )
            return
        drips = tuple(dict.fromkeys(each.campaign_id for each in took if not each.broadcast))
        if drips:
            yield (
                f"from enrollments m where m.organization_id = {self.tenant}"
                f" and m.campaign_id = {self._any_of(drips, 'bigint')}{_IN_DRIP[did]}"
            )
        broadcasts = tuple(dict.fromkeys(each.campaign_id for each in took if each.broadcast))
        if broadcasts:
            ids = self._any_of(broadcasts, "bigint")
            # A broadcast is the run of its messages, and runs have the index.
            yield (
                f"from messages m where m.organization_id = {self.tenant}"
                f" and m.run_id = {ids} and m.campaign_id = {ids}{_IN_BROADCAST[did]}"
            )

    # Comparisons

    def _is_set(self, asked: Field) -> str:
        if isinstance(asked, Text | Attribute):
            return f"{self._raw(asked)} <> ''"
        return f"{_COLUMN[asked]} is not null"

    def _text_is(self, condition: TextIs) -> str:
        if condition.field is Text.COUNTRY and condition.op is TextOp.IS:
            # Kept in capitals, and known to the statistics of the table.
            return f"c.country = upper({self._place(condition.value, 'text')})"
        text = f"lower({self._raw(condition.field)})"
        wanted = f"lower({self._place(condition.value, 'text')})"
        match condition.op:
            case TextOp.IS:
                return f"{text} = {wanted}"
            case TextOp.CONTAINS:
                return f"strpos({text}, {wanted}) > 0"
            case TextOp.BEGINS:
                return f"starts_with({text}, {wanted})"
            case other:
                assert_never(other)

    def _number_is(self, condition: NumberIs) -> str:
        asked, number = condition.field, condition.value
        if isinstance(asked, Count):
            whole = number == number.to_integral_value()
            kind = "bigint" if whole else "numeric"
            value: object = int(number) if whole else number
            return f"{_COLUMN[asked]} {condition.op.value} {self._place(value, kind)}"
        raw = self._raw(asked)
        cast = f"({raw})::numeric"
        if self.careful:
            cast = f"case when {raw} ~ '{NUMBER}' then {cast} end"
        return f"{cast} {condition.op.value} {self._place(number, 'numeric')}"

    def _date_is(self, condition: DateIs, zone: str) -> str:
        asked, day = condition.field, condition.value
        if isinstance(asked, Attribute):
            match condition.op:
                case DateOp.BEFORE:
                    return self._day(asked, ("<", day))
                case DateOp.AFTER:
                    return self._day(asked, (">", day))
                case DateOp.ON:
                    return self._day(asked, ("=", day))
                case other:
                    assert_never(other)
        column = _COLUMN[asked]
        begins, ends = _midnight(day, zone), _midnight(day + _DAY, zone)
        match condition.op:
            case DateOp.BEFORE:
                return f"{column} < {self._place(begins, 'timestamptz')}"
            case DateOp.AFTER:
                return f"{column} >= {self._place(ends, 'timestamptz')}"
            case DateOp.ON:
                since = self._place(begins, "timestamptz")
                return f"{column} >= {since} and {column} < {self._place(ends, 'timestamptz')}"
            case other:
                assert_never(other)

    def _span_is(self, condition: SpanIs, zone: str) -> str:
        asked, op, span = condition.field, condition.op, condition.value
        if isinstance(asked, Attribute):
            today = self.at.astimezone(ZoneInfo(zone)).date()
            match op:
                case SpanOp.WITHIN:
                    return self._day(asked, (">=", today - span), ("<=", today))
                case SpanOp.OLDER:
                    return self._day(asked, ("<", today - span))
                case SpanOp.NEXT:
                    return self._day(asked, (">=", today), ("<=", today + span))
                case other:
                    assert_never(other)
        column = _COLUMN[asked]
        match op:
            case SpanOp.WITHIN:
                since = self._place(self.at - span, "timestamptz")
                return f"{column} >= {since} and {column} <= {self._now}"
            case SpanOp.OLDER:
                return f"{column} < {self._place(self.at - span, 'timestamptz')}"
            case SpanOp.NEXT:
                until = self._place(self.at + span, "timestamptz")
                return f"{column} >= {self._now} and {column} <= {until}"
            case other:
                assert_never(other)

    def _day(self, asked: Attribute, *bounds: tuple[str, date]) -> str:
        """Return whether an attribute is a day within bounds.

        Days are compared as they are written: no value can fail to be one, and what begins with
        no digit is none.
        """
        raw = self._raw(asked)
        within = [(sign, day.isoformat()) for sign, day in bounds]
        signs = {sign[0] for sign, _ in within}
        if signs == {">"}:
            within.append(("<", AFTER_DIGITS))
        if signs == {"<"}:
            within.append((">=", FIRST_DIGIT))
        return " and ".join(
            f'{raw} {sign} {self._place(text, "text")} collate "C"' for sign, text in within
        )

    def _raw(self, asked: Text | Attribute) -> str:
        if isinstance(asked, Attribute):
            return f"(c.attributes ->> {self._place(asked.name, 'text')})"
        return _COLUMN[asked]

    # Parameters

    @property
    def tenant(self) -> str:
        return f"${self.parameters.index('organization') + 1}"

    @property
    def _now(self) -> str:
        return self._place(self.at, "timestamptz")

    def _any_of(self, values: tuple[object, ...], kind: str) -> str:
        if len(values) == 1:
            return self._place(values[0], kind)
        return f"any({self._place(values, kind + '[]')})"

    def _place(self, value: object, kind: str) -> str:
        """Return the parameter that holds *value*; the same value is given once."""
        key = (kind, value)
        if key not in self._places:
            self.values.append(value)
            self._places[key] = f"${len(self.parameters) + len(self.values)}::{kind}"
        return self._places[key]


_DAY: Final = timedelta(days=1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))

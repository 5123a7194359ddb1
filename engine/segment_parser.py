"""From the text of a segment to its condition, or to a sentence that says where it went wrong."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import ClassVar, Final, TypeVar, assert_never

from engine import duration, names, phone
from engine.attributes import AttributeType
from engine.ids import CampaignId, ListId, SegmentId
from engine.names import Ambiguous, NoMatch, One
from engine.segment import (
    All,
    Attribute,
    Condition,
    ConsentIs,
    Count,
    DateIs,
    DateOp,
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
    Status,
    Text,
    TextIs,
    TextOp,
    Took,
    YesNoIs,
)
from engine.segment_text import BUILT_IN, Known, quoted, written_name

T = TypeVar("T")
Chosen = TypeVar("Chosen", bound=StrEnum)

LONGEST: Final = 3_000
MOST_CONDITIONS: Final = 50
DEEPEST: Final = 10


class InvalidSegment(ValueError):
    """The text is no segment; the message says where, and what would do."""


def parse(text: str, known: Known) -> Condition:
    """Read a condition.

    Raises:
        InvalidSegment: Says at which word, what was expected there, and what may have been meant.
    """
    if len(text) > LONGEST:
        raise InvalidSegment(
            f"A segment has at most {LONGEST:,} characters, this one has {len(text):,}."
        )
    return Reader(tokens(text), known).whole()


class TokenKind(Enum):
    WORD = "word"
    TEXT = "text"  # in quotes
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str
    start: int
    end: int


_TOKEN: Final = re.compile(
    r'\s*(?:"((?:\\.|[^"\\])*)"|(<=|>=|!=|<>|[()=<>])|([^\s()"<>=!]+|!))', re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidSegment("A quote is opened and not closed; put one after the last word.")
        at = match.end()
        string, sign, word = match.groups()
        if string is not None:
            inside = _ESCAPED.sub(r"\1", string)
            found.append(Token(TokenKind.TEXT, inside, match.start(1) - 1, at))
        elif sign is not None:
            found.append(Token(TokenKind.SIGN, sign, match.start(2), at))
        elif names.cleaned(word):
            found.append(Token(TokenKind.WORD, names.cleaned(word), match.start(3), at))
    return found


_SIGNS: Final = {
    "=": NumberOp.EQUAL,
    "<": NumberOp.LESS,
    "<=": NumberOp.AT_MOST,
    ">": NumberOp.MORE,
    ">=": NumberOp.AT_LEAST,
}
NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS: Final = (1900, 2199)
_PREFIXES: Final = ("tag", "list", "segment", "campaign", "phone", "attribute", *Did)
_LONGEST_VALUE: Final = 1_000
_A_CONDITION: Final = (
    "a condition such as tag:vip, list:<list>, segment:<segment>, read:<campaign>, city is"
    ' "Amsterdam", orders >= 3, last_reply within 30d or consent is reachable'
)
_TEXT_OPS: Final = 'is, is not, contains, begins with (then a text in quotes), "is set"'
_NUMBER_OPS: Final = '=, !=, <, <=, > or >= (then a number), or "is set"'
_DATE_OPS: Final = (
    'before, after or on (then a day as 2026-12-31), within or older than (then 30d), or "is set"'
)
JOINING: Final = frozenset({"and", "or", ")"})


class Reader:
    """One text being read, from left to right.

    Attributes:
        expected: What a condition may be.
        empty: What a text without any says too little of.
    """

    expected: ClassVar[str] = _A_CONDITION
    empty: ClassVar[str] = "Nothing says who is in it"

    def __init__(self, tokens: list[Token], known: Known) -> None:
        self._tokens = tokens
        self._known = known
        self._at = 0
        self._depth = 0
        self._count = 0

    def whole(self) -> Condition:
        if not self._tokens:
            raise InvalidSegment(f"{self.empty}: write {self.expected}.")
        condition = self._some()
        if self._here is not None:
            hint = ""
            if self._before is not None and self._here.kind is TokenKind.WORD:
                hint = " A text of several words goes in quotes."
            raise self._wrong(f"expected and, or, or the end.{hint}")
        return condition

    # Joining

    def _some(self) -> Condition:
        parts = [self._all()]
        while self._taken("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._taken("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong(f"more than {DEEPEST} conditions inside each other.")
        try:
            if self._taken("not"):
                return Not(self._one())
            if self._sign("("):
                inside = self._some()
                if not self._sign(")"):
                    raise self._wrong('expected and, or, or a ")" for the "(" before.')
                return inside
            self._count += 1
            if self._count > MOST_CONDITIONS:
                raise self._wrong(f"more than {MOST_CONDITIONS} conditions.")
            return self._leaf()
        finally:
            self._depth -= 1

    # Conditions

    def _leaf(self) -> Condition:
        token = self._here
        if token is None or token.kind is not TokenKind.WORD or token.text.lower() in JOINING:
            raise self._wrong(f"expected {self.expected}.")
        word = token.text
        prefix, colon, rest = word.partition(":")
        if colon:
            return self._prefixed(prefix.lower(), rest)
        if word.lower() == "all":
            self._at += 1
            return Everybody()
        if word.lower() == "consent":
            self._at += 1
            return self._consent()
        return self._comparison(self._field(word))

    def _prefixed(self, prefix: str, rest: str) -> Condition:
        if prefix not in _PREFIXES:
            meant = names.closest(prefix, _PREFIXES)
            hint = f"did you mean {meant}:?" if meant else f"expected {_A_CONDITION}."
            raise self._wrong(f"{prefix[:30]}: is not known; {hint}")
        here = self._here
        self._at += 1
        following = self._here
        if (
            not rest
            and here is not None
            and following is not None
            and following.kind is TokenKind.TEXT
            and following.start == here.end
        ):
            rest = following.text
            self._at += 1
        if not names.cleaned(rest):
            self._at -= 1
            raise self._wrong(f"write a name right after {prefix}:, without a space between.")
        try:
            named = self._named(prefix, names.cleaned(rest))
        except InvalidSegment as error:
            raise InvalidSegment(f"{self._place(here)}{error}") from error
        return self._comparison(named) if isinstance(named, Attribute) else named

    def _named(self, prefix: str, name: str) -> Condition | Attribute:
        match prefix:
            case "tag":
                return HasTag(self._tag(name))
            case "list":
                lists = self._known.lists
                return OnList(ListId(_found(name, lists, "list")))
            case "segment":
                segments = self._known.segments
                return InSegment(SegmentId(_found(name, segments, "segment")))
            case "phone":
                try:
                    return HasPhone(phone.own(name))
                except phone.InvalidPhone as error:
                    raise InvalidSegment(error.reason) from error
            case "attribute":
                return self._attribute(name)
            case _:
                did = Did.ENROLLED if prefix == "campaign" else Did(prefix)
                found, broadcast = self._campaign(name)
                return Took(did, found, broadcast)

    def _tag(self, name: str) -> str:
        try:
            tag = names.tag(name)
        except names.InvalidName as error:
            raise InvalidSegment(str(error)) from error
        if tag in self._known.tags:
            return tag
        meant = names.closest(tag, self._known.tags)
        hint = (
            f"did you mean tag:{written_name(meant)}?"
            if meant
            else "put it on somebody first, with /drip contact tag."
        )
        raise InvalidSegment(f"nobody has the tag {quoted(tag)}; {hint}")

    def _campaign(self, name: str) -> tuple[CampaignId, bool]:
        known = self._known.campaigns
        if (number := _number_of(name)) is not None:
            for found, broadcast in known.values():
                if found == number:
                    return found, broadcast
        return _meant(name, known, "campaign")

    def _field(self, word: str) -> Field:
        if (built_in := BUILT_IN.get(word.lower())) is not None:
            self._at += 1
            return built_in
        try:
            field = self._attribute(word)
        except InvalidSegment as error:
            raise self._wrong(str(error)) from error
        self._at += 1
        return field

    def _attribute(self, name: str) -> Attribute:
        try:
            spelled = names.attribute(name)
        except names.InvalidName:
            spelled = name
        if spelled in self._known.attributes:
            return Attribute(spelled)
        meant = names.closest(name, (*self._known.attributes, *BUILT_IN, "consent"))
        hint = f"did you mean {meant}?" if meant else f"expected {_A_CONDITION}."
        raise InvalidSegment(f"no attribute is called {quoted(name[:50])}; {hint}")

    def _consent(self) -> Condition:
        negated = self._is()
        return _unless(not negated, ConsentIs(self._one_of(Standing, "a state of consent")))

    # Comparisons

    def _comparison(self, field: Field) -> Condition:
        match field:
            case Text():
                return self._text(field)
            case Count():
                return self._number(field)
            case Moment():
                return self._date(field)
            case Attribute(name=name):
                match self._known.attributes[name]:
                    case AttributeType.TEXT:
                        return self._text(field)
                    case AttributeType.NUMBER:
                        return self._number(field)
                    case AttributeType.DATE:
                        return self._date(field)
                    case AttributeType.YESNO:
                        return self._yes_no(field)
                    case other:
                        assert_never(other)
            case _:
                assert_never(field)

    def _text(self, field: Text | Attribute) -> Condition:
        if self._taken("contains"):
            return TextIs(field, TextOp.CONTAINS, self._value("a text in quotes"))
        if self._taken("begins") or self._taken("starts"):
            self._must("with")
            return TextIs(field, TextOp.BEGINS, self._value("a text in quotes"))
        equal = self._either_sign()
        if equal is None:
            if not self._taken("is"):
                raise self._wrong(f"expected {_TEXT_OPS}.")
            equal = not self._taken("not")
            if self._taken("set"):
                return _unless(equal, IsSet(field))
        if field is Text.STATUS:
            return _unless(equal, TextIs(field, TextOp.IS, self._one_of(Status, "a status").value))
        return _unless(equal, TextIs(field, TextOp.IS, self._value("a text in quotes")))

    def _one_of(self, those: type[Chosen], what: str) -> Chosen:
        """Read one of a closed set, however it is written."""
        written = names.folded(self._value(what)).replace(" ", "_")
        try:
            return those(written)
        except ValueError:
            self._at -= 1
            raise self._wrong(f"expected one of {', '.join(those)}.") from None

    def _number(self, field: Count | Attribute) -> Condition:
        here = self._here
        if here is not None and here.kind is TokenKind.SIGN and here.text in (*_SIGNS, "!=", "<>"):
            self._at += 1
            op = _SIGNS.get(here.text)
            value = self._digits()
            if op is None:
                return Not(NumberIs(field, NumberOp.EQUAL, value))
            return NumberIs(field, op, value)
        if self._taken("is"):
            yes = not self._taken("not")
            if self._taken("set"):
                return _unless(yes, IsSet(field))
            return _unless(yes, NumberIs(field, NumberOp.EQUAL, self._digits()))
        raise self._wrong(f"expected {_NUMBER_OPS}.")

    def _date(self, field: Moment | Attribute) -> Condition:
        for op in DateOp:
            if self._taken(op):
                return DateIs(field, op, self._day())
        if self._taken("is"):
            yes = not self._taken("not")
            if self._taken("set"):
                return _unless(yes, IsSet(field))
            if isinstance(field, Attribute) or self._day_follows():
                return _unless(yes, DateIs(field, DateOp.ON, self._day()))
            raise self._wrong(f"expected {_DATE_OPS}.")
        if self._taken("older"):
            self._must("than")
            return SpanIs(field, SpanOp.OLDER, self._span(field))
        if self._taken("more"):
            self._must("than")
            span = self._span(field)
            self._must("ago")
            return SpanIs(field, SpanOp.OLDER, span)
        if self._taken("within") or self._taken("in"):
            self._taken("the")
            if self._taken("next"):
                if isinstance(field, Moment):
                    self._at -= 1
                    raise self._wrong(f"{field} is never in the future; write within 30d.")
                return SpanIs(field, SpanOp.NEXT, self._span(field))
            self._taken("last")
            return SpanIs(field, SpanOp.WITHIN, self._span(field))
        raise self._wrong(f"expected {_DATE_OPS}.")

    def _yes_no(self, field: Attribute) -> Condition:
        equal = self._either_sign()
        if equal is None:
            if not self._taken("is"):
                raise self._wrong("expected is yes, is no or is set.")
            equal = not self._taken("not")
            if self._taken("set"):
                return _unless(equal, IsSet(field))
        value = self._value("yes or no").lower()
        if value not in ("yes", "no", "true", "false"):
            self._at -= 1
            raise self._wrong("expected yes or no.")
        return _unless(equal, YesNoIs(field, value in ("yes", "true")))

    # Values

    def _value(self, expected: str) -> str:
        here = self._here
        if here is None or here.kind is TokenKind.SIGN:
            raise self._wrong(f"expected {expected}.")
        value = names.cleaned(here.text)
        if not value or len(value) > _LONGEST_VALUE:
            raise self._wrong(f"expected {expected}, of 1 to {_LONGEST_VALUE:,} characters.")
        self._at += 1
        return value

    def _digits(self) -> Decimal:
        here = self._here
        if here is None or not NUMBER.fullmatch(here.text):
            raise self._wrong("expected a number such as 3, 0.5 or -12.")
        self._at += 1
        return Decimal(here.text)

    def _day_follows(self) -> bool:
        return self._here is not None and _DAY.fullmatch(self._here.text) is not None

    def _day(self) -> date:
        here = self._here
        try:
            day = date.fromisoformat(here.text) if here and self._day_follows() else None
        except ValueError:
            day = None
        if day is None or not _YEARS[0] <= day.year <= _YEARS[1]:
            raise self._wrong("expected a day such as 2026-12-31.")
        self._at += 1
        return day

    def _span(self, field: Moment | Attribute) -> timedelta:
        here = self._here
        if here is None or here.kind is TokenKind.SIGN:
            raise self._wrong("expected a span of time such as 30d, 2w or 12h.")
        written = here.text
        self._at += 1
        if written.isdecimal() and self._here is not None and self._here.text.lower() in _UNITS:
            written += _UNITS[self._here.text.lower()]
            self._at += 1
        try:
            span = duration.parse(written)
        except duration.InvalidDuration:
            self._at -= 1
            raise self._wrong("expected a span of time such as 30d, 2w or 12h.") from None
        if isinstance(field, Attribute) and span % timedelta(days=1):
            self._at -= 1
            raise self._wrong(f"{field.name} is a day, so expected whole days such as 30d or 2w.")
        return span

    # Words

    @property
    def _here(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    @property
    def _before(self) -> Token | None:
        return self._tokens[self._at - 1] if self._at else None

    def _taken(self, word: str) -> bool:
        here = self._here
        if here is None or here.kind is not TokenKind.WORD or here.text.lower() != word:
            return False
        self._at += 1
        return True

    def _must(self, word: str) -> None:
        if not self._taken(word):
            raise self._wrong(f"expected {word}.")

    def _is(self) -> bool:
        """Take "is" or "is not", or a sign for it; return whether it negates."""
        equal = self._either_sign()
        if equal is not None:
            return not equal
        self._must("is")
        return self._taken("not")

    def _either_sign(self) -> bool | None:
        """Take = or != if it is here; None: it is not."""
        for sign, equal in (("=", True), ("!=", False), ("<>", False)):
            if self._sign(sign):
                return equal
        return None

    def _sign(self, sign: str) -> bool:
        here = self._here
        if here is None or here.kind is not TokenKind.SIGN or here.text != sign:
            return False
        self._at += 1
        return True

    def _wrong(self, sentence: str) -> InvalidSegment:
        return InvalidSegment(f"{self._place(self._here)}{sentence}")

    def _place(self, token: Token | None) -> str:
        if token is None:
            last = self._before
            return f"After {quoted(last.text[:30])}, at the end: " if last else ""
        return f"At {quoted(token.text[:30])} (character {token.start + 1}): "


_UNITS: Final = {
    spelled: unit
    for unit, word in (("h", "hour"), ("d", "day"), ("w", "week"), ("m", "minute"))
    for spelled in (word, f"{word}s")
}


def _unless(yes: bool, condition: Condition) -> Condition:  # noqa: FBT001 — its one argument beside
    return condition if yes else Not(condition)


def _number_of(name: str) -> int | None:
    return int(name[1:]) if re.fullmatch(r"#[0-9]{1,18}", name) else None


def _found(name: str, known: Mapping[str, int], what: str) -> int:
    number = _number_of(name)
    if number is not None and number in known.values():
        return number
    return _meant(name, known, what)


def _meant(name: str, known: Mapping[str, T], what: str) -> T:
    match names.match_name(name, known):
        case One(name=exact):
            return known[exact]
        case Ambiguous(names=several):
            listed = " or ".join(map(quoted, several[:5]))
            raise InvalidSegment(f"{quoted(name[:80])} may be {listed}: write more of it.")
        case NoMatch(closest=closest):
            hint = f" did you mean {quoted(closest)}?" if closest else _there_are(known, what)
            raise InvalidSegment(f"there is no {what} {quoted(name[:80])};{hint}")
        case other:
            assert_never(other)


def _there_are(known: Collection[str], what: str) -> str:
    if not known:
        return f" there is no {what} at all yet."
    return f" /drip {what} list shows what there is."

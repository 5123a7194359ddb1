"""Segments of every kind, over an organization's few names, for properties."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from engine import names
from engine.attributes import AttributeType
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
    Did,
    Everybody,
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
from engine.segment_text import Known

ATTRIBUTES = {
    "city": AttributeType.TEXT,
    "country": AttributeType.TEXT,  # as a built-in field, and so written attribute:country
    "or": AttributeType.TEXT,
    "orders": AttributeType.NUMBER,
    "renewal": AttributeType.DATE,
    "newsletter": AttributeType.YESNO,
}
TAGS = ("vip", "lead", "to call", "or", "étoile")
PHONES = (Phone("+31612345678"), Phone("+31612345679"))
LISTS = {"Beta": ListId(1), "Beta testers (2026)": ListId(2), "all": ListId(3)}
SEGMENTS = {"Hot leads": SegmentId(1), "Hot": SegmentId(2)}
CAMPAIGNS = {
    "Welcome": (CampaignId(1), False),
    "Welcome back": (CampaignId(2), False),
    'The "Sale", 50% off': (CampaignId(3), True),
}
KNOWN = Known(attributes=ATTRIBUTES, tags=TAGS, lists=LISTS, segments=SEGMENTS, campaigns=CAMPAIGNS)
# What people type, and what breaks naive comparing, quoting and folding.
LETTERS = "aAbBzZ éÉßİΣς漢👍🏽\u05d0%_\\\"'()=<>#:,.-0123"
values = st.text(LETTERS, min_size=1, max_size=8).map(names.cleaned).filter(bool) | st.sampled_from(
    ("Amsterdam", "amsterdam", "AM", "set", "yes", "nl", "NL")
)
numbers = st.decimals(-1000, 1000, places=1) | st.integers(-5, 20).map(Decimal)
days = st.dates(date(2026, 10, 1), date(2027, 1, 31)) | st.dates(
    date(1900, 1, 1), date(2199, 12, 31)
)
whole_days = st.integers(0, 120).map(lambda n: timedelta(days=n))
spans = whole_days | st.integers(0, 4000).map(lambda n: timedelta(minutes=n))


def _attributes(of: AttributeType) -> st.SearchStrategy[Attribute]:
    return st.sampled_from([Attribute(name) for name, each in ATTRIBUTES.items() if each is of])


PROPERTIES = ("total", "plan", "name", "or", "étoile")
_properties = st.sampled_from(PROPERTIES).map(Attribute)
event_conditions = st.recursive(
    st.one_of(
        st.builds(IsSet, _properties),
        st.builds(TextIs, _properties, st.sampled_from(TextOp), values),
        st.builds(NumberIs, _properties, st.sampled_from(NumberOp), numbers),
        st.builds(DateIs, _properties, st.sampled_from(DateOp), days),
        st.builds(YesNoIs, _properties, st.booleans()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Some(tuple(parts))),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)


def leaves(*, segments: tuple[SegmentId, ...]) -> st.SearchStrategy[Condition]:
    kinds: list[st.SearchStrategy[Condition]] = [
        st.just(Everybody()),
        st.builds(HasTag, st.sampled_from(TAGS)),
        st.builds(HasPhone, st.sampled_from(PHONES)),
        st.builds(OnList, st.sampled_from(list(LISTS.values()))),
        st.builds(ConsentIs, st.sampled_from(Standing)),
        st.sampled_from(list(CAMPAIGNS.values())).flatmap(
            lambda campaign: st.builds(
                Took, st.sampled_from(Did), st.just(campaign[0]), st.just(campaign[1])
            )
        ),
        st.builds(
            IsSet,
            st.sampled_from((*Text, *Count, *Moment))
            | st.sampled_from([Attribute(name) for name in ATTRIBUTES]),
        ),
        st.builds(
            TextIs,
            st.sampled_from([each for each in Text if each is not Text.STATUS])
            | _attributes(AttributeType.TEXT),
            st.sampled_from(TextOp),
            values,
        ),
        st.builds(
            TextIs,
            st.just(Text.STATUS),
            st.just(TextOp.IS),
            st.sampled_from([each.value for each in Status]),
        ),
        st.builds(
            TextIs,
            st.just(Text.STATUS),
            st.sampled_from([TextOp.CONTAINS, TextOp.BEGINS]),
            values,
        ),
        st.builds(
            NumberIs,
            st.sampled_from(Count) | _attributes(AttributeType.NUMBER),
            st.sampled_from(NumberOp),
            numbers,
        ),
        st.builds(
            DateIs,
            st.sampled_from(Moment) | _attributes(AttributeType.DATE),
            st.sampled_from(DateOp),
            days,
        ),
        st.builds(
            SpanIs,
            st.sampled_from(Moment),
            st.sampled_from((SpanOp.WITHIN, SpanOp.OLDER)),
            spans,
        ),
        st.builds(SpanIs, _attributes(AttributeType.DATE), st.sampled_from(SpanOp), whole_days),
        st.builds(YesNoIs, _attributes(AttributeType.YESNO), st.booleans()),
    ]
    if segments:
        kinds.append(st.builds(InSegment, st.sampled_from(segments)))
    return st.one_of(kinds)


def _joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(All, several) | st.builds(Some, several) | st.builds(Not, inner)


def conditions(
    segments: tuple[SegmentId, ...] = tuple(SEGMENTS.values()), *, most: int = 6
) -> st.SearchStrategy[Condition]:
    return st.recursive(leaves(segments=segments), _joined, max_leaves=most)

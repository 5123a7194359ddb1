"""Automations survive being saved and read, printed and parsed; loops are what a search finds."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from engine import automation as rules
from engine import event_condition
from engine.automation import (
    Action,
    AddTag,
    ApiCalled,
    Automation,
    ContactCreated,
    ConversationResolved,
    DateReached,
    Enroll,
    EventFired,
    KeywordWritten,
    MessageReached,
    Milestone,
    RemoveTag,
    SegmentJoined,
    TagAdded,
    Tell,
    Trigger,
    Unenroll,
)
from engine.automation_loops import leads, loop
from engine.automation_text import (
    Directory,
    InvalidAutomation,
    WrittenAction,
    WrittenTrigger,
    read_action,
    read_trigger,
    sentence,
    written,
)
from engine.event_condition import InvalidCondition
from engine.ids import AutomationId, CampaignId, SegmentId, StepId
from engine.keywords import folded, heard
from engine.segment import Condition, Not
from tests.properties.segment_strategies import PROPERTIES, event_conditions, values

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_few = st.integers(1, 4)
_words = st.from_regex(r"[a-z]{1,6}( [a-z]{1,6})?", fullmatch=True)
_attributes = st.from_regex(r"[a-z]{1,8}(_[a-z]{1,4})?", fullmatch=True)
_campaigns = _few.map(CampaignId)
triggers: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(ContactCreated),
    st.builds(TagAdded, _words),
    st.builds(EventFired, _attributes),
    st.builds(EventFired, _attributes, event_conditions),
    st.builds(KeywordWritten, _words.map(folded)),
    st.builds(SegmentJoined, _few.map(SegmentId)),
    st.builds(DateReached, _attributes, st.integers(0, 1439)),
    st.builds(MessageReached, st.sampled_from(Milestone)),
    st.builds(MessageReached, st.sampled_from(Milestone), _campaigns),
    st.builds(MessageReached, st.sampled_from(Milestone), _campaigns, _few.map(StepId)),
    st.builds(ConversationResolved),
    st.builds(ApiCalled),
)
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Enroll, _campaigns),
    st.builds(Unenroll, _campaigns),
    st.builds(AddTag, _words),
    st.builds(RemoveTag, _words),
    st.builds(Tell, st.just("C0SALES"), st.text(min_size=1)),
)
KNOWN = Directory(
    campaigns={CampaignId(n): f"Campaign {'abcd'[n - 1]}" for n in range(1, 5)},
    steps={StepId(n): n for n in range(1, 5)},
    segments={SegmentId(n): f"Segment {n}" for n in range(1, 5)},
)


def automation(number: int, trigger: Trigger, action: Action, segment: int | None) -> Automation:
    return Automation(
        id=AutomationId(number),
        trigger=trigger,
        segment_id=None if segment is None else SegmentId(segment),
        action=action,
        on_since=AT,
        created_at=AT,
        created_by="U",
    )


@given(triggers, actions)
def test_saved_and_read_it_is_unchanged(trigger: Trigger, action: Action) -> None:
    assert rules.trigger_from_json(rules.trigger_to_json(trigger)) == trigger
    assert rules.action_from_json(rules.action_to_json(action)) == action


@given(triggers.filter(lambda each: written(each, KNOWN).value not in {"stop", "start", "ja"}))
def test_printed_and_parsed_a_trigger_is_unchanged(trigger: Trigger) -> None:
    printed = written(trigger, KNOWN)

    try:
        assert read_trigger(str(printed)) == printed
    except InvalidAutomation as refused:
        # Words that end or begin consent can be no keyword.
        assert "stops or starts" in str(refused)  # noqa: PT017 — either will do


@given(
    st.one_of(
        st.builds(WrittenAction, st.sampled_from(["tag", "untag"]), _words),
        st.builds(WrittenAction, st.sampled_from(["enroll", "unenroll"]), _words.map(str.title)),
        st.builds(WrittenAction, st.just("tell"), st.just("C0SALES"), _words),
    )
)
def test_printed_and_parsed_an_action_is_unchanged(action: WrittenAction) -> None:
    assert read_action(str(action)) == action


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for read in (read_trigger, read_action):
        try:
            found: WrittenTrigger | WrittenAction = read(text)
        except InvalidAutomation as refused:
            assert str(refused).endswith(".")  # noqa: PT017 — either will do
        else:
            assert read(str(found)) == found


@given(event_conditions)
def test_printed_and_parsed_a_condition_on_an_event_is_unchanged(condition: Condition) -> None:
    assert event_condition.parse(event_condition.show(condition)) == condition


@given(st.text('ab "()=<>1not,.', max_size=40))
def test_any_text_is_a_condition_on_an_event_or_refused_with_a_sentence(text: str) -> None:
    try:
        found = event_condition.parse(text)
    except InvalidCondition as refused:
        assert str(refused).endswith(".")  # noqa: PT017 — either will do
    else:
        assert event_condition.parse(event_condition.show(found)) == found


@given(event_conditions, st.dictionaries(st.sampled_from(PROPERTIES), values))
def test_a_condition_or_its_opposite_is_fulfilled_never_both(
    condition: Condition, properties: dict[str, str]
) -> None:
    fulfilled = event_condition.fulfils(properties, condition)

    assert event_condition.fulfils(properties, Not(condition)) is not fulfilled


@given(triggers, actions, st.none() | _few)
def test_every_automation_is_one_readable_sentence(
    trigger: Trigger, action: Action, segment: int | None
) -> None:
    said = sentence(automation(1, trigger, action, segment), KNOWN)

    assert said.startswith("When ")
    assert said.endswith(".")
    assert ("Segment" in said) >= (segment is not None)


_chains = st.tuples(
    st.one_of(
        st.builds(TagAdded, st.sampled_from("abc")),
        st.builds(MessageReached, st.just(Milestone.READ), st.none() | _campaigns),
    ),
    st.one_of(st.builds(AddTag, st.sampled_from("abc")), st.builds(Enroll, _campaigns)),
    st.sampled_from([None, None, 1]),
)


@given(st.lists(_chains, min_size=1, max_size=6), st.sets(_campaigns))
def test_a_loop_is_found_exactly_where_a_walk_comes_back(
    chains: list[tuple[Trigger, Action, int | None]], again: set[CampaignId]
) -> None:
    new, *others = [automation(n, *chain) for n, chain in enumerate(chains, start=1)]
    path = loop(new, others, enrolls_again=again.__contains__)

    def leads_to(first: Automation, second: Automation) -> bool:
        return leads(first, second, enrolls_again=again.__contains__)

    walked = {
        each.id
        for each in (new, *others)
        if each.segment_id is None and new.segment_id is None and leads_to(new, each)
    }
    for _ in others:
        walked |= {
            each.id
            for each in (new, *others)
            if each.segment_id is None
            and any(leads_to(before, each) for before in (new, *others) if before.id in walked)
        }
    assert (path is not None) is (new.id in walked)
    if path is not None:
        assert path[0] is new
        assert all(leads_to(*pair) for pair in zip(path, (*path[1:], new), strict=True))


@given(st.lists(_words, min_size=1, max_size=4), _words, st.sampled_from([" ", ", ", "! ", "\n"]))
def test_a_word_is_heard_however_it_is_written_and_only_by_itself(
    around: list[str], word: str, between: str
) -> None:
    key = folded(word)

    assert heard(between.join([*around, word.upper()]), [key]) == [key]
    assert heard(f"x{word}x", [key]) == []

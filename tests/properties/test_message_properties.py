"""Reports about a message, in any order and any number of times, lead to the same row."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import MessageId
from engine.message import GOT_IT, OPEN, PROGRESS, TRANSITIONS, Message, State
from engine.outcome import failed

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RETRIED, DEFERRED, GIVEN_UP = 131016, 131056, 131026


@dataclass(frozen=True, slots=True)
class Report:
    """What was heard of one attempt; *code* only of a failure."""

    attempt: int
    state: State
    at: datetime
    code: int | None = None

    def applied(self, message: Message) -> Message:
        if self.state is State.FAILED:
            verdict = failed(message, attempt=self.attempt, code=self.code, error="no", at=self.at)
            return message if verdict is None else verdict.message
        return message.progressed(
            self.state, at=self.at, attempt=self.attempt, wamid=f"wamid.{self.attempt}"
        )


@st.composite
def rows(draw: st.DrawFn) -> Message:
    """A row whose call is under way or in doubt, after others that failed or are silent."""
    attempt = draw(st.integers(1, 3))
    return Message(
        id=MessageId(1),
        state=draw(st.sampled_from((State.CLAIMED, State.UNKNOWN))),
        planned_at=NOON - timedelta(hours=1),
        attempt=attempt,
        tries=draw(st.integers(0, attempt - 1)),
        failed_attempt=draw(st.integers(0, attempt - 1)),
        due_at=NOON,
    )


@st.composite
def told(draw: st.DrawFn, message: Message) -> list[Report]:
    """What WhatsApp says of the last two attempts: each thing of each attempt at one time."""
    times = st.integers(0, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))
    codes = st.sampled_from((RETRIED, DEFERRED, GIVEN_UP, None))
    every = [
        Report(attempt, state, draw(times), draw(codes) if state is State.FAILED else None)
        for attempt in range(max(1, message.attempt - 1), message.attempt + 1)
        for state in (*PROGRESS, State.FAILED)
    ]
    return draw(st.lists(st.sampled_from(every), max_size=8))


def after(message: Message, reports: list[Report]) -> Message:
    for report in reports:
        message = report.applied(message)
    return message


def visible(message: Message, reports: list[Report]) -> Message:
    """The row without what says nothing.

    Once it arrived, when it would have been called again; and how many calls were accepted, when
    one that nobody answered for was followed by one that was accepted and then failed.
    """
    if message.state in GOT_IT:
        message = replace(message, due_at=NOON, failed_attempt=0)
    if any(report.state is State.FAILED for report in reports):
        message = replace(message, doubled=0)
    return message


@given(st.data())
def test_the_order_of_reports_does_not_matter(data: st.DataObject) -> None:
    row = data.draw(rows())
    reports = data.draw(told(row))
    shuffled = data.draw(st.permutations(reports))

    one, other = after(row, reports), after(row, shuffled)

    assert visible(one, reports) == visible(other, reports)


@given(st.data())
def test_repeating_reports_changes_nothing(data: st.DataObject) -> None:
    row = data.draw(rows())
    reports = data.draw(told(row))
    repeated = [
        *reports,
        *data.draw(st.lists(st.sampled_from(reports)) if reports else st.just([])),
    ]

    assert visible(after(row, repeated), reports) == visible(after(row, reports), reports)


@given(st.data())
def test_the_order_of_reports_does_not_matter_to_statistics(data: st.DataObject) -> None:
    row = data.draw(rows())
    reports = data.draw(told(row))
    shuffled = data.draw(st.permutations(reports))

    counted = sorted(after(row, reports).contributions())

    assert counted == sorted(after(row, shuffled).contributions())


@given(st.data())
def test_every_step_is_a_transition(data: st.DataObject) -> None:
    row = data.draw(rows())

    for report in data.draw(told(row)):
        moved = report.applied(row)

        assert moved.state is row.state or moved.state in TRANSITIONS[row.state]
        assert moved.attempt >= row.attempt
        row = moved


@given(st.data())
def test_what_arrived_stays_arrived(data: st.DataObject) -> None:
    row = data.draw(rows())
    reports = data.draw(told(row))

    arrived = after(row, reports)

    reported = {report.state for report in reports}
    assert (arrived.state in GOT_IT) == bool(reported & GOT_IT)
    if State.READ in reported:
        assert arrived.state is State.READ
        assert arrived.delivered_at is not None


@given(st.data())
def test_times_are_the_earliest_reported(data: st.DataObject) -> None:
    row = data.draw(rows())
    reports = data.draw(told(row))

    message = after(row, reports)

    of = {state: [r.at for r in reports if r.state in states] for state, states in _IMPLIED.items()}
    assert message.accepted_at == min(of[State.ACCEPTED], default=None)
    assert message.sent_at == min(of[State.SENT], default=None)
    assert message.delivered_at == min(of[State.DELIVERED], default=None)
    assert message.read_at == min(of[State.READ], default=None)


@given(st.data())
def test_counts_tell_what_is_open(data: st.DataObject) -> None:
    """Reports know only the counts, and say from them what is still to come."""
    row = data.draw(rows())

    message = after(row, data.draw(told(row)))

    metrics = [metric for _, metric in message.contributions()]
    settled = metrics.count("accepted") - metrics.count("returned") + metrics.count("dead")
    assert metrics.count("planned") - settled == int(message.state in OPEN)


_IMPLIED = {state: set(PROGRESS[place:]) for place, state in enumerate(PROGRESS)}

"""The sentences of a contact's story in a campaign."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from bot.slack.blocks import Person
from bot.slack.enrollment_pages import by_whom
from bot.slack.markup import Markup, code, date, joined, literal, markup, user
from bot.slack.words import as_word
from engine import enrollment
from engine.campaign import Campaign, Kind, State
from engine.failure_codes import failure
from engine.ids import StepId
from engine.message import State as MessageState
from engine.reasons import tap_sentence
from storage.looking import Run, Told

_FOR_EVER: Final = 9999
_WORDS: Final = 300


def enrolled_line(run: Run) -> Markup:
    """Say when and by whom or what it was enrolled."""
    return markup(
        "Enrolled {at} by {who}. {sent} sent, {delivered} delivered, {read} read, {replied} replied"
        " to.",
        at=date(run.enrolled_at),
        who=_by(run.enrolled_by),
        sent=run.sent,
        delivered=run.delivered,
        read=run.read,
        replied=run.replied,
    )


def _by(enrolled_by: str) -> Markup:
    who = by_whom(enrolled_by)
    return user(who.user_id) if isinstance(who, Person) else literal(who)


def ended_line(run: Run) -> Markup:
    """Say when and why it ended."""
    return markup(
        "Ended {at}: {why}.",
        at=date(run.ended_at or run.enrolled_at),
        why=enrollment.why(run.state, run.reason),
    )


def never_enrolled(campaign: Campaign) -> Markup:
    name = as_word(campaign.name)
    return markup("{it} would do it.", it=code(f"/drip enroll {name} <contact>"))


def step_title(step: StepId, numbers: Mapping[StepId, int], campaign: Campaign) -> str:
    """Return what a message is called: its step, which may have been removed."""
    if campaign.kind is Kind.BROADCAST:
        return "The message"
    return f"Step {numbers[step]}" if step in numbers else "A step that was removed"


def became(told: Told, at: datetime) -> Markup:
    """Say what became of a message, in the order in which it happened."""
    return joined(list(_became(told, at)), ", ")


def _became(told: Told, at: datetime) -> Iterator[Markup]:
    past = (
        ("sent", told.accepted_at),
        ("delivered", told.delivered_at),
        ("read", told.read_at),
        ("clicked", told.clicked_at),
        ("replied to", told.replied_at),
    )
    for word, when in past:
        if when is not None:
            yield markup("{word} {at}", word=word, at=date(when))
    if told.error_code is not None or told.error:
        yield _failed(told)
    if told.resent:
        yield markup("sent again {n} times after silence", n=told.resent)
    if told.doubled:
        yield Markup("arrived twice, as far as WhatsApp says")
    match told.state:
        case MessageState.QUEUED if told.due_at > at:
            yield markup("waits until {at}", at=date(told.due_at))
        case MessageState.QUEUED:
            yield markup("due since {at}, waits its turn", at=date(told.due_at))
        case MessageState.CLAIMED:
            yield Markup("is being sent")
        case MessageState.UNKNOWN:
            yield _doubtful(told)
        case MessageState.SKIPPED | MessageState.CANCELLED | MessageState.DEAD:
            yield _left_out(told)
        case _:
            pass


def _failed(told: Told) -> Markup:
    said = [markup("failed {at}", at=date(told.failed_at)) if told.failed_at else Markup("failed")]
    if told.error:
        said.append(markup("WhatsApp said “{it}”", it=literal(told.error, limit=_WORDS)))
    if told.error_code is not None:
        said.append(literal(failure(told.error_code).meaning, limit=_WORDS))
    return joined(said, ": ")


def _doubtful(told: Told) -> Markup:
    since = markup(" since {at}", at=date(told.unknown_since)) if told.unknown_since else Markup("")
    asked = told.control_at is not None and told.control_at.year == _FOR_EVER
    then = "; staff are asked what becomes of it" if asked else "; the worker is finding out"
    return markup("in doubt{since}: its call may have left{then}", since=since, then=then)


def _left_out(told: Told) -> Markup:
    why = told.reason.sentence if told.reason else "nobody noted why"
    word = {
        MessageState.SKIPPED: "left out",
        MessageState.CANCELLED: "cancelled",
        MessageState.DEAD: "given up",
    }[told.state]
    when = markup(" {at}", at=date(told.settled_at)) if told.settled_at else Markup("")
    return markup("{word}{when}: {why}", word=word, when=when, why=why)


def not_sending(campaign: Campaign) -> Markup:
    """Say why a campaign that does not send does not."""
    kind = "campaign" if campaign.kind is Kind.DRIP else "broadcast"
    name = as_word(campaign.name)
    match campaign.state:
        case State.DRAFT:
            verb = "activate" if campaign.kind is Kind.DRIP else "send"
            start = code(f"/drip {kind} {verb} {name}")
            return markup("It is a draft and sends nothing; {start} starts it.", start=start)
        case State.PAUSED:
            parts = []
            if campaign.paused_by:
                parts.append(markup(" by {who}", who=user(campaign.paused_by)))
            if campaign.paused_at is not None:
                parts.append(markup(" since {at}", at=date(campaign.paused_at)))
            return markup(
                "It is paused{how}; {it} goes on.",
                how=joined(parts, ""),
                it=code(f"/drip {kind} resume {name}"),
            )
        case State.SCHEDULED:
            return Markup("It is scheduled and has not started.")
        case state:
            return markup("It is {state}, so nothing more comes.", state=state.value)


def stopped(what: str, why: str | None, until: datetime) -> Markup:
    """Say that a tap is closed, until when and why."""
    when = (
        Markup("until somebody resumes it")
        if until.year == _FOR_EVER
        else markup("until {at}", at=date(until))
    )
    return markup(
        ":warning: {what} is stopped {when}: {why}",
        what=what,
        when=when,
        why=literal(tap_sentence(why), limit=_WORDS),
    )

"""What the live card of a campaign shows, and the words and buttons that alerts share with it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from bot.slack.blocks import (
    Block,
    Element,
    Message,
    actions,
    button,
    confirmation,
    context,
    message,
    section,
)
from bot.slack.clicks import Value
from bot.slack.markup import Markup, code, date, joined, markup, number, progress, user
from bot.slack.words import as_word
from engine import duration
from engine.campaign import Kind, State
from engine.reasons import is_limit, tap_sentence
from engine.report import Counts, Report
from storage.reports import Campaign, Tap

ENDED: Final = frozenset({State.COMPLETED, State.CANCELLED, State.ARCHIVED})

_SENDING: Final = frozenset({State.ACTIVE, State.RUNNING})
_LEAST_RATE: Final = 0.01  # messages a second; below, a time of arrival would mean nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as it is to be shown.

    Attributes:
        digest: Of all but the time it was drawn, so that an unchanged card is not edited.
        final: The campaign ended, and the card stays like this.
    """

    message: Message
    digest: str
    final: bool


def draw(campaign: Campaign, report: Report, *, at: datetime, rate: float | None) -> Card:
    """Draw the card of *campaign*.

    Args:
        at: Business time at which the numbers were read.
        rate: Messages settled per second of late; None: not known.
    """
    final = campaign.state in ENDED
    shown = _ended(campaign, report) if final else _live(campaign, report, rate=rate)
    text = summary(campaign, report)
    digest = hashlib.sha256(orjson.dumps([text, *shown])).hexdigest()
    footer = joined([*_people(campaign), markup("updated {at}", at=date(at))], " · ")
    return Card(message=message(text, *shown, context(footer)), digest=digest, final=final)


def summary(campaign: Campaign, report: Report) -> Markup:
    """Return one sentence that stands for the whole card."""
    done, whole = _progress(campaign, report)
    return markup(
        "{name} ({kind}) is {state}: {done} of {whole} {unit}; {counts}.",
        name=campaign.name,
        kind=campaign.kind.value,
        state=_state(campaign),
        done=str(done),
        whole=str(whole),
        unit="through" if campaign.kind is Kind.DRIP else "done",
        counts=(_outcome if campaign.state in ENDED else counts_line)(
            report.total, show=str, separator=", "
        ),
    )


def counts_line(
    counts: Counts, *, show: Callable[[int], str] = number, separator: str = " · "
) -> Markup:
    """Return what became of messages in one line; waiting ones only where there are any."""
    parts = [
        ("sent", counts.sent),
        ("delivered", counts.delivered),
        ("read", counts.read),
        ("replied", counts.replied),
        ("failed", counts.failed),
        ("left out", counts.left_out_in_all),
        *([("waiting", counts.open)] if counts.open > 0 else []),
    ]
    return joined([markup("{word} {n}", word=word, n=show(n)) for word, n in parts], separator)


def _outcome(
    counts: Counts, *, show: Callable[[int], str] = number, separator: str = " · "
) -> Markup:
    """Return what has been decided for good: reports of delivery go on after the last edit."""
    parts = [
        markup("sent {n} of {all}", n=show(counts.sent), all=show(counts.planned)),
        markup("failed {n}", n=show(counts.failed)),
        markup("left out {n}", n=show(counts.left_out_in_all)),
    ]
    return joined(parts, separator)


def buttons(campaign: Campaign, report: Report) -> list[Element]:
    """Return the buttons that make sense in the campaign's state; none once it ended."""
    if campaign.state in ENDED or campaign.state in {State.DRAFT, State.SCHEDULED}:
        return []
    value = str(Value(subject=str(campaign.id), version=campaign.version))
    shown: list[Element] = []
    closed = campaign.closed is not None and not is_limit(campaign.closed.why)
    if campaign.state is State.PAUSED or closed:
        shown.append(button("Resume", action_id="campaign_resume", value=value, style="primary"))
    if campaign.state in _SENDING:
        shown.append(button("Pause", action_id="campaign_pause", value=value))
    if campaign.kind is Kind.BROADCAST:
        shown.append(
            button(
                "Cancel",
                action_id="campaign_cancel",
                value=value,
                style="danger",
                confirm=_really(campaign, report),
            )
        )
    shown.append(button("Report", action_id="campaign_report", value=value))
    return shown


def stopped_until(tap: Tap) -> Markup:
    """Return until when a tap stays closed, as the end of a sentence."""
    if tap.until is None:
        return Markup("until somebody resumes it")
    if is_limit(tap.why):
        return markup("until {at}", at=date(tap.until))
    return markup("until {at}, or until somebody resumes it", at=date(tap.until))


def actor(staff: str) -> Markup:
    """Return who did something: a mention of a Slack user, other ids as they are."""
    return user(staff)


def _live(campaign: Campaign, report: Report, *, rate: float | None) -> list[Block]:
    counts = report.total
    lines = [_headline(campaign), _bar(campaign, report), counts_line(counts)]
    if campaign.closed is not None:
        lines.append(
            markup(
                ":warning: Stopped {until}: {why}",
                until=stopped_until(campaign.closed),
                why=tap_sentence(campaign.closed.why),
            )
        )
    elif rate is not None and rate >= _LEAST_RATE and campaign.state is State.RUNNING:
        lines.append(_pace(counts, rate))
    return [section(joined(lines)), actions(*buttons(campaign, report))]


def _ended(campaign: Campaign, report: Report) -> list[Block]:
    lines = [_headline(campaign), _outcome(report.total)]
    if report.enrollments is not None:
        lines.insert(1, markup("{n} enrolled", n=report.enrollments.enrolled))
    lines.append(
        markup(
            "{report} has all of it.",
            report=code(report_command(campaign.name)),
        )
    )
    return [section(joined(lines))]


def report_command(name: str) -> str:
    """Return the command that reports on a campaign, as staff type it."""
    return f"/drip report {as_word(name)}"


def _headline(campaign: Campaign) -> Markup:
    return markup(
        "{sign} *{name}* ({kind}) is {state}",
        sign=Markup(_SIGNS[campaign.state]),
        name=campaign.name,
        kind=campaign.kind.value,
        state=_state(campaign),
    )


_SIGNS: Final = {
    State.DRAFT: ":pencil2:",
    State.SCHEDULED: ":calendar:",
    State.ACTIVE: ":arrow_forward:",
    State.RUNNING: ":arrow_forward:",
    State.PAUSED: ":double_vertical_bar:",
    State.COMPLETED: ":white_check_mark:",
    State.CANCELLED: ":no_entry_sign:",
    State.ARCHIVED: ":file_cabinet:",
}


def _state(campaign: Campaign) -> str:
    stopped = campaign.state in _SENDING and campaign.closed is not None
    return "stopped" if stopped else campaign.state.value


def _bar(campaign: Campaign, report: Report) -> Markup:
    done, whole = _progress(campaign, report)
    if campaign.looked_at is not None:
        planned = markup(
            "Planning: {share} % of the audience looked at, {n} planned",
            share=int(campaign.looked_at * 100),
            n=whole,
        )
        return joined([planned, progress(done, whole)]) if whole else planned
    if whole == 0:
        empty = "Nobody is enrolled yet" if campaign.kind is Kind.DRIP else "Nobody to write to"
        return Markup(empty)
    what = "contacts through" if campaign.kind is Kind.DRIP else "messages done"
    return markup("{bar} {what}", bar=progress(done, whole), what=what)


def _progress(campaign: Campaign, report: Report) -> tuple[int, int]:
    """Return how much of how much is done: contacts of a drip, messages of a broadcast."""
    if campaign.kind is Kind.DRIP and report.enrollments is not None:
        return report.enrollments.ended, report.enrollments.enrolled
    return report.total.settled, report.total.planned


def _pace(counts: Counts, rate: float) -> Markup:
    shown = f"{rate:.0f} a second" if rate >= 1 else f"{rate * 60:.0f} a minute"
    if counts.open <= 0:
        return markup("{rate}", rate=shown)
    left = timedelta(seconds=max(1, round(counts.open / rate)))
    return markup("{rate}, about {left} left", rate=shown, left=_roughly(left))


def _roughly(span: timedelta) -> str:
    """Return a span of time in one unit, as somebody would say it."""
    seconds = span.total_seconds()
    for unit in (86_400, 3_600, 60):
        if seconds >= 2 * unit:
            return duration.show(timedelta(seconds=round(seconds / unit) * unit))
    return duration.show(span)


def _really(campaign: Campaign, report: Report) -> Element:
    counts = report.total
    return confirmation(
        title=f"Cancel {campaign.name}?",
        text=f"{number(counts.sent)} of {number(counts.planned)} messages have been sent;"
        f" {number(max(counts.open, 0))} will not be. This cannot be undone.",
        confirm="Cancel the broadcast",
        deny="Go on",
        danger=True,
    )


def _people(campaign: Campaign) -> list[Markup]:
    said: list[Markup] = []
    if campaign.started_at is not None:
        by = markup(" by {who}", who=actor(campaign.started_by)) if campaign.started_by else ""
        said.append(
            markup("started {at}{by}", at=date(campaign.started_at), by=Markup(by)),
        )
    if campaign.state is State.PAUSED and campaign.paused_by:
        said.append(markup("paused by {who}", who=actor(campaign.paused_by)))
    if campaign.state in ENDED and campaign.ended_by:
        said.append(
            markup("{how} by {who}", how=campaign.state.value, who=actor(campaign.ended_by))
        )
    return said

"""`report <campaign>`: how it went, as a table and as plain sentences that hold every number."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from bot.slack import campaign_names
from bot.slack.blocks import Block, Message, context, message, section, table
from bot.slack.desk import Desk
from bot.slack.language.reports import Report as Asked
from bot.slack.markup import Markup, date, joined, markup, number, percent
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine.ids import CampaignId
from engine.report import Again, Counts, Enrollments, Report, Share, Step
from storage import reports
from storage.database import Unit
from storage.reports import Campaign


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(Asked)
    @refusing
    async def report(asked: Asked, context: Context) -> Reply:
        async def answered(unit: Unit) -> Message:
            meant = await campaign_names.found(unit, asked.campaign, archived=True)
            report = await of_campaign(unit, meant.id)
            if report is None:
                raise AssertionError("a campaign went while it was looked at")
            return report

        return Reply(message=await desk.database.run(context.organization, context.at, answered))


async def of_campaign(unit: Unit, campaign: CampaignId) -> Message | None:
    """Return the report on a campaign; None: it is gone."""
    found = await reports.campaign(unit, campaign=campaign)
    if found is None:
        return None
    return shown(found, await reports.report(unit, campaign=found))


def shown(campaign: Campaign, report: Report) -> Message:
    """Return a report. Its text has every number once, without separators, for scripts too."""
    lines = [
        markup(
            "Report on {name} ({kind}, {state})",
            name=campaign.name,
            kind=campaign.kind.value,
            state=campaign.state.value,
        )
    ]
    if report.enrollments is not None:
        lines.append(_enrolled_line(report.enrollments))
    lines += [_step_line(_title(step), step.counts) for step in report.steps]
    if len(report.steps) > 1:
        lines.append(_step_line("All steps", report.total))
    if any(step.counts.planned for step in report.steps):
        lines.append(_rates_line(report.total))
    lines += [_reasons_line(_title(step), step.counts) for step in report.steps if _left(step)]
    if report.total.no_report:
        lines.append(_silent_line(report, show=str))
    if report.again != Again():
        lines.append(_again_line(report.again, show=str))
    return message(joined(lines), *_blocks(campaign, report))


def _enrolled_line(people: Enrollments) -> Markup:
    endings = joined([markup("{how} {n}", how=how, n=str(n)) for how, n in _endings(people)], ", ")
    return markup("Enrolled {n}: {endings}", n=str(people.enrolled), endings=endings)


def _step_line(title: str, counts: Counts) -> Markup:
    named = joined([markup("{name} {n}", name=n, n=str(c)) for n, c in _columns(counts)], ", ")
    return markup("{title}: {counts}", title=title, counts=named)


def _rates_line(counts: Counts) -> Markup:
    listed = [
        markup("{name} {rate} of {of}", name=name, rate=_rate(share), of=of)
        for name, share, of in _rates(counts)
    ]
    return markup("Rates: {listed}", listed=joined(listed, ", "))


def _reasons_line(title: str, counts: Counts) -> Markup:
    return markup(
        "Left out of {title}: {listed}",
        title=title[0].lower() + title[1:],
        listed=joined(list(_reasons(counts, show=str)), "; "),
    )


def _silent_line(report: Report, *, show: Callable[[int], str]) -> Markup:
    return markup(
        "No report: {n}; accepted over a day ago, and WhatsApp has said nothing of them since.",
        n=show(report.total.no_report),
    )


def _again_line(again: Again, *, show: Callable[[int], str]) -> Markup:
    line = markup("Sent again after silence: {n}", n=show(again.resent))
    if not again.doubled:
        return markup("{line}.", line=line)
    more = again.doubled - len(again.twice)
    listed = [*again.twice, f"{show(more)} more"] if more else again.twice
    return markup(
        "{line}. Reached twice: {n} ({listed}).",
        line=line,
        n=show(again.doubled),
        listed=", ".join(listed),
    )


def _reasons(counts: Counts, *, show: Callable[[int], str]) -> Iterable[Markup]:
    for reason, count in counts.left_out:
        yield markup("{n} {why}", n=show(count), why=reason.sentence)


def _blocks(campaign: Campaign, report: Report) -> Iterable[Block]:
    heading = markup(
        "*{name}* ({kind}, {state})",
        name=campaign.name,
        kind=campaign.kind.value,
        state=campaign.state.value,
    )
    lines = [heading]
    if report.enrollments is not None:
        lines.append(_people(report.enrollments))
    yield section(joined(lines))
    if report.steps:
        yield from table(_headings(report), _rows(report))
    left_out = [
        markup(
            "*{title}*: {reasons}",
            title=_title(step),
            reasons=joined(list(_reasons(step.counts, show=number)), "; "),
        )
        for step in report.steps
        if _left(step)
    ]
    if left_out:
        yield section(joined([Markup("Left out:"), *left_out]))
    if report.total.no_report:
        yield section(_silent_line(report, show=number))
    if report.again != Again():
        yield section(_again_line(report.again, show=number))
    yield context(Markup(_LEGEND), *_times(campaign))


def _rows(report: Report) -> list[list[str]]:
    waits = bool(report.total.open)
    rows = [_row(_short(step), step.counts, waits=waits) for step in report.steps]
    return [*rows, _row("All", report.total, waits=waits)] if len(rows) > 1 else rows


def _row(title: str, counts: Counts, *, waits: bool) -> list[str]:
    rates = {name: _rate(share) for name, share, _ in _rates(counts)}
    return [title, *(_cell(name, n, rates) for name, n in _shown_columns(counts, waits=waits))]


def _cell(name: str, count: int, rates: Mapping[str, str]) -> str:
    rate = rates.get(name)
    return number(count) if rate is None or not count else f"{number(count)} · {rate}"


def _headings(report: Report) -> list[str]:
    waits = bool(report.total.open)
    return ["Step", *(name.capitalize() for name, _ in _shown_columns(Counts(), waits=waits))]


def _shown_columns(counts: Counts, *, waits: bool) -> list[tuple[str, int]]:
    """Return what fits beside each other: what is open only where anything is."""
    return [each for each in _columns(counts) if waits or each[0] != "open"]


def _people(people: Enrollments) -> Markup:
    if not people.enrolled:
        return Markup("Nobody is enrolled yet.")
    listed = [markup("{n} {how}", n=count, how=how) for how, count in _endings(people) if count]
    return markup("{n} enrolled: {listed}", n=people.enrolled, listed=joined(listed, ", "))


def _endings(people: Enrollments) -> tuple[tuple[str, int], ...]:
    return (
        ("active", people.active),
        ("paused", people.paused),
        ("completed", people.completed),
        ("replied", people.replied),
        ("opted out", people.opted_out),
        ("dropped", people.dropped),
    )


def _columns(counts: Counts) -> tuple[tuple[str, int], ...]:
    return (
        ("planned", counts.planned),
        ("sent", counts.sent),
        ("delivered", counts.delivered),
        ("read", counts.read),
        ("replied", counts.replied),
        ("failed", counts.failed),
        ("left out", counts.left_out_in_all),
        ("open", counts.open),
    )


def _rates(counts: Counts) -> tuple[tuple[str, Share, str], ...]:
    return (
        ("delivered", counts.delivery_rate, "sent"),
        ("read", counts.read_rate, "delivered"),
        ("replied", counts.reply_rate, "sent"),
    )


_LEGEND: Final = (
    "Sent: accepted by WhatsApp; failed: given up, also after that; open: not yet decided."
    " Delivered and replied are shares of sent, read of delivered."
)


def _rate(share: Share) -> str:
    return percent(share.part, share.whole)


def _title(step: Step) -> str:
    return "Removed step" if step.number is None else f"Step {step.number}"


def _short(step: Step) -> str:
    return "removed" if step.number is None else str(step.number)


def _left(step: Step) -> bool:
    return bool(step.counts.left_out)


def _times(campaign: Campaign) -> Iterable[Markup]:
    if campaign.started_at is not None:
        yield markup("started {at}", at=date(campaign.started_at))
    if campaign.ended_at is not None:
        yield markup("ended {at}", at=date(campaign.ended_at))

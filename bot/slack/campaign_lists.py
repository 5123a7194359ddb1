"""Lists of campaigns and broadcasts, and all about one."""

from collections.abc import Sequence
from typing import Final, assert_never

from bot.slack import cards
from bot.slack.blocks import Message, context, header, message, section, sections
from bot.slack.campaign_names import found
from bot.slack.campaign_text import (
    AudienceNames,
    audience_line,
    reach_lines,
    settings_line,
    steps_lines,
    upcoming_line,
    window_line,
)
from bot.slack.desk import Desk
from bot.slack.markup import Markup, code, date, joined, markup, user
from bot.slack.missing_values import missing_lines
from bot.slack.registry import Context
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine.campaign import Campaign, Kind, State, Step
from engine.config import Organization
from engine.content import Content
from engine.ids import CampaignId
from engine.report import Enrollments, Report
from engine.sending_rules import rules_of
from storage import audit, campaigns, lists, reports, segments, tags
from storage.campaigns import Listed
from storage.database import Unit

PAGE: Final = 20

_WORDS: Final = {Kind.DRIP: "campaign", Kind.BROADCAST: "broadcast"}
_NEW: Final = {
    Kind.DRIP: '/drip campaign new "Welcome"',
    Kind.BROADCAST: '/drip broadcast new "Sale" to=all template=<name>',
}


async def listing(
    desk: Desk, asked: Context, *, kind: Kind, state: State | None, mine: bool
) -> Reply:
    """Answer with the latest campaigns of a kind."""
    actor = asked.user_id if mine else None
    async with desk.database.unit(asked.organization, asked.at) as unit:
        rows = await campaigns.listed(unit, kind=kind, state=state, actor=actor, limit=PAGE)
    word = _WORDS[kind]
    which = " ".join(
        filter(None, [state.value if state else "", f"{word}s", "of yours" if mine else ""])
    )
    if not rows:
        text = markup("There are no {which}.", which=which)
        make = markup("{new} makes one.", new=code(_NEW[kind]))
        return Reply(message=message(joined([text, make]), section(joined([text, make]))))
    total = rows[0].total
    title = f"{total:,} {which}" if total != 1 else f"1 {which.replace(f'{word}s', word)}"
    lines = [_list_line(row) for row in rows]
    if total > len(rows):
        lines.append(
            markup(
                "and {n} older ones; a state narrows it down, such as {it}",
                n=total - len(rows),
                it=code(f"/drip {word} list paused"),
            )
        )
    shown = joined(lines)
    more = markup("{show} says all about one.", show=code(f"/drip {word} show <name>"))
    return Reply(
        message=message(
            joined([Markup(markup("{t}", t=title)), shown]),
            header(title),
            *sections(shown),
            context(more),
        )
    )


async def showing(desk: Desk, asked: Context, name: str, *, kind: Kind | None) -> Reply:
    """Answer with all about one; archived ones too."""
    organization = desk.config.organizations[asked.organization]
    async with desk.database.unit(asked.organization, asked.at) as unit:
        named = await found(unit, name, kind=kind, archived=True)
        return Reply(message=await _shown(unit, named.id, organization))


async def _shown(unit: Unit, campaign: CampaignId, organization: Organization) -> Message:
    it = await campaigns.get(unit, campaign=campaign)
    if it is None:
        raise AssertionError("a campaign vanished between two queries of a unit")
    steps = await campaigns.steps(unit, campaign=it.id)
    numbers = await reports.campaign(unit, campaign=it.id)
    report = Report(enrollments=None, steps=())
    if numbers is not None:
        report = await reports.report(unit, campaign=numbers)
    lines = [_headline(it, unit)]
    settings = settings_line(it, organization)
    if settings is not None:
        lines.append(markup("Settings: {settings}", settings=settings))
    if it.audience is not None:
        known = await campaigns.named(unit, archived=True)
        names = AudienceNames(
            campaigns={each.id: name for name, each in known.items()},
            lists={each: name for name, each in (await lists.names(unit)).items()},
            segments={each: name for name, each in (await segments.names(unit)).items()},
        )
        lines.append(markup("To: {who}", who=audience_line(it.audience, names)))
    if it.schedule is not None:
        lines.append(upcoming_line(it.schedule, paused=it.state is State.PAUSED))
    lines += _step_lines(it, steps)
    if report.enrollments is not None:
        lines.append(_enrolled(report.enrollments))
    if it.state in {State.DRAFT, State.SCHEDULED}:
        lines += await missing_lines(unit, it)
        if it.audience is not None and steps:
            lines += await _reached(unit, it, steps[0].content, organization)
    if report.total.planned:
        lines.append(cards.counts_line(report.total))
    footer = joined(_people(it), " · ")
    lately = _history(await audit.latest(unit, subject=f"{it.kind}:{it.id}", limit=_LATELY))
    follow = _next(it, steps, await tags.known(unit))
    return message(
        joined([*lines, footer, lately, follow]),
        *sections(joined(lines)),
        context(footer),
        context(lately),
        context(follow),
    )


async def _reached(
    unit: Unit, it: Campaign, content: Content, organization: Organization
) -> list[Markup]:
    """Return whom a broadcast that has not begun would reach."""
    rules = rules_of(unit.organization, organization)
    staff = campaigns.Campaigns(unit, it.actor, rules=rules)
    reach = await staff.reach(it, content, at=it.scheduled_at)
    return [*reach_lines(reach), window_line(content, later=it.scheduled_at is not None)]


def _headline(it: Campaign, unit: Unit) -> Markup:
    state = markup(
        "*{name}* ({kind}) is {state}", name=it.name, kind=it.kind.value, state=it.state.value
    )
    if it.closed_until is None or not it.stopped(unit.at):
        return state
    resumed = code(f"/drip {_WORDS[it.kind]} resume {as_word(it.name)}")
    return joined(
        [
            state,
            markup(
                ":warning: Stopped: {why} {resume} goes on at once.",
                why=it.closed_why or "",
                resume=resumed,
            ),
        ]
    )


def _step_lines(it: Campaign, steps: tuple[Step, ...]) -> list[Markup]:
    if not steps:
        return [Markup("No steps yet.")]
    if it.kind is Kind.BROADCAST:
        from_step = steps_lines(steps).partition(": ")[2]
        return [markup("Message: {it}", it=Markup(from_step))]
    return [Markup("*Steps*"), steps_lines(steps)]


def _enrolled(enrollments: Enrollments) -> Markup:
    counted = [
        ("enrolled", enrollments.enrolled),
        ("under way", enrollments.running),
        ("finished", enrollments.completed),
        ("replied", enrollments.replied),
        ("opted out", enrollments.opted_out),
        ("taken out", enrollments.dropped),
    ]
    return joined(
        [markup("{n} {word}", n=n, word=word) for word, n in counted if n], " · "
    ) or Markup("Nobody is enrolled.")


def _people(it: Campaign) -> list[Markup]:
    said = [markup("created {at} by {who}", at=date(it.created_at), who=user(it.actor))]
    for word, at, who in (
        ("started", it.started_at, it.started_by),
        ("paused", it.paused_at, it.paused_by),
        ("ended", it.ended_at, it.ended_by),
    ):
        if at is not None:
            by = markup(" by {who}", who=user(who)) if who else Markup("")
            said.append(markup("{word} {at}{by}", word=word, at=date(at), by=by))
    return said


def _history(acts: Sequence[audit.Act]) -> Markup:
    """Return what was done lately, the oldest first."""
    said = [
        markup(
            "{what} {at} by {who}",
            what=_ACTS.get(act.action) or _ACTS.get(act.action.rpartition(".")[2], act.action),
            at=date(act.at),
            who=user(act.actor),
        )
        for act in acts
    ]
    return markup("Lately: {said}", said=joined(said, " · ") or "nothing")


_LATELY: Final = 8
_ACTS: Final = {
    "step.add": "added a step",
    "step.remove": "removed a step",
    "step.edit": "changed a step",
    "step.move": "moved a step",
    "simulation.export": "played through into a file",
    "new": "created",
    "clone": "copied from another",
    "edit": "changed",
    "activate": "activated",
    "send": "sent",
    "schedule": "scheduled",
    "unschedule": "taken off the schedule",
    "start": "started on time",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
    "archive": "archived",
    "enroll": "enrolled contacts",
    "unenroll": "took contacts out",
    "enrollment.pause": "paused a contact",
    "enrollment.resume": "resumed a contact",
    "enrollment.move": "moved a contact",
    "enrollment.end": "took a contact out",
}


def _next(it: Campaign, steps: tuple[Step, ...], known: Sequence[str]) -> Markup:
    name, word = as_word(it.name), _WORDS[it.kind]
    match it.state:
        case State.DRAFT if not steps:
            return next_line(f"/drip step add {name} after=0m template=<name>")
        case State.DRAFT if it.kind is Kind.DRIP:
            return next_line(f"/drip campaign activate {name}")
        case State.SCHEDULED:
            return next_line(f"/drip broadcast unschedule {name}")
        case State.DRAFT:
            return next_line(f"/drip broadcast send {name}")
        case State.ACTIVE:
            return next_line(enroll_command(it, tags=known))
        case State.PAUSED:
            return next_line(f"/drip {word} resume {name}")
        case State.RUNNING | State.COMPLETED | State.CANCELLED | State.ARCHIVED:
            return next_line(f"/drip report {name}")
        case _:
            assert_never(it.state)


def enroll_command(campaign: Campaign, *, tags: Sequence[str]) -> str:
    """Return how staff enroll those whom the trigger would have, had it been active before.

    Args:
        tags: All there are; the only one is meant where the trigger names none.
    """
    tag = campaign.trigger.removeprefix("tag:") if campaign.trigger.startswith("tag:") else None
    if tag is None and len(tags) == 1:
        tag = tags[0]
    who = "<tag>" if tag is None else as_word(tag)
    return f"/drip enroll {as_word(campaign.name)} tag:{who}"


def next_line(command: str) -> Markup:
    """Return what would probably be typed next."""
    return markup("Next: {it}", it=code(command))


def _list_line(row: Listed) -> Markup:
    state = row.state.value if row.closed_why is None else f"{row.state.value}, stopped"
    if row.kind is Kind.DRIP:
        steps = "1 step" if row.steps == 1 else f"{row.steps} steps"
        numbers = (
            f"{steps}, {row.enrolled:,} enrolled ({row.running:,} under way), {row.sent:,} sent"
        )
    else:
        counts = (row.planned, row.sent, row.delivered, row.read)
        words = ("planned", "sent", "delivered", "read")
        numbers = ", ".join(f"{n:,} {word}" for n, word in zip(counts, words, strict=True))
    if row.scheduled_at is not None:
        return markup(
            "*{name}* · {state} · starts {at}",
            name=row.name,
            state=state,
            at=date(row.scheduled_at, "{date_short_pretty} {time}"),
        )
    began = row.started_at or row.created_at
    return markup(
        "*{name}* · {state} · {numbers} · {when} {at}",
        name=row.name,
        state=state,
        numbers=numbers,
        when="started" if row.started_at else "created",
        at=date(began, "{date_short_pretty}"),
    )

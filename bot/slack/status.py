"""`status`: one look at what runs, what waits and what needs attention."""

from datetime import datetime
from typing import Final

from bot.slack import countries, errands, restores
from bot.slack.blocks import header, message, sections
from bot.slack.desk import Desk
from bot.slack.language.general import Status
from bot.slack.markup import Markup, code, date, joined, literal, markup, progress
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine.campaign import Kind, State
from engine.config import Organization, WhatsAppNumber
from engine.ids import CampaignId
from engine.places import Cap, Places, rolling, tier_users
from engine.reasons import is_limit, tap_sentence
from engine.sending_rules import rules_of
from storage import campaigns, leases, numbers, places, reports, tasks, templates, work
from storage.database import Unit
from storage.numbers import NumberState, OrganizationTap
from storage.reports import Tap
from storage.restores import held as held_back
from storage.work import Idle

_CAMPAIGNS: Final = 10
_LONGEST: Final = 600  # characters of what a platform says
_PROCESSES: Final = ("lanes", "jobs")
_FOR_EVER: Final = 9999  # the year of what Postgres calls infinity, as a datetime
_GOOD: Final = Markup(":large_green_circle:")
_BAD: Final = Markup(":red_circle:")


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(Status)
    @refusing
    async def status(_: Status, asked: Context) -> Reply:
        organization = desk.config.organizations[asked.organization]
        redis = await desk.queue.is_up()
        portfolio = await _portfolio(desk, asked)
        async with desk.database.unit(asked.organization, asked.at) as unit:
            shown = [
                markup("*{name}*", name=organization.name),
                _machinery(await leases.alive(unit), redis=redis),
                *await _restore_lines(unit),
                *await _number_lines(
                    unit, organization, others=_sharing(desk, organization), taken=portfolio
                ),
                *await countries.lines(unit),
                *await _day_lines(unit, organization),
                _waiting(await work.idle(unit, grace=organization.sending.unknown_grace)),
                *await errands.lines(unit),
                *await _campaign_lines(unit),
                *await _upcoming_lines(unit),
                await _template_line(unit),
            ]
        text = joined(shown)
        return Reply(message=message(text, header("Status"), *sections(text)))


def _machinery(alive: frozenset[str], *, redis: bool) -> Markup:
    """Say which parts answer; the database does, or this would not be said."""
    parts = [
        markup("{sign} database", sign=_GOOD),
        markup("{sign} Redis", sign=_sign(good=redis)),
        *(
            markup("{sign} worker {process}", sign=_sign(good=each in alive), process=each)
            for each in _PROCESSES
        ),
    ]
    line = joined(parts, " · ")
    missing = [process for process in _PROCESSES if process not in alive]
    if missing:
        why = markup(
            "Nothing was heard of the worker ({missing}) for some seconds: see to it that"
            " {it} runs.",
            missing=", ".join(missing),
            it=code("dripline worker"),
        )
        line = joined([line, why])
    if not redis:
        line = joined([line, Markup("Redis is away: work goes on once it is back.")])
    return line


async def _restore_lines(unit: Unit) -> list[Markup]:
    async with unit.as_owner():
        held = await held_back(unit)
    return [] if held is None else [restores.status_line(held)]


def _sign(*, good: bool) -> Markup:
    return _GOOD if good else _BAD


def _sharing(desk: Desk, organization: Organization) -> int:
    """Return how many other organizations have the same portfolio."""
    portfolios = [each.whatsapp.portfolio for each in desk.config.organizations.values()]
    return portfolios.count(organization.whatsapp.portfolio) - 1


async def _portfolio(desk: Desk, asked: Context) -> Places:
    """Return the places of the portfolio that are taken, which its first organization counts."""
    home = desk.config.portfolio_home(asked.organization)
    async with desk.database.unit(home, asked.at) as unit:
        return await places.counted(
            unit, home=home, cap=Cap.MESSAGING_LIMIT, limit=0, span=rolling(asked.at)
        )


async def _day_lines(unit: Unit, organization: Organization) -> list[Markup]:
    """Say how many contacts of the day are written to, where there is a limit."""
    limit = organization.sending.contacts_per_day
    if not limit:
        return []
    span = rules_of(unit.organization, organization).people_span(Cap.CONTACTS_PER_DAY, unit.at)
    taken = await places.counted(
        unit,
        home=unit.organization,
        cap=Cap.CONTACTS_PER_DAY,
        limit=limit,
        span=span,
    )
    free = (
        markup("; the next may be at {at}", at=date(span.bucket + span.length))
        if not taken.free
        else Markup("")
    )
    return [
        markup(
            "Contacts today: {used} of {limit} (contacts_per_day){free}",
            used=taken.used,
            limit=limit,
            free=free,
        )
    ]


async def _number_lines(
    unit: Unit, organization: Organization, *, others: int, taken: Places
) -> list[Markup]:
    known = await numbers.states(unit)
    ours = organization.whatsapp.numbers
    reported = [known[each.id].messaging_limit for each in ours if each.id in known]
    lines = [
        _portfolio_line(organization.whatsapp.portfolio, reported, others=others, taken=taken),
        *(_number_line(each, known.get(each.id)) for each in ours),
    ]
    tap = await numbers.organization_tap(unit)
    return lines if tap is None else [*lines, _tap_line(tap)]


def _portfolio_line(
    portfolio: str, reported: list[str | None], *, others: int, taken: Places
) -> Markup:
    """Say what WhatsApp reports of the limit that all numbers below share, and what is used."""
    limits = [users for tier in reported if tier and (users := tier_users(tier)) is not None]
    # One that was raised may not be reported of every number yet; -1 stands for none.
    lowest = min((each for each in limits if each >= 0), default=None)
    if lowest is not None:
        free = (
            markup("; the next place is free at {at}", at=date(taken.next_free_at()))
            if taken.used >= lowest
            else Markup("")
        )
        limit = markup(
            "{used} of {n} people written to within 24 hours{free}",
            used=taken.used,
            n=lowest,
            free=free,
        )
    else:
        limit = Markup("no limit of people" if limits else "a limit not reported yet")
    accounts = "one more account" if others == 1 else f"{others} more accounts"
    return markup(
        "Portfolio {portfolio}: {limit}{shared}, for",
        portfolio=portfolio,
        limit=limit,
        shared=markup(", shared with {accounts}", accounts=accounts) if others else Markup(""),
    )


def _number_line(number: WhatsAppNumber, state: NumberState | None) -> Markup:
    reported = state.messages_per_second if state else None
    rate = min(filter(None, (number.messages_per_second, reported)))
    quality = state.quality if state else "unknown"
    verified = state.verified_name if state else None
    named = markup(" ({name})", name=verified) if verified else Markup("")
    line = markup(
        "{sign} {phone}{named} · quality {quality} · {rate} a second",
        sign=_sign(good=state is None or state.closed_until is None),
        phone=number.phone,
        named=named,
        quality=quality,
        rate=rate,
    )
    if state is not None and state.can_send not in {None, numbers.AVAILABLE}:
        reasons = " ".join(state.reasons) or "it does not say why"
        limited = markup(
            ":warning: WhatsApp says that sending is {can_send}: {why}",
            can_send=literal(state.can_send or "", limit=_LONGEST),
            why=literal(reasons, limit=_LONGEST),
        )
        line = joined([line, limited])
    if state is None or state.closed_until is None:
        return line
    return joined([line, _closed(state.closed_why or "", state.closed_until)])


def _tap_line(tap: OrganizationTap) -> Markup:
    return markup("{sign} No number sends. {why}", sign=_BAD, why=_closed(tap.why or "", tap.until))


def _closed(why: str, until: datetime | None) -> Markup:
    if until is None or until.year == _FOR_EVER:
        return markup("Stopped until somebody sees to it: {why}", why=why)
    return markup("Stopped until {at}: {why}", at=date(until), why=tap_sentence(why))


def _waiting(idle: Idle) -> Markup:
    upcoming = (
        markup("next at {at}", at=date(idle.next_due))
        if idle.next_due is not None
        else Markup("nothing later")
    )
    return markup(
        "Due now: {due} · on their way: {claimed} · {upcoming}",
        due=idle.due,
        claimed=idle.claimed,
        upcoming=upcoming,
    )


async def _campaign_lines(unit: Unit) -> list[Markup]:
    ids = await campaigns.running(unit, limit=_CAMPAIGNS + 1)
    if not ids:
        return [Markup("No campaign is running.")]
    lines = [line for each in ids[:_CAMPAIGNS] if (line := await _campaign_line(unit, each))]
    if len(ids) > _CAMPAIGNS:
        lines.append(
            markup(
                "and more: {drips} and {broadcasts} list them",
                drips=code("/drip campaign list active"),
                broadcasts=code("/drip broadcast list running"),
            )
        )
    return lines


async def _upcoming_lines(unit: Unit) -> list[Markup]:
    coming = await campaigns.upcoming(unit, limit=_CAMPAIGNS + 1)
    lines = [
        markup(
            "*{name}* (broadcast) starts {at}",
            name=name,
            at=date(starts, "{date_short_pretty} {time}"),
        )
        for name, starts in coming[:_CAMPAIGNS]
    ]
    if len(coming) > _CAMPAIGNS:
        every = code("/drip broadcast list scheduled")
        lines.append(markup("and more: {every} lists what starts by itself", every=every))
    return lines


async def _campaign_line(unit: Unit, campaign: CampaignId) -> Markup | None:
    it = await reports.campaign(unit, campaign=campaign)
    if it is None:
        return None
    report = await reports.report(unit, campaign=it)
    if report.enrollments is not None:
        done, whole = report.enrollments.ended, report.enrollments.enrolled
        what = "contacts through"
    else:
        done, whole, what = report.total.settled, report.total.planned, "messages done"
    line = markup(
        "*{name}* ({kind}) is {state}: {bar} {what}",
        name=it.name,
        kind=it.kind.value,
        state=it.state.value,
        bar=progress(done, whole, width=10) if whole else Markup("no"),
        what=what if whole else "contacts yet" if it.kind is Kind.DRIP else "messages yet",
    )
    if it.closed is None or it.state is State.PAUSED:
        return line
    return joined([line, _stopped(it.closed, it.name, it.kind)])


def _stopped(tap: Tap, name: str, kind: Kind) -> Markup:
    if is_limit(tap.why):
        return markup(":warning: {closed}.", closed=_closed(tap.why, tap.until))
    word = "campaign" if kind is Kind.DRIP else "broadcast"
    return markup(
        ":warning: {closed} {resume} goes on at once.",
        closed=_closed(tap.why, tap.until),
        resume=code(f"/drip {word} resume {as_word(name)}"),
    )


async def _template_line(unit: Unit) -> Markup:
    counts = await templates.by_status(unit)
    task = await tasks.get(unit, name=tasks.SYNC_TEMPLATES)
    problem = (task.result or {}).get("problem") if task else None
    counted = ", ".join(
        f"{count:,} {status.lower().replace('_', ' ')}" for status, count in counts.items()
    )
    if not counts:
        line = markup("Templates: none yet; {it} fetches them.", it=code("/drip template sync"))
    else:
        line = markup("Templates: {counted}", counted=counted)
    if not problem:
        return line
    return joined([line, markup(":warning: The last sync failed: {why}", why=str(problem))])

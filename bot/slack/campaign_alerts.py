"""What staff are told of campaigns: how they went, that they stopped, who did what, who replied."""

from collections.abc import Callable
from datetime import datetime

from bot.slack.alerts import Alert, Place, tells, warning
from bot.slack.blocks import Block, Element, actions, button, context, message, quote, section
from bot.slack.cards import actor, buttons, stopped_until
from bot.slack.clicks import Value
from bot.slack.markup import Markup, clean, code, date, joined, literal, markup, number
from bot.slack.words import as_word
from engine.campaign import Kind
from engine.ids import CampaignId
from engine.report import Counts, Enrollments, Report
from storage import events, reports
from storage.database import Unit
from storage.events import Event
from storage.reports import Campaign


@tells("campaign_completed")
async def completed(event: Event, unit: Unit) -> tuple[Alert, ...]:
    found = await _campaign(event, unit)
    if found is None:
        return ()
    campaign, report = found
    text = completion(campaign, report, show=str)
    shown = markup(":checkered_flag: {text}", text=completion(campaign, report, show=number))
    blocks = (section(shown), actions(_report_button(campaign)), context(_LATER))
    # The card shows its end by itself, so its thread does not say it again.
    return (Alert(place=Place.ALERTS, message=message(text, *blocks), line=shown),)


@tells("campaign_stopped")
async def stopped(event: Event, unit: Unit) -> tuple[Alert, ...]:
    found = await _campaign(event, unit)
    if found is None:
        return ()
    campaign, report = found
    why = literal(str(event.content["why"]), limit=600)
    if campaign.closed is None:
        held = Markup("It is sending again by now.")
    else:
        word = "campaign" if campaign.kind is Kind.DRIP else "broadcast"
        held = markup(
            "Nothing of it is sent {until}; what waits keeps its place. {failed} lists what failed,"
            " {resume} lets it go on.",
            until=stopped_until(campaign.closed),
            failed=code(f"/drip failed {as_word(campaign.name)}"),
            resume=code(f"/drip {word} resume {as_word(campaign.name)}"),
        )
    text = markup("{name} has stopped: {why} {held}", name=campaign.name, why=why, held=held)
    blocks: list[Block] = [section(markup(":octagonal_sign: {text}", text=text))]
    if campaign.closed is not None and (shown := buttons(campaign, report)):
        blocks.append(actions(*shown))
    return (
        Alert(place=Place.ALERTS, message=message(text, *blocks)),
        Alert(place=Place.CARD, message=message(markup("Stopped: {why}", why=why))),
    )


@tells("campaign_may_go_on")
async def may_go_on(event: Event, unit: Unit) -> tuple[Alert, ...]:
    found = await _campaign(event, unit)
    if found is None or found[0].closed is None:
        return ()
    campaign, report = found
    word = "campaign" if campaign.kind is Kind.DRIP else "broadcast"
    text = markup(
        "WhatsApp approves template {its_name} ({language}) again, for which {name} has stopped."
        " Nothing goes on by itself; {resume} lets it.",
        its_name=str(event.content["name"]),
        language=str(event.content["language"]),
        name=campaign.name,
        resume=code(f"/drip {word} resume {as_word(campaign.name)}"),
    )
    shown = section(markup(":information_source: {text}", text=text))
    return (
        Alert(
            place=Place.ALERTS,
            message=message(text, shown, actions(*buttons(campaign, report))),
        ),
    )


def _noted(kind: str, template: str) -> None:
    """Note in the thread of the card who did something; content: `by`, a staff id."""

    @tells(kind)
    async def note(event: Event, _unit: Unit) -> tuple[Alert, ...]:
        by = event.content.get("by")
        who = actor(str(by)) if by else Markup("Dripline")
        return (Alert(place=Place.CARD, message=message(markup(template, who=who))),)


_noted("campaign_paused", "Paused by {who}.")
_noted("campaign_resumed", "Resumed by {who}.")
_noted("campaign_cancelled", "Cancelled by {who}.")
_noted("campaign_retried", "What failed is tried again, as {who} wanted.")
_noted("campaign_archived", "Archived by {who}.")


@tells("campaign_not_started")
async def not_started(event: Event, unit: Unit) -> tuple[Alert, ...]:
    named = await _name(event, unit)
    if named is None:
        return ()
    return (
        warning(
            markup(
                "{name} was to start {at} and did not: {why}",
                name=named,
                at=date(datetime.fromisoformat(str(event.content["planned"]))),
                why=literal(str(event.content["why"]), limit=600),
            )
        ),
    )


@tells("campaign_missed")
async def missed(event: Event, unit: Unit) -> tuple[Alert, ...]:
    named = await _name(event, unit)
    if named is None:
        return ()
    count = int(event.content["count"])
    what = "start" if count == 1 else f"{count} starts"
    return (
        warning(
            markup(
                "{name} missed its {what} of {at}: nothing ran then, and it was too late after."
                " {show} says when it starts next; {schedule} schedules it anew.",
                name=named,
                what=what,
                at=date(datetime.fromisoformat(str(event.content["planned"]))),
                show=code(f"/drip broadcast show {as_word(named)}"),
                schedule=code(f"/drip broadcast schedule {as_word(named)} at=<time>"),
            )
        ),
    )


@tells("failure")
async def failure(event: Event, unit: Unit) -> tuple[Alert, ...]:
    named = await _name(event, unit)
    given = event.content.get("code")
    text = markup(
        "WhatsApp refused messages{of}: {meaning}{code}",
        of=markup(" of {name}", name=named) if named else Markup(""),
        meaning=literal(str(event.content["meaning"]), limit=600),
        code=Markup("") if given is None else markup(" (error {code})", code=str(given)),
    )
    return (warning(text),)


@tells("reply", crowd=True)
async def replied(event: Event, unit: Unit) -> tuple[Alert, ...]:
    written = await events.answer(unit, inbound=int(event.content["inbound"]))
    if written is None:
        return ()
    who = joined([literal(each) for each in (written.name, written.phone) if each], ", ") or Markup(
        "Somebody whose number WhatsApp does not tell"
    )
    of = markup(" answered {name}", name=written.campaign) if written.campaign else " wrote"
    said = literal(written.text, limit=1500) if written.text else None
    head = markup("*{who}*{of}:", who=who, of=Markup(of))
    text = markup("{who}{of}: {said}", who=who, of=Markup(of), said=said or _thing(written.kind))
    blocks: tuple[Block, ...] = (
        (section(head), quote(written.text))
        if written.text
        else (section(markup("{head} {thing}", head=head, thing=_thing(written.kind))),)
    )
    short = literal(clean(written.text, lines=False)) if written.text else _thing(written.kind)
    line = markup("{head} {short}", head=head, short=short)
    return (Alert(place=Place.INBOX, message=message(text, *blocks), line=line),)


def completion(campaign: Campaign, report: Report, *, show: Callable[[int], str]) -> Markup:
    """Return how a campaign went, in a sentence or two; *show* writes the numbers.

    Only what is decided by now: what was delivered and read is still being reported.
    """
    counts = report.total
    if campaign.kind is Kind.DRIP and report.enrollments is not None:
        people = _people(campaign, report.enrollments, show)
        sent = markup("{n} messages sent", n=show(counts.sent))
    else:
        people = markup("{name} is completed", name=campaign.name)
        sent = markup("{n} of {all} messages sent", n=show(counts.sent), all=show(counts.planned))
    return markup(
        "{people}. {sent}, {failed} failed, {left} left out{reasons}.",
        people=people,
        sent=sent,
        failed=show(counts.failed),
        left=show(counts.left_out_in_all),
        reasons=_reasons(counts, show),
    )


_LATER = Markup("WhatsApp still reports what is delivered and read; the report has it as it is.")


def _people(campaign: Campaign, people: Enrollments, show: Callable[[int], str]) -> Markup:
    ended = [
        ("finished", people.completed),
        ("replied", people.replied),
        ("opted out", people.opted_out),
        ("were taken out", people.dropped),
    ]
    endings = joined(
        [markup("{n} {how}", n=show(n), how=how) for how, n in ended if n or how == "finished"],
        ", ",
    )
    who = (
        markup("all {n} enrolled are through", n=show(people.enrolled))
        if not people.running
        else markup(
            "{n} of {all} enrolled are through", n=show(people.ended), all=show(people.enrolled)
        )
    )
    return markup("{name}: {who}: {endings}", name=campaign.name, who=who, endings=endings)


def _reasons(counts: Counts, show: Callable[[int], str]) -> Markup:
    if not counts.left_out:
        return Markup("")
    listed = [markup("{n} {why}", n=show(n), why=reason.sentence) for reason, n in counts.left_out]
    return markup(" ({listed})", listed=joined(listed, "; "))


def _report_button(campaign: Campaign) -> Element:
    value = str(Value(subject=str(campaign.id), version=campaign.version))
    return button("Report", action_id="campaign_report", value=value)


def _thing(kind: str) -> Markup:
    return markup("sent {kind}", kind=code(kind))


async def _campaign(event: Event, unit: Unit) -> tuple[Campaign, Report] | None:
    found = await _found(event.campaign_id, unit)
    return None if found is None else (found, await reports.report(unit, campaign=found))


async def _name(event: Event, unit: Unit) -> str | None:
    found = await _found(event.campaign_id, unit)
    return None if found is None else found.name


async def _found(campaign: CampaignId | None, unit: Unit) -> Campaign | None:
    return None if campaign is None else await reports.campaign(unit, campaign=campaign)

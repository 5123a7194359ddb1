"""What staff are told of numbers, templates and the account, and of the product's own upkeep."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.slack.alerts import Alert, Place, tells, warning
from bot.slack.blocks import Block, actions, button, message, section
from bot.slack.cards import actor
from bot.slack.clicks import Value
from bot.slack.desk import Desk
from bot.slack.drafting import number_of
from bot.slack.language.numbers import NumberOpen
from bot.slack.markup import Markup, code, joined, literal, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from engine.ids import NumberId
from engine.roles import Role
from storage import audit, events, numbers, reports
from storage.database import Unit
from storage.events import Event

_LONGEST: Final = 600  # characters of what a platform says


def register(registry: Registry, desk: Desk) -> None:
    """Handle the button that only alerts have, and the command that does the same."""

    @registry.click("number_resume", role=Role.OWNER)
    async def resume_number(click: Click, context: Context) -> Reply | None:
        value = Value.parse(click.value)
        return None if value is None else await _opened(desk, context, NumberId(value.subject))

    @registry.command(NumberOpen)
    @refusing
    async def open_number(command: NumberOpen, context: Context) -> Reply:
        known = number_of(command.number, desk.config.organizations[context.organization])
        if known is None:
            raise AssertionError("a number that was given is one or none of ours")
        return await _opened(desk, context, known)


async def _opened(desk: Desk, context: Context, named: NumberId) -> Reply:
    async def work(unit: Unit) -> str | None:
        phone = await events.open_number(unit, number=named)
        if phone is not None:
            await audit.note(
                unit, actor=context.user_id, action="number.resume", subject=f"number:{named}"
            )
        return phone

    phone = await desk.database.run(context.organization, context.at, work)
    if phone is None:
        return Reply(message=message(Markup("That number is sending already.")))
    await desk.queue.wake_lane(context.organization, named)
    text = markup("{who} resumed {phone}.", who=actor(context.user_id), phone=phone)
    return Reply(message=message(text, section(text)), in_channel=True)


@tells("number_stopped")
async def number_stopped(event: Event, unit: Unit) -> tuple[Alert, ...]:
    named = NumberId(str(event.content["number"]))
    known = await events.own_number(unit, number=named)
    phone = named if known is None else known.phone
    text = markup(
        "Nothing is sent from {phone} for now: {why}{open}",
        phone=phone,
        why=literal(str(event.content["why"]), limit=_LONGEST),
        open=markup(
            " What waits keeps its place; {it} lets it go on.",
            it=code(f"/drip number open {phone}"),
        )
        if known is not None and known.closed
        else Markup(""),
    )
    blocks: list[Block] = [section(markup(":octagonal_sign: {text}", text=text))]
    if known is not None and known.closed:
        blocks.append(_resume(named, event))
    return (Alert(place=Place.ALERTS, message=message(text, *blocks)),)


@tells("number_may_go_on")
async def number_may_go_on(event: Event, unit: Unit) -> tuple[Alert, ...]:
    named = NumberId(str(event.content["number"]))
    known = await events.own_number(unit, number=named)
    if known is None or not known.closed:
        return ()
    text = markup(
        "WhatsApp lets {phone} send again. Nothing goes on by itself; {it} lets it.",
        phone=known.phone,
        it=code(f"/drip number open {known.phone}"),
    )
    shown = section(markup(":information_source: {text}", text=text))
    return (Alert(place=Place.ALERTS, message=message(text, shown, _resume(named, event))),)


def _resume(number: NumberId, event: Event) -> Block:
    # Each time it is told has an event of its own, so its id is the version.
    value = str(Value(subject=number, version=event.id))
    return actions(button("Resume", action_id="number_resume", value=value, style="primary"))


@tells("recount_repaired")
async def repaired(event: Event, unit: Unit) -> tuple[Alert, ...]:
    campaign = event.campaign_id
    found = None if campaign is None else await reports.campaign(unit, campaign=campaign)
    text = markup(
        "The statistics of {what} differed from their messages and were put right. Reports"
        " are exact again; whoever runs Dripline finds the differences in the log.",
        what="campaigns" if found is None else found.name,
    )
    return (warning(text),)


@tells("orphans_found")
async def orphans(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    counts: Mapping[str, int] = event.content["counts"]
    listed = [
        markup("{n} without their {what}", n=count, what=what)
        for what, count in sorted(counts.items())
    ]
    text = markup(
        "Some messages name what is not there any more: {counts}. Whoever runs Dripline sees it"
        " with {check}, and is asked to report it.",
        counts=joined(listed, ", "),
        check=code("dripline check --live"),
    )
    return (warning(text),)


@tells("daily_summary")
async def daily_summary(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    day = datetime.fromisoformat(str(event.content["day"]))
    counts = [
        markup("{n} {what}", n=int(event.content[key]), what=what)
        for key, what in (
            ("sent", "sent"),
            ("delivered", "delivered"),
            ("read", "read"),
            ("replied", "replied to"),
            ("failed", "failed"),
            ("opted_out", "opted out"),
        )
    ]
    text = markup(
        ":calendar: {day}: {counts}",
        day=f"{day:%A} {day.day} {day:%B}",
        counts=joined(counts, " · "),
    )
    return (Alert(place=Place.ALERTS, message=message(text, section(text)), line=text),)


@tells("number_changed")
async def number_changed(event: Event, unit: Unit) -> tuple[Alert, ...]:
    text = markup(
        "WhatsApp reports on number {phone}: {facts}",
        phone=await _phone(event, unit),
        facts=_facts(event, {"event": "", "limit": "daily limit"}),
    )
    return (warning(text),)


@tells("number_health")
async def number_health(event: Event, unit: Unit) -> tuple[Alert, ...]:
    can_send = str(event.content["can_send"])
    phone = await _phone(event, unit)
    if can_send == numbers.AVAILABLE:
        return (warning(markup("WhatsApp no longer limits number {phone}.", phone=phone)),)
    reasons = " ".join(map(str, event.content["reasons"])) or "It does not say why."
    text = markup(
        "WhatsApp says that sending from {phone} is {can_send}: {why} WhatsApp Manager says what"
        " to do about it.",
        phone=phone,
        can_send=literal(can_send, limit=_LONGEST),
        why=literal(reasons, limit=_LONGEST),
    )
    return (warning(text),)


@tells("number_error")
async def number_error(event: Event, unit: Unit) -> tuple[Alert, ...]:
    text = markup(
        "WhatsApp reports an error of number {phone}: {meaning} (error {code})",
        phone=await _phone(event, unit),
        meaning=literal(str(event.content["meaning"]), limit=_LONGEST),
        code=str(event.content["code"]),
    )
    return (warning(text),)


@tells("template_changed")
async def template_changed(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    text = markup(
        "WhatsApp reports on template {name} ({language}): {facts}",
        name=str(event.content["name"]),
        language=str(event.content["language"]),
        facts=_facts(event, _TEMPLATE_FACTS),
    )
    return (warning(text),)


@tells("account_notice")
async def account_notice(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    text = markup(
        "WhatsApp reports on the account: {facts}",
        facts=_facts(event, {"event": "", "details": ""}),
    )
    return (warning(text),)


def _facts(event: Event, names: Mapping[str, str]) -> Markup:
    """Return those of the platform's own words there are, after our names for them."""
    told = [
        markup(
            "{name}{fact}",
            name=Markup(f"{name} " if name else ""),
            fact=literal(str(fact), limit=_LONGEST),
        )
        for key, name in names.items()
        if (fact := event.content.get(key)) is not None
    ]
    return joined(told, ", ") or Markup("no details")


_TEMPLATE_FACTS: Final = {
    "status": "status",
    "quality": "quality",
    "category": "category",
    "changes_at": "from",
    "reason": "reason",
    "advice": "advice",
}


async def _phone(event: Event, unit: Unit) -> str:
    """Return the phone of the event's number, or its id when it was never heard of."""
    named = NumberId(str(event.content["number"]))
    known = await events.own_number(unit, number=named)
    return named if known is None else known.phone

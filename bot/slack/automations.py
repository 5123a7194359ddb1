"""Automations: making, listing and removing them, firing events, and what they tell staff."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from bot.slack.alerts import Alert, Elsewhere, tells, untold, warning
from bot.slack.blocks import context as small_print
from bot.slack.blocks import header, message, section, sections
from bot.slack.campaign_lists import next_line
from bot.slack.changes import answered, told
from bot.slack.contacts import one_contact
from bot.slack.desk import Desk
from bot.slack.language.automations import (
    AutomationList,
    AutomationNew,
    AutomationPause,
    AutomationRemove,
    AutomationResume,
    FireEvent,
)
from bot.slack.markup import Markup, channel, code, joined, literal, markup, user
from bot.slack.poster import advice
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine import personalise
from engine.automation import (
    Action,
    Automation,
    Enroll,
    EventFired,
    Kind,
    Occurrence,
    State,
    Tell,
    hears,
)
from engine.automation_text import Directory, done, sentence
from engine.campaign import State as CampaignState
from engine.ids import AutomationId, CampaignId, ContactId
from engine.personalise import Missing
from engine.rendering import values_of
from engine.usecases.automate import (
    make_automation,
    pause_automation,
    remove_automation,
    resume_automation,
)
from engine.usecases.fire_event import fire_event
from storage import audiences, automations, contacts
from storage.automations import StoredAutomations
from storage.database import Unit
from storage.events import Event
from storage.staff_acts import StaffHappenings

_LONGEST: Final = 1_500

Change = Callable[[str, StoredAutomations], Awaitable[Automation]]


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""
    _register_new(registry, desk)
    _register_list(registry, desk)
    _register_changes(registry, desk)
    _register_event(registry, desk)


def _register_new(registry: Registry, desk: Desk) -> None:
    @registry.command(AutomationNew)
    @refusing
    async def new(command: AutomationNew, asked: Context) -> Reply:
        async def work(unit: Unit) -> Reply:
            made = await make_automation(
                when=command.when,
                where=command.where,
                segment=command.segment,
                then=command.then,
                automations=StoredAutomations(unit, asked.user_id),
                attributes=audiences.ContactAttributes(unit),
            )
            return told(
                asked,
                markup("made automation {n}:", n=str(made.id)),
                await _said(unit, made),
                Markup("It acts on what happens from now on."),
                _invite(made.action),
                next_line("/drip automation list"),
            )

        return await desk.database.run(asked.organization, asked.at, work)


def _invite(action: Action) -> Markup:
    if not isinstance(action, Tell):
        return Markup("")
    return markup("I have to be in {where} to say it: invite me.", where=channel(action.channel))


def _register_list(registry: Registry, desk: Desk) -> None:
    @registry.command(AutomationList)
    @refusing
    async def list_them(_command: AutomationList, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            there = await automations.all_of(unit)
            known = await automations.directory(unit, automations=there)
            resting = await automations.resting(unit, automations=there)
        if not there:
            return answered(
                Markup("There are no automations."),
                next_line("/drip automation new when=tag:vip then=enroll:<campaign>"),
            )
        title = "1 automation" if len(there) == 1 else f"{len(there)} automations"
        lines = joined([_line(each, known, resting) for each in there])
        more = markup(
            "{pause} turns one off, {remove} removes it.",
            pause=code("/drip automation pause <number>"),
            remove=code("/drip automation remove <number>"),
        )
        text = joined([markup("{title}:", title=title), lines])
        return Reply(message=message(text, header(title), *sections(lines), small_print(more)))


def _register_changes(registry: Registry, desk: Desk) -> None:
    async def change(which: str, asked: Context, act: Change, did: str) -> Reply:
        async def work(unit: Unit) -> Reply:
            changed = await act(which, StoredAutomations(unit, asked.user_id))
            head = markup("{did} automation {n}:", did=did, n=str(changed.id))
            return told(asked, head, await _said(unit, changed))

        return await desk.database.run(asked.organization, asked.at, work)

    @registry.command(AutomationPause)
    @refusing
    async def pause(command: AutomationPause, asked: Context) -> Reply:
        return await change(
            command.automation,
            asked,
            lambda which, there: pause_automation(which=which, automations=there),
            "paused",
        )

    @registry.command(AutomationResume)
    @refusing
    async def resume(command: AutomationResume, asked: Context) -> Reply:
        return await change(
            command.automation,
            asked,
            lambda which, there: resume_automation(which=which, automations=there),
            "resumed",
        )

    @registry.command(AutomationRemove)
    @refusing
    async def remove(command: AutomationRemove, asked: Context) -> Reply:
        return await change(
            command.automation,
            asked,
            lambda which, there: remove_automation(which=which, automations=there),
            "removed",
        )


def _register_event(registry: Registry, desk: Desk) -> None:
    @registry.command(FireEvent)
    @refusing
    async def fire(command: FireEvent, asked: Context) -> Reply:
        contact = await one_contact(desk, asked, command.contact)

        async def work(unit: Unit) -> Reply:
            properties = await fire_event(
                name=command.name,
                contact=contact,
                said=command.properties,
                country=desk.config.organizations[asked.organization].country,
                happenings=StaffHappenings(unit, actor=asked.user_id),
            )
            fired = Occurrence(
                id=0,
                kind=Kind.EVENT,
                contact_id=contact,
                value=command.name,
                at=asked.at,
                properties=properties,
            )
            all_ = await automations.all_of(unit)
            waiting = [each for each in all_ if each.state is State.ON and hears(each, fired)]
            given = joined(
                [markup("{key}={value}", key=key, value=it) for key, it in properties.items()], ", "
            )
            return told(
                asked,
                markup(
                    "let {event} happen to {who}{given}.",
                    event=code(command.name),
                    who=await _called(unit, contact),
                    given=markup(" ({given})", given=given) if given else Markup(""),
                ),
                _act(waiting, [each for each in all_ if _awaits(each, command.name)], command.name),
            )

        reply = await desk.database.run(asked.organization, asked.at, work)
        await desk.queue.wake_job("enroll_triggered", asked.organization)
        return reply


def _awaits(automation: Automation, event: str) -> bool:
    trigger = automation.trigger
    on = automation.state is State.ON
    return on and isinstance(trigger, EventFired) and trigger.name == event


def _act(waiting: Sequence[Automation], named: Sequence[Automation], event: str) -> Markup:
    if named and not waiting:
        numbers = ", ".join(str(each.id) for each in named)
        return markup(
            "No automation acts on it: its properties do not fulfil the condition of {numbers}.",
            numbers=numbers,
        )
    if not waiting:
        new = f"/drip automation new when=event:{event} then=enroll:<campaign>"
        return markup("No automation waits for it. {next}", next=next_line(new))
    if len(waiting) == 1:
        return markup("Automation {n} acts on it.", n=str(waiting[0].id))
    return markup("{n} automations act on it.", n=len(waiting))


async def _called(unit: Unit, contact: ContactId) -> Markup:
    found = await contacts.listed(unit, contacts=[contact])
    known = [part for each in found for part in (each.name or each.first_name, each.phone) if part]
    return joined([literal(part) for part in known], ", ") or literal("a contact")


async def _said(unit: Unit, automation: Automation) -> Markup:
    known = await automations.directory(unit, automations=[automation])
    return _sentence(automation, known)


def _sentence(automation: Automation, known: Directory) -> Markup:
    said = literal(sentence(automation, known), limit=_LONGEST)
    if not isinstance(automation.action, Tell):
        return said
    # People know a channel by its name, which Slack fills in.
    to = automation.action.channel
    return Markup(said.replace(f"tell #{to} ", f"tell {channel(to)} ", 1))


def _line(
    each: Automation, known: Directory, resting: Mapping[CampaignId, CampaignState]
) -> Markup:
    state = {
        State.ON: Markup(""),
        State.OFF: Markup(" · paused"),
        State.STOPPED: markup(
            " · :warning: stopped: {why}", why=literal(each.stopped_why or "", limit=_LONGEST)
        ),
    }[each.state]
    if isinstance(each.action, Enroll) and each.action.campaign in resting:
        state = markup(
            "{state} · {name} is {resting} and takes nobody in",
            state=state,
            name=known.campaign(each.action.campaign),
            resting=resting[each.action.campaign].value,
        )
    own = (
        Markup("")
        if each.campaign_id is None
        else markup(" · the trigger of {name}", name=known.campaign(each.campaign_id))
    )
    return markup(
        "*{n}* {sentence}{state} · by {who}{own}",
        n=str(each.id),
        sentence=_sentence(each, known),
        state=state,
        who=user(each.created_by),
        own=own,
    )


@tells("automation_tells", crowd=True)
async def said(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say what an automation has to say, with what is known of the contact by now."""
    found = await automations.get(unit, automation=AutomationId(event.content["automation"]))
    if found is None or not isinstance(found.action, Tell):
        return ()
    contact = ContactId(event.content["contact"])
    person = await contacts.profile(unit, contact=contact)
    if person is None:
        return ()
    phone = next((value for kind, value in person.identities if kind == "phone"), None)
    values = values_of(
        name=person.name,
        first_name=person.first_name,
        company=person.company,
        email=person.email,
        phone=phone,
        attributes=person.attributes,
        properties=event.content["properties"],
    )
    rendered = personalise.parse(found.action.text).render(values)
    if isinstance(rendered, Missing):
        # Staff would rather read it with a gap than not at all.
        blank = values | dict.fromkeys(rendered.names, "?")
        rendered = str(personalise.parse(found.action.text).render(blank))
    others = int(event.content["others"])
    who = joined(
        [literal(part) for part in (person.name or person.first_name, phone) if part], ", "
    )
    text = markup(
        "{text}{others}",
        text=literal(rendered, limit=_LONGEST),
        others=markup(" (and so for {n} more contacts)", n=others) if others else Markup(""),
    )
    footer = markup("Automation {n}, about {who}", n=str(found.id), who=who or "a contact")
    return (
        Alert(
            place=Elsewhere(channel=found.action.channel),
            message=message(text, section(text), small_print(footer)),
            line=text,
        ),
    )


@untold("automation_tells")
async def unsaid(event: Event, unit: Unit, error: str) -> None:
    """Stop an automation whose channel takes nothing, so that somebody mends it."""
    found = await automations.get(unit, automation=AutomationId(event.content["automation"]))
    if found is None or not isinstance(found.action, Tell):
        return
    why = f"Slack refused what it said in #{found.action.channel} ({error}). {advice(error)}"
    await automations.stop(unit, automation=found.id, why=why)


@tells("automation_stopped")
async def stopped(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Warn that an automation led to itself."""
    found = await automations.get(unit, automation=AutomationId(event.content["automation"]))
    if found is None:
        return ()
    known = await automations.directory(unit, automations=[found])
    return (
        warning(
            markup(
                "Automation {n} has stopped: {why} It was to {done}. {resume} turns it on again.",
                n=str(found.id),
                why=literal(str(event.content["why"]), limit=600),
                done=literal(done(found.action, known), limit=600),
                resume=code(f"/drip automation resume {found.id}"),
            )
        ),
    )

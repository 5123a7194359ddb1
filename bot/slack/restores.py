"""A database that was restored or promoted: staff say what becomes of what was due before."""

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import Final

from bot.slack.alerts import Alert, Place, tells
from bot.slack.blocks import Block, Element, actions, button, confirmation, message, sections
from bot.slack.campaign_moves import resume
from bot.slack.cards import actor
from bot.slack.changes import answered, wake
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.markup import Markup, code, date, joined, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from engine.campaign import State
from engine.ids import CampaignId
from engine.roles import Role
from engine.usecases.settle_restore import Answer, Concerned, settle_restore
from storage import reports, restores
from storage.campaigns import Campaigns
from storage.database import Unit
from storage.events import Event
from storage.restores import Held, RestoredDatabase
from storage.templates import KnownTemplates

_NAMED: Final = 10
_BUTTONS: Final = {
    Answer.SEND: "restore_send",
    Answer.LEAVE_OUT: "restore_leave_out",
    Answer.ASK: "restore_ask",
}
_DID: Final = {
    Answer.SEND: "has what was due before the database was restored sent.",
    Answer.LEAVE_OUT: "has what was due before the database was restored left out.",
    Answer.ASK: "wants to be asked about each campaign; those with something due are paused.",
}
_OF_CAMPAIGN: Final = {False: "restored_send", True: "restored_leave_out"}


def register(registry: Registry, desk: Desk) -> None:
    """Handle the buttons."""
    for answer, action_id in _BUTTONS.items():
        registry.click(action_id, role=Role.OWNER)(refusing(partial(_settle, desk, answer)))
    for leave_out, action_id in _OF_CAMPAIGN.items():
        registry.click(action_id, role=Role.OWNER)(refusing(partial(_answer, desk, leave_out)))


async def settled(
    unit: Unit, *, answer: Answer, actor: str, standard: tzinfo
) -> Sequence[Concerned]:
    """Decide, in a unit of the owner; see `settle_restore`."""
    return await settle_restore(
        answer=answer,
        at=unit.at,
        standard=standard,
        restored=RestoredDatabase(unit, actor),
        campaigns=Campaigns(unit, actor),
        templates=KnownTemplates(unit),
    )


@tells("database_moved")
async def database_moved(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Ask; what waits is counted as it stands by now."""
    async with unit.as_owner():
        held = await restores.held(unit)
    if held is None or held.moved.to != event.content["to"]:
        text = Markup("The database was another one for a while. By now that is settled.")
        return (Alert(place=Place.ALERTS, message=message(text, *sections(text))),)
    text = joined([_what(held), *_counts(held), _HOW])
    value = str(Value(subject="database", version=event.id))
    asks: list[Block] = [actions(*(_button(each, value, held) for each in Answer))]
    return (Alert(place=Place.ALERTS, message=message(text, *sections(text), *asks)),)


def status_line(held: Held) -> Markup:
    """Return what `status` says while nothing is sent."""
    return joined(
        [
            markup(":octagonal_sign: {what}", what=_what(held)),
            *_counts(held),
            markup(
                "The alert has the buttons; {command} does the same on the machine.",
                command=code("dripline restored send | leave-out | ask"),
            ),
        ]
    )


_HOW: Final = Markup(
    "Please decide. *Send them*: right where nothing was lost. *Leave them out*: whoever has not"
    " got one yet never does, and drips go on with the next step. *Ask*: each campaign with"
    " something due is paused, and asked about by itself. What is due later is sent in any case;"
    " a broadcast that was to start in between is a draft again, unless all is sent."
)


def _what(held: Held) -> Markup:
    return markup(
        "*Nothing is sent.* The database {was}, noticed {at}. What was due before may have been"
        " sent already, by the database that was there until then.",
        was=Markup("is a replica that was promoted")
        if held.promoted
        else Markup("was restored from a backup, or moved"),
        at=date(held.moved.at),
    )


def _counts(held: Held) -> list[Markup]:
    lines = [_concerned(each) for each in held.concerned[:_NAMED]]
    if len(held.concerned) > _NAMED:
        lines.append(markup("• and {n} more", n=len(held.concerned) - _NAMED))
    if held.answers:
        lines.append(
            markup("• {n} outside campaigns: confirmations and answers", n=_messages(held.answers))
        )
    if held.doubtful:
        lines.append(
            markup(
                "• {n} in doubt, which are settled as always (unknown_policy)",
                n=_messages(held.doubtful),
            )
        )
    return lines or [Markup("• nothing was due")]


def _concerned(each: Concerned) -> Markup:
    what = _messages(each.waiting)
    if each.state is State.SCHEDULED:
        what = Markup("was to start")
    elif each.planning:
        what = markup("{what} and more that are being planned", what=what)
    paused = Markup(" (paused)") if each.state is State.PAUSED else Markup("")
    return markup("• *{name}*{paused}: {what}", name=each.name, paused=paused, what=what)


def _messages(count: int) -> str:
    return counted(count, "message")


def _button(answer: Answer, value: str, held: Held) -> Element:
    due = sum(each.waiting for each in held.concerned) + held.answers
    match answer:
        case Answer.SEND:
            return button(
                f"Send them ({due:,})",
                action_id=_BUTTONS[answer],
                value=value,
                confirm=confirmation(
                    title=f"Send {due:,}?",
                    text="Whoever got one before the database was restored gets it twice.",
                    confirm="Send them",
                    danger=True,
                ),
            )
        case Answer.LEAVE_OUT:
            return button(
                f"Leave them out ({due:,})",
                action_id=_BUTTONS[answer],
                value=value,
                style="danger",
                confirm=confirmation(
                    title=f"Leave {due:,} out?",
                    text="Whoever has not got one yet never does.",
                    confirm="Leave them out",
                    danger=True,
                ),
            )
        case Answer.ASK:
            return button(
                "Ask about each campaign",
                action_id=_BUTTONS[answer],
                value=value,
                style="primary",
            )


async def _settle(desk: Desk, answer: Answer, _click: Click, context: Context) -> Reply:
    work = partial(
        settled,
        answer=answer,
        actor=context.user_id,
        standard=desk.config.organizations[context.organization].timezone,
    )
    concerned = await desk.database.run(context.organization, context.at, work, owner=True)
    await wake(desk, context.organization)
    text = markup("{who} {did}", who=actor(context.user_id), did=Markup(_DID[answer]))
    if concerned:
        n = counted(len(concerned), "campaign")
        text = joined([text, markup("{n} had something due. Sending goes on.", n=n)])
    return Reply(message=message(text, *sections(text)), in_channel=True)


# One campaign


@tells("restored_campaign")
async def restored_campaign(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Ask about one campaign; what waits is counted as it stands by now."""
    campaign = event.campaign_id
    found = None if campaign is None else await reports.campaign(unit, campaign=campaign)
    if campaign is None or found is None:
        return ()
    async with unit.as_owner():
        waiting = await restores.waiting(unit, campaign=campaign)
    if waiting is None:
        text = markup("{name} goes on by now: what was due is settled.", name=found.name)
        return (Alert(place=Place.ALERTS, message=message(text, *sections(text))),)
    text = markup(
        "*{name}* is paused: {n} of it were due before the database was restored, and may have"
        " been sent then. What becomes of them?",
        name=found.name,
        n=_messages(waiting),
    )
    value = str(Value(subject=str(campaign), version=event.id))
    buttons = actions(
        button(f"Send ({waiting:,})", action_id=_OF_CAMPAIGN[False], value=value),
        button(
            f"Leave out ({waiting:,})",
            action_id=_OF_CAMPAIGN[True],
            value=value,
            style="danger",
            confirm=confirmation(
                title=f"Leave {waiting:,} out?",
                text=f"Whoever of {found.name} has not got one yet never does. It goes on with"
                " what is due later.",
                confirm="Leave out",
                danger=True,
            ),
        ),
    )
    return (Alert(place=Place.ALERTS, message=message(text, *sections(text), buttons)),)


async def _answer(desk: Desk, leave_out: bool, click: Click, context: Context) -> Reply:  # noqa: FBT001 — of a partial
    value = Value.parse(click.value)
    campaign = CampaignId(0 if value is None or value.id is None else value.id)
    zone = desk.config.organizations[context.organization].timezone

    async def work(unit: Unit) -> str | None:
        known = await Campaigns(unit, context.user_id).lock(campaign)
        if known is None or known.state is not State.PAUSED:
            return None
        if not await restores.answer_campaign(unit, campaign=campaign, leave_out=leave_out):
            return None
        await resume(campaign, unit, context, zone)
        return known.name

    name = await desk.database.run(context.organization, context.at, work)
    if name is None:
        return answered(Markup("That campaign waits for no answer any more; nothing was done."))
    await wake(desk, context.organization)
    text = markup(
        "{who} has what was due of *{name}* {done}; it goes on.",
        who=actor(context.user_id),
        name=name,
        done="left out" if leave_out else "sent",
    )
    return Reply(message=message(text, *sections(text)), in_channel=True)

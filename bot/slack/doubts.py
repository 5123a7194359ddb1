"""Messages in doubt: staff are asked, and decide by a button what becomes of them."""

from typing import Final

from bot.slack.alerts import Alert, Place, tells
from bot.slack.blocks import Block, Element, actions, button, confirmation, message, section
from bot.slack.cards import actor
from bot.slack.changes import answered, wake
from bot.slack.clicks import Value
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.markup import Markup, code, joined, literal, markup
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from engine.ids import CampaignId
from engine.roles import Role
from engine.usecases.settle_doubts import Decision, Settled, settle_doubts
from storage import left_to_staff, reports
from storage.database import Unit
from storage.events import Event
from storage.left_to_staff import LeftToStaff

_SLICE: Final = 500
_LONGEST: Final = 600
_ACTIONS: Final = {
    Decision.SEND_AGAIN: "doubts_send_again",
    Decision.GIVE_UP: "doubts_give_up",
}
_WHY: Final = {
    "silence": Markup(
        "No answer came to their calls, and none was heard since, although WhatsApp has reported"
        " on later calls."
    ),
    "nothing_heard": markup(
        "No answer came to their calls, and WhatsApp has said nothing about the number for an"
        " hour. {check} tells whether its webhooks arrive.",
        check=code("dripline check --live"),
    ),
}


def register(registry: Registry, desk: Desk) -> None:
    """Handle the buttons."""

    @registry.click(_ACTIONS[Decision.SEND_AGAIN], role=Role.OWNER)
    async def send_again(click: Click, context: Context) -> Reply | None:
        return await _settle(desk, click, context, Decision.SEND_AGAIN)

    @registry.click(_ACTIONS[Decision.GIVE_UP], role=Role.OWNER)
    async def give_up(click: Click, context: Context) -> Reply | None:
        return await _settle(desk, click, context, Decision.GIVE_UP)


@tells("messages_in_doubt")
async def in_doubt(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Ask; the buttons count what waits by now, which may be more or less than was told."""
    why = str(event.content["why"])
    name = await _name(unit, event.campaign_id)
    waiting = await left_to_staff.count(unit, campaign=event.campaign_id)
    text = markup(
        "{messages} may or may not have reached WhatsApp. {why} {then}",
        messages=_messages(int(event.content["count"]), name),
        why=_WHY.get(why, literal(why, limit=_LONGEST)),
        then=Markup("Nothing sends them again by itself: please decide.")
        if waiting
        else Markup("By now it is settled."),
    )
    blocks: list[Block] = [section(markup(":grey_question: {text}", text=text))]
    if waiting:
        value = str(Value(subject=str(event.campaign_id or 0), version=event.id))
        blocks.append(actions(*(_button(each, value, waiting, name) for each in Decision)))
    return (Alert(place=Place.ALERTS, message=message(text, *blocks)),)


def _button(decision: Decision, value: str, waiting: int, name: str | None) -> Element:
    them = counted(waiting, "message") + (f" of {name}" if name else "")
    send = decision is Decision.SEND_AGAIN
    # What else waits of the campaign when it is clicked is meant too.
    return button(
        f"{'Send again' if send else 'Give up'} ({waiting})",
        action_id=_ACTIONS[decision],
        value=value,
        style="primary" if send else "danger",
        confirm=confirmation(
            title=f"Send {waiting:,} again?" if send else f"Give up {waiting:,}?",
            text=f"{them}, and whatever else of it is in doubt by then, "
            + (
                "will be sent again. Whom the first one has reached gets it twice."
                if send
                else "will count as failed. Whom it has not reached does not get it."
            ),
            confirm="Send again" if send else "Give up",
            danger=not send,
        ),
    )


async def _settle(desk: Desk, click: Click, context: Context, decision: Decision) -> Reply | None:
    value = Value.parse(click.value)
    if value is None or value.id is None:
        return None
    campaign = CampaignId(value.id) or None

    async def work(unit: Unit) -> Settled:
        left = LeftToStaff(unit, campaign=campaign, actor=context.user_id)
        return await settle_doubts(decision=decision, at=unit.at, limit=_SLICE, left=left)

    settled = Settled()
    while (more := await desk.database.run(context.organization, context.at, work)).total:
        settled += more
    async with desk.database.unit(context.organization, context.at) as unit:
        name = await _name(unit, campaign)
    if not settled.total:
        of = markup(" of {name}", name=name) if name else Markup("")
        return answered(markup("No message{of} is in doubt any more; nothing was done.", of=of))
    await wake(desk, context.organization)
    return _told(context, settled, name)


def _told(context: Context, settled: Settled, name: str | None) -> Reply:
    done = [
        markup(sentence, who=actor(context.user_id), messages=_messages(count, name))
        for count, sentence in (
            (settled.again, "{who} has {messages} sent again."),
            (settled.given_up, "{who} gave up {messages}."),
            (settled.ended, "{messages} will not be sent: the campaign is over."),
        )
        if count
    ]
    text = joined(done)
    return Reply(message=message(text, section(text)), in_channel=True)


def _messages(count: int, name: str | None) -> Markup:
    of = markup(" of {name}", name=name) if name else Markup("")
    return markup("{count}{of}", count=counted(count, "message"), of=of)


async def _name(unit: Unit, campaign: CampaignId | None) -> str | None:
    found = None if campaign is None else await reports.campaign(unit, campaign=campaign)
    return None if found is None else found.name

"""Errands: what staff ask for so many contacts that the worker does it, and tells how it ended."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from bot.slack import errand_text
from bot.slack.alerts import Alert, Elsewhere, tells, untold
from bot.slack.blocks import message, section
from bot.slack.changes import told
from bot.slack.contact_pages import counted
from bot.slack.desk import Desk
from bot.slack.markup import Markup, code, date, joined, markup, progress, user
from bot.slack.registry import Context
from bot.slack.replies import Reply
from engine.attributes import Retyping
from engine.errand import Errand, Kind, Stop, at_once
from engine.ids import CampaignId, ContactId, ListId
from engine.setback import TRIES
from storage import attributes, campaigns, effects, errands, lists
from storage.database import Unit
from storage.errand_acts import carry_out
from storage.events import Event

_LISTED = 10
_LONGEST_VALUE = 60


async def begun(unit: Unit, errand: Errand, ids: Sequence[int], asked: Context) -> bool:
    """Have the worker do it to *ids*; False: they are few enough to be done at once."""
    if len(ids) <= at_once(errand.kind):
        return False
    channel = asked.channel_id or asked.user_id
    await errands.begin(unit, errand, contacts=ids, actor=asked.user_id, channel=channel)
    return True


async def at_once_done(
    desk: Desk, asked: Context, errand: Errand, ids: Sequence[ContactId]
) -> Counter[str]:
    """Do it to *ids* now; return what it came to.

    Raises:
        NotEnrolling: The campaign takes nobody in; nothing was done.
        NoSuchList: It was deleted meanwhile; the same.
    """

    async def work(unit: Unit) -> Counter[str]:
        return await carry_out(unit, errand, ids, by=asked.user_id, asked_at=asked.at)

    return await desk.database.run(asked.organization, asked.at, work)


async def goes_on(
    desk: Desk, asked: Context, errand: Errand, about: str, contacts: int, *more: Markup
) -> Reply:
    """Return that it is on its way, and how to see how far it is."""
    await desk.queue.wake_job("run_errands", asked.organization)
    return told(
        asked,
        markup("{begins}.", begins=errand_text.begins(errand.kind, about, contacts)),
        markup(
            "That goes on by itself, for just those who are meant now; how it ended is said here."
            " {status} shows how far it is.",
            status=code("/drip status"),
        ),
        *more,
    )


async def lines(unit: Unit) -> list[Markup]:
    """Return what is under way, a line each; nothing when nothing is."""
    found = await errands.under_way(unit, limit=_LISTED + 1)
    shown = [
        markup(
            "{who} {begins}: {bar}{aside}",
            who=user(each.actor),
            begins=errand_text.begins(
                each.errand.kind, await _about(unit, each.errand), each.contacts
            ),
            bar=progress(each.done, each.contacts, width=10),
            aside=_aside(each.next_try_at),
        )
        for each in found[:_LISTED]
    ]
    return [*shown, Markup("and more like that")] if found[_LISTED:] else shown


@tells("errand_moved")
async def moved(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say how far it is."""
    errand, content = _errand(event), event.content
    text = markup(
        "{who} {begins}: {bar}",
        who=user(str(content["actor"])),
        begins=errand_text.begins(
            errand.kind, await _about(unit, errand), int(content["contacts"])
        ),
        bar=progress(int(content["done"]), int(content["contacts"])),
    )
    return (_alert(event, text),)


@tells("errand_set_aside")
async def set_aside(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say that it fails, and what becomes of it."""
    errand, content = _errand(event), event.content
    text = markup(
        "{who} {begins}: that failed {tries} times after {done} of them, so it is set aside and"
        " tried again later, at longer and longer pauses; the worker's log says why it fails.",
        who=user(str(content["actor"])),
        begins=errand_text.begins(
            errand.kind, await _about(unit, errand), int(content["contacts"])
        ),
        tries=TRIES,
        done=int(content["done"]),
    )
    return (_alert(event, text),)


@tells("errand_done")
async def ended(event: Event, unit: Unit) -> tuple[Alert, ...]:
    """Say what it came to."""
    errand, content = _errand(event), event.content
    who = user(str(content["actor"]))
    if content["stopped"] == Stop.UNFIT:
        unfit = content["unfit"]
        why = await unfit_line(
            unit, Retyping.parse(errand.subject), int(unfit["count"]), unfit["of"], at_least=True
        )
        return (_alert(event, markup("{who}: {why}", who=who, why=why)),)
    first = errand_text.done(errand.kind, await _about(unit, errand), content["counts"])
    said = [
        markup("{who} {done}", who=who, done=first),
        *errand_text.besides(errand.kind, content["counts"]),
    ]
    if content["stopped"]:
        stop = Stop(content["stopped"])
        said.append(errand_text.stopped(stop, int(content["done"]), int(content["contacts"])))
    return (_alert(event, joined(said)),)


async def unfit_line(
    unit: Unit,
    wanted: Retyping,
    count: int,
    contacts: Sequence[ContactId],
    *,
    at_least: bool = False,
) -> str:
    """Return that values keep an attribute from its new type, and how to mend them.

    Args:
        count: How many of them; *at_least*: of those looked at so far.
        contacts: Some who have them, whose values are shown as they are now.
    """
    values = await attributes.values_of(unit, name=wanted.name, contacts=contacts)
    shown = ", ".join(repr(value[:_LONGEST_VALUE]) for value in dict.fromkeys(v for _, v in values))
    has = "has" if count == 1 else "have"
    return (
        f"{'At least ' if at_least else ''}{counted(count)} {has} a value of {wanted.name} that is"
        f" not {wanted.type.must_be}, such as {wanted.type.example}: {shown}. The type was not"
        f" changed; correct them with /drip contact edit <contact> {wanted.name}=<value>, or by a"
        " file."
    )


@untold("errand_set_aside")
@untold("errand_done")
async def unsaid(event: Event, unit: Unit, _error: str) -> None:
    """Tell who asked, where the channel takes nothing from us."""
    if event.content["channel"] != event.content["actor"]:
        content = {**event.content, "channel": event.content["actor"]}
        await effects.tell_staff(unit, kind=event.kind, campaign=None, content=content)


def _errand(event: Event) -> Errand:
    return Errand(kind=Kind(event.content["kind"]), subject=str(event.content["subject"]))


def _aside(until: datetime | None) -> Markup:
    if until is None:
        return Markup("")
    return markup(", set aside as it failed, tried again {at}", at=date(until))


def _alert(event: Event, text: Markup) -> Alert:
    place = Elsewhere(channel=str(event.content["channel"]))
    return Alert(place=place, message=message(text, section(text)))


async def _about(unit: Unit, errand: Errand) -> str:
    """Return the tag or the name that an errand is about; empty: it is about neither."""
    match errand.kind:
        case Kind.ENROLL | Kind.UNENROLL | Kind.RETRY:
            campaign = await campaigns.get(unit, campaign=CampaignId(int(errand.subject)))
            return campaign.name if campaign else "a campaign now gone"
        case Kind.LIST_ADD | Kind.LIST_REMOVE:
            wanted = ListId(int(errand.subject))
            called = {id_: name for name, id_ in (await lists.names(unit)).items()}
            return called.get(wanted, "a list now gone")
        case Kind.REFRESH:
            return await _about(unit, Errand(kind=Kind.LIST_ADD, subject=errand.subject))
        case _:
            return errand.subject

"""Automate: make, pause, resume and remove automations, and begin a campaign's own trigger."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar, assert_never

from engine import automation_loops, names, personalise
from engine.automation import (
    Action,
    AddTag,
    ApiCalled,
    Automation,
    ContactCreated,
    ConversationResolved,
    DateReached,
    Enroll,
    EventFired,
    KeywordWritten,
    MessageReached,
    Milestone,
    RemoveTag,
    SegmentJoined,
    State,
    TagAdded,
    Tell,
    Trigger,
    Unenroll,
)
from engine.automation_ports import Automations
from engine.automation_text import (
    MANUAL,
    Directory,
    WrittenAction,
    WrittenTrigger,
    read_trigger,
    sentence,
)
from engine.campaign import Campaign, Kind, Reentry
from engine.campaign_ports import Attributes
from engine.ids import AutomationId, CampaignId, SegmentId, StepId
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal
from engine.segment import Condition

T = TypeVar("T")


class NoSuchName(Refusal):
    """What an automation names is not there, or not clear; the message says what is."""


class Loops(Refusal):
    """It would lead to itself for ever; the message says by which way."""


class AlreadyDone(Refusal):
    """There is an automation that does just that; a second would do it twice."""

    def __init__(self, found: Automation, known: Directory) -> None:
        off = "" if found.state is State.ON else f"; /drip automation resume {found.id} turns it on"
        super().__init__(
            f"Automation {found.id} says so already: {sentence(found, known)[:-1]}{off}."
        )


class NoSuchAutomation(Refusal):
    """No automation, or more than one, is meant."""


class NoEvent(Refusal):
    """A condition on an event's properties, where nothing waits for an event."""

    def __init__(self) -> None:
        super().__init__(
            "if= is about the properties of an event, so it goes with when=event:<name>; for what"
            " is known of a contact use in=<segment>."
        )


class OfACampaign(Refusal):
    """It is the trigger of a campaign, which is changed with the campaign."""

    def __init__(self, campaign: str) -> None:
        super().__init__(
            f"That is the trigger of the campaign {campaign!r} and lives with it:"
            f' /drip campaign archive "{campaign}" ends it, /drip campaign pause "{campaign}" holds'
            " back what it sends."
        )


async def make_automation(
    *,
    when: WrittenTrigger,
    where: Condition | None,
    segment: str | None,
    then: WrittenAction,
    automations: Automations,
    attributes: Attributes,
) -> Automation:
    """Save an automation; it acts on what happens from now on.

    Args:
        where: What the properties of the event have to fulfil; None: nothing.
        segment: The name of the segment that contacts have to be in; None: none.

    Raises:
        NoEvent: There is no event that could have properties.
        NoSuchName: It names what is not there.
        AlreadyDone: There is one like it.
        Loops: With those there are it would go on for ever.
    """
    await automations.lock()
    trigger = await _trigger(when, automations)
    if where is not None:
        if not isinstance(trigger, EventFired):
            raise NoEvent
        trigger = replace(trigger, where=where)
    only = None if segment is None else await _segment(segment, automations)
    action = await _action(then, automations, attributes)
    for each in await automations.all():
        if (each.trigger, each.segment_id, each.action) == (trigger, only, action):
            raise AlreadyDone(each, await automations.directory())
    await _refuse_loops(trigger, only, action, None, automations)
    made = await automations.add(trigger=trigger, segment=only, action=action, campaign=None)
    await automations.note("automation.new", made)
    return made


async def check_trigger(*, trigger: str, automations: Automations) -> None:
    """Look whether all that a campaign's trigger names is there, long before it begins.

    Raises:
        NoSuchName: It is not, or may be several.
    """
    if trigger != MANUAL:
        await _trigger(read_trigger(trigger), automations)


async def begin_trigger(*, campaign: Campaign, automations: Automations) -> None:
    """Let the trigger of a campaign that becomes active, or gets another one, take effect.

    Raises:
        NoSuchName: It names what is not there.
        Loops: It would enroll contacts for ever.
    """
    if campaign.kind is not Kind.DRIP:
        return
    if campaign.trigger == MANUAL:
        await automations.end_of(campaign.id)
        return
    await automations.lock()
    trigger = await _trigger(read_trigger(campaign.trigger), automations)
    action = Enroll(campaign.id)
    await _refuse_loops(trigger, None, action, campaign.id, automations)
    await automations.add(trigger=trigger, segment=None, action=action, campaign=campaign.id)


async def remove_automation(*, which: str, automations: Automations) -> Automation:
    """Remove one by its number or the beginning of its sentence.

    Raises:
        NoSuchAutomation, OfACampaign: Nothing is removed.
    """
    found = await _one(which, automations)
    await automations.remove(found.id)
    await automations.note("automation.remove", found)
    return found


async def pause_automation(*, which: str, automations: Automations) -> Automation:
    """Turn one off; what happens meanwhile is not made up for.

    Raises:
        NoSuchAutomation, OfACampaign: Nothing changes.
    """
    found = await _one(which, automations)
    if found.state is State.OFF:
        return found
    await automations.set_state(found.id, State.OFF)
    await automations.note("automation.pause", found)
    return replace(found, state=State.OFF, stopped_why=None)


async def resume_automation(*, which: str, automations: Automations) -> Automation:
    """Turn one on again, for what happens from now on.

    Raises:
        NoSuchAutomation, OfACampaign: Nothing changes.
        Loops: Those made meanwhile make a loop of it.
    """
    await automations.lock()
    found = await _one(which, automations)
    if found.state is State.ON:
        return found
    await _refuse_loops(
        found.trigger, found.segment_id, found.action, None, automations, besides=found.id
    )
    await automations.set_state(found.id, State.ON)
    await automations.note("automation.resume", found)
    return replace(found, state=State.ON, stopped_why=None)


async def refuse_reentry_loops(*, campaign: CampaignId, automations: Automations) -> None:
    """Refuse that a campaign takes contacts in again where automations would never end by it.

    Args:
        campaign: As it will be; what enrolls into it is looked at as it stands.

    Raises:
        Loops: It would enroll contacts for ever.
    """
    await automations.lock()
    for each in await automations.all():
        if each.state is State.ON and each.action == Enroll(campaign):
            await _refuse_loops(
                each.trigger,
                each.segment_id,
                each.action,
                each.campaign_id,
                automations,
                besides=each.id,
            )


async def _refuse_loops(
    trigger: Trigger,
    segment: SegmentId | None,
    action: Action,
    campaign: CampaignId | None,
    automations: Automations,
    *,
    besides: AutomationId | None = None,
) -> None:
    new = Automation(
        id=besides or _UNSAVED,
        trigger=trigger,
        segment_id=segment,
        action=action,
        campaign_id=campaign,
        on_since=_NEVER,
        created_at=_NEVER,
        created_by="",
    )
    others = [
        each
        for each in await automations.all()
        if each.id != besides and (campaign is None or each.campaign_id != campaign)
    ]
    again = {
        each.id
        for each in (await automations.campaigns()).values()
        if each.reentry is not Reentry.NEVER
    }
    path = automation_loops.loop(new, others, enrolls_again=again.__contains__)
    if path is None:
        return
    known = await automations.directory()
    told = automation_loops.in_words(path, lambda each: sentence(each, known))
    raise Loops(f"That would go on for ever, so nothing was saved. {told}")


async def _trigger(written: WrittenTrigger, automations: Automations) -> Trigger:
    match written:
        case WrittenTrigger(word="contact_created"):
            return ContactCreated()
        case WrittenTrigger(word="tag", value=tag):
            return TagAdded(tag)
        case WrittenTrigger(word="event", value=name):
            return EventFired(name)
        case WrittenTrigger(word="keyword", value=word):
            return KeywordWritten(word)
        case WrittenTrigger(word="segment", value=name):
            return SegmentJoined(await _segment(name, automations))
        case WrittenTrigger(word="date", value=attribute, minute=minute):
            return DateReached(await _date_attribute(attribute, automations), minute)
        case WrittenTrigger(word="resolved"):
            return ConversationResolved()
        case WrittenTrigger(word="api"):
            return ApiCalled()
        case WrittenTrigger(word=word, value=name):
            milestone = Milestone(word)
            if not name:
                return MessageReached(milestone)
            campaign, step = await _campaign_and_step(name, automations)
            return MessageReached(milestone, campaign, step)
        case _:
            assert_never(written)


async def _action(written: WrittenAction, automations: Automations, known: Attributes) -> Action:
    match written:
        case WrittenAction(verb="enroll", value=name):
            return Enroll(await _drip(name, automations))
        case WrittenAction(verb="unenroll", value=name):
            return Unenroll(await _drip(name, automations))
        case WrittenAction(verb="tag", value=tag):
            return AddTag(tag)
        case WrittenAction(verb="untag", value=tag):
            return RemoveTag(tag)
        case WrittenAction(value=channel, text=text):
            try:
                personalise.parse(text, known=await known.names())
            except personalise.InvalidText as error:
                raise NoSuchName(str(error)) from error
            return Tell(channel, text)
        case _:
            assert_never(written)


async def _campaign_and_step(
    name: str, automations: Automations
) -> tuple[CampaignId, StepId | None]:
    there = await automations.campaigns()
    numbered = _NUMBERED.fullmatch(name)
    # A campaign may be called "Sale #2": the whole name is tried first.
    if numbered is None or isinstance(names.match_name(name, there), One):
        return _found(name, there, "campaign", "/drip campaign list").id, None
    campaign = _found(numbered[1], there, "campaign", "/drip campaign list").id
    step = await automations.step(campaign, int(numbered[2]))
    if step is None:
        raise NoSuchName(
            f"{numbered[1]!r} has no step {numbered[2]};"
            f' /drip campaign show "{numbered[1]}" numbers them.'
        )
    return campaign, step


async def _drip(name: str, automations: Automations) -> CampaignId:
    found = _found(name, await automations.campaigns(), "campaign", "/drip campaign list")
    if found.kind is not Kind.DRIP:
        raise NoSuchName(f"{name!r} is a broadcast, and nobody enrolls in one: name a campaign.")
    return found.id


async def _segment(name: str, automations: Automations) -> SegmentId:
    found = _found(name, await automations.segments(), "segment", "/drip segment list")
    await automations.hold(found)
    return found


async def _date_attribute(name: str, automations: Automations) -> str:
    known = await automations.date_attributes()
    if name in known:
        if not known[name]:
            raise NoSuchName(f"The values of {name} are no dates, so there is no day to wait for.")
        return name
    # Contacts may get it later, with a file; a slip of the pen never comes true.
    closest = names.closest(name, [each for each, is_date in known.items() if is_date])
    if closest is not None:
        raise NoSuchName(f"No contact has a date {name}. Did you mean {closest}?")
    return name


def _found(name: str, there: Mapping[str, T], what: str, listing: str) -> T:
    match names.match_name(name, there):
        case One(name=exact):
            return there[exact]
        case Ambiguous(names=several):
            listed = " or ".join(map(repr, several[:_OFFERED]))
            raise NoSuchName(f"{name!r} may be {listed}: write more of the {what}'s name.")
        case NoMatch(closest=closest):
            hint = f"Did you mean {closest!r}?" if closest else f"{listing} shows what there is."
            raise NoSuchName(f"There is no {what} {name!r}. {hint}")
        case other:
            assert_never(other)


async def _one(which: str, automations: Automations) -> Automation:
    known = await automations.directory()
    all_ = await automations.all()
    found = _meant(which, all_, known)
    if found.campaign_id is not None:
        raise OfACampaign(known.campaign(found.campaign_id))
    return found


def _meant(which: str, all_: Sequence[Automation], known: Directory) -> Automation:
    number = which.strip().removeprefix("#")
    if number.isdecimal():
        for each in all_:
            if str(each.id) == number:
                return each
        raise NoSuchAutomation(f"There is no automation {number}; {_LISTING}")
    beginning = names.folded(which)
    found = [each for each in all_ if names.folded(sentence(each, known)).startswith(beginning)]
    match found:
        case [only]:
            return only
        case []:
            raise NoSuchAutomation(f"No automation begins with {which[:80]!r}; {_LISTING}")
        case several:
            numbers = ", ".join(str(each.id) for each in several[:_OFFERED])
            raise NoSuchAutomation(
                f"{len(several)} automations begin with {which[:80]!r}: give the number, one of"
                f" {numbers}."
            )


_UNSAVED: Final = AutomationId(0)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_NUMBERED: Final = re.compile(r"(.*\S)\s*#\s*([1-9]\d{0,3})", re.DOTALL)
_OFFERED: Final = 5
_LISTING: Final = "/drip automation list shows them with their numbers."

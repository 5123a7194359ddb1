"""Automations: what happened to contacts is acted on, in order, each occurrence exactly once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import structlog

from engine.automation import (
    DEEPEST,
    AddTag,
    Automation,
    Enroll,
    Occurrence,
    RemoveTag,
    Tell,
    Unenroll,
    hears,
    kind_of,
)
from engine.enrollment import EndReason
from engine.ids import CampaignId, ContactId, OrganizationId, SegmentId
from engine.segment import Definition, InSegment
from storage import automations, enrollments, members, occurrences, planning, tags
from storage.automations import Live
from storage.database import Unit
from storage.enrollments import NotEnrolling, Running
from worker.context import Worker

SLICE_S: Final = 0.2
_OCCURRENCES: Final = 1_000
_TASK: Final = "act_on_occurrences"
_TOLD_SINGLY: Final = 10
_LOOPED: Final = (
    f"it was set off by {DEEPEST} automations one after the other, which is a loop; change one of"
    " them, and resume it."
)

Turn = dict[int, tuple[Live, list[Occurrence]]]
"""What automations, by their ids, do at once: at most one occurrence of each contact."""

log = structlog.get_logger()


async def enroll_triggered(worker: Worker, organization: OrganizationId) -> bool:
    """Act on occurrences for about SLICE_S seconds; return whether more are waiting."""
    ends = worker.clock.monotonic() + SLICE_S
    while True:
        taken = await worker.database.run(organization, worker.now(), _slice, owner=True)
        if taken < _OCCURRENCES or worker.clock.monotonic() >= ends:
            return taken == _OCCURRENCES


async def _slice(unit: Unit) -> int:
    """Act on the next occurrences and take them away, both or neither; return how many."""
    # One process at a time, or a contact's second occurrence could be acted on before the first.
    if not await planning.alone(unit, task=_TASK):
        return 0
    taken = await occurrences.take(unit, limit=_OCCURRENCES)
    if not taken:
        return 0
    turns = _turns(taken, await automations.live(unit))
    if not turns:
        return len(taken)
    campaigns = {
        campaign
        for turn in turns
        for each, _ in turn.values()
        if (campaign := _campaign(each.automation)) is not None
    }
    # All locks first and in their one order, whatever is acted on in which.
    await automations.lock_campaigns(unit, campaigns=campaigns)
    met = {each.contact_id for turn in turns for _, heard in turn.values() for each in heard}
    there = set(await enrollments.lock_contacts(unit, contacts=sorted(met)))
    if campaigns:
        await enrollments.lock_running(unit, contacts=sorted(there))
    ended: list[Running] = []
    for turn in turns:
        for _, (each, heard) in sorted(turn.items()):
            known = [one for one in heard if one.contact_id in there]
            inside = await _inside(unit, each.automation.segment_id, known)
            ended += await _act(unit, each, inside)
    # Messages come after all enrollments, and statistics after all messages.
    await enrollments.clear(unit, enrollments=ended)
    return len(taken)


def _turns(taken: Sequence[Occurrence], live: Sequence[Live]) -> list[Turn]:
    """Return what is to be done at once, and what after it, so that each contact's order holds."""
    by_kind: dict[str, list[Live]] = defaultdict(list)
    for each in live:
        by_kind[kind_of(each.automation.trigger)].append(each)
    turns: list[Turn] = []
    reached: Counter[ContactId] = Counter()
    for occurrence in taken:
        heard = [each for each in by_kind[occurrence.kind] if hears(each.automation, occurrence)]
        if not heard:
            continue
        place = reached[occurrence.contact_id]
        reached[occurrence.contact_id] += 1
        if place == len(turns):
            turns.append({})
        for each in heard:
            turns[place].setdefault(each.automation.id, (each, []))[1].append(occurrence)
    return turns


async def _inside(
    unit: Unit, segment: SegmentId | None, heard: Sequence[Occurrence]
) -> Sequence[Occurrence]:
    """Return what happened to contacts in *segment* (None: to all), as it stands by now."""
    if segment is None or not heard:
        return heard
    inside = set(
        await members.among(
            unit,
            definition=Definition(where=InSegment(segment), zone="UTC"),
            contacts=_contacts(heard),
        )
    )
    return [each for each in heard if each.contact_id in inside]


async def _act(unit: Unit, live: Live, heard: Sequence[Occurrence]) -> list[Running]:
    """Do what an automation does; return what it ended, whose messages are still to be cleared."""
    ended: list[Running] = []
    by_depth: dict[int, list[Occurrence]] = defaultdict(list)
    for each in heard:
        by_depth[each.depth].append(each)
    for depth, some in sorted(by_depth.items()):
        if depth >= DEEPEST and isinstance(live.automation.action, AddTag | Enroll):
            # What causes nothing further is no part of the loop, and goes on.
            log.warning("automation.stopped", automation=live.automation.id)
            await automations.stop(unit, automation=live.automation.id, why=_LOOPED)
        else:
            ended += await _do(unit, live, some, depth=depth + 1)
    return ended


async def _do(
    unit: Unit, live: Live, heard: Sequence[Occurrence], *, depth: int
) -> Sequence[Running]:
    contacts = _contacts(heard)
    match live.automation.action:
        case Enroll(campaign):
            return await _enroll(unit, live, campaign, heard, depth=depth)
        case Unenroll(campaign):
            there = await enrollments.running(unit, campaign=campaign, contacts=contacts)
            await enrollments.end(unit, enrollments=there, reason=EndReason.AUTOMATION)
            return there
        case AddTag(tag):
            await tags.add(unit, tags=[(contact, tag) for contact in contacts], depth=depth)
        case RemoveTag(tag):
            await tags.remove(unit, tag=tag, contacts=contacts)
        case Tell():
            # A file of thousands is told as some of them and a number.
            singly = heard[:_TOLD_SINGLY]
            await automations.tell(
                unit,
                automation=live.automation.id,
                about=[(each.contact_id, each.properties) for each in singly],
                others=len(heard) - len(singly),
            )
        case _:
            assert_never(live.automation.action)
    return ()


async def _enroll(
    unit: Unit, live: Live, campaign: CampaignId, heard: Sequence[Occurrence], *, depth: int
) -> Sequence[Running]:
    try:
        enrolled = await enrollments.take_in(
            unit,
            campaign=campaign,
            contacts=_contacts(heard),
            by=live.by,
            properties={each.contact_id: each.properties for each in heard if each.properties},
            depth=depth,
        )
    except NotEnrolling as refused:
        # A draft, an archived one, or its last step was removed: there is nothing to be sent.
        log.warning("trigger.not_enrolling", campaign=campaign, state=refused.state)
        return ()
    log.info("trigger.enrolled", campaign=campaign, counts=dict(enrolled.counts))
    return enrolled.interrupted


def _contacts(heard: Iterable[Occurrence]) -> list[ContactId]:
    return sorted(each.contact_id for each in heard)


def _campaign(automation: Automation) -> CampaignId | None:
    match automation.action:
        case Enroll(campaign) | Unenroll(campaign):
            return campaign
        case _:
            return None

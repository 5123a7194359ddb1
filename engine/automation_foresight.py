"""What automations would do to a contact that a file brings, told before anything is done."""

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.automation import (
    DEEPEST,
    AddTag,
    Automation,
    Enroll,
    Kind,
    Occurrence,
    RemoveTag,
    Tell,
    Unenroll,
    hears,
)
from engine.campaign import Mode, Reentry
from engine.ids import CampaignId, ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """What decides who enrolls in a drip that takes somebody in."""

    reentry: Reentry
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a contact stands before the file.

    Attributes:
        tags: Those it has.
        been, running: The campaigns it was ever enrolled in, and those it has not ended.
        barred: Campaigns that its consent keeps it from.
    """

    tags: Collection[str] = ()
    been: Collection[CampaignId] = ()
    running: Collection[CampaignId] = ()
    barred: Collection[CampaignId] = ()


@dataclass(slots=True)
class _Course:
    """How far a contact has come in its imagined course."""

    tags: set[str]
    been: set[CampaignId]
    running: set[CampaignId]
    enrolled: Counter[CampaignId] = field(default_factory=Counter)


def foresee(
    *,
    created: bool,
    gets: Collection[str],
    standing: Standing,
    at: datetime,
    automations: Sequence[Automation],
    drips: Mapping[CampaignId, Drip],
) -> Counter[CampaignId]:
    """Return how often a contact would enroll in each campaign, at zero absent.

    Who is in a segment by then is not foreseen. Where an automation that asks for one may be set
    off, each campaign is counted that the contact enrolls in whatever the segments hold: so the
    sum over contacts is at least how many of them enroll.

    Args:
        created: Whether it becomes a contact.
        gets: Tags the file gives it; those it has set nothing off.
        standing: How it stands before.
        at: When.
        automations: Those that act, the oldest first.
        drips: Those that take somebody in; enrolling in others comes to nothing.
    """
    begins = [(Kind.CONTACT_CREATED, "")] if created else []
    begins += [(Kind.TAG_ADDED, tag) for tag in sorted(set(gets) - set(standing.tags))]
    heard = [each for each in automations if each.segment_id is None]
    exact = _foreseen(begins, gets, standing, at, heard, drips)
    if len(heard) == len(automations):
        return exact
    may, asked = _possible(begins, gets, standing, at, automations, drips)
    return Counter({each: max(exact[each], 1) for each in may}) if asked else exact


def _foreseen(
    begins: Sequence[tuple[Kind, str]],
    gets: Collection[str],
    standing: Standing,
    at: datetime,
    heard: Sequence[Automation],
    drips: Mapping[CampaignId, Drip],
) -> Counter[CampaignId]:
    course = _Course(
        tags={*standing.tags, *gets}, been=set(standing.been), running=set(standing.running)
    )
    happened = deque((kind, value, 0) for kind, value in begins)
    while happened:
        kind, value, depth = happened.popleft()
        occurrence = _occurrence(kind, value, at, depth)
        for automation in heard:
            if not hears(automation, occurrence):
                continue
            match automation.action:
                case Enroll(campaign) if depth < DEEPEST:
                    if campaign in drips and campaign not in standing.barred:
                        _enroll(course, campaign, drips[campaign])
                case AddTag(tag) if depth < DEEPEST:
                    if tag not in course.tags:
                        course.tags.add(tag)
                        happened.append((Kind.TAG_ADDED, tag, depth + 1))
                case RemoveTag(tag):
                    course.tags.discard(tag)
                case Unenroll(campaign):
                    course.running.discard(campaign)
                case Enroll() | AddTag() | Tell():
                    pass
    return course.enrolled


def _possible(
    begins: Sequence[tuple[Kind, str]],
    gets: Collection[str],
    standing: Standing,
    at: datetime,
    automations: Sequence[Automation],
    drips: Mapping[CampaignId, Drip],
) -> tuple[set[CampaignId], bool]:
    """Return where the contact may enroll, and whether a segment may have a say in it."""
    actions = [each.action for each in automations]
    lost = {action.tag for action in actions if isinstance(action, RemoveTag)}
    again = {*lost} | ({action.tag for action in actions if isinstance(action, AddTag)})
    again -= {*standing.tags, *gets} - lost
    leaves = any(
        isinstance(action, Unenroll)
        or (
            isinstance(action, Enroll)
            and action.campaign in drips
            and drips[action.campaign].mode is Mode.INTERRUPT
        )
        for action in actions
    )
    possible: set[CampaignId] = set()
    asked = False
    happened = deque(begins)
    met = set(begins)
    while happened:
        occurrence = _occurrence(*happened.popleft(), at, 0)
        for automation in automations:
            if not hears(automation, occurrence):
                continue
            asked = asked or automation.segment_id is not None
            match automation.action:
                case Enroll(campaign):
                    if campaign not in standing.barred and _open(
                        campaign, drips, standing, leaves=leaves
                    ):
                        possible.add(campaign)
                case AddTag(tag) if tag in again and (Kind.TAG_ADDED, tag) not in met:
                    met.add((Kind.TAG_ADDED, tag))
                    happened.append((Kind.TAG_ADDED, tag))
                case _:
                    pass
    return possible, asked


def _open(
    campaign: CampaignId,
    drips: Mapping[CampaignId, Drip],
    standing: Standing,
    *,
    leaves: bool,
) -> bool:
    """Whether a campaign may take the contact in; *leaves*: it may be taken out of others first."""
    drip = drips.get(campaign)
    if drip is None or (drip.reentry is Reentry.NEVER and campaign in standing.been):
        return False
    if leaves:
        return True
    if drip.reentry is Reentry.AFTER and campaign in standing.running:
        return False
    return drip.mode is not Mode.SKIP or not set(standing.running) - {campaign}


def _occurrence(kind: Kind, value: str, at: datetime, depth: int) -> Occurrence:
    return Occurrence(id=0, kind=kind, contact_id=ContactId(0), value=value, at=at, depth=depth)


def _enroll(course: _Course, campaign: CampaignId, drip: Drip) -> None:
    if drip.reentry is Reentry.NEVER and campaign in course.been:
        return
    if drip.reentry is Reentry.AFTER and campaign in course.running:
        return
    if drip.mode is Mode.SKIP and course.running - {campaign}:
        return
    course.enrolled[campaign] += 1
    if drip.mode is Mode.INTERRUPT:
        course.running &= {campaign}
    course.running.add(campaign)
    course.been.add(campaign)

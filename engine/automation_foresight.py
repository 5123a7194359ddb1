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

    Args:
        created: Whether it becomes a contact.
        gets: Tags the file gives it; those it has set nothing off.
        standing: How it stands before.
        at: When.
        automations: Those that act, the oldest first. What asks for a segment is left out.
        drips: Those that take somebody in; enrolling in others comes to nothing.
    """
    heard = [each for each in automations if each.segment_id is None]
    course = _Course(
        tags={*standing.tags, *gets}, been=set(standing.been), running=set(standing.running)
    )
    happened = deque([(Kind.CONTACT_CREATED, "", 0)] if created else [])
    happened.extend((Kind.TAG_ADDED, tag, 0) for tag in sorted(set(gets) - set(standing.tags)))
    while happened:
        kind, value, depth = happened.popleft()
        occurrence = Occurrence(
            id=0, kind=kind, contact_id=ContactId(0), value=value, at=at, depth=depth
        )
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

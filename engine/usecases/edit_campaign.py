"""Edit: what a campaign or broadcast is called, how it sends, and what a broadcast says to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from engine import names
from engine.audience import Audience
from engine.automation_ports import Automations
from engine.campaign import Campaign, Kind, Reentry, State
from engine.campaign_ports import Attributes, Campaigns, Reach, Templates
from engine.content import Content
from engine.ids import CampaignId
from engine.refusal import Refusal
from engine.schedule import earliest
from engine.size import Asked, Size, judged
from engine.usecases.automate import begin_trigger, check_trigger, refuse_reentry_loops
from engine.usecases.compose import Wanted, check_approved, compose
from engine.usecases.create_campaign import NameTaken
from engine.usecases.move_campaign import NoSuchCampaign, NotPossible
from engine.usecases.upcoming_start import zones_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What staff want otherwise; None, or a field that is absent: as it is.

    Attributes:
        plain: Of type, trigger, number_id, priority and excluded, those to change.
        settings: Fields of Settings with their new values.
        audience, content: A broadcast's.
    """

    name: str | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    audience: Audience | None = None
    content: Wanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """It has been done.

    Attributes:
        content: What a broadcast says now; None: that did not change.
        reach: Whom it reaches now; None: that did not change.
        sooner: Its hours or days changed, so that what waits for the old ones is looked at again.
    """

    campaign: Campaign
    before: Campaign
    content: Content | None
    reach: Reach | None
    sooner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """Nothing was done: a scheduled broadcast would go to so many that staff give the count."""

    campaign: Campaign
    reach: Reach
    asked: Asked


class Fixed(Refusal):
    """A broadcast that has begun keeps what it says, to whom and how."""

    def __init__(self, campaign: Campaign, fields: list[str]) -> None:
        listed = ", ".join(f"{each}=" for each in fields)
        super().__init__(
            f"{campaign.name!r} is {campaign.state}, and a broadcast that has begun keeps its"
            f" message, its audience and its deadline; {listed} cannot change any more. Its name,"
            " rate, hours, days, per_day, priority and unknown can. For another message,"
            f' /drip broadcast clone "{campaign.name}" makes a draft like it.'
        )


async def edit_campaign(
    *,
    campaign: CampaignId,
    changes: Changes,
    at: datetime,
    standard: tzinfo,
    size: Size,
    campaigns: Campaigns,
    templates: Templates,
    attributes: Attributes,
    automations: Automations,
) -> Edited | Unconfirmed:
    """Change what *changes* says; what sends already does so from now on.

    Args:
        standard: The organization's time zone.

    Raises:
        NoSuchCampaign, NotPossible: It is gone or over.
        Fixed: The broadcast has begun.
        NameTaken: The new name is in use.
        NoSuchName, Loops: Its new trigger names what is not there, or it would enroll for ever.
        NoSuchTemplate, ManyLanguages, DoesNotFit: The new message cannot be sent as written.
        NotApproved, WrongCategory: The same, for what is scheduled or sends already.
        NoSuchList, NoSuchSegment: One that its new audience names was deleted meanwhile.
        TooLarge: See :func:`engine.size.judged`.
    """
    before = await campaigns.lock(campaign)
    if before is None:
        raise NoSuchCampaign
    _check(before, changes)
    if changes.name is not None and not names.is_among(changes.name, [before.name]):
        await _check_name(changes.name, campaigns)
    after = replace(
        before,
        name=changes.name or before.name,
        settings=replace(before.settings, **changes.settings),
        audience=changes.audience or before.audience,
        **changes.plain,
    )
    steps = await campaigns.steps(campaign)
    content = None
    if changes.audience is not None:
        await campaigns.hold(changes.audience)
    if changes.content is not None:
        content = await compose(wanted=changes.content, known=templates, attributes=attributes)
    contents = [step.content for step in steps] if content is None else [content]
    if before.state is not State.DRAFT and (content is not None or "type" in changes.plain):
        await check_approved(type=after.type, contents=contents, known=templates)
    reach = None
    others = changes.audience is not None or "excluded" in changes.plain
    if others or content is not None:
        reach = await campaigns.reach(after, contents[0], at=before.scheduled_at)
    if others and reach is not None and before.state is not State.DRAFT:
        asked = judged(reach.at_most, size)
        if asked is not None:
            return Unconfirmed(campaign=before, reach=reach, asked=asked)
    if content is not None:
        await campaigns.replace_content(before, steps[0], content)
    now = await campaigns.change(after)
    if "trigger" in changes.plain and now.begun:
        await automations.end_of(campaign)
        await begin_trigger(campaign=now, automations=automations)
    elif "trigger" in changes.plain:
        await check_trigger(trigger=now.trigger, automations=automations)
    if before.settings.reentry is Reentry.NEVER and after.settings.reentry is not Reentry.NEVER:
        await refuse_reentry_loops(campaign=campaign, automations=automations)
    if changes.audience is not None and before.state is State.SCHEDULED:
        now = await _in_its_zones(now, at, standard, campaigns)
    sooner = bool({"hours", "days"} & changes.settings.keys()) and before.started_at is not None
    if sooner:
        await campaigns.look_again(now)
    await campaigns.revoke(campaign)
    await campaigns.note(f"{now.word}.edit", now, changed=_changed(changes))
    return Edited(
        campaign=now,
        before=before,
        content=content,
        reach=reach,
        sooner=sooner,
    )


async def _in_its_zones(
    campaign: Campaign, at: datetime, standard: tzinfo, campaigns: Campaigns
) -> Campaign:
    """Have what goes by contacts' clocks start when the first of its new audience's show the time.

    Where it is later than that somewhere already, it starts at once, and they get it late.
    """
    schedule = campaign.schedule
    if schedule is None or schedule.zone is not None or schedule.upcoming is None:
        return campaign
    zones = await zones_of(schedule, campaign, standard, campaigns)
    starts_at = max(at, earliest(schedule.upcoming, zones))
    return await campaigns.schedule(campaign, schedule, starts_at=starts_at)


def _check(campaign: Campaign, changes: Changes) -> None:
    if campaign.state in _OVER:
        raise NotPossible(
            campaign,
            f": nothing of it changes any more. /drip {campaign.word} clone"
            f' "{campaign.name}" makes a draft like it.',
        )
    if campaign.kind is Kind.DRIP or campaign.started_at is None:
        return
    fixed = [each for each in _changed(changes) if each not in _FREE]
    if fixed:
        raise Fixed(campaign, fixed)


async def _check_name(name: str, campaigns: Campaigns) -> None:
    if await campaigns.is_taken(name):
        raise NameTaken(name)


def _changed(changes: Changes) -> list[str]:
    """Return what changes, in the words of the options."""
    given = [
        ("name", changes.name is not None),
        ("to", changes.audience is not None),
        ("message", changes.content is not None),
    ]
    words = [*changes.plain, *changes.settings]
    return [word for word, there in given if there] + [_OPTIONS.get(each, each) for each in words]


_OVER: Final = frozenset({State.COMPLETED, State.CANCELLED, State.ARCHIVED})
_OPTIONS: Final = {"excluded": "exclude", "number_id": "number", "deadline_s": "deadline"}
_FREE: Final = frozenset({"name", "rate", "hours", "days", "per_day", "priority", "unknown"})

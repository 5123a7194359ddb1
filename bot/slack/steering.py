"""One contact's way through a campaign: paused, let go on, put before another step, ended."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.campaign_text import step_line
from bot.slack.changes import told, wake
from bot.slack.contacts import one_contact
from bot.slack.desk import Desk
from bot.slack.language.steering import (
    EnrollmentEnd,
    EnrollmentMove,
    EnrollmentPause,
    EnrollmentResume,
    Steering,
)
from bot.slack.markup import Markup, date, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.words import as_word
from engine import enrollment
from engine.campaign import Kind, Step
from engine.enrollment import State
from engine.ids import ContactId
from engine.refusal import Refusal
from engine.usecases.change_steps import NoSuchStep
from engine.usecases.move_campaign import NoSuchCampaign
from storage import audit, campaigns, contacts, steering
from storage.campaigns import Campaigns, Named
from storage.database import Unit
from storage.steering import Steered

S = TypeVar("S", bound=Steering)


class NotUnderWay(Refusal):
    """The contact has no enrollment that could be steered."""


class HadIt(Refusal):
    """The step was planned for this enrollment before."""

    def __init__(self, campaign: Named, step: Step) -> None:
        name = as_word(campaign.name)
        super().__init__(
            f"They have come to step {step.number} of {name} before, and nobody gets a step twice"
            f" in one enrollment; /drip unenroll and /drip enroll begin anew where reentry= of"
            f" {name} allows it."
        )


class LeavingNow(Refusal):
    """A call for it may be going on."""

    def __init__(self) -> None:
        super().__init__(
            "A message of it is on its way to WhatsApp this moment, so nothing has been done; try"
            " again in a minute."
        )


def register(registry: Registry, desk: Desk) -> None:
    """Handle the commands."""

    @registry.command(EnrollmentPause)
    @refusing
    async def pause(command: EnrollmentPause, asked: Context) -> Reply:
        async def work(unit: Unit, at: _Place) -> Markup:
            active = [each for each in at.steered if each.state == State.ACTIVE]
            if not active:
                raise NotUnderWay(
                    f"{at.who} is paused in {as_word(at.campaign.name)} already; /drip enrollment"
                    " resume lets them go on."
                )
            await steering.pause(unit, contact=at.contact, steered=active, by=asked.user_id)
            return Markup("They get nothing of it until somebody resumes it.")

        done, at = await _steered(desk, asked, command, "pause", work)
        again = f"/drip enrollment resume {as_word(at.campaign.name)} {at.who}"
        return _told(asked, "paused", at, done, next_line(again))

    @registry.command(EnrollmentResume)
    @refusing
    async def resume(command: EnrollmentResume, asked: Context) -> Reply:
        async def work(unit: Unit, at: _Place) -> Markup:
            paused = [each for each in at.steered if each.state == State.PAUSED]
            if not paused:
                raise NotUnderWay(
                    f"{at.who} is not paused in {as_word(at.campaign.name)}: they go on as it is."
                )
            await steering.resume(unit, campaign=at.campaign.id, contact=at.contact, steered=paused)
            return Markup("They go on where they were; what came up meanwhile goes out now.")

        done, at = await _steered(desk, asked, command, "resume", work)
        await wake(desk, asked.organization)
        return _told(asked, "resumed", at, done)

    @registry.command(EnrollmentMove)
    @refusing
    async def move(command: EnrollmentMove, asked: Context) -> Reply:
        async def work(unit: Unit, at: _Place) -> Markup:
            return await _put_before(unit, at, command.to)

        done, at = await _steered(desk, asked, command, "move", work)
        await wake(desk, asked.organization)
        return _told(asked, "moved", at, done)

    @registry.command(EnrollmentEnd)
    @refusing
    async def end(command: EnrollmentEnd, asked: Context) -> Reply:
        async def work(unit: Unit, at: _Place) -> Markup:
            await steering.end(
                unit, campaign=at.campaign.id, contact=at.contact, steered=at.steered
            )
            return Markup("What waited for them is not sent.")

        done, at = await _steered(desk, asked, command, "end", work)
        await desk.queue.wake_job("complete", asked.organization)
        return _told(asked, "ended", at, done)


class _Place:
    """Whose enrollments in which campaign, locked; the latest first, at least one."""

    def __init__(
        self, campaign: Named, contact: ContactId, who: str, steered: Sequence[Steered]
    ) -> None:
        self.campaign = campaign
        self.contact = contact
        self.who = who
        self.steered = steered


async def _steered(
    desk: Desk,
    asked: Context,
    command: Steering,
    word: str,
    act: Callable[[Unit, _Place], Awaitable[Markup]],
) -> tuple[Markup, _Place]:
    """Lock the enrollments a command means, act on them, and note who did."""
    contact = await one_contact(desk, asked, command.contact)

    async def work(unit: Unit) -> tuple[Markup, _Place]:
        campaign = await found(unit, command.campaign, kind=Kind.DRIP)
        # Kept from changing, so that the steps are still these when an enrollment is moved.
        if await Campaigns(unit, asked.user_id).lock(campaign.id) is None:
            raise NoSuchCampaign
        steered = await steering.of_contact(unit, campaign=campaign.id, contact=contact)
        who = await _who(unit, contact)
        if not steered:
            raise NotUnderWay(await _why_not(unit, campaign, contact, who))
        place = _Place(campaign, contact, who, steered)
        done = await act(unit, place)
        await audit.note(
            unit,
            actor=asked.user_id,
            action=f"enrollment.{word}",
            subject=f"drip:{campaign.id}",
            content={"contact": contact, "enrollments": [each.id for each in steered]},
        )
        return done, place

    return await desk.database.run(asked.organization, asked.at, work)


async def _put_before(unit: Unit, at: _Place, number: int) -> Markup:
    steps = await campaigns.steps(unit, campaign=at.campaign.id)
    campaign = await campaigns.get(unit, campaign=at.campaign.id)
    if campaign is None:
        raise NoSuchCampaign
    if number > len(steps):
        raise NoSuchStep(campaign, len(steps))
    step = steps[number - 1]
    latest = at.steered[0]
    if await steering.under_way(unit, campaign=at.campaign.id, contact=at.contact, steered=latest):
        raise LeavingNow
    if await steering.had(unit, contact=at.contact, steered=latest, step=step):
        raise HadIt(at.campaign, step)
    await steering.put_before(
        unit,
        campaign=at.campaign.id,
        contact=at.contact,
        steered=latest,
        step=step,
        place=steps[number - 2].position if number > 1 else 0.0,
    )
    numbers = {each.id: each.number for each in steps}
    return markup("{line}\n{due}", line=step_line(step, numbers), due=_due(unit.at, step))


def _due(at: datetime, step: Step) -> Markup:
    if step.timing.anchor is not None or not step.after:
        return Markup("Its time counts from now.")
    return markup(
        "Its delay counts from now: not before {at}.", at=date(at + max(step.after, timedelta()))
    )


async def _who(unit: Unit, contact: ContactId) -> str:
    profile = await contacts.profile(unit, contact=contact)
    known = dict(profile.identities) if profile else {}
    return (
        known.get("phone") or (profile and (profile.name or profile.first_name)) or "That contact"
    )


async def _why_not(unit: Unit, campaign: Named, contact: ContactId, who: str) -> str:
    name = as_word(campaign.name)
    last = await steering.ended(unit, campaign=campaign.id, contact=contact)
    if last is None:
        return f"{who} was never in {name}; /drip enroll {name} {who} puts them in."
    return f"{who} is no longer in {name} ({enrollment.why(last.state, last.reason)})."


def _told(asked: Context, did: str, at: _Place, *lines: Markup) -> Reply:
    return told(
        asked,
        markup("{did} {who} in *{name}*.", did=did, who=at.who, name=at.campaign.name),
        *lines,
    )

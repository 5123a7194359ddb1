"""The automatic brake: campaigns and numbers are stopped, and staff told why and how to go on."""

from typing import Final

import structlog

from engine.brake import LOW_QUALITY, Driven, why_stopped
from engine.failure_codes import failure
from engine.ids import CampaignId, OrganizationId
from engine.sending_rules import SendingRules
from engine.usecases.apply_platform_event import stopped_because
from storage import brake, effects, planning, revocations
from storage.database import Unit
from worker.context import Worker

EVERY_S: Final = 2.0
"""It looks so often at most, however often it is asked."""

log = structlog.get_logger()


async def mind_brakes(worker: Worker, organization: OrganizationId) -> bool:
    """Stop what has to be stopped; there is never more to do at once."""
    now = worker.clock.monotonic()
    if now < worker.braked.get(organization, float("-inf")) + EVERY_S:
        return False
    worker.braked[organization] = now
    rules = worker.rules[organization]

    async def work(unit: Unit) -> None:
        # Several processes are asked: what one of them does is enough.
        if await planning.alone(unit, task="mind_brakes"):
            await _campaigns(unit, rules)
            await _templates(unit)
            await _numbers(unit)

    await worker.database.run(organization, worker.now(), work, owner=True)
    return False


async def _campaigns(unit: Unit, rules: SendingRules) -> None:
    if not rules.brake.on:
        return
    for campaign, driven in (await brake.driven(unit)).items():
        why = why_stopped(driven, rules.brake)
        if why is not None:
            said = f"{why} {await _most(unit, campaign, driven)}"
            if await effects.close_campaign(unit, campaign=campaign, until=None, why=said.strip()):
                await revocations.revoke(unit, campaign=campaign)
                log.warning("campaign.braked", campaign=campaign, failed=driven.failed)


async def _templates(unit: Unit) -> None:
    """Stop what a webhook would have stopped that never came."""
    for campaign, (template, status) in (await brake.unsendable(unit)).items():
        why = f"{stopped_because(template)}{status}."
        if await effects.close_campaign(unit, campaign=campaign, until=None, why=why):
            await revocations.revoke(unit, campaign=campaign)


async def _most(unit: Unit, campaign: CampaignId, driven: Driven) -> str:
    code = await brake.most_frequent(unit, campaign=campaign) if driven.failed else None
    return "" if code is None else f"Most often: {failure(code).meaning} (error {code})"


async def _numbers(unit: Unit) -> None:
    for number in await brake.fallen(unit):
        await effects.close_numbers(unit, number=number, until=None, why=LOW_QUALITY)
        log.warning("number.braked", number=number)

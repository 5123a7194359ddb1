"""Kept bodies, applied again after what kept them was put right: `dripline replay`."""

from dataclasses import dataclass

import structlog

from bot.whatsapp.intake import Intake
from bot.whatsapp.updates import MalformedBody, parse
from bot.whatsapp.webhook import organizations_by_secret
from engine.clock import Clock
from engine.config import Config
from engine.ids import OrganizationId
from storage.database import Database
from storage.webhook_failures import KeptBody, WebhookFailures

log = structlog.get_logger()


class NoDatabase(Exception):
    """The configuration names no database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Ids of the bodies that are applied now, and of those that are still kept."""

    applied: tuple[int, ...]
    kept: tuple[int, ...]


async def replay(config: Config, clock: Clock, ids: list[int] | None) -> Replayed:
    """Apply the kept bodies *ids* again, None: all of them.

    Raises:
        NoDatabase: There is nowhere to look.
    """
    if config.server.database_url is None:
        raise NoDatabase("replay needs server.database_url")
    url = config.server.database_url.get_secret_value()
    database = await Database.open(url, name="dripline replay", pooled=config.server.pooled)
    intake = Intake(config, database, clock)
    intake.start()
    try:
        return await _replay(config, clock, ids, WebhookFailures(database), intake)
    finally:
        await intake.close()
        await database.close()


async def _replay(
    config: Config,
    clock: Clock,
    ids: list[int] | None,
    failures: WebhookFailures,
    intake: Intake,
) -> Replayed:
    applied: list[int] = []
    kept: list[int] = []
    after = 0
    while bodies := await failures.waiting(source="whatsapp", ids=ids, after=after, at=clock.now()):
        for body in bodies:
            if await _applied(body, intake, config):
                await failures.replayed(body.id, at=clock.now())
                applied.append(body.id)
            else:
                kept.append(body.id)
        after = bodies[-1].id
    return Replayed(applied=tuple(applied), kept=tuple(kept))


async def _applied(kept: KeptBody, intake: Intake, config: Config) -> bool:
    try:
        updates = parse(kept.body).updates
    except MalformedBody as malformed:
        log.warning("replay.kept", id=kept.id, reason=malformed.reason)
        return False
    ticket = await intake.take(updates, allowed=_allowed(kept.organization, config))
    if ticket.refused is not None or ticket.unavailable:
        log.warning("replay.kept", id=kept.id, reason=ticket.refused or "the database was away")
        return False
    return True


def _allowed(signed_by: OrganizationId | None, config: Config) -> tuple[OrganizationId, ...]:
    """Return who may be touched: those with the secret that signed the body."""
    groups = organizations_by_secret(config).values()
    return next((group for group in groups if signed_by in group), ())

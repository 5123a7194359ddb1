"""What `dripline restored` does: the answer that the alert's buttons give, from the machine."""

from functools import partial

from bot.slack.restores import settled
from engine.clock import Clock
from engine.config import Config
from engine.ids import OrganizationId
from engine.usecases.settle_restore import Answer, NothingHeld
from storage import restores
from storage.database import Database

_ACTOR = "dripline restored"


class UnknownOrganization(Exception):
    """The configuration has no such organization."""

    def __init__(self, name: str, config: Config) -> None:
        listed = ", ".join(config.organizations)
        super().__init__(f"no organization {name!r} in the configuration; there are: {listed}")


async def restored(
    config: Config, clock: Clock, *, answer: str | None, organization: str | None
) -> list[str]:
    """Decide for *organization* (None: for all); return a line for each that was held back.

    Args:
        answer: None: decide nothing, and say what waits.

    Raises:
        UnknownOrganization: It is not configured.
    """
    if organization is not None and organization not in config.organizations:
        raise UnknownOrganization(organization, config)
    assert config.server.database_url is not None  # noqa: S101 — the command has looked
    url = config.server.database_url.get_secret_value()
    database = await Database.open(
        url, name="dripline restored", largest=2, pooled=config.server.pooled
    )
    lines: list[str] = []
    try:
        for key, each in config.organizations.items():
            if organization not in {None, key}:
                continue
            # No worker may have looked yet.
            await database.run(OrganizationId(key), clock.now(), restores.notice, owner=True)
            if answer is None:
                async with database.owner_unit(OrganizationId(key), clock.now()) as unit:
                    held = await restores.held(unit)
                lines += [] if held is None else [_waiting(key, held)]
                continue
            work = partial(settled, answer=Answer(answer), actor=_ACTOR, standard=each.timezone)
            try:
                concerned = await database.run(OrganizationId(key), clock.now(), work, owner=True)
            except NothingHeld:
                continue
            lines.append(f"{key}: {len(concerned)} campaigns had something due; sending goes on")
    finally:
        await database.close()
    return lines


def _waiting(key: str, held: restores.Held) -> str:
    due = sum(each.waiting for each in held.concerned) + held.answers
    return (
        f"{key}: nothing is sent since {held.moved.at:%Y-%m-%d %H:%M} UTC; {due} messages were due"
        f" by then, of {len(held.concerned)} campaigns, and {held.doubtful} are in doubt"
    )

"""A claim on what Slack asked: held during the work, taken up from the dead, kept when done."""

import asyncio

import pytest

from bot.slack.once import held, won
from storage.database import Database
from storage.slack_requests import EXPIRY_S, Claim, SlackRequests, Taken
from tests.database import ACME, GLOBEX, NOON

KEY = "event:Ev1"


@pytest.fixture
def claims(database: Database) -> SlackRequests:
    return SlackRequests(database)


async def claimed(claims: SlackRequests) -> Claim:
    claim = await claims.claim(ACME, KEY, NOON)
    assert isinstance(claim, Claim)
    return claim


async def pass_seconds(database: Database, seconds: float) -> None:
    await database.pool.execute(
        "update slack_requests set renewed_at = renewed_at - $1 * interval '1 second'", seconds
    )


async def test_of_many_who_ask_at_once_one_gets_it(claims: SlackRequests) -> None:
    answers = await asyncio.gather(*(claims.claim(ACME, KEY, NOON) for _ in range(8)))

    assert sum(isinstance(each, Claim) for each in answers) == 1
    assert answers.count(Taken.UNDER_WAY) == 7
    assert isinstance(await claims.claim(GLOBEX, KEY, NOON), Claim)


async def test_of_many_who_find_the_holder_dead_one_gets_it(
    claims: SlackRequests, database: Database
) -> None:
    await claimed(claims)
    await pass_seconds(database, EXPIRY_S + 1)

    answers = await asyncio.gather(*(claims.claim(ACME, KEY, NOON) for _ in range(8)))

    assert sum(isinstance(each, Claim) for each in answers) == 1


async def test_what_is_done_is_done_for_good(claims: SlackRequests, database: Database) -> None:
    async with held(claims, await claimed(claims)):
        pass
    await pass_seconds(database, 3600)

    assert await claims.claim(ACME, KEY, NOON) is Taken.DONE
    assert await won(claims, ACME, KEY, NOON) is None


@pytest.mark.parametrize("ending", [RuntimeError, asyncio.CancelledError])
async def test_what_broke_off_may_be_taken_at_once(
    claims: SlackRequests, ending: type[BaseException]
) -> None:
    with pytest.raises(ending):
        async with held(claims, await claimed(claims)):
            raise ending

    assert isinstance(await claims.claim(ACME, KEY, NOON), Claim)


async def test_whoever_works_long_keeps_it(claims: SlackRequests, database: Database) -> None:
    async with held(claims, await claimed(claims), renewed_every=0.01):
        await pass_seconds(database, EXPIRY_S + 1)
        async with asyncio.timeout(30):
            while await database.pool.fetchval(  # noqa: ASYNC110 — Postgres is what is waited for
                "select renewed_at < clock_timestamp() - interval '20 seconds' from slack_requests"
            ):
                await asyncio.sleep(0.01)

        assert await claims.claim(ACME, KEY, NOON) is Taken.UNDER_WAY


async def test_who_was_taken_for_dead_takes_nothing_from_who_went_on(
    claims: SlackRequests, database: Database
) -> None:
    asleep = await claimed(claims)
    await pass_seconds(database, EXPIRY_S + 1)
    went_on = await claimed(claims)

    await claims.release(asleep)

    assert not await claims.renew(asleep)
    assert await claims.renew(went_on)
    assert await claims.claim(ACME, KEY, NOON) is Taken.UNDER_WAY


async def test_what_was_done_after_all_is_done_whoever_holds_it(
    claims: SlackRequests, database: Database
) -> None:
    asleep = await claimed(claims)
    await pass_seconds(database, EXPIRY_S + 1)
    went_on = await claimed(claims)

    await claims.finish(asleep)
    await claims.release(went_on)

    assert await claims.claim(ACME, KEY, NOON) is Taken.DONE


async def test_a_signature_is_taken_once(claims: SlackRequests) -> None:
    answers = [await claims.remember(ACME, "signature:v0=00", NOON) for _ in range(2)]

    assert answers == [True, False]

"""Every code of WhatsApp's errors, through lane, database and Slack: decision and sentence."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest

from bot.slack import campaign_alerts, countries, failed, platform_alerts
from bot.slack.alerts import ALERTS
from engine.failure_codes import FAILURES, failure
from storage import events
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World

assert campaign_alerts
assert countries
assert platform_alerts  # they say how events read

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

# The rows of Meta's table "Error codes", by what is to be done about them.
_BLOCKS_ACCOUNT = (
    0,
    3,
    10,
    104,
    190,
    200,
    210,
    299,
    368,
    131005,
    131031,
    131042,
    131044,
    131064,
    134011,
)
_BLOCKS_NUMBER = (33, 131037, 131045, 133010)
_RESTS_ACCOUNT = {4: 5 * _MINUTE}
_RESTS_NUMBER = {131048: 6 * _HOUR, 131057: _MINUTE, 2494100: _MINUTE}
_STOPS_CAMPAIGN = (
    131053, 131055, 131061, 131063, 132000, 132001, 132007, 132012, 132015, 132016, 132018, 132068,
    132069, 134100, 134102,
)  # fmt: skip
_RETRIED = {
    1: _MINUTE, 2: 5 * _MINUTE, 131000: _MINUTE, 131016: _MINUTE, 131049: 25 * _HOUR,
    133004: _MINUTE, 135000: _MINUTE, 139102: _MINUTE, 139103: _MINUTE, 999999: _MINUTE,
}  # fmt: skip
_WAITS = {
    80007: 5 * _MINUTE, 130429: timedelta(seconds=1), 131056: timedelta(seconds=1),
    134101: 10 * _MINUTE,
}  # fmt: skip
_SUPPRESSES = {131050: "platform_stopped_at", 131021: "unreachable_at", 130403: "blocked_at"}
_ENDS_AND_TELLS = (
    130497, 131030, 131051, 131052, 133000, 133005, 133006, 133008, 133009, 133015, 133016, 139100,
    139101, 139200, 2388019, 2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299, 2388318,
    2388330,
)  # fmt: skip
_ENDS = (
    100, 130472, 131008, 131009, 131026, 131047, 131062, 132005, 132008, 137000, 200005, 200006,
    200007,
)  # fmt: skip
_EVERY: Final = (
    *_BLOCKS_ACCOUNT, *_BLOCKS_NUMBER, *_RESTS_ACCOUNT, *_RESTS_NUMBER, *_STOPS_CAMPAIGN, *_RETRIED,
    *_WAITS, *_SUPPRESSES, *_ENDS_AND_TELLS, *_ENDS,
)  # fmt: skip


def test_every_code_there_is_stands_in_one_row() -> None:
    assert len(_EVERY) == len(set(_EVERY))
    assert set(FAILURES) <= set(_EVERY)


@pytest.fixture
async def room(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CampaignRoom]:
    monkeypatch.setattr("worker.lane._IDLE_S", 0.02)
    async with _slack(world) as room:
        yield room


@asynccontextmanager
async def _slack(world: World) -> AsyncIterator[CampaignRoom]:
    async with opened(world.database) as room:
        failed.register(room.room.registry, room.room.desk)
        yield room


@pytest.mark.parametrize("code", sorted(_EVERY))
async def test_a_code_is_decided_and_its_sentence_read_in_slack(
    world: World, room: CampaignRoom, code: int
) -> None:
    campaign = await world.campaign(name="Spring")
    await world.queued(campaign, await world.contacts(1))
    world.clock.stand()
    world.platform.behave = lambda _: code

    await world.run()

    assert await _decision(world) == _expected(code)
    sentence = failure(code).meaning
    told = await _told(world)
    assert bool(told) is _is_told(code)
    assert sentence in told or not told
    listed = await room.say("failed Spring")
    assert sentence in listed
    assert ("0 messages failed for good" in listed) is (_due(code) is not None)


async def _decision(world: World) -> Mapping[str, Any]:
    (row,) = await world.rows(
        "select m.state, m.tries, m.error_code, m.due_at, c.closed_until::text as campaign,"
        "       (select array_agg(name) from (select unnest(array["
        "          case when p.platform_stopped_at is not null then 'platform_stopped_at' end,"
        "          case when p.unreachable_at is not null then 'unreachable_at' end,"
        "          case when p.blocked_at is not null then 'blocked_at' end]) as name) s where name is not null) as suppressed"
        "  from messages m join campaigns c on c.id = m.campaign_id join contacts p on p.id = m.contact_id"
    )
    numbers = await world.rows(
        "select id, case when closed_until = 'infinity' then 'a person'"
        "                else (closed_until - $1::timestamptz)::text end as until"
        "  from numbers where closed_until is not null order by id",
        NOON,
    )
    return {
        "state": row["state"],
        "tries": row["tries"],
        "code": row["error_code"],
        "wait": row["due_at"] - NOON if row["state"] == "queued" else None,
        "campaign": row["campaign"],
        "numbers": {each["id"]: each["until"] for each in numbers},
        "suppressed": row["suppressed"],
    }


def _expected(code: int) -> Mapping[str, Any]:
    due = _due(code)
    return {
        "state": "dead" if due is None else "queued",
        "tries": int(code in _RETRIED),
        "code": code,
        "wait": due,
        "campaign": "infinity" if code in _STOPS_CAMPAIGN else None,
        "numbers": _closed(code),
        "suppressed": [_SUPPRESSES[code]] if code in _SUPPRESSES else None,
    }


def _due(code: int) -> timedelta | None:
    if code in _BLOCKS_ACCOUNT or code in _BLOCKS_NUMBER:
        return _MINUTE
    return {**_RESTS_ACCOUNT, **_RESTS_NUMBER, **_RETRIED, **_WAITS}.get(code)


def _closed(code: int) -> dict[str, str]:
    rests = _RESTS_ACCOUNT.get(code) or _RESTS_NUMBER.get(code)
    if code in _BLOCKS_ACCOUNT:
        return dict.fromkeys((NUMBER, OTHER_NUMBER), "a person")
    if code in _BLOCKS_NUMBER:
        return {NUMBER: "a person"}
    if rests is None:
        return {}
    closed = (NUMBER, OTHER_NUMBER) if code in _RESTS_ACCOUNT else (NUMBER,)
    hours, minutes = divmod(int(rests.total_seconds()) // 60, 60)
    return dict.fromkeys(closed, f"{hours:02}:{minutes:02}:00")


def _is_told(code: int) -> bool:
    """Whether staff hear of it at once; the rest stands in the list of what failed."""
    return bool(_closed(code)) or code in {*_STOPS_CAMPAIGN, *_ENDS_AND_TELLS}


async def _told(world: World) -> str:
    """Return all that is posted, as Slack shows it."""
    async with world.database.unit(ACME, NOON) as unit:
        waiting = await events.waiting(unit, besides=(), limit=100)
        alerts = [await ALERTS[event.kind](event, unit) for event in waiting]
    return "\n".join(str(alert.message.text) for told in alerts for alert in told)

"""A broadcast is made with all it needs or not at all, and never for a time that has passed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.declare import Command
from bot.slack.grammar import NotUnderstood
from bot.slack.language import LANGUAGE
from storage.database import Database
from tests.database import NOON
from tests.examples import ON_POSTGRES
from tests.integration.slack.campaign_room import CampaignRoom, opened

ZONES = ("UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati")
GOOD = {
    "to": ("all", "tag:lead", "tag:lead,+31610000001"),
    "content": ("template=followup", "template=news language=nl", 'text="Hi {first_name|you}"'),
    "more": ("", "rate=5/s", "per_day=3 days=mon-fri", "type=promotional priority=9"),
}
BAD = {
    "to": ("", "list:nothing", "segment:nothing", "campaign:nobody"),
    "content": (
        "",
        "template=nothing",
        "template=news",
        "template=welcome",
        "text=Hi template=followup",
        'text="{nonsense}"',
        "media=https://shop.example/what",
    ),
    "more": ("rate=fast", "per_day=-1", "days=someday", "type=loud", "number=+4912", "priority=10"),
}


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        await room.contacts(2)
        yield room


@ON_POSTGRES
@given(data=st.data(), spoiled=st.sets(st.sampled_from(sorted(GOOD))), drafted=st.booleans())
async def test_a_broadcast_is_made_whole_and_for_a_time_to_come_or_not_at_all(
    room: CampaignRoom, data: st.DataObject, spoiled: set[str], *, drafted: bool
) -> None:
    await room.value("delete from campaigns")
    room.room.clock.at = NOON
    said = {
        part: data.draw(st.sampled_from((BAD if part in spoiled else GOOD)[part])) for part in GOOD
    }
    zone = data.draw(st.sampled_from(ZONES))
    local = NOON.replace(tzinfo=None) + timedelta(minutes=data.draw(st.integers(-3_000, 3_000)))
    when = f'at="{local:%Y-%m-%d %H:%M}" zone={zone}'
    to = said["to"] and f"to={said['to']}"
    text = f"broadcast new Sale {to} {said['content']} {said['more']} {'' if drafted else when}"
    before = await _everything(room)

    answer = await _answer(room, text)

    passed = local.replace(tzinfo=ZoneInfo(zone)) <= room.room.clock.at
    if spoiled or (passed and not drafted):
        assert await _everything(room) == before
        assert answer.endswith((".", "?"))
        return
    await _whole(room, local, zone, drafted=drafted)
    if drafted:
        drawn_up = await _everything(room)
        answer = await _answer(room, f"broadcast schedule Sale {when}")
        if passed:
            assert await _everything(room) == drawn_up
            assert "has passed" in answer
        else:
            await _whole(room, local, zone, drafted=False)


async def _answer(room: CampaignRoom, text: str) -> str:
    parsed = LANGUAGE.parse(text)
    if isinstance(parsed, NotUnderstood):
        return parsed.sentence
    assert isinstance(parsed, Command)
    return await room.say(text)


async def _everything(room: CampaignRoom) -> list[Any]:
    """Return all that making or scheduling a broadcast may leave behind."""
    return [
        await room.rows(f"select * from {table} t order by t::text")  # noqa: S608 — ours
        for table in ("campaigns", "steps", "audit_log", "events", "frozen_audiences", "messages")
    ]


async def _whole(room: CampaignRoom, local: datetime, zone: str, *, drafted: bool) -> None:
    (found,) = await room.database.pool.fetch(
        "select c.name, c.type, c.state, c.actor, c.audience, c.scheduled_at,"
        "       (select count(*) from steps s where s.campaign_id = c.id) as n"
        "  from campaigns c"
    )
    assert (found["name"], found["n"], found["actor"]) == ("Sale", 1, "U0OWNER")
    assert found["type"]
    assert found["audience"]
    if drafted:
        assert (found["state"], found["scheduled_at"]) == ("draft", None)
    else:
        starts_at = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert (found["state"], found["scheduled_at"]) == ("scheduled", starts_at)
        assert starts_at > room.room.clock.at

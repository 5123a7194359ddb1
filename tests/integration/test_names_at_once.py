"""Names that nobody could tell apart are not both made, also not in the same instant."""

from collections.abc import AsyncIterator

import pytest

from bot.slack import media
from storage.campaigns import Campaigns
from storage.database import Database
from storage.lists import Lists
from storage.media import StaffLibrary
from storage.segments import Segments
from tests.integration.slack.campaign_room import CampaignRoom, opened

# Their small letters differ, so that only folding shows that they are the same.
FIRST, SECOND = "Straße", "STRASSE"


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        media.register(room.room.registry, room.room.desk)
        await room.contacts(1)
        yield room


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody see a name that another has made: that one has not committed yet."""

    async def not_taken(*_: object, **__: object) -> bool:
        return False

    async def no_names(_: StaffLibrary) -> list[str]:
        return []

    for kept in (Campaigns, Lists, Segments):
        monkeypatch.setattr(kept, "is_taken", not_taken)
    monkeypatch.setattr(StaffLibrary, "names", no_names)


NAMES = {
    "campaigns": "select name from campaigns order by id",
    "lists": "select name from contact_lists order by id",
    "segments": "select name from segments order by id",
    "media": "select name from media order by id",
}


@pytest.mark.parametrize(
    ("table", "command"),
    [
        pytest.param("campaigns", "campaign new {}", id="campaign"),
        pytest.param("campaigns", "broadcast new {} to=tag:lead template=followup", id="broadcast"),
        pytest.param("lists", "list new {}", id="list"),
        pytest.param("segments", "segment new {} tag:lead", id="segment"),
        pytest.param("segments", "segment new {} tag:lead static=yes", id="static segment"),
        pytest.param("media", "media add {} url=https://shop.example/a.png", id="file"),
    ],
)
async def test_the_second_of_two_made_at_once_is_refused_as_later(
    room: CampaignRoom, request: pytest.FixtureRequest, table: str, command: str
) -> None:
    await room.say(command.format(FIRST))
    later = await room.say(command.format(SECOND))
    request.getfixturevalue("at_once")

    said = await room.say(command.format(SECOND))

    assert "'STRASSE' already" in later
    assert "'STRASSE' already" in said
    assert await room.rows(NAMES[table]) == [(FIRST,)]


@pytest.mark.parametrize(
    ("table", "command", "rename"),
    [
        pytest.param("campaigns", "campaign new {}", "campaign edit Old name={}", id="campaign"),
        pytest.param("lists", "list new {}", "list rename Old {}", id="list"),
        pytest.param("segments", "segment new {} tag:lead", "segment edit Old name={}", id="one"),
        pytest.param(
            "segments",
            "segment new {} tag:lead static=yes",
            "segment edit Old name={}",
            id="static segment",
        ),
    ],
)
async def test_the_second_of_two_renamed_at_once_is_refused_as_later(
    room: CampaignRoom, request: pytest.FixtureRequest, table: str, command: str, rename: str
) -> None:
    await room.say(command.format(FIRST))
    await room.say(command.format("Old"))
    later = await room.say(rename.format(SECOND))
    request.getfixturevalue("at_once")

    said = await room.say(rename.format(SECOND))

    assert "already" in later
    assert "already" in said
    assert await room.rows(NAMES[table]) == [(FIRST,), ("Old",)]


@pytest.mark.usefixtures("at_once")
async def test_a_clone_made_at_once_is_refused_too(room: CampaignRoom) -> None:
    await room.say(f"campaign new {FIRST}")

    assert "already" in await room.say(f"campaign clone {FIRST} as={SECOND}")
    assert await room.rows(NAMES["campaigns"]) == [(FIRST,)]


async def test_a_name_is_found_however_it_is_written(room: CampaignRoom) -> None:
    await room.say(f"media add {FIRST} url=https://shop.example/a.png")
    await room.say(f"list new {FIRST}")

    assert FIRST in await room.say(f"list show {SECOND}")
    assert "no longer" not in await room.say(f"media remove {SECOND}")
    assert await room.rows(NAMES["media"]) == []

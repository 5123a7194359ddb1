"""An organization that sends, a pretend platform, and a listener."""

from collections.abc import AsyncIterator

import pytest

from storage import template_sync
from storage.database import Database
from tests.database import ACME, NOON
from tests.integration.worker.platform import platform
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, Clock, World, listening
from worker.whatsapp.client import open_session


@pytest.fixture
async def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    # Runs end a second after the last call; here many runs are made for a few calls each.
    monkeypatch.setattr("worker.lane._IDLE_S", 0.3)
    clock = Clock()
    async with (
        platform() as pretence,
        open_session() as session,
        listening(database, clock) as listener,
    ):
        async with database.owner_unit(ACME, NOON) as unit:
            for number, phone in ((NUMBER, "+15550001111"), (OTHER_NUMBER, "+15550002222")):
                await template_sync.save_number(
                    unit,
                    number=number,
                    phone=phone,  # type: ignore[arg-type] # a text is one
                    messages_per_second=1000,
                    quality="GREEN",
                    messaging_limit=None,
                    verified_name=None,
                    account={},
                )
        yield World(
            database=database,
            platform=pretence,
            listener=listener,
            session=session,
            clock=clock,
        )

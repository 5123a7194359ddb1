"""The lanes of one process, as `dripline worker --queue lanes` runs them, with the limiter off."""

import asyncio
import json
import resource
import sys
import time
from typing import Any

import uvloop

from benchmarks._frame import answer, requests
from benchmarks._world import ENVIRONMENT, Clock
from bot.cli.running import spare_collector
from engine.config import load
from engine.ids import NumberId, OrganizationId
from engine.sending_rules import rules_of
from storage.database import Database
from storage.listener import Listener
from worker.lane import Lane
from worker.memory import Memory
from worker.whatsapp.client import CloudApi, open_session


async def main(given: dict[str, Any]) -> None:
    clock = Clock()
    config = load(given["config"], environment=ENVIRONMENT)
    organization = OrganizationId("acme")
    rules = rules_of(organization, config.organizations[organization])
    number = next(rule for rule in rules.numbers if rule.id == NumberId(given["number"]))
    database = await Database.open(given["url"], name="lanes", largest=10)
    listener = Listener(given["url"], clock, database)
    listening = asyncio.create_task(listener.run())
    async with open_session() as session:
        api = CloudApi(session, config.server.graph_url, "token")
        memory = Memory.of(number, limited=False)
        stopping = asyncio.Event()

        async def lane() -> None:
            while not stopping.is_set():
                more = await Lane(
                    database=database,
                    api=api,
                    clock=clock,
                    listener=listener,
                    rules=rules,
                    number=number,
                    memory=memory,
                ).run(stopping)
                if not more:
                    return

        running: asyncio.Task[None] | None = None
        begun = 0.0
        async for request in requests():
            match request["ask"]:
                case "start":
                    stopping.clear()
                    begun = time.process_time()
                    running = asyncio.create_task(lane())
                    answer()
                case "end":
                    # Either it has sent everything and idles for its second, or it is told to stop.
                    if request["stop"]:
                        stopping.set()
                    assert running is not None  # noqa: S101 — asked for before
                    await running
                    answer(
                        cpu_s=time.process_time() - begun,
                        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                    )
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await database.close()


if __name__ == "__main__":
    spare_collector()
    uvloop.run(main(json.loads(sys.argv[1])))

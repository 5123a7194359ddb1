"""Whether this process lives, serves, and whether the whole product is idle.

`/health/live` asks nothing of anybody; `/health/ready` says whether the bot can do its work;
`/health/system` also wants worker and templates; `/health/idle` counts what waits.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from engine.clock import Clock
from engine.config import Config
from engine.ids import OrganizationId
from storage import leases, tasks, work
from storage.database import CONNECTION_LOST, Database, Unit
from storage.migrate import missing

Unrelayed = Callable[[Unit], Awaitable[int]]

_WORKERS = frozenset({"lanes", "jobs"})


class Health:
    """The answers to those who look after the process."""

    def __init__(
        self, *, config: Config, database: Database, clock: Clock, unrelayed: Unrelayed
    ) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._unrelayed = unrelayed

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health/live", self.live),
            web.get("/health/ready", self.ready),
            web.get("/health/system", self.system),
            web.get("/health/idle", self.idle),
        ]

    async def live(self, _: web.Request) -> web.Response:
        return _json({"live": True})

    async def ready(self, _: web.Request) -> web.Response:
        """200 when the database answers and its schema is as new as this version."""
        problem = await self._schema_problem()
        return _json({"ready": problem is None, "problem": problem}, ok=problem is None)

    async def system(self, _: web.Request) -> web.Response:
        """200 when the worker runs and templates were synced besides."""
        problem = await self._schema_problem()
        if problem is not None:
            return _json({"ready": False, "problem": problem}, ok=False)
        organizations = {
            organization: await self._organization(organization)
            for organization in self._config.organizations
        }
        ready = all(
            each["templates_synced"] and set(each["workers"]) >= _WORKERS
            for each in organizations.values()
        )
        return _json({"ready": ready, "organizations": organizations}, ok=ready)

    async def idle(self, _: web.Request) -> web.Response:
        """Count what could be done now, what is under way, and when something happens next."""
        due = claimed = unrelayed = 0
        next_due: datetime | None = None
        try:
            for organization, settings in self._config.organizations.items():
                async with self._database.owner_unit(organization, self._clock.now()) as unit:
                    counted = await work.idle(unit, grace=settings.sending.unknown_grace)
                    unrelayed += await self._unrelayed(unit)
                due += counted.due
                claimed += counted.claimed
                if counted.next_due is not None:
                    next_due = min(next_due or counted.next_due, counted.next_due)
        except CONNECTION_LOST as lost:
            return _json({"problem": type(lost).__name__}, ok=False)
        return _json(
            {
                "idle": not (due or claimed or unrelayed),
                "next_due": next_due,
                "due": due,
                "claimed": claimed,
                "unrelayed": unrelayed,
            }
        )

    async def _schema_problem(self) -> str | None:
        try:
            async with self._database.pool.acquire(timeout=2) as connection:
                absent = await missing(connection)
        except (*CONNECTION_LOST, TimeoutError):
            return "the database does not answer"
        return f"the schema lacks {', '.join(absent)}" if absent else None

    async def _organization(self, organization: OrganizationId) -> dict[str, Any]:
        async with self._database.owner_unit(organization, self._clock.now()) as unit:
            sync = await tasks.get(unit, name="sync_templates")
            return {
                "workers": sorted(await leases.alive(unit)),
                "templates_synced": sync is not None and sync.done_at is not None,
            }


def _json(content: dict[str, Any], *, ok: bool = True) -> web.Response:
    return web.Response(
        body=orjson.dumps(content, option=orjson.OPT_UTC_Z),
        status=200 if ok else 503,
        content_type="application/json",
    )

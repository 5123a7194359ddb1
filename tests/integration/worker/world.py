"""What tests of the worker stand on: a clock, contacts, campaigns, and lanes to run."""

# ruff: noqa: E501 — SQL reads better unbroken

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from engine.campaign import UnknownPolicy
from engine.config import Config, Organization, WhatsApp, WhatsAppNumber
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, NumberId
from engine.sending_rules import NumberRule, SendingRules
from storage import countries
from storage.database import Database
from storage.listener import Listener
from storage.queue import Queue
from tests.database import ACME, NOON
from tests.integration.worker.platform import Platform
from worker.context import Worker
from worker.lane import Lane
from worker.memory import Memory
from worker.whatsapp.client import CloudApi

NUMBER = NumberId("200000000000001")
OTHER_NUMBER = NumberId("200000000000002")
WELCOME = {"type": "template", "name": "welcome", "language": "en"}
RULES = SendingRules(
    organization=ACME,
    zone=UTC,
    hours=Hours(),
    cooldown=timedelta(),
    deadline=None,
    messages_per_hour=0,
    unknown_policy=UnknownPolicy.RESEND,
    unknown_grace=timedelta(minutes=10),
    numbers=(
        NumberRule(id=NUMBER, messages_per_second=1000, pace=(timedelta(), timedelta())),
        NumberRule(id=OTHER_NUMBER, messages_per_second=1000, pace=(timedelta(), timedelta())),
    ),
)


class Clock:
    """Business time that begins at NOON and can be moved; the machine's clock as it is."""

    def __init__(self) -> None:
        self.offset = NOON - datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 — the fixture's own
        self.stands_at: datetime | None = None

    def now(self) -> datetime:
        if self.stands_at is not None:
            return self.stands_at
        return datetime.fromtimestamp(time.time(), UTC) + self.offset  # noqa: TID251 — the same

    def wall(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 — the same

    def monotonic(self) -> float:
        return time.monotonic()

    def advance(self, by: timedelta) -> None:
        self.offset += by

    def stand(self, at: datetime = NOON) -> None:
        """Let business time be *at* and go on no more."""
        self.stands_at = at


@dataclass(slots=True)
class World:
    """Everything at hand of one organization."""

    database: Database
    platform: Platform
    listener: Listener
    session: aiohttp.ClientSession
    clock: Clock
    rules: SendingRules = RULES
    memories: dict[NumberId, Memory] = field(default_factory=dict)

    @property
    def api(self) -> CloudApi:
        return CloudApi(self.session, self.platform.url, "token")

    # Making

    async def contacts(self, count: int, **columns: object) -> list[ContactId]:
        """Create contacts with phones from +31610000001 on; *columns* are of all of them."""
        names = "".join(f", {name}" for name in columns)
        values = "".join(f", ${place}" for place in range(4, 4 + len(columns)))
        async with self.database.pool.acquire() as connection:
            rows = await connection.fetch(
                f"""
                with made as (
                  insert into contacts (organization_id, first_name, source, created_at, updated_at{names})
                  select $1, 'Ada', 'import', $2, $2{values} from generate_series(1, $3) returning id)
                select id from made order by id
                """,  # noqa: S608 — columns are the test's
                ACME,
                NOON,
                count,
                *columns.values(),
            )
            ids = [ContactId(row["id"]) for row in rows]
            await connection.execute(
                """
                insert into contact_identities (organization_id, kind, value, contact_id, created_at)
                select $1, 'phone', '+316' || (10000000 + id % 90000000), id, $2 from unnest($3::bigint[]) as id
                """,
                ACME,
                NOON,
                ids,
            )
        return ids

    async def abroad(self, contacts: list[ContactId]) -> None:
        """Let contacts be Brazilians, to whom WhatsApp does not let the account write."""
        await self.value(
            "update contact_identities set value = '+55119' || (80000000 + contact_id % 10000000)"
            " where kind = 'phone' and contact_id = any($1::bigint[])",
            contacts,
        )
        await self.value(
            "update contacts set country = case when id = any($1::bigint[]) then 'BR' else 'NL' end"
            " where id = any($1::bigint[]) or country is null",
            contacts,
        )
        async with self.database.owner_unit(ACME, self.clock.now()) as unit:
            await countries.ban(unit, country="BR")

    async def campaign(
        self,
        *,
        kind: str = "broadcast",
        state: str = "running",
        content: dict[str, Any] | None = None,
        steps: tuple[int, ...] = (0,),
        settings: dict[str, Any] | None = None,
        **columns: Any,  # noqa: ANN401 — SQL values
    ) -> CampaignId:
        """Create a campaign with a step for each delay (seconds) of *steps*."""
        values = {
            "name": f"c{time.monotonic_ns()}",
            "kind": kind,
            "state": state,
            "type": "promotional",
            "settings": {"stop_on_reply": True, **(settings or {})},
            "actor": "U0OWNER",
            "created_at": NOON,
            "started_at": NOON,
            "updated_at": NOON,
            **columns,
        }
        names = ", ".join(values)
        places = ", ".join(f"${place}" for place in range(2, 2 + len(values)))
        campaign: CampaignId = await self.value(
            f"insert into campaigns (organization_id, {names}) values ($1, {places}) returning id",  # noqa: S608 — the test's
            ACME,
            *values.values(),
        )
        for position, after_s in enumerate(steps, start=1):
            await self.value(
                "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
                " values ($1, $2, $3, $4, $5, $6)",
                ACME,
                campaign,
                position,
                after_s,
                content or WELCOME,
                NOON,
            )
        return campaign

    async def queued(
        self,
        campaign: CampaignId,
        contacts: list[ContactId],
        *,
        number: NumberId = NUMBER,
        due_at: datetime = NOON,
        deadline_at: datetime | None = None,
        run: int | None = None,
    ) -> None:
        """Plan messages of a campaign's first step for *contacts*, as of a broadcast or of *run*."""
        await self.value(
            """
            with inserted as (
              insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, due_at, deadline_at)
              select $1, new_message_id(extract(epoch from $5::timestamptz)::bigint), coalesce($7, $2), s.id, c, $2, $4, 'queued', $5, $6
                from unnest($3::bigint[]) as c, lateral (select min(id) as id from steps where campaign_id = $2) s
              returning step_id)
            insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)
            select $1, $2, step_id, date_trunc('hour', $5::timestamptz, 'UTC'), 'planned', count(*) from inserted group by step_id
            on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric)
            do update set count = campaign_stats.count + excluded.count
            """,
            ACME,
            campaign,
            contacts,
            number,
            due_at,
            deadline_at,
            run,
        )
        await self.value(
            "update campaigns set planned_at = $3, contacts_up_to = (select max(id) from contacts)"
            " where organization_id = $1 and id = $2",
            ACME,
            campaign,
            NOON,
        )

    async def enrolled(self, campaign: CampaignId, contacts: list[ContactId]) -> list[int]:
        """Enroll contacts, due at once."""
        rows = await self.rows(
            "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id, due_at, enrolled_at, enrolled_by)"
            " select $1, $2, c, 'active', (select min(id) from steps where campaign_id = $2), $4, $4, 'U0OWNER'"
            "   from unnest($3::bigint[]) as c returning id",
            ACME,
            campaign,
            contacts,
            NOON,
        )
        return sorted(row["id"] for row in rows)

    async def reply(self, contact: ContactId, text: str, *, number: NumberId = NUMBER) -> None:
        """Put a confirmation at the head of the lane, and tell it."""
        await self.value(
            "insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, priority, due_at, body)"
            " values ($1, new_message_id(extract(epoch from $2::timestamptz)::bigint), $3, 0, $3, $4, 'queued', 1, $2, $5)",
            ACME,
            NOON,
            contact,
            number,
            text,
        )
        await self.notify("dripline_wake", organization=ACME, number=number)

    # Acting

    def lane(self, number: NumberId = NUMBER, *, fresh: bool = False) -> Lane:
        """Return a run of a lane; *fresh*: as of another process, which remembers nothing."""
        rule = next(each for each in self.rules.numbers if each.id == number)
        memory = Memory.of(rule) if fresh else self.memories.setdefault(number, Memory.of(rule))
        return Lane(
            database=self.database,
            api=self.api,
            clock=self.clock,
            listener=self.listener,
            rules=self.rules,
            number=rule,
            memory=memory,
        )

    async def run(self, number: NumberId = NUMBER) -> bool:
        """Run the lane until nothing is due for a second."""
        return await self.lane(number).run(asyncio.Event())

    async def notify(self, channel: str, **payload: object) -> None:
        await self.value("select pg_notify($1, $2)", channel, orjson.dumps(payload).decode())

    async def set_state(self, campaign: CampaignId, state: str) -> None:
        """Pause or resume as staff do, and tell the lanes."""
        await self.value(
            "update campaigns set state = $3, version = version + 1 where organization_id = $1 and id = $2",
            ACME,
            campaign,
            state,
        )
        if state == "paused":
            await self.notify("dripline_revoke", organization=ACME, campaign=campaign)

    def with_rules(self, **changes: Any) -> None:  # noqa: ANN401 — fields of the rules
        self.rules = replace(self.rules, **changes)

    def with_number(self, **changes: Any) -> None:  # noqa: ANN401 — fields of the rule
        first, *others = self.rules.numbers
        self.with_rules(numbers=(replace(first, **changes), *others))

    # Looking

    async def value(self, query: str, *values: object) -> Any:  # noqa: ANN401 — whatever was asked for
        async with self.database.pool.acquire() as connection:
            return await connection.fetchval(query, *values)

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self.database.pool.acquire() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def states(self, campaign: CampaignId | None = None) -> dict[str, int]:
        rows = await self.rows(
            "select state || coalesce(':' || reason, '') as state, count(*) as count from messages"
            " where organization_id = $1 and ($2::bigint is null or campaign_id = $2) group by 1",
            ACME,
            campaign,
        )
        return {row["state"]: row["count"] for row in rows}

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something that is about to be, however busy the machine is."""
        async with asyncio.timeout(30):
            while not await holds():  # noqa: ASYNC110 — it is in another process's hands
                await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(database: Database, clock: Clock) -> AsyncIterator[Listener]:
    listener = Listener(database.url, clock, database)
    task = asyncio.create_task(listener.run())
    try:
        async with asyncio.timeout(30):
            while not listener.hearing:  # noqa: ASYNC110 — no event tells it
                await asyncio.sleep(0.01)
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def worker(world: World) -> Worker:
    """Return what jobs are given, without a Redis: nothing here waits to be woken."""
    return Worker(
        config=Config.model_construct(
            organizations={
                ACME: Organization.model_construct(
                    whatsapp=WhatsApp.model_construct(
                        business_account_id="100000000000001",
                        numbers=tuple(
                            WhatsAppNumber.model_construct(id=rule.id, phone=f"+1555000{place}111")
                            for place, rule in enumerate(world.rules.numbers, start=1)
                        ),
                    )
                )
            }
        ),
        clock=world.clock,
        database=world.database,
        queue=Queue.open("redis://127.0.0.1:1"),
        rules={ACME: world.rules},
        apis={ACME: world.api},
    )

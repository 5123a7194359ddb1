"""Two hosts over one Postgres and one Redis, two organizations, and a platform that only counts."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
from aiohttp import web

from engine.ids import OrganizationId
from storage.database import Database
from storage.embedded import embedded_servers
from storage.migrate import migrate
from storage.planning import attach_leaf
from storage.template_sync import know_organization
from tests.faults.hosts import Host, host

TEMPLATE = {
    "id": "1",
    "name": "welcome",
    "language": "en",
    "category": "MARKETING",
    "status": "APPROVED",
    "parameter_format": "POSITIONAL",
    "components": [{"type": "BODY", "text": "Hello."}],
}
_STATE = {"display_phone_number": "1", "health_status": {"can_send_message": "AVAILABLE"}}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it reached the platform.

    Attributes:
        at: Seconds of the loop's clock.
    """

    host: str
    number: str
    message: int
    at: float


@dataclass
class Cluster:
    """All of it.

    Attributes:
        calls: In the order in which they arrived.
        numbers: Messages per second by organization and number.
        latency_s: Until the platform answers.
    """

    hosts: dict[str, Host]
    database: Database
    numbers: Mapping[OrganizationId, Mapping[str, int]]
    calls: list[Call] = field(default_factory=list)
    latency_s: float = 0.02

    def of(self, number: str) -> list[Call]:
        return [call for call in self.calls if call.number == number]

    async def queue(self, organization: OrganizationId, number: str, count: int) -> None:
        """Put messages of a running broadcast for *count* new contacts on a number."""
        at = datetime.now(UTC)  # noqa: TID251 — business time of a cluster that has no offset
        async with self.database.owner_unit(organization, at) as unit:
            await unit.connection.fetchval(_QUEUE, organization, number, count, at)
        # As autovacuum does within a minute; without it PostgreSQL takes the tables for empty.
        await self.database.pool.execute("analyze contacts, contact_identities, messages")

    async def states(self) -> dict[str, int]:
        rows = await self.database.pool.fetch(
            "select state, count(*) as count from messages group by 1"
        )
        return {row["state"]: row["count"] for row in rows}

    async def holders(self) -> dict[str, tuple[str | None, int]]:
        """Return holder and generation of each lane's lease, by number."""
        rows = await self.database.pool.fetch(
            "select name, holder, generation from leases where name like 'lane:%'"
        )
        return {
            row["name"].removeprefix("lane:"): (row["holder"], row["generation"]) for row in rows
        }

    async def _send(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        name = request.match_info["host"]
        if self.hosts[name].cut:
            await asyncio.sleep(3600)
        _, message, attempt = body["biz_opaque_callback_data"].split(":")
        call = Call(name, request.match_info["id"], int(message), asyncio.get_running_loop().time())
        self.calls.append(call)
        await asyncio.sleep(self.latency_s)
        to = {"input": body["to"], "wa_id": body["to"].removeprefix("+")}
        return web.json_response(
            {"contacts": [to], "messages": [{"id": f"wamid.{message}.{attempt}"}]}
        )


async def _templates(_: web.Request) -> web.Response:
    return web.json_response({"data": [TEMPLATE]})


async def _number(_: web.Request) -> web.Response:
    return web.json_response(_STATE)


@asynccontextmanager
async def cluster(
    numbers: Mapping[OrganizationId, Mapping[str, int]], *, hosts: int, namespaces: bool
) -> AsyncIterator[Cluster]:
    """Run it; no message is there yet, and every worker is heard of."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_open_folder())
        servers = stack.enter_context(embedded_servers(folder, fast=True))
        assert servers.postgres is not None
        assert servers.redis is not None
        servers.postgres.start()
        servers.redis.start()
        await migrate(servers.postgres.url)
        sockets = folder / "sockets"
        database = await Database.open(servers.postgres.url, name="tests", largest=5)
        stack.push_async_callback(database.close)
        at = datetime.now(UTC)  # noqa: TID251 — as above
        for organization in numbers:
            async with database.owner_unit(organization, at) as unit:
                await know_organization(unit)
                await attach_leaf(unit, month=at)
        made = Cluster({}, database, numbers)
        platform = await stack.enter_async_context(_platform(made))
        for place in range(hosts):
            one, postgres_port, redis_port = await stack.enter_async_context(
                host(
                    place,
                    namespaces=namespaces,
                    postgres=str(sockets / ".s.PGSQL.5432"),
                    redis=str(sockets / "redis.sock"),
                )
            )
            made.hosts[one.name] = one
            config = folder / f"{one.name}.toml"
            config.write_text(_toml(numbers, graph=f"http://{one.address}:{platform}/{one.name}"))
            environment = {
                "DATABASE_URL": f"postgresql://dripline@{one.address}:{postgres_port}/dripline",
                "REDIS_URL": f"redis://{one.address}:{redis_port}/0",
                "SECRET": "secret",
            }
            one.start(config, environment, folder / f"{one.name}.log")
        try:
            await _working(made)
        except TimeoutError as late:
            logs = [log.read_text()[-1500:] for log in folder.glob("host*.log")]
            raise AssertionError("\n".join(logs)) from late
        yield made


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that the account which runs Postgres may pass through."""
    with tempfile.TemporaryDirectory(prefix="dripline-hosts-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def _platform(made: Cluster) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_post("/{host}/{id}/messages", made._send)  # noqa: SLF001 — its own
    app.router.add_get("/{host}/{id}/message_templates", _templates)
    app.router.add_get("/{host}/{id}", _number)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _working(made: Cluster) -> None:
    """Wait until every host listens to what is revoked, and templates are known."""
    async with asyncio.timeout(30):
        while True:
            listening = await made.database.pool.fetchval(
                "select count(*) from pg_stat_activity where query ilike 'listen%'"
                " or application_name = 'dripline lanes'"
            )
            synced = await made.database.pool.fetchval("select count(*) from templates")
            if listening >= len(made.hosts) and synced >= len(made.numbers):
                return
            await asyncio.sleep(0.1)


def _toml(numbers: Mapping[OrganizationId, Mapping[str, int]], *, graph: str) -> str:
    server = f"""
[server]
public_url = "https://drip.example"
database_url = "env:DATABASE_URL"
redis_url = "env:REDIS_URL"
graph_url = "{graph}"
"""
    return server + "".join(
        _organization(place, key, own) for place, (key, own) in enumerate(numbers.items(), start=1)
    )


def _organization(place: int, key: OrganizationId, numbers: Mapping[str, int]) -> str:
    listed = ", ".join(
        f'{{ id = "{number}", phone = "+1555000{number[-4:]}", messages_per_second = {rate} }}'
        for number, rate in numbers.items()
    )
    return f"""
[organizations.{key}]
name = "{key}"
timezone = "UTC"
country = "NL"

[organizations.{key}.slack]
team_id = "T0000000{place}"
bot_token = "env:SECRET"
signing_secret = "env:SECRET"
alerts_channel = "C0000000{place}"

[organizations.{key}.staff]
owner = ["U0000000{place}"]

[organizations.{key}.whatsapp]
business_account_id = "10000000000000{place}"
app_secret = "env:SECRET"
verify_token = "env:SECRET"
access_token = "env:SECRET"
numbers = [{listed}]

[organizations.{key}.sending]
operating_hours = "off"
cooldown = "off"
deadline = "off"
"""


def fullest_second(calls: Sequence[Call]) -> int:
    """Return how many of the calls, in order, arrived in the fullest sliding second."""
    most = first = 0
    for last, call in enumerate(calls):
        while calls[first].at <= call.at - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


_QUEUE = """
with people as (
  insert into contacts (organization_id, first_name, source, created_at, updated_at)
  select $1, 'Ada', 'import', $4, $4 from generate_series(1, $3) returning id),
phones as (
  insert into contact_identities (organization_id, kind, value, contact_id, created_at)
  select $1, 'phone', '+316' || (10000000 + id), id, $4 from people),
campaign as (
  insert into campaigns (organization_id, name, kind, state, type, actor, settings,
                         created_at, started_at, updated_at, planned_at)
  values ($1, 'on ' || $2 || ' at ' || $4, 'broadcast', 'running', 'promotional', 'U1',
          '{"stop_on_reply": true}', $4, $4, $4, $4)
  returning id),
step as (
  insert into steps (organization_id, campaign_id, position, after_s, content, created_at)
  select $1, id, 1, 0, '{"type": "template", "name": "welcome", "language": "en"}', $4 from campaign
  returning id, campaign_id)
insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id,
                      state, due_at)
select $1, new_message_id(extract(epoch from $4::timestamptz)::bigint), s.campaign_id, s.id, p.id,
       s.campaign_id, $2, 'queued', $4
  from step s cross join people p
"""

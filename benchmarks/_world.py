"""A database filled as a large customer's would be."""

# ruff: noqa: E501 — SQL reads better unbroken

import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import orjson
import psutil

from engine.ids import OrganizationId
from storage.database import Database
from storage.embedded import embedded_servers
from storage.migrate import migrate
from storage.planning import attach_leaf
from storage.template_sync import know_organization

ACME: Final = OrganizationId("acme")
NUMBER: Final = "106540352242922"
TEMPLATE: Final = {
    "type": "template",
    "name": "welcome",
    "language": "en",
    "params": {"1": "{first_name|you}"},
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """URLs of Postgres, as durable as one of a customer, and of Redis."""

    postgres: str
    superuser: str
    redis: str
    postgres_pid: int


def _known(pid: int | None) -> int:
    if pid is None:
        raise RuntimeError("the server has ended")
    return pid


@contextmanager
def servers() -> Iterator[Servers]:
    """Run both, with data that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dripline-benchmark-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 — the account that runs Postgres must get in
        with embedded_servers(Path(folder)) as embedded:
            assert embedded.postgres is not None and embedded.redis is not None  # noqa: S101, PT018 — both were asked for
            embedded.postgres.start()
            embedded.redis.start()
            yield Servers(
                postgres=embedded.postgres.url,
                superuser=embedded.postgres.url_as("postgres", database="dripline"),
                redis=embedded.redis.url,
                postgres_pid=_known(embedded.postgres.pid),
            )


def server_cpu_s(server: psutil.Process) -> float:
    """Return the CPU seconds of a server and its processes, also of those that have ended."""
    times = [server.cpu_times()] + [child.cpu_times() for child in server.children(recursive=True)]
    own = sum(each.user + each.system for each in times)
    return float(own + times[0].children_user + times[0].children_system)


def config(graph_url: str) -> str:
    """Return a configuration of one organization with one number, open at any hour."""
    return f"""
[server]
public_url = "https://drip.example"
graph_url = "{graph_url}"

[organizations.acme]
name = "Acme"
timezone = "Europe/Amsterdam"

[organizations.acme.slack]
team_id = "T0123456"
bot_token = "env:BOT_TOKEN"
signing_secret = "env:SECRET"
alerts_channel = "C0ALERTS"

[organizations.acme.staff]
owner = ["U01ADA"]

[organizations.acme.whatsapp]
business_account_id = "1029384756"
app_secret = "env:SECRET"
verify_token = "env:WORD"
access_token = "env:TOKEN"
numbers = [{{ id = "{NUMBER}", phone = "+15550001111", messages_per_second = 1000 }}]

[organizations.acme.sending]
operating_hours = "off"
"""


class Clock:
    """The machine's."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    wall = now

    def monotonic(self) -> float:
        return time.monotonic()


@asynccontextmanager
async def connected(given: Servers) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the superuser."""
    connection = await asyncpg.connect(given.superuser)
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
        schema="pg_catalog",
    )
    try:
        yield connection
    finally:
        await connection.close()


async def prepared(given: Servers) -> None:
    """Migrate, and make the organization, its number and the leaf of this month."""
    await migrate(given.postgres)
    database = await Database.open(given.postgres, name="benchmark", largest=1)
    try:
        async with database.owner_unit(ACME, now()) as unit:
            await know_organization(unit)
            await attach_leaf(unit, month=now())
            await unit.connection.execute(
                "insert into numbers (organization_id, id, phone, messages_per_second, updated_at)"
                " values ('acme', $1, '+15550001111', 1000, now())",
                NUMBER,
            )
    finally:
        await database.close()


async def accept_messages(connection: asyncpg.Connection) -> list[int]:
    """Let the platform have taken all messages there are; return their ids."""
    rows = await connection.fetch(
        "update messages set state = 'accepted', attempt = 1, accepted_at = $1, wamid = 'wamid.' || id returning id",
        now(),
        timeout=600,
    )
    await connection.execute("vacuum analyze messages", timeout=600)
    return sorted(row["id"] for row in rows)


async def fill_contacts(connection: asyncpg.Connection, count: int) -> None:
    """Create contacts 1 … *count* with their phones; some first names are many's, most are few's."""
    await connection.execute(
        "insert into contacts (organization_id, id, name, first_name, attributes, language, country, source, created_at, updated_at)"
        " select 'acme', n, 'Ada ' || n, 'Ada' || (power(n * 7919 % 10007 / 10007.0, 3) * 5000)::integer, jsonb_build_object('city', 'Utrecht'), 'nl', 'NL', 'import', $1, $1"
        "   from generate_series(1, $2::bigint) n",
        now(),
        count,
        timeout=600,
    )
    await connection.execute(
        "insert into contact_identities (organization_id, kind, value, contact_id, created_at)"
        " select 'acme', 'phone', '+316' || (10000000 + n), n, $1 from generate_series(1, $2::bigint) n",
        now(),
        count,
        timeout=600,
    )
    await connection.execute("select setval('contacts_id_seq', $1)", count)


async def fill_messages(connection: asyncpg.Connection, count: int, *, state: str) -> int:
    """Leave the messages of one broadcast to contacts 1 … *count*, and no others; return its id."""
    at = now()
    await connection.execute("truncate messages, campaign_stats, campaigns, steps cascade")
    campaign: int = await connection.fetchval(
        "insert into campaigns (organization_id, kind, name, state, type, settings, actor, created_at, started_at, updated_at, planned_at, contacts_up_to)"
        " values ('acme', 'broadcast', 'News', 'running', 'promotional', '{}', 'U', $1, $1, $1, $1, $2) returning id",
        at,
        count,
    )
    step = await connection.fetchval(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " values ('acme', $1, 1, 0, $2, $3) returning id",
        campaign,
        TEMPLATE,
        at,
    )
    await connection.execute(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, due_at, deadline_at)"
        " select 'acme', new_message_id(extract(epoch from $1::timestamptz)::bigint), $2, $3, n, $2, $4, $5, $1, $1::timestamptz + interval '2 days'"
        "   from generate_series(1, $6::bigint) n order by n",
        at,
        campaign,
        step,
        NUMBER,
        state,
        count,
        timeout=600,
    )
    await connection.execute(
        "insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)"
        " values ('acme', $1, $2, date_trunc('hour', $3::timestamptz, 'UTC'), 'planned', $4)",
        campaign,
        step,
        at,
        count,
    )
    await connection.execute(
        "update contacts set promoted_at = null, promoted_campaign_id = null, last_message_at = null"
        " where promoted_at is not null or last_message_at is not null",
        timeout=600,
    )
    for statement in ("vacuum analyze contacts", "vacuum analyze messages", "checkpoint"):
        await connection.execute(statement, timeout=600)
    return campaign


ENVIRONMENT: Final = {
    "BOT_TOKEN": "xoxb-benchmark",
    "SECRET": "benchmark-secret",
    "WORD": "benchmark-word",
    "TOKEN": "benchmark-token",
}
"""What `config` reads of the environment."""

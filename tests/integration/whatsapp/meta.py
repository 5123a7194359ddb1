# ruff: noqa: ANN401 — rows, columns and pieces of JSON are of any type
"""The webhook over real HTTP and on a real Postgres, with bodies signed as Meta signs them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from time import monotonic
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.whatsapp.signature import signature
from bot.whatsapp.webhook import PATH, WebhookRoom
from engine.config import Config, load
from engine.ids import ContactId, MessageId, OrganizationId
from engine.message import Message, State
from storage import messages
from storage.database import Database, Unit
from storage.messages import Row, planned_at
from tests.database import ACME, GLOBEX, NOON

WABA = {ACME: "100000000000001", GLOBEX: "100000000000002"}
NUMBER = {ACME: "200000000000001", GLOBEX: "200000000000002"}
SECRET = {ACME: b"acme's app secret", GLOBEX: b"globex's app secret"}

_ORGANIZATION = """
[organizations.{key}]
name = "{name}"
timezone = "Europe/Amsterdam"
[organizations.{key}.slack]
team_id = "T{key}"
bot_token = "env:TOKEN"
signing_secret = "env:TOKEN"
alerts_channel = "C0ALERTS"
[organizations.{key}.staff]
owner = ["U01ADA"]
[organizations.{key}.whatsapp]
business_account_id = "{waba}"
app_secret = "env:{key}_SECRET"
verify_token = "env:{key}_VERIFY"
access_token = "env:TOKEN"
numbers = [{{ id = "{number}", phone = "{phone}" }}]
"""


def config(database_url: str = "postgres://nobody@127.0.0.1/none") -> Config:
    text = f'[server]\ndatabase_url = "{database_url}"\nredis_url = "redis://127.0.0.1/0"\n'
    for key, name, phone in ((ACME, "Acme", "+15550001111"), (GLOBEX, "Globex", "+15550002222")):
        text += _ORGANIZATION.format(
            key=key, name=name, waba=WABA[key], number=NUMBER[key], phone=phone
        ).replace(f"T{key}", f"T0{key.upper()}")
    environment = {"TOKEN": "xoxb-1-a"}
    for key in (ACME, GLOBEX):
        environment |= {
            f"{key}_SECRET": SECRET[key].decode(),
            f"{key}_VERIFY": f"{key}'s verify token",
        }
    return load(text, environment=environment)


@dataclass
class TestClock:
    """Business time stands still until a test moves it."""

    __test__ = False
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return monotonic()


@dataclass
class Meta:
    """What Meta does to us."""

    client: TestClient[web.Request, web.Application]
    database: Database
    clock: TestClock = field(default_factory=TestClock)
    room: WebhookRoom | None = None
    count: int = 0

    async def post(
        self, body: bytes, *, secret: bytes = SECRET[ACME], signed: str | None = None
    ) -> int:
        header = signature(body, secret) if signed is None else signed
        headers = {"X-Hub-Signature-256": header, "Content-Type": "application/json"}
        async with self.client.post(PATH, data=BytesIO(body), headers=headers) as response:
            return response.status

    async def send(
        self, *values: dict[str, Any], organization: OrganizationId = ACME, **options: Any
    ) -> int:
        """Post *values*, each the value of a change of the field `messages`."""
        return await self.post(
            envelope(*values, organization=organization),
            **({"secret": SECRET[organization]} | options),
        )

    async def event(self, field: str, value: dict[str, Any], *, at: datetime = NOON) -> int:
        return await self.post(
            orjson.dumps(
                {
                    "object": "whatsapp_business_account",
                    "entry": [
                        {
                            "id": WABA[ACME],
                            "time": int(at.timestamp()),
                            "changes": [{"field": field, "value": value}],
                        }
                    ],
                }
            )
        )

    async def write(self, text: str, **options: Any) -> int:
        """A person writes *text*."""
        return await self.send(self.written(text, **options))

    def written(
        self,
        text: str,
        *,
        sender: str | None = "31610000001",
        user: str | None = None,
        at: datetime = NOON,
        wamid: str | None = None,
        reply_to: str | None = None,
        name: str = "Ann",
        **piece: Any,
    ) -> dict[str, Any]:
        self.count += 1
        message: dict[str, Any] = {
            "id": wamid or f"wamid.in{self.count}",
            "timestamp": str(int(at.timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        contact: dict[str, Any] = {"profile": {"name": name}}
        if sender is not None:
            message["from"] = contact["wa_id"] = sender
        if user is not None:
            message["from_user_id"] = contact["user_id"] = user
        if reply_to is not None:
            message["context"] = {"id": reply_to}
        return {"contacts": [contact], "messages": [message | piece]}

    async def do(self, work: Callable[[Unit], Awaitable[Any]]) -> Any:
        return await self.database.run(ACME, self.clock.now(), work, owner=True)

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self.database.owner_unit(ACME, self.clock.now()) as unit:
            return [dict(row) for row in await unit.connection.fetch(query, *values)]

    async def value(self, query: str, *values: object) -> Any:
        async with self.database.owner_unit(ACME, self.clock.now()) as unit:
            return await unit.connection.fetchval(query, *values)

    # What is there before

    async def contact(self, *phones: str, **columns: Any) -> ContactId:
        """A contact known by *phones* and their WhatsApp ids."""
        columns = {"created_at": NOON, "updated_at": NOON, "source": "test"} | columns
        names = ", ".join(columns)
        places = ", ".join(f"${place}" for place in range(2, len(columns) + 2))
        id_ = await self.value(
            f"insert into contacts (organization_id, {names}) values ($1, {places}) returning id",  # noqa: S608 — names of columns
            ACME,
            *columns.values(),
        )
        for phone in phones:
            for kind, value in (("phone", phone), ("wa_id", phone[1:])):
                await self.identity(id_, kind, value)
        return ContactId(id_)

    async def imported(self, phone: str) -> ContactId:
        """A contact known by a phone alone, who never wrote."""
        id_ = await self.contact()
        await self.identity(id_, "phone", phone)
        return id_

    async def identity(self, contact: int, kind: str, value: str) -> None:
        await self.value(
            "insert into contact_identities values ($1, $2, $3, $4, $5)",
            ACME,
            kind,
            value,
            contact,
            NOON,
        )

    async def campaign(self, name: str = "Welcome", **columns: Any) -> tuple[int, int]:
        """A running drip (unless *columns* say otherwise) with one template step, as ids."""
        columns = {
            "kind": "drip",
            "state": "active",
            "type": "promotional",
            "settings": {"stop_on_reply": True},
            "actor": "U01ADA",
            "created_at": NOON,
            "updated_at": NOON,
            "name": name,
        } | columns
        names = ", ".join(columns)
        places = ", ".join(f"${place}" for place in range(2, len(columns) + 2))
        campaign = await self.value(
            f"insert into campaigns (organization_id, {names}) values ($1, {places}) returning id",  # noqa: S608 — names of columns
            ACME,
            *columns.values(),
        )
        step = await self.value(
            "insert into steps (organization_id, campaign_id, position, after_s, content,"
            " created_at) values ($1, $2, 1, 0, $3, $4) returning id",
            ACME,
            campaign,
            {"type": "template", "name": "followup", "language": "en_US"},
            NOON,
        )
        return campaign, step

    async def enrollment(self, campaign: int, step: int, contact: int) -> int:
        enrollment: int = await self.value(
            "insert into enrollments (organization_id, campaign_id, contact_id, state, step_id,"
            " enrolled_at, enrolled_by) values ($1, $2, $3, 'active', $4, $5, 'U01ADA')"
            " returning id",
            ACME,
            campaign,
            contact,
            step,
            NOON,
        )
        return enrollment

    async def message(
        self,
        campaign: int,
        step: int,
        contact: int,
        *,
        run: int | None = None,
        state: str = "accepted",
        attempt: int = 1,
        at: datetime = NOON - timedelta(hours=1),
        **columns: Any,
    ) -> MessageId:
        """A message as planned, its statistics counted, then brought to *state*."""
        if state in {"accepted", "sent", "delivered", "read"}:
            columns = {"accepted_at": at, "wamid": f"wamid.out{contact}.{campaign}"} | columns
        columns = {"claimed_at": at if attempt else None} | columns
        names = "".join(f", {name}" for name in columns)
        places = "".join(f", ${place}" for place in range(11, len(columns) + 11))
        id_ = await self.value(
            "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id,"  # noqa: S608 — names of columns
            f" number_id, state, attempt, due_at{names}) values ($1, new_message_id($2), $3, $4,"
            f" $5, $6, $7, $8, $9, $10{places}) returning id",
            ACME,
            int(at.timestamp()),
            run or campaign,
            step,
            contact,
            campaign,
            NUMBER[ACME],
            state,
            attempt,
            at,
            *columns.values(),
        )

        async def count(unit: Unit) -> None:
            (row,) = (await messages.locked(unit, [id_])).values()
            deltas = messages._stat_deltas([(_unborn(row), row)])  # noqa: SLF001 — planning counts so
            deltas[(campaign, step, 0, _planned_hour(row), "planned")] += 1
            await messages.move_stats(unit, deltas)

        await self.do(count)
        return MessageId(id_)


def _planned_hour(row: Row) -> datetime:
    return planned_at(row.message.id).replace(minute=0, second=0)


def _unborn(row: Row) -> Row:
    return row.with_message(
        Message(
            id=row.message.id,
            state=State.QUEUED,
            planned_at=row.message.planned_at,
            attempt=0,
            due_at=row.message.due_at,
        )
    )


def envelope(*values: dict[str, Any], organization: OrganizationId = ACME) -> bytes:
    metadata = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "15550001111",
            "phone_number_id": NUMBER[organization],
        },
    }
    return orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": WABA[organization],
                    "changes": [
                        {"field": "messages", "value": metadata | value} for value in values
                    ],
                }
            ],
        }
    )


def status(
    reached: str,
    *,
    wamid: str = "wamid.out",
    at: datetime = NOON,
    message: int | None = None,
    attempt: int = 1,
    code: int | None = None,
) -> dict[str, Any]:
    """The value of a change that reports one status."""
    piece: dict[str, Any] = {
        "id": wamid,
        "status": reached,
        "timestamp": str(int(at.timestamp())),
        "recipient_id": "31610000001",
    }
    if message is not None:
        piece["biz_opaque_callback_data"] = f"d:{message}:{attempt}"
    if code is not None:
        piece["errors"] = [{"code": code, "title": "No", "error_data": {"details": "No."}}]
    return {"statuses": [piece]}


@asynccontextmanager
async def served(database: Database) -> AsyncIterator[Meta]:
    clock = TestClock()
    room = WebhookRoom(config(database.url), database, clock)
    await room.start()
    app = web.Application()
    app.add_routes(room.routes())
    async with TestClient(TestServer(app)) as client:
        yield Meta(client=client, database=database, clock=clock, room=room)
    await room.close()


@pytest.fixture
async def meta(database: Database) -> AsyncIterator[Meta]:
    async with served(database) as meta:
        yield meta

"""A place where staff give commands about contacts: the real grammar, handlers and database."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import attributes, contact_exports, contacts, import_start, import_undo, imports
from bot.slack.declare import Command
from bot.slack.desk import Desk
from bot.slack.language import LANGUAGE
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click, Event, Origin
from engine.config import Config, load
from engine.roles import Role
from storage.database import Database
from storage.queue import Queue
from tests.database import ACME, NOON
from worker.context import Worker

TOML = """
[organizations.acme]
name = "Acme"
timezone = "Europe/Amsterdam"
country = "NL"

[organizations.acme.slack]
team_id = "T0ACME"
bot_token = "env:ACME_TOKEN"
signing_secret = "env:ACME_SECRET"
alerts_channel = "C0ALERTS"

[organizations.acme.staff]
owner = ["U0OWNER"]
supervisor = ["U0SUPER"]

[organizations.acme.whatsapp]
business_account_id = "100000000000001"
app_secret = "env:ACME_SECRET"
verify_token = "env:ACME_SECRET"
access_token = "env:ACME_SECRET"
numbers = [{ id = "200000000000001", phone = "+15550001111" }]

[organizations.acme.sending]
large_campaign = 5
approval_above = 20
"""
NOBODY_THERE = "redis://127.0.0.1:1/0"
SLACK_AWAY = "http://127.0.0.1:1/api/"
_ROLES = {"U0SUPER": Role.SUPERVISOR}
_ENVIRONMENT = {"ACME_TOKEN": "xoxb-acme", "ACME_SECRET": "sixteen characters"}


@dataclass
class MovedByHand:
    """Business time stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Room:
    """What the tests of contacts and imports do."""

    desk: Desk
    clock: MovedByHand
    registry: Registry
    worker: Worker
    client: AsyncWebClient
    said: list[Reply] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.desk.database

    def context(self, user: str, role: Role | None, channel: str | None = "C0TEAM") -> Context:
        async def respond(reply: Reply) -> bool:
            self.said.append(reply)
            return True

        return Context(
            organization=ACME,
            user_id=user,
            role=role,
            channel_id=channel,
            at=self.clock.now(),
            trigger_id=None,
            client=self.client,
            respond=respond,
        )

    async def command(self, text: str, *, user: str = "U0OWNER") -> Reply:
        """Give a command as somebody types it; every one takes a second of business time."""
        self.clock.at += timedelta(seconds=1)
        parsed = LANGUAGE.parse(text)
        assert isinstance(parsed, Command), parsed
        context = self.context(user, _ROLES.get(user, Role.OWNER))
        return await self.registry.commands[type(parsed)](parsed, context)

    async def click(self, action_id: str, value: str, *, user: str = "U0OWNER") -> Reply | None:
        _, handler = self.registry.clicks[action_id]
        click = Click(
            origin=Origin(teams=("T0ACME",), user_id=user, channel_id="C0TEAM"),
            action_id=action_id,
            block_id="",
            values=(value,),
            message_ts="1.1",
            thread_ts="1.0",
            view_id=None,
            view_hash=None,
            inputs={},
        )
        return await handler(click, self.context(user, Role.OWNER))

    async def hear(self, event: Event, *, role: Role | None) -> list[Reply]:
        """Let every handler of an event hear of it; return what they say, at once or later."""
        self.said.clear()
        context = self.context(event.origin.user_id or "", role, event.origin.channel_id)
        for handler in self.registry.events.get(event.type, []):
            reply = await handler(event, context)
            if reply is not None:
                self.said.append(reply)
        return list(self.said)

    async def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await self.database.pool.fetch(query, *values)]


@asynccontextmanager
async def opened_room(
    database: Database, *, slack_url: str = SLACK_AWAY, toml: str = TOML
) -> AsyncIterator[Room]:
    config: Config = load(f'[server]\nslack_url = "{slack_url}"\n{toml}', environment=_ENVIRONMENT)
    clock = MovedByHand()
    queue = Queue.open(NOBODY_THERE)
    desk = Desk(config=config, clock=clock, database=database, queue=queue)
    registry = Registry()
    attributes.register(registry, desk)
    contacts.register(registry, desk)
    contact_exports.register(registry, desk)
    imports.register(registry, desk)
    import_start.register(registry, desk)
    import_undo.register(registry, desk)
    client = AsyncWebClient(token="xoxb-acme", base_url=slack_url, retry_handlers=[])
    worker = Worker(config=config, clock=clock, database=database, queue=queue, rules={}, apis={})
    try:
        yield Room(desk=desk, clock=clock, registry=registry, worker=worker, client=client)
    finally:
        await queue.close()

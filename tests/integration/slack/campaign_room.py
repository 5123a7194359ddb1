"""A place where staff give commands about campaigns: real grammar, handlers, database, planning."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.slack import (
    broadcasts,
    campaign_life,
    campaigns,
    enrollment_pages,
    enrollments,
    lists,
    schedules,
    segments,
    status,
    steering,
    steps,
    templates,
)
from engine.sending_rules import rules_of
from engine.template_items import template
from storage.database import Database
from storage.template_sync import save_templates
from tests.database import ACME, NOON
from tests.integration.slack.contacts_room import SLACK_AWAY, Room, opened_room
from worker.app import prepare
from worker.context import Worker
from worker.planning import plan
from worker.rewalking import rewalk
from worker.second_look import look_again

Json = dict[str, Any]
NUMBER = "200000000000001"


def item(name: str, body: str, *, language: str = "en", **more: object) -> Json:
    """An item of the platform's list of templates."""
    components: list[Json] = [{"type": "BODY", "text": body}]
    if "buttons" in more:
        components.append({"type": "BUTTONS", "buttons": more.pop("buttons")})
    return {
        "id": f"{name}-{language}",
        "name": name,
        "language": language,
        "category": "MARKETING",
        "status": "APPROVED",
        "components": components,
        **more,
    }


ITEMS = (
    item("welcome", "Hi {{first_name}}, welcome!", parameter_format="NAMED"),
    item("followup", "Have you looked around?"),
    item(
        "offer",
        "Hi {{1}}, {{2}} off.",
        buttons=[{"type": "URL", "text": "See", "url": "https://shop.example/{{1}}"}],
    ),
    item("news", "News!", language="en"),
    item("news", "Nieuws!", language="nl"),
    item("draft", "Not yet.", status="PENDING"),
)


class CampaignRoom:
    """What the tests of campaigns do; commands answer with the text all clients can read."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.database = room.database
        rules = {ACME: rules_of(ACME, room.desk.config.organizations[ACME])}
        self.worker: Worker = replace(room.worker, rules=rules)

    async def say(self, text: str, *, user: str = "U0OWNER") -> str:
        reply = await self.room.command(text, user=user)
        return str(reply.message.text)

    async def confirmed(self, text: str) -> str:
        """Say what the answer to *text* says to write to go on."""
        asked = await self.say(text)
        again = re.search(r"`/drip ([^`]* confirm=\d+)`", asked)
        assert again is not None, asked
        return await self.say(again[1])

    async def click(self, action_id: str, value: str) -> str:
        reply = await self.room.click(action_id, value)
        assert reply is not None
        return str(reply.message.text)

    async def value(self, query: str, *values: object) -> Any:  # noqa: ANN401 — SQL
        return await self.database.pool.fetchval(query, *values)

    async def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return await self.room.rows(query, *values)

    async def contacts(self, count: int, *, tag: str = "lead", first: int = 1) -> list[int]:
        """Make contacts +31610000001, … with a tag; return their ids."""
        found = await self.database.pool.fetch(
            """with made as (
                 insert into contacts (organization_id, first_name, source, created_at, updated_at)
                 select 'acme', 'C' || n, 'test', $1, $1
                   from generate_series($4::int, $4 + $2::int - 1) as n returning id, first_name),
               phones as (
                 insert into contact_identities
                        (organization_id, kind, value, contact_id, created_at)
                 select 'acme', 'phone', '+316' || (10000000 + substr(first_name, 2)::int), id, $1
                   from made),
               tagged as (
                 insert into contact_tags (organization_id, tag, contact_id, added_at)
                 select 'acme', $3::text, id, $1 from made)
               select id from made order by id""",
            NOON,
            count,
            tag,
            first,
        )
        return [row["id"] for row in found]

    async def wrote(self, *contacts: int, number: str = NUMBER) -> None:
        """Let contacts write to us now."""
        await self.value(
            "insert into service_windows (organization_id, contact_id, number_id, last_inbound_at)"
            " select 'acme', c, $2, $3 from unnest($1::bigint[]) as c",
            contacts,
            number,
            self.room.clock.at,
        )

    async def later(self, span: timedelta) -> None:
        self.room.clock.at += span

    async def plan(self) -> None:
        """Let the worker start and plan all that is due."""
        await prepare(self.worker)
        while await rewalk(self.worker, ACME):
            pass
        while await look_again(self.worker, ACME):
            pass
        while await plan(self.worker, ACME):
            pass

    async def version(self, name: str) -> str:
        row = await self.database.pool.fetchrow(
            "select id, version from campaigns where name = $1 order by id desc", name
        )
        assert row is not None
        return f"{row['id']}@{row['version']}"

    async def events(self) -> list[object]:
        return [kind for (kind,) in await self.rows("select kind from events order by id")]

    async def welcome(self, *options: str) -> None:
        """Make and activate a drip of three steps."""
        await self.say(" ".join(['campaign new "Welcome"', *options]))
        await self.say("step add Welcome after=0m template=welcome first_name={first_name|there}")
        await self.say("step add Welcome after=2d template=followup")
        await self.say("step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=x")
        await self.say("campaign activate Welcome")


@asynccontextmanager
async def opened(database: Database, *, slack_url: str = SLACK_AWAY) -> AsyncIterator[CampaignRoom]:
    async with opened_room(database, slack_url=slack_url) as room:
        for feature in (
            campaigns,
            steps,
            broadcasts,
            enrollments,
            lists,
            segments,
            enrollment_pages,
            steering,
            campaign_life,
            schedules,
            templates,
            status,
        ):
            feature.register(room.registry, room.desk)
        async with database.owner_unit(ACME, NOON) as unit:
            await save_templates(unit, listed=[(template(each), each) for each in ITEMS])
        yield CampaignRoom(room)

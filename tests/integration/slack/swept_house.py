"""A whole bot behind its dispatcher, one of everything in its database, a watch on every row."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.app import _dispatcher, _workspace
from bot.slack.desk import Desk
from bot.slack.dispatch import Arrival, Dispatcher
from bot.slack.requests import Origin, Slash
from bot.slack.workspace import Workspace, Workspaces
from engine.config import load
from engine.ids import OrganizationId
from engine.template_items import template
from storage.database import Database
from storage.queue import Queue
from storage.template_sync import save_templates
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import ITEMS
from tests.integration.slack.contacts_room import NOBODY_THERE, TOML, MovedByHand

Json = dict[str, Any]
_ENVIRONMENT = {"ACME_TOKEN": "xoxb-acme", "ACME_SECRET": "sixteen characters"}
_ACME = TOML.replace('["U0SUPER"]', '["U0SUPER"]\nagent = ["U0AGENT"]')
_GLOBEX = (
    TOML.replace("acme", "globex")
    .replace("ACME", "GLOBEX")
    .replace("Acme", "Globex")
    .replace("GLOBEX_", "ACME_")
    .replace("00000001", "00000009")
    .replace("0001111", "0009999")
    .replace("U0OWNER", "U0GLOBEX")
    .replace('["U0SUPER"]', '["U0GSUPER"]')
)
_AT_ONCE = 8
_TRIES = 5
_PATIENCE_S = 60.0

_PEOPLE = """
with made as (
  insert into contacts (organization_id, name, first_name, source, created_at, updated_at)
  select 'acme', name, split_part(name, ' ', 1), 'test', $1, $1
    from unnest(array['Ada Lovelace', 'Ada Byron', 'Grace Hopper']) as name
  returning id, name),
phones as (
  insert into contact_identities (organization_id, kind, value, contact_id, created_at)
  select 'acme', 'phone', '+31610000' || lpad(row_number() over (order by id)::text, 3, '0'), id, $1
    from made)
insert into contact_tags (organization_id, tag, contact_id, added_at)
select 'acme', tag, id, $1 from made, unnest(array['lead', 'leading']) as tag
"""
_ATTRIBUTES = """
insert into attributes (organization_id, name, type, created_at)
values ('acme', 'renewal', 'date', $1), ('acme', 'city', 'text', $1)
"""
_MEDIA = """
insert into media (organization_id, name, kind, mimetype, size, filename, blob_id, created_at,
                   created_by)
select 'acme', name, 'image', 'image/png', 10, 'a.png', 1, $1, 'U0OWNER'
  from unnest(array['menu', 'menu card']) as name
"""
_IMPORTS = """
insert into imports (organization_id, file_id, blob_id, name, state, counts, actor, channel,
                     created_at, updated_at)
select 'acme', name, 1, name, case name when 'judged.csv' then 'judged' else 'imported' end,
       '{"verdicts": {"new": 1}}', 'U0OWNER', 'C0TEAM', $1, $1
  from unnest(array['leads.csv', 'leads of May.csv', 'judged.csv']) as name
"""
_FAILED = """
insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id,
                      state, reason, attempt, due_at, failed_at, settled_at)
select 'acme', new_message_id(extract(epoch from $1::timestamptz)::bigint), c.id, s.id, p.id, c.id,
       '200000000000001', 'dead', 'failed', 4, $1, $1, $1
  from campaigns c join steps s on s.campaign_id = c.id join contacts p on true
 where c.name = 'Begun'
"""
_NUMBERED = (
    "select setval(pg_get_serial_sequence(name, 'id'), 1, false)"
    " from unnest(array['automations', 'steps']) as name"
)
_BUILT = (
    'campaign new "Welcome"',
    "step add Welcome after=0m template=welcome first_name={first_name|there}",
    "step add Welcome after=2d template=followup",
    "step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=x",
    "campaign activate Welcome",
    "enroll Welcome tag:lead",
    'campaign new "Welcoming words"',
    "step add Welcoming after=0m template=followup",
    'campaign new "Resting"',
    "step add Resting after=0m template=followup",
    "campaign activate Resting",
    "enroll Resting tag:lead",
    "enrollment pause Resting +31610000003",
    "campaign pause Resting",
    "broadcast new Sale to=tag:lead template=followup",
    'broadcast new "Sale of May" to=tag:lead template=followup',
    'broadcast new "Begun" to=tag:lead template=followup',
    "broadcast send Begun",
    'broadcast new "Halted" to=tag:lead template=followup',
    "broadcast send Halted",
    "broadcast pause Halted",
    'broadcast new "Timed" to=tag:lead template=followup at="2026-12-07 09:00"',
    "list new Beta",
    "list add Beta tag:lead",
    'list new "Beta testers"',
    "segment new Hot tag:lead",
    'segment new "Hot leads" tag:lead and tag:leading',
    "segment new Quiet tag:lead static=yes",
    'template draft spring category=marketing first_name=Ada body="Hi {{first_name}}, it began."',
    'template draft spring_late category=utility body="Your order is there."',
    "automation new when=tag:vip then=enroll:Welcome",
    "automation new when=tag:vap then=tag:hungry",
    "automation pause 2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one command came to.

    Attributes:
        texts: Everything shown as markup: the message's text first, then its blocks'.
        changed: The tables in which it changed rows.
        whose: The organizations whose rows it changed.
        logged: What was logged as an error.
    """

    texts: tuple[str, ...]
    changed: frozenset[str]
    logged: tuple[str, ...]
    whose: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""

    @property
    def broken(self) -> bool:
        return "Something went wrong" in self.text

    @property
    def refused(self) -> bool:
        return len(self.texts) > 1 and self.texts[1].startswith(":warning:")


class House:
    """Where the commands of the sweep are given."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        workspaces: Mapping[OrganizationId, Workspace],
        watch: asyncpg.Connection,
        slack: "Slack",
    ) -> None:
        self._slack = slack
        self._dispatcher = dispatcher
        self._workspaces = workspaces
        self._watch = watch
        self._watching = asyncio.Lock()
        self._said = 0

    async def say(
        self, text: str, *, user: str = "U0OWNER", organization: OrganizationId = ACME
    ) -> Answer:
        """Give a command as Slack brings it; what it changed stays until `restore`."""
        self._said += 1
        channel = f"C0TEAM{self._said}"
        workspace = self._workspaces[organization]
        origin = Origin(teams=(workspace.team_id,), user_id=user, channel_id=channel)
        arrival = Arrival(
            request=Slash(origin=origin, command="/drip", text=text),
            workspace=workspace,
            handled=asyncio.get_running_loop().create_future(),
        )
        with capture_logs() as logs:
            response = await self._dispatcher.dispatch(arrival)
            # On a machine that is busy the answer comes later, by the other way.
            body: Json = (
                json.loads(response.body) if response.body else await self._slack.heard(channel)
            )
        changed = await self._changed()
        return Answer(
            texts=tuple(texts_of(body)),
            changed=frozenset(table for table, _ in changed),
            whose=frozenset(organization for _, organization in changed),
            logged=tuple(
                f"{each['event']}: {each.get('exc_info')!r}"
                for each in logs
                if each["log_level"] in ("error", "critical") or each.get("exc_info")
            ),
        )

    async def say_all(self, texts: Sequence[str]) -> list[Answer]:
        """Give each command as `say_alone` does; quicker where few of them change anything.

        They are given at once, and one by one only where one of them did something: what waits
        in between is idle for most of the time.
        """
        answers: list[Answer] = []
        for start in range(0, len(texts), _AT_ONCE):
            answers += await self._say_some(texts[start : start + _AT_ONCE])
        return answers

    async def _say_some(self, texts: Sequence[str]) -> list[Answer]:
        answers = list(await asyncio.gather(*map(self.say, texts)))
        changed = frozenset[str]().union(*(each.changed for each in answers))
        if not changed and all(each.texts and not each.logged for each in answers):
            return answers
        await self._dispatcher.drain(_PATIENCE_S)
        await self.restore(changed)
        return [await self.say_alone(text) for text in texts]

    async def say_alone(
        self, text: str, *, user: str = "U0OWNER", organization: OrganizationId = ACME
    ) -> Answer:
        """Give a command where nothing has changed, and bring back what it changes."""
        answer = await self.say(text, user=user, organization=organization)
        for _ in range(_TRIES):
            if answer.texts:
                break
            # slack-bolt gives a request up that a busy machine did not get to for three seconds.
            await self._dispatcher.drain(_PATIENCE_S)
            await self.restore({table for table, _ in await self._changed()})
            answer = await self.say(text, user=user, organization=organization)
        await self.restore(answer.changed)
        return answer

    async def _changed(self) -> frozenset[tuple[str, str]]:
        """Return the tables in which rows changed, and whose rows these are."""
        async with self._watching:
            rows = await self._watch.fetch("select distinct name, whose from sweep.changed")
        return frozenset((row["name"], row["whose"]) for row in rows)

    async def restore(self, changed: Collection[str]) -> None:
        """Bring the rows of the tables back to what they were when everything was built."""
        if not changed:
            return
        async with self._watch.transaction():
            await self._watch.execute("set local session_replication_role = replica")
            for table in changed:
                columns = await self._watch.fetchval(_WRITTEN_COLUMNS, f"public.{table}")
                await self._watch.execute(
                    f"delete from public.{table};"  # noqa: S608 — a table's own name
                    f" insert into public.{table} ({columns}) overriding system value"
                    f" select {columns} from sweep.saved_{table}"
                )
            await self._watch.execute("delete from sweep.changed")


_WRITTEN_COLUMNS = """
select string_agg(quote_ident(attname), ', ') from pg_attribute
 where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""
"""All but those that the database computes."""


@asynccontextmanager
async def opened(database: Database, superuser_url: str) -> AsyncIterator[House]:
    queue = Queue.open(NOBODY_THERE)
    watch = await asyncpg.connect(superuser_url)
    try:
        slack = Slack()
        async with slack.opened() as slack_url, aiohttp.ClientSession() as session:
            server = f'[server]\nslack_url = "{slack_url}"\n'
            config = load(server + _ACME + _GLOBEX, environment=_ENVIRONMENT)
            desk = Desk(config=config, clock=MovedByHand(), database=database, queue=queue)
            known = {id_: _workspace(id_, each) for id_, each in config.organizations.items()}
            workspaces = Workspaces(list(known.values()), session=session, slack_url=slack_url)
            dispatcher = _dispatcher(desk, workspaces)
            tables = await _watched(watch)
            house = House(dispatcher, known, watch, slack)
            await _build(house, database)
            for table in tables:
                await watch.execute(
                    f"create table sweep.saved_{table} as select * from public.{table}"  # noqa: S608 — a table's own name
                )
            await watch.execute("delete from sweep.changed")
            yield house
            await dispatcher.drain(0)
    finally:
        await watch.execute("drop schema if exists sweep cascade")
        await watch.close()
        await queue.close()


class Slack:
    """Agrees to everything, and keeps what is said in each channel."""

    def __init__(self) -> None:
        self._posted: defaultdict[str, asyncio.Queue[Json]] = defaultdict(asyncio.Queue)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """Serve; yield the address of the Web API."""
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._agree)
        async with TestServer(app) as server:
            yield str(server.make_url("/api/"))

    async def heard(self, channel: str) -> Json:
        """Wait for the next message in a channel."""
        async with asyncio.timeout(60):
            return await self._posted[channel].get()

    async def _agree(self, request: web.Request) -> web.Response:
        if request.match_info["method"] in ("chat.postMessage", "chat.postEphemeral"):
            posted = await request.json()
            self._posted[posted["channel"]].put_nowait(posted)
        return web.json_response({"ok": True, "ts": "1.1", "channel": {"id": "D0OWNER"}})


async def _watched(watch: asyncpg.Connection) -> list[str]:
    """Have every changed row of every table noted, in the transaction that changes it."""
    await watch.execute(
        """
        create schema sweep;
        create table sweep.changed (name text, whose text);
        create function sweep.note() returns trigger language plpgsql security definer as $$
        begin
          insert into sweep.changed
          values (tg_argv[0], coalesce(to_jsonb(coalesce(new, old)) ->> 'organization_id', ''));
          return null;
        end $$;
        grant usage on schema sweep to public;
        """
    )
    found = await watch.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition"
        " and relname <> 'tortoise_migrations' order by relname"
    )
    tables = [row["relname"] for row in found]
    for table in tables:
        await watch.execute(
            f"create trigger sweep after insert or update or delete on public.{table}"
            f" for each row execute function sweep.note('{table}')"
        )
    return tables


async def _build(house: House, database: Database) -> None:
    async with database.owner_unit(ACME, NOON) as unit:
        await save_templates(unit, listed=[(template(each), each) for each in ITEMS])
    for sql in (_PEOPLE, _ATTRIBUTES, _MEDIA, _IMPORTS):
        await database.pool.execute(sql, NOON)
    await database.pool.execute(_NUMBERED)
    for command in _BUILT:
        answer = await house.say(command)
        assert not answer.refused, (command, answer.text)
        assert not answer.broken, (command, answer.logged)
    await database.pool.execute("select attach_message_leaf($1)", NOON)
    await database.pool.execute(_FAILED, NOON)


def texts_of(body: Mapping[str, Any]) -> list[str]:
    """Return the texts in which Slack would read markup."""
    found = [body["text"]] if isinstance(body.get("text"), str) else []
    for block in body.get("blocks", ()):
        found += _inside(block)
    return found


def _inside(element: object) -> list[str]:
    match element:
        case {"type": "mrkdwn", "text": str(text)}:
            return [text]
        case dict():
            return [text for each in element.values() for text in _inside(each)]
        case list():
            return [text for each in element for text in _inside(each)]
        case _:
            return []

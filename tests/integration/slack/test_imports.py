"""A file uploaded in Slack until its people are contacts, on a real database."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack import imports as feature
from bot.slack.alerts import Alert, Elsewhere
from bot.slack.clicks import Value
from bot.slack.limiter import Limiter
from bot.slack.poster import Poster
from bot.slack.replies import Reply
from bot.slack.requests import Event, Origin
from engine import audience_file
from engine.audience_file import Row, Sheet
from engine.audience_table import Unreadable
from engine.ids import ImportId
from engine.roles import Role
from engine.segment import Definition, HasTag, OnList
from engine.segment_json import to_json
from storage import blobs, events, imports
from storage import work as to_do
from storage.database import Database, Unit
from storage.imports import Import, State
from tests.database import ACME, NOON
from tests.integration.slack.contacts_room import Room, opened_room
from worker import files_in_turn, importing
from worker.half_done import AT_ONCE, HalfDone
from worker.importing import import_contacts

FILE = "F0FILE01"
HOSTILE = '<!channel> =HYPERLINK("x")'


@dataclass
class SlackFiles:
    """A Slack that has files and hands them to who has the token."""

    files: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    elsewhere: str | None = None
    url: str = ""
    asked: int = 0
    shared: list[dict[str, str]] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.route("*", "/api/files.info", self._info),
                web.get("/f/{id}", self._get),
                web.route("*", "/api/files.getUploadURLExternal", self._announce),
                web.post("/upload/F0SHARED", self._take),
                web.route("*", "/api/files.completeUploadExternal", self._complete),
            ]
        )
        return app

    async def _announce(self, request: web.Request) -> web.Response:
        given = await _given(request)
        self.sizes["F0SHARED"] = int(given["length"])
        url = f"{self.url}/upload/F0SHARED"
        return web.json_response({"ok": True, "upload_url": url, "file_id": "F0SHARED"})

    async def _take(self, request: web.Request) -> web.Response:
        self.files["F0SHARED"] = await request.read()
        return web.Response(text="OK")

    async def _complete(self, request: web.Request) -> web.Response:
        self.shared.append(await _given(request))
        return web.json_response({"ok": True, "files": []})

    async def _info(self, request: web.Request) -> web.Response:
        file = (await _given(request))["file"]
        if file not in self.files:
            return web.json_response({"ok": False, "error": "file_not_found"})
        url = self.elsewhere or f"{self.url}/f/{file}"
        size = self.sizes.get(file, len(self.files[file]))
        about = {"id": file, "name": "people.csv", "size": size, "url_private_download": url}
        return web.json_response({"ok": True, "file": about})

    async def _get(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.headers.get("Authorization") != "Bearer xoxb-acme":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        return web.Response(body=self.files[request.match_info["id"]])


async def _given(request: web.Request) -> dict[str, str]:
    """Return the arguments of a call, wherever the SDK puts them."""
    return {**request.query, **{k: str(v) for k, v in (await request.post()).items()}}


@pytest.fixture
async def slack() -> AsyncIterator[SlackFiles]:
    slack = SlackFiles()
    async with TestServer(slack.application()) as server:
        slack.url = str(server.make_url("")).rstrip("/")
        yield slack


@pytest.fixture
async def room(database: Database, slack: SlackFiles) -> AsyncIterator[Room]:
    async with (
        opened_room(database, slack_url=f"{slack.url}/api/") as room,
        aiohttp.ClientSession() as session,
    ):
        room.client.session = session
        yield room


def rows_of_the_newcomer() -> str:
    """195 new people, 3 of them again in another writing, 2 numbers that are none."""
    lines = ["phone,first_name,company,tags"]
    for number in range(195):
        name = '"<!channel> =HYPERLINK(""x"")"' if number == 7 else f"Person {number}"
        lines.append(f"+3161234{number:04},{name},Acme,lead")
    lines += ["06 1234 0000,Again,,lead", "0031612340001,Again,,lead", "+31 (0)6 12340002,A,,lead"]
    lines += ["12,Short,,lead", "not a phone,None,,lead"]
    return "\n".join(lines) + "\n"


def uploaded(
    *files: str, text: str = "import", user: str = "U0OWNER", subtype: str | None = "file_share"
) -> Event:
    payload: dict[str, Any] = {
        "type": "message",
        "text": text,
        "user": user,
        "channel": "C0TEAM",
        "ts": "1700000000.000100",
        "files": [{"id": each} for each in files],
    }
    if subtype is not None:
        payload["subtype"] = subtype
    return Event(
        origin=Origin(teams=("T0ACME",), user_id=user, channel_id="C0TEAM"),
        event_id="Ev1",
        type="message",
        bot_user_id="U0DRIP",
        payload=payload,
    )


async def upload(room: Room, slack: SlackFiles, content: str | bytes, file: str = FILE) -> None:
    slack.files[file] = content.encode() if isinstance(content, str) else content
    await room.hear(uploaded(file), role=Role.OWNER)


async def work(room: Room) -> None:
    """Let the worker go on until nothing is left to do for it."""
    while await import_contacts(room.worker, ACME):
        pass


async def only_import(room: Room) -> Import:
    async with room.database.unit(ACME, NOON) as unit:
        newest = await unit.connection.fetchval("select max(id) from imports")
        found = await imports.find(unit, import_id=ImportId(newest))
    assert found is not None
    return found


async def told(room: Room, kind: str) -> Alert:
    """Return how the last event of *kind* is told."""
    render = {
        "import_judged": feature.judged,
        "import_refused": feature.refused,
        "import_done": feature.done,
    }[kind]
    async with room.database.unit(ACME, NOON) as unit:
        row = await unit.connection.fetchrow(
            "select id, kind, campaign_id, content, at from events where kind = $1"
            " order by id desc limit 1",
            kind,
        )
        assert row is not None, f"nobody was told {kind}"
        (alert,) = await render(events.Event(**dict(row)), unit)
    return alert


async def verdicts(room: Room, found: Import) -> list[list[str]]:
    assert found.verdicts_blob_id is not None
    pieces = [
        piece async for piece in blobs.read(room.database, ACME, NOON, blob=found.verdicts_blob_id)
    ]
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


def buttons(alert: Alert) -> dict[str, dict[str, Any]]:
    return {
        element["action_id"]: element
        for block in alert.message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


async def start(room: Room, user: str = "U0OWNER") -> Reply | None:
    found = await only_import(room)
    return await room.click("import_start", str(Value(subject=str(found.id), version=1)), user=user)


async def imported(room: Room, slack: SlackFiles, content: str, file: str = FILE) -> Import:
    await upload(room, slack, content, file)
    await work(room)
    await start(room)
    await work(room)
    return await only_import(room)


async def test_an_import_leaves_statistics_of_the_contacts_it_brought(
    room: Room, slack: SlackFiles
) -> None:
    await room.database.pool.execute("truncate contacts cascade")
    rows = (f"+3161{place:07},Ada,vip" for place in range(2_000))
    content = "\n".join(["phone,first_name,tags", *rows])

    await imported(room, slack, content)

    known = dict(
        await room.database.pool.fetch(
            "select relname, reltuples from pg_class"
            " where relname like 'contact%' and relkind = 'r'"
        )
    )
    assert known["contacts"] >= 500
    assert known["contact_identities"] >= 500
    assert known["contact_tags"] >= 500


async def enrolling(room: Room, trigger: dict[str, object], *, segment: int | None = None) -> None:
    """Have an automation enroll in a running drip."""
    pool = room.database.pool
    campaign = await pool.fetchval(
        "with made as (insert into campaigns (organization_id, kind, name, state, type, actor,"
        " created_at, updated_at) values ('acme', 'drip', 'Leads', 'active', 'promotional', 'U',"
        " $1, $1) returning id)"
        " insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " select 'acme', id, 1, 0, '{}', $1 from made returning campaign_id",
        NOON,
    )
    await pool.execute(
        "insert into automations (organization_id, trigger, segment_id, action, state, on_since,"
        " created_at, created_by) values ('acme', $1, $2, $3, 'on', $4, $4, 'U')",
        trigger,
        segment,
        {"do": "enroll", "campaign": campaign},
        NOON,
    )


async def judged_to_enroll(
    room: Room, slack: SlackFiles, rows: int, *, waiting: bool = True
) -> Import:
    """Judge a file of new contacts, all of whom an automation enrolls if it is *waiting*."""
    if waiting:
        await enrolling(room, {"on": "contact_created"})
    await upload(room, slack, "phone\n" + "".join(f"+316200000{n:02}\n" for n in range(rows)))
    await work(room)
    return await only_import(room)


async def test_more_enrollments_than_one_may_decide_on_are_not_imported(
    room: Room, slack: SlackFiles
) -> None:
    await judged_to_enroll(room, slack, 30)

    reply = await start(room)

    assert reply is not None
    assert "above 20 a second owner has to approve" in reply.message.text
    assert not reply.replace
    assert (await only_import(room)).state is State.JUDGED


async def test_many_enrollments_are_imported_by_who_says_how_many(
    room: Room, slack: SlackFiles
) -> None:
    await judged_to_enroll(room, slack, 10)

    asked = await start(room)
    wrong = await room.command("import start people.csv count=9")
    before = (await only_import(room)).state
    done = await room.command("import start people.csv count=10")

    assert asked is not None
    assert "would enroll *10 contacts*" in asked.message.text
    assert '`/drip import start "people.csv 2026-11-20 13:00" count=10`' in asked.message.text
    assert "count you gave, 9," in wrong.message.text
    assert before is State.JUDGED
    assert "imports 10 contacts" in done.message.text
    assert (await only_import(room)).state is State.IMPORTING


@pytest.mark.parametrize("by", ["list", "tag"])
async def test_a_list_or_tag_that_automations_wait_for_counts_as_whom_it_would_enroll(
    room: Room, slack: SlackFiles, by: str
) -> None:
    pool = room.database.pool
    list_id = await pool.fetchval(
        "insert into contact_lists (organization_id, name, created_at, created_by)"
        " values ('acme', 'Fans', $1, 'U') returning id",
        NOON,
    )
    where = OnList(list_id) if by == "list" else HasTag("beta")
    segment = await pool.fetchval(
        "insert into segments (organization_id, name, definition, created_at, created_by)"
        " values ('acme', 'Of it', $1, $2, 'U') returning id",
        orjson.loads(orjson.dumps(to_json(Definition(where=where, zone="Etc/UTC")))),
        NOON,
    )
    await enrolling(room, {"on": "segment_joined", "segment": segment})
    people = "".join(f"+316200000{n:02},{'beta' if by == 'tag' else ''}\n" for n in range(30))
    slack.files[FILE] = f"phone,tags\n{people}".encode()
    text = "import list:Fans" if by == "list" else "import"
    await room.hear(uploaded(FILE, text=text), role=Role.OWNER)
    await work(room)

    reply = await start(room)

    assert reply is not None
    assert "above 20 a second owner has to approve" in reply.message.text


async def test_a_file_whose_rows_enroll_nobody_is_imported_whatever_its_size(
    room: Room, slack: SlackFiles
) -> None:
    await judged_to_enroll(room, slack, 30, waiting=False)

    await start(room)

    assert (await only_import(room)).state is State.IMPORTING


async def test_a_file_is_judged_before_anything_changes(room: Room, slack: SlackFiles) -> None:
    slack.files[FILE] = rows_of_the_newcomer().encode()
    replies = await room.hear(uploaded(FILE), role=Role.OWNER)
    await work(room)

    alert = await told(room, "import_judged")

    assert [reply.message.text for reply in replies] == [
        "I read people.csv; the verdict on every row comes here."
    ]
    assert all(reply.in_channel and reply.thread_ts == "1700000000.000100" for reply in replies)
    assert alert.place == Elsewhere(channel="C0TEAM", thread_ts="1700000000.000100")
    for expected in ("195 new", "3 duplicate", "2 invalid", "row 197", "row 200", "+31612340000"):
        assert expected in alert.message.text
    assert {key: each["text"]["text"] for key, each in buttons(alert).items()} == {
        "import_start": "Import 195",
        "import_discard": "Discard",
    }
    assert alert.file == (await only_import(room)).verdicts_blob_id
    assert await room.rows("select * from contacts") == []


@pytest.mark.parametrize(
    ("segment", "told_so"),
    [
        (None, "Automations would enroll 3 in Leads."),
        (7, "Automations would enroll at most 3 in Leads: some of them ask for a segment"),
    ],
    ids=["surely", "if they are in a segment"],
)
async def test_whom_automations_would_enroll_is_told_or_how_many_at_most(
    room: Room, slack: SlackFiles, segment: int | None, told_so: str
) -> None:
    await enrolling(room, {"on": "tag_added", "tag": "lead"}, segment=segment)
    people = "".join(f"+3161234000{number},lead\n" for number in range(3))

    await upload(room, slack, f"phone,tags\n{people}+31612340009,other\n", FILE)
    await work(room)

    assert told_so in (await told(room, "import_judged")).message.text


async def test_the_list_has_every_row_and_no_formula(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await work(room)

    listed = await verdicts(room, await only_import(room))

    assert listed[0][:3] == ["row", "verdict", "phone"]
    assert [int(line[0]) for line in listed[1:]] == list(range(2, 202))
    assert [line[1] for line in listed[1:]].count("new") == 195
    assert not any(cell[:1] in {"=", "@", "-"} for line in listed for cell in line)


async def test_names_from_outside_are_inert_in_slack(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, f'phone,name\n+31612345678,"{HOSTILE.replace(chr(34), chr(34) * 2)}"')
    await work(room)

    alert = await told(room, "import_judged")

    assert "HYPERLINK" in alert.message.text
    assert "<!channel>" not in alert.message.text
    assert b"<!channel>" not in orjson.dumps(alert.message.blocks)


async def test_one_click_imports_it(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await work(room)

    reply = await start(room)
    await work(room)
    alert = await told(room, "import_done")

    assert reply is not None
    assert reply.replace
    assert reply.in_channel
    assert "195 contacts" in reply.message.text
    assert "<@U0OWNER>" in reply.message.text
    assert "195 new contacts, 0 updated, 195 tags added, 5 rows skipped" in alert.message.text
    found = await only_import(room)
    assert await room.rows(
        "select count(*), count(distinct source), min(source), count(first_name) from contacts"
    ) == [(195, 1, f"import:{found.id}", 195)]
    assert await room.rows("select count(*) from contacts where first_name = $1", HOSTILE) == [(1,)]
    assert await room.rows("select tag, count(*) from contact_tags group by tag") == [("lead", 195)]
    assert await room.rows("select kind, count(*) from occurrences group by 1 order by 1") == [
        ("contact_created", 195),
        ("tag_added", 195),
    ]
    assert await room.rows("select count(*) from import_rows where done") == [(195,)]


async def test_a_second_click_does_nothing(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await work(room)

    replies = await asyncio.gather(*(start(room, user=f"U{n}") for n in range(6)))
    await work(room)
    late = await start(room)

    assert sum(reply is not None and reply.replace for reply in replies) == 1
    assert late is not None
    assert not late.replace
    assert "already" in late.message.text
    assert await room.rows("select count(*) from contacts") == [(195,)]
    assert await room.rows("select count(*) from events where kind = 'import_done'") == [(1,)]
    assert await room.rows("select count(*) from audit_log where action = 'import.start'") == [(1,)]


async def test_nothing_is_imported_before_the_click_nor_after_discarding(
    room: Room, slack: SlackFiles
) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await work(room)
    found = await only_import(room)
    value = str(Value(subject=str(found.id), version=1))

    discarded = await room.click("import_discard", value)
    started = await start(room)
    await work(room)

    assert discarded is not None
    assert discarded.replace
    assert started is not None
    assert "already" in started.message.text
    assert (await only_import(room)).state is State.DISCARDED
    assert await room.rows("select * from contacts") == []


async def test_importing_a_file_again_updates_and_adds_nobody(
    room: Room, slack: SlackFiles
) -> None:
    await imported(room, slack, rows_of_the_newcomer())
    occurrences = await room.rows("select count(*) from occurrences")

    again = await imported(room, slack, rows_of_the_newcomer(), file="F0FILE02")

    assert (again.done.new, again.done.updated, again.done.tags) == (0, 195, 0)
    assert {v.value: n for v, n in again.verdicts.items()} == {
        "update": 195,
        "duplicate": 3,
        "invalid": 2,
    }
    assert await room.rows("select count(*) from contacts") == [(195,)]
    assert await room.rows("select count(*) from occurrences") == occurrences


async def test_a_file_fills_in_what_it_says_and_leaves_the_rest(
    room: Room, slack: SlackFiles
) -> None:
    await room.command("contact add +31612345678 name=Ada company=Old tags=vip city=London")

    await imported(room, slack, "phone,company,tags,plan\n0612345678,New,lead,gold\n")

    assert await room.rows("select name, company, attributes, source from contacts") == [
        ("Ada", "New", {"city": "London", "plan": "gold"}, "slack:U0OWNER")
    ]
    assert await room.rows("select tag from contact_tags order by tag") == [("lead",), ("vip",)]


async def test_an_import_never_subscribes_again(room: Room, slack: SlackFiles) -> None:
    await room.command("contact add +31612345678 name=Ada")
    await room.command("contact optout +31612345678")
    before = await room.rows("select opted_out_at, opted_in_at from contacts")

    found = await imported(room, slack, "phone,name\n+31612345678,Ada Lovelace\n")
    alert = await told(room, "import_judged")

    assert {v.value: n for v, n in found.verdicts.items()} == {"opted out": 1}
    assert "Said STOP and stays opted out" in alert.message.text
    assert await room.rows("select opted_out_at, opted_in_at from contacts") == before
    assert await room.rows("select name from contacts") == [("Ada Lovelace",)]
    assert await room.rows("select count(*) from consents") == [(1,)]


async def test_somebody_who_became_a_contact_since_the_verdict_is_updated(
    room: Room, slack: SlackFiles
) -> None:
    await upload(room, slack, "phone,name\n+31612345678,Ada\n+31687654321,Grace\n")
    await work(room)
    await room.command("contact add +31612345678 tags=vip")

    await start(room)
    await work(room)

    found = await only_import(room)
    assert (found.done.new, found.done.updated) == (1, 1)
    assert await room.rows("select name from contacts order by name") == [("Ada",), ("Grace",)]


async def test_a_file_is_imported_once_however_often_slack_tells_of_it(
    room: Room, slack: SlackFiles
) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await upload(room, slack, rows_of_the_newcomer())
    await asyncio.gather(
        *(room.hear(uploaded("F0FILE03"), role=Role.OWNER) for _ in range(4)),
    )

    assert await room.rows("select count(*) from imports") == [(1,)]
    assert await room.rows("select count(*) from blobs") == [(1,)]


async def test_a_message_that_broke_off_after_its_first_file_is_gone_on_with(
    room: Room, slack: SlackFiles
) -> None:
    slack.files |= {"F0FILE01": b"phone\n+31612340001\n", "F0FILE02": b"phone\n+31612340002\n"}
    await room.hear(uploaded("F0FILE01"), role=Role.OWNER)

    await room.hear(uploaded("F0FILE01", "F0FILE02"), role=Role.OWNER)

    assert slack.asked == 2
    kept = await room.rows("select file_id from imports order by file_id")
    assert kept == [("F0FILE01",), ("F0FILE02",)]


async def test_the_same_file_at_the_same_moment_is_kept_once(room: Room, slack: SlackFiles) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"

    await asyncio.gather(*(room.hear(uploaded(FILE), role=Role.OWNER) for _ in range(4)))

    assert await room.rows("select count(*) from imports") == [(1,)]
    assert await room.rows("select count(*) from blobs") == [(1,)]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(uploaded(FILE, text="look at this"), id="another text"),
        pytest.param(uploaded(FILE, text="import this please"), id="a sentence"),
        pytest.param(uploaded(), id="no file"),
        pytest.param(uploaded(FILE, subtype="message_changed"), id="an edit"),
    ],
)
async def test_only_the_word_alone_with_a_file_imports(
    room: Room, slack: SlackFiles, event: Event
) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"

    assert await room.hear(event, role=Role.OWNER) == []
    assert await room.rows("select * from imports") == []


@pytest.mark.parametrize("text", ["import", " Import ", "IMPORT.", "<@U0DRIP> import"])
async def test_the_word_is_understood_as_people_write_it(
    room: Room, slack: SlackFiles, text: str
) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"

    await room.hear(uploaded(FILE, text=text), role=Role.OWNER)

    assert await room.rows("select state from imports") == [("uploaded",)]


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENT, None])
async def test_others_than_owners_are_told_whom_to_ask(
    room: Room, slack: SlackFiles, role: Role | None
) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"

    (reply,) = await room.hear(uploaded(FILE, user="U0OTHER"), role=role)

    assert "<@U0OWNER>" in reply.message.text
    assert slack.asked == 0
    assert await room.rows("select * from imports") == []


async def test_the_buttons_are_for_owners(room: Room) -> None:
    for action in ("import_start", "import_discard"):
        assert room.registry.clicks[action][0] is Role.OWNER


@pytest.mark.parametrize("value", ["", "x", "x@1", "99999999999999999999999@1", "12345@1"])
async def test_a_button_that_we_never_showed_does_nothing(room: Room, value: str) -> None:
    reply = await room.click("import_start", value)

    assert reply is None or not reply.replace


async def test_a_page_to_sign_in_is_no_file(room: Room, slack: SlackFiles) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"
    room.client.token = "xoxb-old"

    replies = await room.hear(uploaded(FILE), role=Role.OWNER)

    assert "files:read" in replies[-1].message.text
    assert await room.rows("select * from imports") == []
    assert await room.rows("select * from blobs") == []


async def test_the_token_goes_to_slack_alone(room: Room, slack: SlackFiles) -> None:
    slack.files[FILE] = b"phone\n+31612345678\n"
    slack.elsewhere = f"{slack.url}/f/{FILE}".replace("127.0.0.1", "localhost")

    replies = await room.hear(uploaded(FILE), role=Role.OWNER)

    assert "outside of Slack" in replies[-1].message.text
    assert slack.asked == 0


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_that_is_too_large_is_refused(
    room: Room, slack: SlackFiles, monkeypatch: pytest.MonkeyPatch, *, announced: bool
) -> None:
    monkeypatch.setattr(feature, "LARGEST", 1_000)
    slack.files[FILE] = b"x" * 1_001
    slack.sizes[FILE] = 1_001 if announced else 10

    replies = await room.hear(uploaded(FILE), role=Role.OWNER)

    assert "larger than 20 MB" in replies[-1].message.text
    assert slack.asked == (0 if announced else 1)
    assert await room.rows("select * from blobs") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"PK\x03\x04...", "Excel workbook", id="a workbook"),
        pytest.param(b"name,city\nAda,London\n", "No column is called phone", id="no phone"),
        pytest.param(b"", "It is empty", id="empty"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    room: Room, slack: SlackFiles, content: bytes, why: str
) -> None:
    await upload(room, slack, content)
    await work(room)

    alert = await told(room, "import_refused")

    assert why in alert.message.text
    assert (await only_import(room)).state is State.REFUSED


async def test_a_file_without_a_good_row_offers_no_import(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, "phone\n12\n")
    await work(room)

    assert set(buttons(await told(room, "import_judged"))) == {"import_discard"}


async def test_work_goes_on_where_another_process_stopped(
    room: Room, slack: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices of seven rows, each by a process that has read nothing yet."""
    monkeypatch.setattr(importing, "_ROWS", 7)
    monkeypatch.setattr(files_in_turn, "SLICE_S", 0.0)
    await upload(room, slack, rows_of_the_newcomer())

    async def in_other_processes() -> int:
        slices = 1
        while await import_contacts(replace(room.worker, reading=HalfDone()), ACME):
            slices += 1
        return slices

    judging = await in_other_processes()
    await start(room)
    importing_too = await in_other_processes()

    found = await only_import(room)
    assert (judging > 200 // 7, importing_too > 200 // 7) == (True, True)
    assert {v.value: n for v, n in found.verdicts.items()} == {
        "new": 195,
        "duplicate": 3,
        "invalid": 2,
    }
    assert len(await verdicts(room, found)) == 201
    assert (found.done.new, found.done.tags, found.done.skipped) == (195, 195, 5)
    assert await room.rows("select count(*) from occurrences") == [(390,)]


async def test_files_imported_together_are_each_read_once(
    room: Room, slack: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_ROWS", 50)
    monkeypatch.setattr(files_in_turn, "SLICE_S", 0.0)
    opened, read = [], audience_file.read

    def counted(file: io.BytesIO, *, country: str | None) -> Sheet | Unreadable:
        opened.append(file)
        return read(file, country=country)

    monkeypatch.setattr(audience_file, "read", counted)
    files = [f"F{number}" for number in range(AT_ONCE + 2)]
    for file in files:
        await upload(room, slack, rows_of_the_newcomer(), file)

    while await import_contacts(room.worker, ACME):
        room.clock.at += timedelta(seconds=1)

    assert len(opened) == len(files)
    assert await room.rows("select state, count(*) from imports group by 1") == [
        ("judged", len(files))
    ]


async def test_two_workers_at_once_import_each_row_once(
    room: Room, slack: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_ROWS", 7)
    await upload(room, slack, rows_of_the_newcomer())

    async def another_process() -> None:
        worker = replace(room.worker, reading=HalfDone())
        while (await only_import(room)).state not in {State.JUDGED, State.IMPORTED}:
            await import_contacts(worker, ACME)

    await asyncio.gather(*(another_process() for _ in range(3)))
    await start(room)
    await asyncio.gather(*(another_process() for _ in range(3)))

    found = await only_import(room)
    assert found.done.new == 195
    assert len(await verdicts(room, found)) == 201
    assert await room.rows("select kind, count(*) from occurrences group by 1 order by 1") == [
        ("contact_created", 195),
        ("tag_added", 195),
    ]


async def test_two_files_take_turns(room: Room, slack: SlackFiles) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await upload(room, slack, "phone\n+31687654321\n", file="F0FILE02")
    await work(room)

    assert await room.rows("select state, count(*) from imports group by 1") == [("judged", 2)]


async def test_the_command_says_how_to_import(room: Room) -> None:
    reply = await room.command("import")

    assert "CSV" in reply.message.text
    assert not reply.in_channel


async def test_a_bare_list_of_numbers_is_enough(room: Room, slack: SlackFiles) -> None:
    found = await imported(room, slack, "0612345678\n+31687654321\n")

    assert found.done.new == 2
    assert await room.rows("select value from contact_identities order by 1") == [
        ("+31612345678",),
        ("+31687654321",),
    ]


async def test_the_list_of_verdicts_is_shared_in_the_thread_once(
    room: Room, slack: SlackFiles
) -> None:
    await upload(room, slack, rows_of_the_newcomer())
    await work(room)
    alert = await told(room, "import_judged")
    assert alert.file is not None
    poster = _poster(room)

    for _ in range(2):
        await poster.share(
            key="event:1:file", channel="C0TEAM", thread_ts="1700000000.000100", blob=alert.file
        )

    (shared,) = slack.shared
    assert (shared["channel_id"], shared["thread_ts"]) == ("C0TEAM", "1700000000.000100")
    assert orjson.loads(shared["files"]) == [{"id": "F0SHARED", "title": "people - verdicts.csv"}]
    assert len(slack.files["F0SHARED"]) == slack.sizes["F0SHARED"]
    text = slack.files["F0SHARED"].decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text, newline="")))) == 201


def _poster(room: Room) -> Poster:
    async def may_call() -> bool:
        return True

    async def pause(_seconds: float) -> None:
        pass

    return Poster(
        organization=ACME,
        client=room.client,
        database=room.database,
        clock=room.clock,
        limiter=Limiter(),
        may_call=may_call,
        pause=pause,
    )


@pytest.mark.parametrize("slow", [False, True], ids=["at once", "too slow"])
async def test_an_import_that_always_fails_is_set_aside_told_once_and_holds_up_no_other(
    room: Room, slack: SlackFiles, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    for number in range(AT_ONCE + 1):
        await upload(room, slack, rows_of_the_newcomer(), f"F{number}")
    judge, mended = importing._judge, list[bool]()  # noqa: SLF001

    async def fail(unit: Unit) -> None:
        if slow:
            await unit.connection.execute("select pg_sleep(60)", timeout=0.05)
        await unit.connection.execute("select 1 / 0")

    async def failing(unit: Unit, seen: Import, rows: Sequence[Row]) -> bool:
        done = await judge(unit, seen, rows)
        if seen.id % (AT_ONCE + 1) and not mended:
            await fail(unit)
        return done

    monkeypatch.setattr(importing, "_judge", failing)

    async def worked_off() -> None:
        while await import_contacts(room.worker, ACME):
            pass

    async def jobs() -> list[str]:
        async with room.database.owner_unit(ACME, room.clock.now()) as unit:
            found = await to_do.jobs(unit, numbers=[])
            idle = await to_do.idle(unit, grace=timedelta(minutes=10))
        assert (idle.due > 0) == ("import_contacts" in found)
        return found

    await worked_off()

    states = "select state, count(*) from imports group by 1 order by 1"
    assert await room.rows(states) == [("judged", 1), ("judging", AT_ONCE)]
    assert "import_contacts" not in await jobs()
    room.clock.at += timedelta(hours=1)
    assert "import_contacts" in await jobs()
    await worked_off()
    told = "select count(*) from events where kind = 'import_set_aside'"
    assert await room.rows(told) == [(AT_ONCE,)]

    mended.append(True)
    room.clock.at += timedelta(days=1)
    await worked_off()

    assert await room.rows(states) == [("judged", AT_ONCE + 1)]

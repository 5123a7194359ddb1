"""The pretend Slack: what a person can do, what the bot can say, and what is refused."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from sandbox import demo
from tests.sandbox.world import Json, World


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str = "go", **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain("Go"), "value": "7", **more}


def actions(*elements: Json, block_id: str = "b") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def field(action_id: str, block_id: str, **more: object) -> Json:
    element = {"type": "plain_text_input", "action_id": action_id, **more}
    return {"type": "input", "block_id": block_id, "label": plain("Name"), "element": element}


def modal(*blocks: Json, title: str = "New") -> Json:
    return {
        "type": "modal",
        "callback_id": "new",
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": list(blocks),
    }


def answering(world: World, respond: Callable[[Json], Awaitable[object]]) -> None:
    world.bot.on_command = respond
    world.bot.on_interaction = respond


async def posted(world: World, *blocks: Json, **more: object) -> str:
    said = await world.slack(
        "chat.postMessage", {"channel": "D0OWNER", "text": "t", "blocks": list(blocks), **more}
    )
    assert said["ok"], said
    ts: str = said["ts"]
    return ts


def through(http: aiohttp.ClientSession, body: Json) -> Callable[[Json], Awaitable[None]]:
    """Answers by response_url, a moment after the acknowledgement."""
    tasks = []

    async def respond(payload: Json) -> None:
        async def later() -> None:
            await asyncio.sleep(0.02)
            await http.post(payload["response_url"], json=body)

        tasks.append(asyncio.create_task(later()))

    return respond


async def test_the_acknowledgement_itself_can_answer(world: World) -> None:
    async def respond(_: Json) -> object:
        return {"response_type": "in_channel", "text": "Done"}

    answering(world, respond)

    said = await world.post(
        "slack/command", {"user": "U0OWNER", "text": "a & b", "channel": "C0ALERTS"}
    )

    assert [(m["text"], m["ephemeral_to"], m["via"]) for m in said["replies"]] == [
        ("Done", None, "response")
    ]
    messages = (await world.get("slack/messages", channel="C0ALERTS"))["messages"]
    assert [m["text"] for m in messages] == ["/drip a &amp; b", "Done"]
    assert world.bot.commands[0]["text"] == "a & b"


async def test_a_silent_bot_is_waited_for_and_no_longer(world: World) -> None:
    started = world.sandbox.clock.monotonic()

    said = await world.post("slack/command", {"user": "U0AGENT", "text": "", "wait_ms": 300})

    assert said["replies"] == []
    assert 0.3 <= world.sandbox.clock.monotonic() - started < 1.5


async def test_messages_in_other_channels_are_no_answers(world: World) -> None:
    async def respond(_: Json) -> object:
        await world.slack("chat.postMessage", {"channel": "C0ALERTS", "text": "alert"})
        await world.slack("chat.postMessage", {"channel": "D0AGENT", "text": "for another"})
        await world.slack("chat.postMessage", {"channel": "D0OWNER", "text": "for you"})
        return None

    answering(world, respond)

    said = await world.post("slack/command", {"user": "U0OWNER", "text": "x"})

    assert [m["text"] for m in said["replies"]] == ["for you"]


async def test_a_click_carries_the_button_and_its_message(world: World) -> None:
    ts = await posted(world, actions(button()))
    answering(world, through(world.http, {"replace_original": True, "text": "clicked"}))

    said = await world.post("slack/click", {"user": "U0OWNER", "action_id": "go", "message_ts": ts})

    (payload,) = world.bot.interactions
    assert payload["type"] == "block_actions"
    assert payload["actions"][0]["value"] == "7"
    assert payload["message"]["ts"] == ts
    assert payload["container"]["channel_id"] == "D0OWNER"
    assert [(m["ts"], m["text"], m["blocks"]) for m in said["replies"]] == [(ts, "clicked", [])]


async def test_a_lost_button_answers_409_and_one_never_there_404(world: World) -> None:
    ts = await posted(world, actions(button()))
    await world.slack("chat.update", {"channel": "D0OWNER", "ts": ts, "text": "done", "blocks": []})
    click = {"user": "U0OWNER", "action_id": "go", "message_ts": ts}

    await world.post("slack/click", click, status=409)
    await world.post("slack/click", {**click, "action_id": "other"}, status=404)
    await world.post("slack/click", {**click, "message_ts": "1.2"}, status=404)
    await world.post("slack/click", {**click, "user": "U0NOBODY"}, status=404)
    assert world.bot.interactions == []


async def test_an_ephemeral_button_sends_no_message_back(world: World) -> None:
    await world.slack(
        "chat.postEphemeral",
        {
            "channel": "C0ALERTS",
            "user": "U0OWNER",
            "text": "sure?",
            "blocks": [actions(button())],
        },
    )
    click = {"action_id": "go", "channel": "C0ALERTS", "wait_ms": 0}

    await world.post("slack/click", {"user": "U0SUPER", **click}, status=404)
    await world.post("slack/click", {"user": "U0OWNER", **click})

    assert "message" not in world.bot.interactions[0]
    assert world.bot.interactions[0]["container"]["is_ephemeral"] is True


ELEMENTS: list[tuple[Json, object, Json]] = [
    (
        {"type": "static_select", "options": [{"text": plain("A"), "value": "a"}]},
        "a",
        {"selected_option": {"text": plain("A"), "value": "a"}},
    ),
    (
        {"type": "multi_static_select", "options": [{"text": plain("A"), "value": "a"}]},
        ["a"],
        {"selected_options": [{"text": plain("A"), "value": "a"}]},
    ),
    (
        {"type": "overflow", "options": [{"text": plain("A"), "value": "a"}]},
        "a",
        {"selected_option": {"text": plain("A"), "value": "a"}},
    ),
    (
        {"type": "checkboxes", "options": [{"text": plain("A"), "value": "a"}]},
        ["a"],
        {"selected_options": [{"text": plain("A"), "value": "a"}]},
    ),
    ({"type": "users_select"}, "U0AGENT", {"selected_user": "U0AGENT"}),
    ({"type": "datepicker"}, "2026-12-01", {"selected_date": "2026-12-01"}),
    ({"type": "timepicker"}, "10:30", {"selected_time": "10:30"}),
    ({"type": "datetimepicker"}, 1795248000, {"selected_date_time": 1795248000}),
]


@pytest.mark.parametrize(
    ("element", "value", "expected"), ELEMENTS, ids=[e[0]["type"] for e in ELEMENTS]
)
async def test_every_element_takes_its_kind_of_value(
    world: World, element: Json, value: object, expected: Json
) -> None:
    ts = await posted(world, actions({**element, "action_id": "pick"}))
    click = {"user": "U0OWNER", "action_id": "pick", "message_ts": ts, "wait_ms": 0}

    await world.post("slack/click", {**click, "value": value})

    action = world.bot.interactions[0]["actions"][0]
    assert expected.items() <= action.items()


async def test_an_option_that_is_not_offered_cannot_be_picked(world: World) -> None:
    select = {"type": "static_select", "action_id": "pick"}
    options = [{"text": plain("A"), "value": "a"}]
    ts = await posted(world, actions({**select, "options": options}))
    click = {"user": "U0OWNER", "action_id": "pick", "message_ts": ts, "value": "b"}

    await world.post("slack/click", click, status=404)


async def test_options_come_from_the_bot(world: World) -> None:
    ts = await posted(world, actions({"type": "external_select", "action_id": "who"}))

    async def respond(payload: Json) -> object:
        if payload["type"] == "block_suggestion":
            found = payload["value"] in ("ad", "1", "")
            return {"options": [{"text": plain("Ada"), "value": "1"}] if found else []}
        return None

    answering(world, respond)
    ask = {"user": "U0OWNER", "action_id": "who", "message_ts": ts}

    some = await world.post("slack/options", {**ask, "query": "ad"})
    none = await world.post("slack/options", {**ask, "query": "zz"})
    await world.post("slack/click", {**ask, "value": "1", "wait_ms": 0})

    assert some["options"] == [{"text": plain("Ada"), "value": "1"}]
    assert none["options"] == []
    chosen = world.bot.interactions[-1]["actions"][0]["selected_option"]
    assert chosen == {"text": plain("Ada"), "value": "1"}


async def test_a_modal_is_opened_filled_in_refused_and_saved(world: World) -> None:
    opened: list[Json] = []

    async def respond(payload: Json) -> object:
        if "trigger_id" in payload and payload.get("command"):
            view = modal(field("name", "n"), field("note", "o") | {"optional": True})
            call = {"trigger_id": payload["trigger_id"], "view": view}
            opened.append(await world.slack("views.open", call))
            opened.append(await world.slack("views.open", call))
            return None
        values = payload["view"]["state"]["values"]
        if values["n"]["name"]["value"] == "taken":
            return {"response_action": "errors", "errors": {"n": "That one exists."}}
        return {"response_action": "update", "view": {**modal(title="Saved")}}

    answering(world, respond)

    said = await world.post("slack/command", {"user": "U0OWNER", "text": "new"})
    view_id = said["views"][0]["id"]
    submit = {"user": "U0OWNER", "view_id": view_id, "wait_ms": 500}
    missing = await world.post("slack/submit", {**submit, "values": {}})
    taken = await world.post("slack/submit", {**submit, "values": {"name": "taken"}})
    saved = await world.post("slack/submit", {**submit, "values": {"name": "free"}})
    await world.post("slack/submit", {**submit, "values": {"nothing": "x"}}, status=404)

    assert [answer.get("error") for answer in opened] == [None, "exchanged_trigger_id"]
    assert missing["errors"] == {"n": "Please complete this required field."}
    assert taken["errors"] == {"n": "That one exists."}
    assert saved["errors"] == {}
    assert saved["views"][0]["title"] == plain("Saved")
    views = await world.get("slack/views", user="U0OWNER")
    assert [view["id"] for view in views["modals"]] == [view_id]


async def test_a_trigger_lasts_three_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.slack.workspace.TRIGGER_LIFE", -1.0)
    await world.post("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 0})
    trigger = world.bot.commands[0]["trigger_id"]

    late = await world.slack("views.open", {"trigger_id": trigger, "view": modal()})
    unknown = await world.slack("views.open", {"trigger_id": "1.2.x", "view": modal()})

    assert (late["error"], unknown["error"]) == ("expired_trigger_id", "invalid_trigger_id")


async def test_a_response_url_takes_five_answers(world: World) -> None:
    await world.post("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 0})
    url = world.bot.commands[0]["response_url"]

    statuses = []
    for _ in range(6):
        async with world.http.post(url, json={"text": "again"}) as response:
            statuses.append(response.status)

    assert statuses == [200] * 5 + [404]


async def test_a_response_url_lasts_thirty_minutes_of_business_time(world: World) -> None:
    await world.post("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 0})
    await world.ahead(31 * 60)

    async with world.http.post(
        world.bot.commands[0]["response_url"], json={"text": "late"}
    ) as response:
        assert response.status == 404


async def test_home_is_published_when_it_is_opened(world: World) -> None:
    home = {"type": "home", "blocks": [{"type": "section", "text": plain("Hello")}]}

    async def hear(event: Json) -> None:
        assert event["event"]["type"] == "app_home_opened"
        await world.slack("views.publish", {"user_id": "U0OWNER", "view": home})

    world.bot.on_event = hear

    said = await world.post("slack/open_home", {"user": "U0OWNER"})
    shown = (await world.get("slack/views", user="U0OWNER"))["home"]
    conflict = await world.slack(
        "views.publish", {"user_id": "U0OWNER", "view": home, "hash": "1.stale"}
    )

    assert said["views"][0]["blocks"][0]["text"] == plain("Hello")
    assert shown["type"] == "home"
    assert conflict["error"] == "hash_conflict"


async def test_what_people_write_arrives_escaped(world: World) -> None:
    await world.post(
        "slack/say",
        {"user": "U0AGENT", "channel": "C0INBOX", "text": "<!channel> & <@U0DRIP>", "wait_ms": 0},
    )

    by_type = {event["event"]["type"]: event["event"] for event in world.bot.events}
    assert by_type["message"]["text"] == "&lt;!channel&gt; &amp; <@U0DRIP>"
    assert by_type["message"]["channel_type"] == "channel"
    assert by_type.keys() == {"message", "app_mention"}
    elements = by_type["message"]["blocks"][0]["elements"][0]["elements"]
    assert elements[-1] == {"type": "user", "user_id": "U0DRIP"}


async def test_an_upload_is_told_of_and_can_be_fetched_with_the_token(world: World) -> None:
    content = base64.b64encode(b"phone\n+31610000001\n").decode()
    await world.post(
        "slack/upload",
        {
            "user": "U0OWNER",
            "channel": "C0ALERTS",
            "name": "leads.csv",
            "content_base64": content,
            "text": "import",
            "wait_ms": 0,
        },
    )

    by_type = {event["event"]["type"]: event["event"] for event in world.bot.events}
    message = by_type["message"]
    assert (message["subtype"], message["text"]) == ("file_share", "import")
    assert by_type["file_shared"]["file_id"] == message["files"][0]["id"]
    url = message["files"][0]["url_private_download"]
    headers = {"Authorization": f"Bearer {demo.SLACK_BOT_TOKEN}"}
    async with world.http.get(url, headers=headers) as response:
        assert await response.read() == b"phone\n+31610000001\n"
        assert response.content_type == "text/csv"
    async with world.http.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_the_bot_uploads_and_must_wait_before_it_shows_the_picture(world: World) -> None:
    asked = await world.slack("files.getUploadURLExternal", {"filename": "a.png", "length": 4})
    async with world.http.post(asked["upload_url"], data=b"\x89PNG") as response:
        assert response.status == 200
    await world.slack("files.completeUploadExternal", {"files": [{"id": asked["file_id"]}]})
    image = {"type": "image", "slack_file": {"id": asked["file_id"]}, "alt_text": "a chart"}
    post = {"channel": "C0ALERTS", "text": "chart", "blocks": [image]}

    early = await world.slack("chat.postMessage", post)
    await asyncio.sleep(0.35)
    late = await world.slack("chat.postMessage", post)
    path = f"{world.settings.url}/sandbox/api/slack/files/{asked['file_id']}"
    async with world.http.get(path) as response:
        content = await response.read()

    assert early["error"] == "invalid_blocks"
    assert "invalid slack file [json-pointer:/blocks/0/slack_file]" in early["errors"][0]
    assert late["ok"]
    assert content == b"\x89PNG"


async def test_an_event_is_repeated_at_once_then_after_1_and_5_minutes(world: World) -> None:
    world.bot.event_status = 500
    await world.post(
        "slack/say", {"user": "U0AGENT", "channel": "C0INBOX", "text": "hi", "wait_ms": 100}
    )
    assert world.bot.retries == [None, "1"]
    await world.ahead(60)
    assert world.bot.retries == [None, "1", "2"]
    await world.ahead(300)
    await world.ahead(3600)

    assert world.bot.retries == [None, "1", "2", "3"]
    assert len({event["event_id"] for event in world.bot.events}) == 1


async def test_a_shortcut_and_a_step_of_a_workflow(world: World) -> None:
    ts = await posted(world)

    async def hear(event: Json) -> None:
        if event["event"]["type"] == "function_executed":
            execution = event["event"]["function_execution_id"]
            done = {"function_execution_id": execution, "outputs": {"n": "2"}}
            await world.slack("functions.completeSuccess", done)

    world.bot.on_event = hear
    shortcut = {"user": "U0OWNER", "callback_id": "enroll", "wait_ms": 0}

    await world.post("slack/shortcut", shortcut)
    await world.post("slack/shortcut", {**shortcut, "message_ts": ts})
    said = await world.post("slack/function", {"callback_id": "send", "inputs": {"a": 1}})

    assert [i["type"] for i in world.bot.interactions] == ["shortcut", "message_action"]
    assert said["function"] == {"outputs": {"n": "2"}}


async def test_the_bot_edits_deletes_and_reads_back(world: World) -> None:
    metadata = {"event_type": "drip", "event_payload": {"id": "7"}}
    ts = await posted(world, metadata=metadata)
    reply = await posted(world, thread_ts=ts)
    await world.slack("chat.update", {"channel": "D0OWNER", "ts": reply, "text": "edited"})

    history = await world.slack(
        "conversations.history", {"channel": "D0OWNER", "include_all_metadata": True}
    )
    thread = await world.slack("conversations.replies", {"channel": "D0OWNER", "ts": ts})
    await world.slack("chat.delete", {"channel": "D0OWNER", "ts": reply})
    shown = (await world.get("slack/messages", channel="D0OWNER", thread_ts=ts))["messages"]

    assert [m["metadata"] for m in history["messages"]] == [metadata]
    assert [m["text"] for m in thread["messages"]] == ["t", "edited"]
    assert [m["deleted"] for m in shown] == [False, True]
    assert shown[1]["edited"]


REFUSED_BLOCKS: dict[str, list[Json]] = {
    "unknown type": [{"type": "chart"}],
    "no type": [{}],
    "unknown field": [{"type": "divider", "color": "red"}],
    "51 blocks": [{"type": "divider"}] * 51,
    "empty section": [{"type": "section"}],
    "empty text": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
    "text of 3001": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
    "field of 2001": [{"type": "section", "fields": [plain("x" * 2001)]}],
    "11 fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "header of 151": [{"type": "header", "text": plain("x" * 151)}],
    "11 in a context": [{"type": "context", "elements": [plain("x")] * 11}],
    "26 buttons": [actions(*(button(str(n)) for n in range(26)))],
    "button text of 76": [actions(button(text=plain("x" * 76)))],
    "button value of 2001": [actions(button(value="x" * 2001))],
    "button in mrkdwn": [actions(button(text={"type": "mrkdwn", "text": "Go"}))],
    "style": [actions(button(style="warning"))],
    "input in actions": [actions({"type": "plain_text_input", "action_id": "a"})],
    "two sources of options": [
        actions({"type": "static_select", "options": [], "option_groups": []})
    ],
    "no options": [actions({"type": "static_select"})],
    "101 options": [
        actions(
            {
                "type": "static_select",
                "options": [{"text": plain("x"), "value": str(n)} for n in range(101)],
            }
        )
    ],
    "option value of 151": [
        actions({"type": "static_select", "options": [{"text": plain("x"), "value": "x" * 151}]})
    ],
    "11 radio buttons": [
        actions(
            {
                "type": "radio_buttons",
                "options": [{"text": plain("x"), "value": str(n)} for n in range(11)],
            }
        )
    ],
    "same block_id": [actions(button(), block_id="a"), actions(button(), block_id="a")],
    "same action_id": [actions(button(), button())],
    "alert in a message": [{"type": "alert", "text": plain("x")}],
    "file input in a message": [
        {"type": "input", "label": plain("x"), "element": {"type": "file_input"}}
    ],
    "image without source": [{"type": "image", "alt_text": "x"}],
    "image without alt": [{"type": "image", "image_url": "https://x.example/a.png"}],
    "markdown of 12001 together": [{"type": "markdown", "text": "x" * 6001}] * 2,
    "table of 101 rows": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}],
    "ragged data table": [
        {
            "type": "data_table",
            "caption": "x",
            "rows": [
                [{"type": "raw_text", "text": "x"}],
                [{"type": "raw_text", "text": "x"}] * 2,
            ],
        }
    ],
    "chart without a point": [
        {
            "type": "data_visualization",
            "title": "x",
            "chart": {
                "type": "bar",
                "series": [{"name": "s", "data": []}],
                "axis_config": {"categories": ["a"]},
            },
        }
    ],
    "confirm without text": [actions(button(confirm={"title": plain("Sure?")}))],
    "rich text of no kind": [{"type": "rich_text", "elements": [{"type": "rich_text_table"}]}],
    "not even an object": ["section"],  # type: ignore[list-item]  # what is sent may be anything
}


@pytest.mark.parametrize("blocks", REFUSED_BLOCKS.values(), ids=REFUSED_BLOCKS)
async def test_blocks_slack_would_refuse(world: World, blocks: list[Json]) -> None:
    said = await world.slack(
        "chat.postMessage", {"channel": "C0ALERTS", "text": "t", "blocks": blocks}
    )

    assert said["error"] == "invalid_blocks"
    assert "[json-pointer:/blocks" in said["response_metadata"]["messages"][0]
    assert (await world.get("slack/messages", channel="C0ALERTS"))["messages"] == []
    assert (await world.get("refusals"))["refusals"][0]["method"] == "chat.postMessage"


TAKEN_BLOCKS: dict[str, Json] = {
    "section": {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*x*", "verbatim": True},
        "accessory": button(),
    },
    "context": {
        "type": "context",
        "elements": [
            plain("x"),
            {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
        ],
    },
    "rich text": {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_quote",
                "elements": [{"type": "text", "text": "x", "style": {"bold": True}}],
            }
        ],
    },
    "table": {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]},
    "chart": {
        "type": "data_visualization",
        "title": "x",
        "chart": {
            "type": "line",
            "series": [{"name": "s", "data": [{"label": "a", "value": 1}]}],
            "axis_config": {"categories": ["a"]},
        },
    },
    "confirm": actions(
        button(
            style="danger",
            confirm={
                "title": plain("Sure?"),
                "text": plain("x"),
                "confirm": plain("Yes"),
                "deny": plain("No"),
            },
        )
    ),
}


@pytest.mark.parametrize("block", TAKEN_BLOCKS.values(), ids=TAKEN_BLOCKS)
async def test_blocks_slack_takes(world: World, block: Json) -> None:
    said = await world.slack(
        "chat.postMessage", {"channel": "C0ALERTS", "text": "t", "blocks": [block]}
    )

    assert said["ok"], said


@pytest.mark.parametrize(
    ("view", "error"),
    [
        pytest.param(modal(title="x" * 25), "invalid_arguments", id="title of 25"),
        pytest.param({**modal(), "title": None}, "invalid_arguments", id="no title"),
        pytest.param(
            {k: v for k, v in modal(field("a", "b")).items() if k != "submit"},
            "invalid_arguments",
            id="inputs without submit",
        ),
        pytest.param({**modal(), "color": "red"}, "invalid_arguments", id="unknown field"),
        pytest.param(modal(*[{"type": "divider"}] * 101), "invalid_arguments", id="101 blocks"),
        pytest.param(
            modal({"type": "markdown", "text": "x"}), "invalid_arguments", id="wrong surface"
        ),
        pytest.param(
            {**modal(), "private_metadata": "x" * 3001}, "invalid_arguments", id="metadata"
        ),
        pytest.param(
            modal(*[{"type": "section", "text": plain("x" * 2999)}] * 90),
            "view_too_large",
            id="too large",
        ),
        pytest.param({"type": "home", "blocks": []}, "invalid_arguments", id="a home"),
    ],
)
async def test_views_slack_would_refuse(world: World, view: Json, error: str) -> None:
    await world.post("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 0})
    trigger = world.bot.commands[0]["trigger_id"]

    said = await world.slack("views.open", {"trigger_id": trigger, "view": view})

    assert said["error"] == error


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0ALERTS"}, "no_text"),
        (
            "chat.postMessage",
            {"channel": "C0ALERTS", "text": "x", "thread_ts": "1.2"},
            "thread_not_found",
        ),
        (
            "chat.postMessage",
            {"channel": "C0ALERTS", "text": "x", "metadata": {"event_type": 1}},
            "invalid_metadata_format",
        ),
        ("chat.update", {"channel": "C0ALERTS", "ts": "1.2", "text": "x"}, "message_not_found"),
        (
            "chat.postEphemeral",
            {"channel": "D0OWNER", "user": "U0AGENT", "text": "x"},
            "user_not_in_channel",
        ),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("files.info", {"file": "F0NONE"}, "file_not_found"),
        ("views.update", {"view_id": "V0NONE", "view": modal()}, "not_found"),
        ("views.publish", {"user_id": "U0NOBODY", "view": {}}, "user_not_found"),
        ("chat.sing", {}, "unknown_method"),
        ("auth.test", {"team_id": "T0OTHER"}, "team_not_found"),
    ],
    ids=str,
)
async def test_calls_slack_would_refuse(
    world: World, method: str, arguments: Json, error: str
) -> None:
    assert (await world.slack(method, arguments))["error"] == error


async def test_an_update_holds_4000_bytes(world: World) -> None:
    ts = await posted(world)
    call = {"channel": "D0OWNER", "ts": ts}

    assert (await world.slack("chat.update", {**call, "text": "é" * 2000}))["ok"]
    too_long = await world.slack("chat.update", {**call, "text": "é" * 2001})

    assert too_long["error"] == "msg_too_long"


async def test_a_channel_takes_about_one_message_a_second(world: World) -> None:
    answers = [
        await world.slack("chat.postMessage", {"channel": "C0ALERTS", "text": str(n)})
        for n in range(12)
    ]

    assert [a["http"] for a in answers[:10]] == [200] * 10
    assert 429 in [a["http"] for a in answers[10:]]
    assert (await world.slack("chat.postMessage", {"channel": "C0INBOX", "text": "x"}))["ok"]


async def test_updates_share_fifty_calls_a_minute(world: World) -> None:
    ts = await posted(world)
    url = f"{world.settings.url}/slack/api/chat.update"
    headers = {"Authorization": f"Bearer {demo.SLACK_BOT_TOKEN}"}
    call = {"channel": "D0OWNER", "ts": ts, "text": "x"}
    for _ in range(50):
        assert (await world.slack("chat.update", call))["ok"]

    async with world.http.post(url, json=call, headers=headers) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(("token", "error"), [(None, "not_authed"), ("xoxb-1", "invalid_auth")])
async def test_slack_wants_the_bots_token(world: World, token: str | None, error: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async with world.http.post(
        f"{world.settings.url}/slack/api/auth.test", headers=headers
    ) as response:
        assert (await response.json())["error"] == error


async def test_arguments_may_come_as_a_form_or_in_the_query(world: World) -> None:
    url = f"{world.settings.url}/slack/api/chat.postMessage"
    headers = {"Authorization": f"Bearer {demo.SLACK_BOT_TOKEN}"}
    arguments = {"channel": "C0ALERTS", "text": "x", "blocks": '[{"type":"divider"}]'}

    async with world.http.post(url, data=arguments, headers=headers) as response:
        form = await response.json()
    async with world.http.post(url, params=arguments, headers=headers) as response:
        query = await response.json()

    assert form["message"]["blocks"][0]["type"] == "divider"
    assert query["ok"]


async def test_a_bot_that_fails_is_seen_to_fail(world: World) -> None:
    async def respond(_: Json) -> object:
        return web.Response(status=500)

    answering(world, respond)

    said = await world.post("slack/command", {"user": "U0OWNER", "text": "x", "wait_ms": 50})

    assert said["status"] == 500
    assert said["replies"] == []

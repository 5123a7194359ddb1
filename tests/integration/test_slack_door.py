"""Slack's requests over real HTTP, signed as Slack signs them, and a small Slack to answer to."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.slack.answers import StoredAnswers
from bot.slack.blocks import message, section
from bot.slack.clicks import Value
from bot.slack.dispatch import Dispatcher
from bot.slack.door import SlackDoor
from bot.slack.language import COMMANDS, LANGUAGE
from bot.slack.language.campaigns import CampaignNew, CampaignPause, CampaignShow
from bot.slack.language.general import Status
from bot.slack.markup import markup
from bot.slack.refusals import refusing
from bot.slack.registry import AlreadyHandled, Choice, Context, FieldErrors, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click, Event, OptionsQuery, Submission
from bot.slack.staff import Staff
from bot.slack.verification import sign
from bot.slack.workspace import Workspace, Workspaces
from engine.ids import OrganizationId
from engine.refusal import Refusal
from engine.roles import Role
from storage.database import Database
from storage.slack_requests import Claim, SlackRequests
from tests.database import ACME, GLOBEX

ACME_SECRET, GLOBEX_SECRET = "acme-secret", "globex-secret"
OWNER, SUPERVISOR, AGENT, STRANGER = "U0OWNER", "U0SUPER", "U0AGENT", "U0STRANGER"
IN_LEADS = "U0LEAD"


class Machine:
    """Business time stands still in a year of its own; the machine's time is the machine's."""

    def now(self) -> datetime:
        return datetime(2031, 5, 4, tzinfo=UTC)

    def wall(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 — signatures are made now, by the machine's clock

    def monotonic(self) -> float:
        return time.monotonic()


class Failures:
    """What could not be used, in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bytes]] = []

    async def keep(self, *, source: str, reason: str, body: bytes, at: datetime) -> None:
        self.kept.append((f"{source} {at.year}", reason, body))


@dataclass
class PretendSlack:
    """The Web API and response_urls; remembers what it was told."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    groups_down: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/answer", self._answer)
        return app

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            given |= await request.json()
        else:
            given |= dict(await request.post())
        given["token"] = request.headers.get("Authorization", "")
        self.calls.append((method, given))
        self.arrived.set()
        if method == "usergroups.users.list":
            if self.groups_down:
                return web.json_response({"ok": False, "error": "internal_error"})
            return web.json_response({"ok": True, "users": [IN_LEADS]})
        return web.json_response({"ok": True, "ts": "1.1"})

    async def _answer(self, request: web.Request) -> web.Response:
        self.answers.append(await request.json())
        self.arrived.set()
        return web.Response(text="ok")

    async def heard(self) -> None:
        """Wait until something has been said by either way."""
        async with asyncio.timeout(30):
            await self.arrived.wait()
        self.arrived.clear()


@dataclass
class House:
    """The door as production builds it, and what its handlers did."""

    registry: Registry
    slack: PretendSlack
    failures: Failures
    database: Database
    session: aiohttp.ClientSession
    url: str
    slack_url: str
    dispatcher: Dispatcher
    done: list[str] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim_as_another(self, key: str) -> None:
        """Claim as a process that is killed right afterwards."""
        claim = await SlackRequests(self.database).claim(
            ACME, key, datetime(2031, 5, 4, tzinfo=UTC)
        )
        assert isinstance(claim, Claim)

    async def pass_seconds(self, seconds: float) -> None:
        """Let the database's clock be further, as far as claims see it."""
        await self.database.pool.execute(
            "update slack_requests set renewed_at = renewed_at - $1 * interval '1 second'", seconds
        )

    async def post(
        self,
        body: bytes,
        *,
        content_type: str = "application/x-www-form-urlencoded",
        secret: str = ACME_SECRET,
        age: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        stamp = str(int(time.time()) - age)  # noqa: TID251 — Slack signs by the machine's clock
        signed = sign(f"v0:{stamp}:".encode() + body, secret=secret).decode()
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signed,
        } | dict(headers or {})
        async with self.session.post(self.url, data=io.BytesIO(body), headers=sent) as response:
            return response.status, await response.read()

    async def command(self, text: str, *, user: str = OWNER, **changed: str) -> dict[str, Any]:
        status, body = await self.post(self.slash(text, user=user, **changed))
        assert status == 200
        return dict(orjson.loads(body)) if body else {}

    def slash(self, text: str, *, user: str = OWNER, **changed: str) -> bytes:
        fields = {
            "team_id": "T0ACME",
            "channel_id": "C1",
            "user_id": user,
            "command": "/drip",
            "text": text,
            "response_url": f"{self.slack_url}/answer",
            "trigger_id": f"{time.monotonic_ns()}.1",
        }
        return urlencode(fields | changed).encode()

    def interaction(self, kind: str, *, user: str = OWNER, **changed: object) -> bytes:
        payload = {
            "type": kind,
            "team": {"id": "T0ACME"},
            "user": {"id": user},
            "channel": {"id": "C1"},
            "response_url": f"{self.slack_url}/answer",
            "trigger_id": f"{time.monotonic_ns()}.2",
        }
        return urlencode({"payload": orjson.dumps(payload | changed).decode()}).encode()

    def event(self, payload: dict[str, Any], *, event_id: str = "Ev1", **changed: object) -> bytes:
        envelope = {
            "type": "event_callback",
            "team_id": "T0ACME",
            "event_id": event_id,
            "event": payload,
            "authorizations": [{"team_id": "T0ACME", "user_id": "U0DRIP", "is_bot": True}],
        }
        return orjson.dumps(envelope | changed)

    async def say(self, text: str, *, retried: int = 0) -> int:
        """Say something in a channel; return how the event was answered."""
        said = {"type": "message", "user": OWNER, "text": text, "channel": "C1"}
        return await self.tell(said, retried=retried)

    async def tell(self, payload: dict[str, Any], *, retried: int = 0) -> int:
        body = self.event(payload, retried=retried)
        return (await self.post(body, content_type="application/json"))[0]

    async def click(self, action_id: str, value: str, *, user: str = OWNER) -> int:
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
        body = self.interaction("block_actions", user=user, actions=[action])
        return (await self.post(body))[0]


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[House]:
    slack = PretendSlack()
    failures = Failures()
    claims = SlackRequests(database)
    async with TestServer(slack.app()) as slack_server, aiohttp.ClientSession() as session:
        slack_url = str(slack_server.make_url("")).rstrip("/")
        workspaces = Workspaces(
            [
                _workspace(ACME, team_id="T0ACME", secret=ACME_SECRET),
                _workspace(GLOBEX, team_id="T0GLOBEX", secret=GLOBEX_SECRET),
            ],
            session=session,
            slack_url=f"{slack_url}/api",
        )
        clock = Machine()
        registry = Registry()
        dispatcher = Dispatcher(
            registry=registry,
            language=LANGUAGE,
            workspaces=workspaces,
            staff=Staff(workspaces, monotonic=clock.monotonic),
            claims=claims,
            answers=StoredAnswers(database, clock),
            clock=clock,
        )
        door = SlackDoor(
            workspaces=workspaces,
            dispatcher=dispatcher,
            claims=claims,
            failures=failures,
            clock=clock,
        )
        app = web.Application()
        app.router.add_post("/slack/events", door.receive)
        async with TestServer(app) as server:
            yield House(
                registry=registry,
                slack=slack,
                failures=failures,
                database=database,
                session=session,
                url=str(server.make_url("/slack/events")),
                slack_url=slack_url,
                dispatcher=dispatcher,
            )
            await dispatcher.drain(5)


def _workspace(organization: OrganizationId, *, team_id: str, secret: str) -> Workspace:
    return Workspace(
        organization=organization,
        name=organization.title(),
        team_id=team_id,
        bot_token=f"xoxb-{organization}",
        signing_secret=secret,
        staff=(
            (Role.OWNER, (OWNER,)),
            (Role.SUPERVISOR, (SUPERVISOR, "S0LEADS")),
            (Role.AGENT, (AGENT, "+31612345678")),
        ),
    )


def _said(text: str, *, in_channel: bool = False) -> Reply:
    return Reply(message=message(markup(text), section(markup(text))), in_channel=in_channel)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with opened(database) as house:
        registry, done = house.registry, house.done

        @registry.command(CampaignNew)
        async def new(command: CampaignNew, context: Context) -> Reply:
            done.append(f"{context.organization} new {command.name} by {context.user_id}")
            return _said("Created.", in_channel=True)

        @registry.command(CampaignPause)
        async def breaks(command: CampaignPause, context: Context) -> Reply:
            raise RuntimeError(f"no {command.campaign} for {context.user_id}")

        @registry.command(CampaignShow)
        async def slow(_command: CampaignShow, _context: Context) -> Reply:
            await asyncio.sleep(2.3)
            return _said("At last.")

        @registry.command(Status)
        async def status(_command: Status, _context: Context) -> Reply:
            return _said("All is well.")

        @registry.click("pause", role=Role.OWNER)
        async def pause(click: Click, _context: Context) -> Reply | None:
            done.append(f"pause {click.value}")
            if click.value.startswith("broken"):
                raise RuntimeError("broken")
            return _said("Paused.")

        @registry.submission("new_campaign", role=Role.OWNER)
        async def submitted(submission: Submission, _context: Context) -> Reply | FieldErrors:
            done.append(f"submitted {submission.inputs['name']}")
            if submission.inputs["name"] == ("taken",):
                return FieldErrors(by_action={"name": "This name is taken."})
            return _said("Created.")

        @registry.options("campaign", role=Role.SUPERVISOR)
        async def options(query: OptionsQuery, _context: Context) -> tuple[Choice, ...]:
            return (Choice(label=f"{query.query}lcome <b>", value="17"),)

        @registry.event("message")
        async def message_event(event: Event, context: Context) -> Reply | None:
            done.append(f"{context.organization} message {event.payload.get('text')}")
            if event.payload.get("text") == "break":
                raise RuntimeError("broken")
            if event.payload.get("text") == "a large file":
                await house.let_go.wait()
            if event.payload.get("text") == "a file":
                await context.respond(_said("I read it."))
                return replace(_said("No, I do not."), thread_ts="1.2")
            return None

        yield house


async def test_a_command_is_handled_and_answered_in_the_response(house: House) -> None:
    answer = await house.command('campaign new "Big Sale"')

    assert house.done == ["acme new Big Sale by U0OWNER"]
    assert answer["response_type"] == "in_channel"
    assert answer["text"] == "Created."


@pytest.mark.parametrize(
    ("channel", "kept"),
    [
        ("D1", [("I read it.", "D1", None), ("No, I do not.", "D1", "1.2")]),
        ("C1", []),
    ],
    ids=["all there may read it", "it is for one alone"],
)
async def test_what_is_said_to_an_event_waits_its_turn_unless_it_is_for_one_alone(
    house: House, channel: str, kept: list[tuple[str, ...]]
) -> None:
    said = {"type": "message", "user": OWNER, "text": "a file", "channel": channel}

    assert await house.tell(said) == 200

    rows = await house.database.pool.fetch("select content from events where kind = 'answer'")
    found = [row["content"] for row in rows]
    assert [(each["text"], each["channel"], each["thread_ts"]) for each in found] == kept
    told = [call for call in house.slack.calls if call[0].startswith("chat.")]
    assert len(told) == 2 - len(kept)


async def test_a_slow_command_is_acknowledged_in_time_and_answered_later(house: House) -> None:
    began = time.monotonic()

    answer = await house.command("campaign show Welcome")
    took = time.monotonic() - began
    await house.slack.heard()

    assert answer == {}
    assert took < 3
    assert house.slack.answers[0]["text"] == "At last."
    assert house.slack.answers[0]["response_type"] == "ephemeral"


async def test_an_answer_goes_nowhere_but_to_slack(house: House) -> None:
    """Who holds a secret must not make the bot call an address inside the network."""
    await house.command("campaign show Welcome", response_url="http://localhost:1/answer")
    await house.slack.heard()

    assert house.slack.answers == []
    assert house.slack.calls[-1][0] == "chat.postEphemeral"


async def test_a_handler_that_breaks_is_told_with_a_reference(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await house.command("campaign pause Welcome")

    reference = answer["text"].rpartition("`")[0].rpartition("`")[2]
    assert len(reference) == 8
    assert reference in capsys.readouterr().out


@pytest.mark.parametrize(
    ("user", "text", "told"),
    [
        pytest.param(STRANGER, "status", "Ask <@U0OWNER>", id="a stranger is told whom to ask"),
        pytest.param(STRANGER, "help", "Ask <@U0OWNER>", id="a stranger gets no help either"),
        pytest.param(AGENT, "campaign new X", "is for owners; you are an agent", id="an agent"),
        pytest.param(AGENT, "status", "is for supervisors; you are an agent", id="agents see none"),
        pytest.param(SUPERVISOR, "campaign new X", "is for owners", id="a supervisor only looks"),
        pytest.param(SUPERVISOR, "status", "All is well.", id="a supervisor looks"),
        pytest.param(IN_LEADS, "status", "All is well.", id="a supervisor through a group"),
        pytest.param(AGENT, "help", "Commands", id="an agent gets help"),
        pytest.param(OWNER, "help step add", "Add a message", id="help on a command"),
        pytest.param(OWNER, "campaign help", "Commands campaign", id="help on a group"),
        pytest.param(OWNER, "", "Commands", id="nothing is a question"),
        pytest.param(OWNER, "campain new", "did you mean", id="a slip"),
    ],
)
async def test_who_may_do_what(house: House, user: str, text: str, told: str) -> None:
    answer = await house.command(text, user=user)

    assert told in answer["text"]
    assert answer["response_type"] == "ephemeral"
    assert house.done == []


async def test_groups_are_asked_for_once_and_remembered(house: House) -> None:
    for _ in range(3):
        await house.command("status", user=IN_LEADS)

    asked = [given for method, given in house.slack.calls if method == "usergroups.users.list"]
    assert [(each["usergroup"], each["token"]) for each in asked] == [
        ("S0LEADS", "Bearer xoxb-acme")
    ]


async def test_nobody_becomes_staff_while_slack_does_not_tell_the_group(house: House) -> None:
    house.slack.groups_down = True

    answer = await house.command("status", user=IN_LEADS)

    assert "not on the staff" in answer["text"]


async def test_a_request_repeated_changes_nothing(house: House) -> None:
    body = house.slash("campaign new Once")
    stamp = str(int(time.time()))  # noqa: TID251 — Slack signs by the machine's clock
    signed = sign(f"v0:{stamp}:".encode() + body, secret=ACME_SECRET).decode()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}

    answers = [await house.post(body, headers=headers) for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert [bool(text) for _, text in answers] == [True, False, False]
    assert house.done == ["acme new Once by U0OWNER"]


async def test_of_requests_repeated_at_once_one_is_handled(house: House) -> None:
    body = house.slash("campaign new Once")
    stamp = str(int(time.time()))  # noqa: TID251 — Slack signs by the machine's clock
    signed = sign(f"v0:{stamp}:".encode() + body, secret=ACME_SECRET).decode()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}

    answers = await asyncio.gather(*(house.post(body, headers=headers) for _ in range(20)))

    assert {status for status, _ in answers} == {200}
    assert house.done == ["acme new Once by U0OWNER"]


async def test_an_event_repeated_under_a_new_signature_is_handled_once(house: House) -> None:
    statuses = [await house.say("hello", retried=number) for number in range(3)]

    assert statuses == [200, 200, 200]
    assert house.done == ["acme message hello"]


async def test_an_event_that_failed_is_repeated_by_slack_and_handled_again(house: House) -> None:
    statuses = [await house.say("break", retried=number) for number in range(2)]

    assert statuses == [503, 503]
    assert house.done == ["acme message break"] * 2


async def test_an_event_is_taken_only_once_it_is_done(house: House) -> None:
    """What is answered 200 never comes again, so a crash meanwhile would lose it."""
    first = await house.say("a large file")
    meanwhile = await house.say("a large file", retried=1)
    house.let_go.set()
    await house.dispatcher.drain(5)
    afterwards = await house.say("a large file", retried=2)

    assert (first, meanwhile, afterwards) == (503, 503, 200)
    assert house.done == ["acme message a large file"]


async def test_an_event_a_killed_process_had_begun_is_taken_up_by_a_repeat(house: House) -> None:
    await house.claim_as_another("event:Ev1")

    too_early = await house.say("hello")
    await house.pass_seconds(31)
    statuses = [await house.say("hello", retried=number) for number in (1, 2)]
    await house.pass_seconds(86_400)
    long_after = await house.say("hello", retried=3)

    assert (too_early, statuses, long_after) == (503, [200, 200], 200)
    assert house.done == ["acme message hello"]


async def test_an_event_that_a_shutdown_broke_off_comes_again(house: House) -> None:
    assert await house.say("a large file") == 503
    await house.dispatcher.drain(0)
    house.let_go.set()

    assert await house.say("a large file", retried=1) == 200
    assert house.done == ["acme message a large file"] * 2


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"type": "message", "user": "U0DRIP", "text": "mine"}, id="our own words"),
        pytest.param({"type": "emoji_changed"}, id="a kind nobody listens to"),
        pytest.param({"type": "reaction_added", "item": {"channel": "C1"}}, id="without a user"),
        pytest.param({"type": "message\nwith line"}, id="a kind of several lines"),
    ],
)
async def test_events_for_nobody_are_taken(house: House, payload: dict[str, Any]) -> None:
    assert await house.tell(payload) == 200
    assert house.done == []


async def test_clicking_twice_does_once_until_the_message_changes(house: House) -> None:
    for version in (1, 1, 2, 1):
        await house.click("pause", str(Value(subject="17", version=version)))
    await house.dispatcher.drain(5)

    assert house.done == ["pause 17@1", "pause 17@2"]


async def test_a_click_that_broke_may_be_clicked_again(house: House) -> None:
    for _ in range(2):
        assert await house.click("pause", "broken@1") == 200
        await house.slack.heard()

    assert house.done == ["pause broken@1"] * 2
    assert "reference" in house.slack.answers[-1]["text"]


async def test_a_click_that_was_refused_may_be_clicked_again(house: House) -> None:
    @house.registry.click("activate", role=Role.OWNER)
    @refusing
    async def activate(_click: Click, _context: Context) -> Reply:
        house.done.append("tried")
        if len(house.done) == 1:
            raise Refusal("The template is not approved yet.")
        return _said("Activated.")

    for _ in range(3):
        await house.click("activate", "17@1")
        await house.dispatcher.drain(5)

    assert house.done == ["tried", "tried"]
    assert [each["text"] for each in house.slack.answers] == [
        "The template is not approved yet.",
        "Activated.",
    ]


async def test_what_only_shows_something_is_shown_at_every_click(house: House) -> None:
    @house.registry.click("report", role=Role.SUPERVISOR, once=False)
    async def report(_click: Click, _context: Context) -> Reply:
        return _said("Sent 3.")

    for _ in range(2):
        await house.click("report", "17@1")
        await house.dispatcher.drain(5)

    assert [each["text"] for each in house.slack.answers] == ["Sent 3.", "Sent 3."]


async def test_a_click_a_killed_process_had_begun_is_done_by_the_next(house: House) -> None:
    value = str(Value(subject="17", version=1))
    await house.claim_as_another(f"click:{OWNER}:pause:{value}")

    await house.click("pause", value)
    await house.pass_seconds(31)
    await house.slack.heard()

    assert house.done == ["pause 17@1"]
    assert house.slack.answers[0]["text"] == "Paused."


async def test_a_modal_a_killed_process_had_begun_goes_through(house: House) -> None:
    await house.claim_as_another("submit:V1:1.a")
    await house.pass_seconds(31)

    assert await house.post(house.interaction("view_submission", view=_view("free"))) == (200, b"")
    assert house.done == ["submitted ('free',)"]


async def test_the_role_is_checked_again_when_a_button_is_clicked(house: House) -> None:
    await house.click("pause", "17@1", user=SUPERVISOR)
    await house.slack.heard()
    await house.click("pause", "17@1")
    await house.dispatcher.drain(5)

    assert "is for owners" in house.slack.answers[0]["text"]
    assert house.done == ["pause 17@1"]


def _view(name: str) -> dict[str, Any]:
    element = {"type": "plain_text_input", "value": name}
    return {
        "type": "modal",
        "id": "V1",
        "hash": "1.a",
        "callback_id": "new_campaign",
        "state": {"values": {"block": {"name": element}}},
    }


async def test_a_modal_stays_open_with_what_is_wrong_and_then_goes_through_once(
    house: House,
) -> None:
    wrong = await house.post(house.interaction("view_submission", view=_view("taken")))
    right = await house.post(house.interaction("view_submission", view=_view("free")))
    again = await house.post(house.interaction("view_submission", view=_view("free")))

    errors = {"block": "This name is taken."}
    assert orjson.loads(wrong[1]) == {"response_action": "errors", "errors": errors}
    assert (right, again) == ((200, b""), (200, b""))
    assert house.done == ["submitted ('taken',)", "submitted ('free',)"]


async def test_a_select_gets_its_options_however_often_it_asks(house: House) -> None:
    body = house.interaction("block_suggestion", action_id="campaign", value="We")

    answers = [await house.post(body) for _ in range(2)]

    for _, answer in answers:
        (option,) = orjson.loads(answer)["options"]
        assert option["text"]["type"] == "plain_text"
        assert option["text"]["text"] == "Welcome <b>"


async def test_a_select_for_others_is_empty(house: House) -> None:
    body = house.interaction("block_suggestion", user=AGENT, action_id="campaign", value="We")

    assert orjson.loads((await house.post(body))[1]) == {"options": []}


async def test_slack_learns_that_the_address_answers(house: House) -> None:
    body = orjson.dumps({"type": "url_verification", "challenge": "c<1>", "token": "t"})

    status, answer = await house.post(body, content_type="application/json")

    assert (status, orjson.loads(answer)) == (200, {"challenge": "c<1>"})


async def test_the_secret_of_one_organization_does_not_touch_another(house: House) -> None:
    body = house.slash("campaign new Stolen", team_id="T0ACME")

    status, answer = await house.post(body, secret=GLOBEX_SECRET)

    assert (status, answer, house.done) == (200, b"", [])
    assert house.failures.kept[0][2] == body


async def test_each_organization_is_served_under_its_own_secret(house: House) -> None:
    body = house.slash("campaign new Own", team_id="T0GLOBEX")

    await house.post(body, secret=GLOBEX_SECRET)

    assert house.done == ["globex new Own by U0OWNER"]


async def test_a_team_we_do_not_know_is_kept(house: House) -> None:
    status, _ = await house.post(house.slash("help", team_id="T0NOBODY"))

    assert status == 200
    assert [source for source, _, _ in house.failures.kept] == ["slack 2031"]


async def test_without_the_database_slack_is_asked_to_repeat(house: House) -> None:
    await house.database.close()

    assert (await house.post(house.slash("campaign new X")))[0] == 503


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Slack-Signature": ""}, id="no signature"),
        pytest.param({"X-Slack-Signature": "v0=00"}, id="a wrong one"),
        pytest.param({"X-Slack-Signature": "v0=" + "é" * 64}, id="not ASCII"),
        pytest.param({"X-Slack-Request-Timestamp": ""}, id="no time"),
        pytest.param({"X-Slack-Request-Timestamp": "now"}, id="no number"),
        pytest.param({"X-Slack-Request-Timestamp": "-1"}, id="negative"),
        pytest.param({"X-Slack-Request-Timestamp": "1e9"}, id="an exponent"),
        pytest.param({"X-Slack-Request-Timestamp": "٣٣٣٣٣٣٣٣٣٣"}, id="digits of another script"),
        pytest.param({"X-Slack-Request-Timestamp": "9" * 400}, id="beyond any calendar"),
        pytest.param({"X-Slack-Request-Timestamp": "nan"}, id="not a number"),
    ],
)
async def test_headers_nobody_signed_are_refused(house: House, headers: dict[str, str]) -> None:
    with capture_logs() as lines:
        answers = [
            await house.post(house.slash("campaign new X"), headers=headers) for _ in range(3)
        ]

    assert ([status for status, _ in answers], house.done) == ([401, 401, 401], [])
    assert [line["door"] for line in lines if line["event"] == "webhook.unsigned"] == [
        "/slack/events"
    ]


@pytest.mark.parametrize("age", [301, 86_400, -301])
async def test_a_stale_signature_is_refused(house: House, age: int) -> None:
    # A second of room, since the request takes its time.
    status, _ = await house.post(house.slash("help"), age=age + (2 if age > 0 else -2))

    assert status == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param(b"", "application/json", 400, id="empty"),
        pytest.param(b"{", "application/json", 400, id="broken JSON"),
        pytest.param(b"[1]", "application/json", 400, id="a list"),
        pytest.param(b"null", "application/json", 400, id="null"),
        pytest.param(b"\xff\xfe", "application/json", 400, id="not UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", 400, id="deep"),
        pytest.param(b'{"type":"event_callback"}', "application/json", 400, id="no event"),
        pytest.param(
            b'{"type":"event_callback","event_id":"E","event":{"type":5}}',
            "application/json",
            400,
            id="a type that is a number",
        ),
        pytest.param(
            b'{"type":"event_callback","event":5}', "application/json", 400, id="a number"
        ),
        pytest.param(b'{"type":"url_verification"}', "application/json", 400, id="no challenge"),
        pytest.param(b"text=%ff", "application/x-www-form-urlencoded", 400, id="not UTF-8 within"),
        pytest.param(b"a=1&" * 200, "application/x-www-form-urlencoded", 400, id="many fields"),
        pytest.param(b"payload=1", "application/x-www-form-urlencoded", 400, id="payload 1"),
        pytest.param(b"payload={}", "application/x-www-form-urlencoded", 400, id="payload empty"),
        pytest.param(b"<xml/>", "text/xml", 400, id="another type"),
        pytest.param(b"x" * (1024 * 1024 + 1), "application/json", 413, id="over a megabyte"),
    ],
)
async def test_a_body_that_is_not_slacks_is_refused(
    house: House, body: bytes, content_type: str, status: int
) -> None:
    assert (await house.post(body, content_type=content_type))[0] == status


HOSTILE_SHAPES: list[dict[str, Any]] = [
    {"type": "block_actions", "actions": 5},
    {"type": "block_actions", "actions": [[]]},
    {"type": "block_actions", "actions": [{"action_id": "pause"}], "state": {"values": [1]}},
    {"type": "block_actions", "actions": [{"action_id": "pause", "value": {"a": 1}}], "view": 7},
    {"type": "view_submission"},
    {"type": "view_submission", "view": {"id": "V1"}},
    {"type": "view_submission", "view": {"id": "V", "state": {"values": {"b": {"a": []}}}}},
    {"type": "view_closed", "view": {}},
    {"type": "block_suggestion", "value": 5},
    {"type": "shortcut"},
    {"type": "message_action", "callback_id": "x" * 5000},
    {"type": "dialog_submission", "callback_id": {}},
    {"type": "something_new"},
]


@pytest.mark.parametrize(
    "shape", HOSTILE_SHAPES, ids=lambda shape: orjson.dumps(shape).decode()[:60]
)
async def test_an_interaction_of_any_shape_breaks_nothing(
    house: House, shape: dict[str, Any]
) -> None:
    payload = shape | {"team": {"id": "T0ACME"}, "user": {"id": OWNER}}

    status, _ = await house.post(urlencode({"payload": orjson.dumps(payload).decode()}).encode())

    assert status in {200, 400}


async def test_slacks_settings_in_the_environment_change_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bolt and the SDK read tokens, secrets, OAuth and proxies from there by themselves."""
    for name in ("BOT_TOKEN", "SIGNING_SECRET", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "from-the-environment")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async with opened(database) as house:

        @house.registry.command(Status)
        async def status(_command: Status, context: Context) -> Reply:
            await context.client.chat_postMessage(channel="C1", text="hello")
            return _said("All is well.")

        answer = await house.command("status")

    assert answer["text"] == "All is well."
    assert house.slack.calls[-1][1]["token"] == "Bearer xoxb-acme"


def test_a_command_has_one_handler_and_those_without_are_named() -> None:
    registry = Registry()

    async def status(_command: Status, _context: Context) -> Reply:
        return _said("All is well.")

    registry.command(Status)(status)

    with pytest.raises(AlreadyHandled):
        registry.command(Status)(status)
    assert "status" not in registry.without_handler(COMMANDS)
    assert "campaign new" in registry.without_handler(COMMANDS)

"""What Slack sends, read."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.requests import (
    Challenge,
    Click,
    Event,
    Malformed,
    Other,
    Parsed,
    Shortcut,
    Slash,
    SslCheck,
    Submission,
    parse,
)

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def _interaction(payload: dict[str, Any]) -> Parsed:
    whole = {"team": {"id": "T1"}, "user": {"id": "U1", "team_id": "T2"}} | payload
    return parse(urlencode({"payload": orjson.dumps(whole).decode()}).encode(), content_type=FORM)


def test_a_slash_command() -> None:
    body = urlencode(
        {"command": "/drip", "text": "a €", "user_id": "U1", "team_id": "T1", "enterprise_id": "E1"}
    ).encode()

    read = parse(body, content_type=FORM)

    assert isinstance(read, Slash)
    assert (read.command, read.text, read.origin.teams) == ("/drip", "a €", ("T1", "E1"))
    assert read.origin.channel_id is None


def test_an_event_belongs_first_to_whom_it_was_sent_for() -> None:
    body = orjson.dumps(
        {
            "type": "event_callback",
            "team_id": "T9",
            "event_id": "Ev1",
            "event": {"type": "app_home_opened", "user": "U1", "channel": "D1"},
            "authorizations": [{"team_id": "T1", "user_id": "U0BOT", "is_bot": True}],
        }
    )

    read = parse(body, content_type=JSON)

    assert isinstance(read, Event)
    assert (read.origin.teams, read.bot_user_id) == (("T1", "T9"), "U0BOT")
    assert (read.origin.user_id, read.origin.channel_id) == ("U1", "D1")


@pytest.mark.parametrize(
    ("element", "values"),
    [
        pytest.param({"type": "button", "value": "17@3"}, ("17@3",), id="button"),
        pytest.param({"selected_option": {"value": "a"}}, ("a",), id="select"),
        pytest.param({"selected_options": [{"value": "a"}, {"value": "b"}]}, ("a", "b"), id="many"),
        pytest.param({"selected_user": "U1"}, ("U1",), id="user"),
        pytest.param({"selected_users": ["U1", "U2"]}, ("U1", "U2"), id="users"),
        pytest.param({"selected_conversation": "C1"}, ("C1",), id="conversation"),
        pytest.param({"selected_date": "2026-12-01"}, ("2026-12-01",), id="date"),
        pytest.param({"selected_time": "10:00"}, ("10:00",), id="time"),
        pytest.param({"selected_date_time": 1764583200}, ("1764583200",), id="instant"),
        pytest.param({"files": [{"id": "F1"}]}, ("F1",), id="files"),
        pytest.param({"selected_option": None}, (), id="nothing"),
        pytest.param({"value": None}, (), id="an empty input"),
    ],
)
def test_every_kind_of_element_gives_what_was_chosen(
    element: dict[str, Any], values: tuple[str, ...]
) -> None:
    read = _interaction({"type": "block_actions", "actions": [{"action_id": "a"} | element]})

    assert isinstance(read, Click)
    assert read.values == values


def test_a_click_knows_its_message_and_thread() -> None:
    read = _interaction(
        {
            "type": "block_actions",
            "actions": [{"action_id": "a", "block_id": "b", "value": "v"}],
            "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1"},
            "message": {"ts": "1.0", "thread_ts": "0.9"},
        }
    )

    assert isinstance(read, Click)
    assert (read.message_ts, read.thread_ts, read.origin.channel_id) == ("1.0", "0.9", "C1")


def test_a_submission_gives_each_input_and_its_block() -> None:
    values = {"b1": {"name": {"value": "Sale"}}, "b2": {"note": {"value": None}}}
    view = {"id": "V1", "hash": "1.a", "callback_id": "c", "state": {"values": values}}

    read = _interaction({"type": "view_submission", "view": view})

    assert isinstance(read, Submission)
    assert read.inputs == {"name": ("Sale",), "note": ()}
    assert read.blocks == {"name": "b1", "note": "b2"}


def test_the_workspace_a_modal_was_opened_for_comes_first() -> None:
    view = {"id": "V1", "app_installed_team_id": "T7"}

    read = _interaction({"type": "view_submission", "view": view})

    assert isinstance(read, Submission)
    assert read.origin.teams == ("T7", "T1", "T2")


@pytest.mark.parametrize("kind", ["shortcut", "message_action"])
def test_shortcuts(kind: str) -> None:
    read = _interaction({"type": kind, "callback_id": "c", "message": {"ts": "1.0"}})

    assert isinstance(read, Shortcut)
    assert (read.callback_id, read.message_ts) == ("c", "1.0")


@pytest.mark.parametrize("kind", ["view_closed", "workflow_step_edit"])
def test_kinds_without_use_are_told_apart_from_nonsense(kind: str) -> None:
    assert isinstance(_interaction({"type": kind}), Other)


def test_slacks_own_checks() -> None:
    asked = orjson.dumps({"type": "url_verification", "challenge": "c"})

    assert parse(asked, content_type=JSON) == Challenge(challenge="c")
    assert parse(b"ssl_check=1&token=t", content_type=FORM) == SslCheck()


_keys = st.one_of(
    st.sampled_from(["type", "event", "event_id", "user", "id", "team", "view", "state"]),
    st.sampled_from(["values", "actions", "action_id", "message", "container", "channel"]),
    st.sampled_from(["authorizations", "selected_options", "files"]),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=5),
)
_kinds = st.sampled_from(
    ["event_callback", "block_actions", "view_submission", "block_suggestion", "shortcut", "x"]
)


@given(st.dictionaries(_keys, _json), _kinds)
def test_no_shape_raises(shape: dict[str, Any], kind: str) -> None:
    body = orjson.dumps(shape | {"type": kind})

    assert parse(body, content_type=JSON) is not None
    assert parse(urlencode({"payload": body.decode()}).encode(), content_type=FORM) is not None
    assert _interaction(shape | {"type": kind, "user": {"id": "U1"}}) is not None


@given(st.binary(), st.sampled_from([FORM, JSON, "", "text/plain"]))
def test_no_bytes_raise(body: bytes, content_type: str) -> None:
    read = parse(body, content_type=content_type)

    assert isinstance(read, Malformed | SslCheck | Slash)

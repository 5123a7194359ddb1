import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot import logs

SECRET = "s3cr3t-of-acme"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def configured(*, level: str = "info", console: bool = False) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level=level, stream=stream, console=console, secrets=[SecretStr(SECRET)])
    return stream


def told(**fields: object) -> str:
    """What a line with these fields looks like."""
    stream = configured()
    structlog.get_logger().info("message.accepted", **fields)
    return stream.getvalue()


def test_a_line_is_one_json_object_with_its_context() -> None:
    stream = configured()

    with structlog.contextvars.bound_contextvars(organization="acme"):
        structlog.get_logger().info("campaign.paused", campaign=7)

    (line,) = stream.getvalue().splitlines()
    read = json.loads(line)
    assert read.pop("logged_at").endswith("Z")
    assert read == {
        "event": "campaign.paused",
        "campaign": 7,
        "level": "info",
        "organization": "acme",
    }


def test_libraries_tell_in_the_same_form() -> None:
    stream = configured()

    logging.getLogger("arq.worker").warning("lost %s", "+31612345678")

    read = json.loads(stream.getvalue())
    assert (read["event"], read["level"], read["logger"]) == (
        "lost +31…78",
        "warning",
        "arq.worker",
    )


def test_below_the_level_nothing_is_told() -> None:
    stream = configured(level="warning")

    structlog.get_logger().info("campaign.paused")
    logging.getLogger("aiohttp").info("hello")

    assert stream.getvalue() == ""


def test_libraries_never_debug_what_they_send() -> None:
    stream = configured(level="debug")

    structlog.get_logger().debug("ours")
    logging.getLogger("slack_sdk.web").debug("Sending a request - body: hello")
    logging.getLogger("aiohttp.access").info("POST /webhooks/whatsapp")

    assert "ours" in stream.getvalue()
    assert "hello" not in stream.getvalue()
    assert "POST" not in stream.getvalue()


def test_an_exception_is_told_with_its_traceback_and_without_the_number() -> None:
    stream = configured()

    try:
        int("no contact +31612345678")
    except ValueError:
        structlog.get_logger().exception("webhook.failed")

    read = json.loads(stream.getvalue())
    assert "Traceback" in read["exception"]
    assert "'no contact +31…78'" in read["exception"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("+31612345678", "+31…78", id="as we keep it"),
        pytest.param("31612345678", "316…78", id="as WhatsApp keeps it"),
        pytest.param("+31 6 1234-5678", "+31…78", id="as people write it"),
        pytest.param("?from=%2B31612345678&x=1", "?from=%2B316…78&x=1", id="in a URL"),
        pytest.param("wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI5QQ==", "wamid.…GBI5QQ==", id="in base64"),
        pytest.param("1911111111111111111", "1911111111111111111", id="an id of ours stays"),
        pytest.param("took 0.123456789 s", "took 0.123456789 s", id="a fraction stays"),
        pytest.param("xoxb-1234-abc", "[hidden]", id="Slack token"),
        pytest.param(
            "Authorization: Bearer abc.def", "Authorization: Bearer [hidden]", id="bearer"
        ),
        pytest.param(
            "postgres://drip:pw@host/db", "postgres://drip:[hidden]@host/db", id="password"
        ),
        pytest.param(
            "/v25.0/1?access_token=abc&x=1", "/v25.0/1?access_token=[hidden]&x=1", id="query"
        ),
        pytest.param(repr("\nxoxb-1-a"), "'\\n[hidden]'", id="after an escaped new line"),
        pytest.param("EAAGm0PX4ZCpsBAKZC", "[hidden]", id="Meta token"),
        pytest.param(f"[{SECRET}]", "[[hidden]]", id="a secret of the configuration"),
        pytest.param("\ud800", "\\ud800", id="no character at all"),
    ],
)
def test_text_as_logs_show_it(written: str, shown: str) -> None:
    assert logs.Mask([SecretStr(SECRET)]).text(written) == shown


@pytest.mark.parametrize(
    "name", ["text", "body", "message_text", "bot_token", "app_secret", "Cookie"]
)
def test_fields_that_hold_texts_and_tokens_are_absent(name: str) -> None:
    read = json.loads(told(**{name: "hello", "headers": {name: "hello", "host": "a"}}))

    assert name not in read
    assert read["headers"] == {"host": "a"}


def test_what_is_told_survives_any_value() -> None:
    read = json.loads(
        told(big=2**70, raw=b"+31612345678", thing=object(), secret_value=SecretStr("x"), many={1})
    )

    assert read["big"] == str(2**70)
    assert read["raw"] == "[12 bytes]"
    assert read["many"] == [1]


phones = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
around = st.text(st.characters(exclude_categories=["Nd"]), max_size=8)
shapes = st.sampled_from(
    [
        lambda text: {"field": text},
        lambda text: {"field": [text, (text,)]},
        lambda text: {"field": {"inner": {text: text}}},
        lambda text: {"field": ValueError(text)},
        lambda text: {"event_id": {text}},
    ]
)


@given(phone=phones, before=around, after=around, shape=shapes)
def test_no_number_survives(
    phone: str, before: str, after: str, shape: Callable[[str], dict[str, object]]
) -> None:
    assert phone not in told(**shape(before + phone + after))


@given(
    token=st.from_regex(r"(xox[bp]-|xapp-|EAA)[A-Za-z0-9]{12,40}", fullmatch=True),
    before=around,
    after=around,
    shape=shapes,
)
def test_no_token_survives(
    token: str, before: str, after: str, shape: Callable[[str], dict[str, object]]
) -> None:
    assert token not in told(**shape(before + token + after))


@given(before=around, after=around, shape=shapes)
def test_no_secret_of_the_configuration_survives(
    before: str, after: str, shape: Callable[[str], dict[str, object]]
) -> None:
    assert SECRET not in told(**shape(before + SECRET + after))


@given(phone=phones)
def test_no_number_survives_on_a_terminal(phone: str) -> None:
    stream = configured(console=True)
    structlog.get_logger().warning(f"lost {phone}", who=phone, also=[phone])
    logging.getLogger("any").warning("lost %s", phone, extra={"who": phone})

    assert phone not in stream.getvalue()
    assert stream.getvalue().count("…") >= 4

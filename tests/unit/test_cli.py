import asyncio
import logging
import os
import shlex
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from bot.__main__ import SystemClock, cli
from bot.cli import demo_config
from bot.cli.ports import free_ports
from bot.cli.refusals import told
from bot.cli.running import StoppedTwice, run
from bot.processes import Child, keep_running, orphaned
from engine.config import load
from engine.ids import OrganizationId

PROJECT = Path(__file__).parents[2]
EXAMPLE = (PROJECT / "dripline.example.toml").read_text()
ENVIRONMENT = {
    "DATABASE_URL": "postgres://drip:pw-of-db@127.0.0.1:1/drip",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ACME_SLACK_TOKEN": "xoxb-1",
    "ACME_SLACK_SECRET": "slack-secret",
    "ACME_APP_SECRET": "app-secret",
    "ACME_VERIFY_TOKEN": "verify-token",
    "ACME_WA_TOKEN": "wa-token",
}


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo what a command set up for the process it takes itself to be."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def dripline(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, arguments, env={**ENVIRONMENT, **environment})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "dripline.toml"
    path.write_text(EXAMPLE)
    return path


# Commands.


def test_every_command_says_what_it_is_for() -> None:
    listed = dripline("--help").output

    for name in ("bot", "worker", "up", "migrate", "check", "sandbox", "recount", "replay"):
        assert f"\n  {name} " in listed
        assert dripline(name, "--help").exit_code == 0
    assert "seed-demo" not in listed


def test_check_says_what_to_enter_at_the_platforms(config: Path) -> None:
    result = dripline("check", "--config", str(config))

    assert result.exit_code == 0
    assert "is valid; organizations: acme" in result.output
    assert "https://drip.acme.example/slack/events" in result.output
    assert "https://drip.acme.example/webhooks/whatsapp" in result.output


def test_check_says_that_the_platforms_call_https_only(config: Path) -> None:
    config.write_text(EXAMPLE.replace("https://drip.acme", "http://drip.acme"))

    assert "https only" in dripline("check", "--config", str(config)).output


@pytest.mark.parametrize(
    "command", ["bot", "worker", "up", "migrate", "check", "recount", "replay"]
)
def test_without_a_configuration_a_command_says_where_to_get_one(
    command: str, tmp_path: Path
) -> None:
    result = dripline(command, "--config", str(tmp_path / "dripline.toml"))

    assert result.exit_code == 1
    assert "copy dripline.example.toml" in result.output
    assert "Traceback" not in result.output


def test_every_problem_of_the_configuration_is_told(config: Path) -> None:
    config.write_text(EXAMPLE.replace('"Acme"', "7").replace('"24h"', '"x"'))

    result = dripline("bot", "--config", str(config))

    assert result.exit_code == 1
    assert "organizations.acme.name: must be text" in result.output
    assert "organizations.acme.sending.cooldown: 'x' is no duration" in result.output
    assert "Traceback" not in result.output


def test_what_is_no_text_is_no_configuration(config: Path) -> None:
    config.write_bytes(b"\xff\xfe\x00")

    result = dripline("check", "--config", str(config))

    assert (result.exit_code, "cannot be read" in result.output) == (1, True)


@pytest.mark.parametrize("command", ["bot", "worker", "migrate", "recount"])
def test_a_command_that_needs_servers_says_which_are_missing(command: str, config: Path) -> None:
    kept = [
        line for line in EXAMPLE.splitlines() if not line.startswith(("database_url", "listen_url"))
    ]
    config.write_text("\n".join(kept))

    result = dripline(command, "--config", str(config))

    assert result.exit_code == 1
    assert "lacks server.database_url" in result.output
    assert "dripline up" in result.output


def test_a_database_that_does_not_answer_is_told_without_its_url(config: Path) -> None:
    result = dripline("migrate", "--config", str(config))

    assert result.exit_code == 1
    assert "the database does not let us in: Connection refused" in result.output
    assert "pw-of-db" not in result.output
    assert "Traceback" not in result.output


def test_two_workers_are_not_started_over_a_database_that_does_not_answer(config: Path) -> None:
    started = time.monotonic()
    result = dripline("worker", "--config", str(config))

    assert "the database does not let us in" in result.output
    assert time.monotonic() - started < 10


def test_servers_of_a_parent_stand_in_for_those_left_out(config: Path) -> None:
    kept = [
        line for line in EXAMPLE.splitlines() if not line.startswith(("database_url", "listen_url"))
    ]
    config.write_text("\n".join(kept))

    result = dripline(
        "migrate", "--config", str(config), DRIPLINE_DATABASE_URL="postgres://127.0.0.1:1/drip"
    )

    assert "the database does not let us in" in result.output


def test_a_port_in_use_and_a_group_of_refusals_are_told_in_a_sentence() -> None:
    with pytest.raises(click.ClickException, match="another dripline"), told(OSError):
        raise ExceptionGroup("two", [ExceptionGroup("one", [OSError(98, "Address in use")])])
    with pytest.raises(click.ClickException, match="check --live"), told(OSError):
        raise ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(ExceptionGroup), told(OSError):
        raise ExceptionGroup("two", [OSError(98, "Address in use"), ValueError("a bug")])


# The clock.


def test_business_time_follows_the_file_that_may_appear_later(tmp_path: Path) -> None:
    offset = tmp_path / "clock"
    clock = SystemClock(offset)
    assert abs(clock.now() - clock.wall()) < timedelta(seconds=1)

    offset.write_bytes(struct.pack("<q", 2 * 86_400 * 1_000_000))

    ahead = clock.now() - clock.wall()
    assert timedelta(days=2) - timedelta(seconds=1) < ahead <= timedelta(days=2)
    with offset.open("r+b") as file:
        file.write(struct.pack("<q", 3 * 86_400 * 1_000_000))
    assert clock.now() - clock.wall() > timedelta(days=2, hours=23)


def test_without_a_file_business_time_is_the_machines() -> None:
    clock = SystemClock(None)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)  # noqa: TID251 — compared with
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_half_a_file_is_no_offset(tmp_path: Path) -> None:
    offset = tmp_path / "clock"
    offset.write_bytes(b"\x01\x02")

    assert abs(SystemClock(offset).now() - SystemClock(None).now()) < timedelta(seconds=1)


# Stopping.


def test_a_signal_asks_to_stop_and_waits() -> None:
    async def work(stopping: asyncio.Event) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.wait()
        await asyncio.sleep(0.05)
        return "drained"

    assert run(work) == "drained"


def test_a_second_signal_does_not_wait() -> None:
    async def work(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await stopping.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    with pytest.raises(StoppedTwice):
        run(work)


def test_a_process_may_open_as_many_connections_as_the_system_lets_it() -> None:
    program = """
import resource, sys
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
sys.path.insert(0, sys.argv[1])
from bot.cli.running import run
async def work(stopping):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    print(soft == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)))
run(work)
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(PROJECT)], capture_output=True, text=True, check=True
    )

    assert told.stdout == "True\n"


def test_who_lost_its_parent_stops() -> None:
    async def work(stopping: asyncio.Event) -> bool:
        return await asyncio.wait_for(stopping.wait(), 10)

    assert run(work, parent=os.getppid() + 1)


async def test_who_has_its_parent_goes_on() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(orphaned(os.getppid(), every_s=0.01), 0.1)


# Children.

# Notes its starts, and how it ended.
PROGRAM = """
import pathlib, signal, sys, time
journal = pathlib.Path(sys.argv[1])
def note(word):
    with journal.open("a") as file:
        file.write(word + "\\n")
def stop(*_):
    note("told")
    if sys.argv[2] != "stubborn":
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("started")
if sys.argv[2] == "dies":
    sys.exit(3)
time.sleep(60)
time.sleep(60)
"""


def child(journal: Path, manner: str) -> Child:
    argv = (sys.executable, "-c", PROGRAM, str(journal), manner)
    return Child(name=manner, argv=argv, environment={"PATH": os.environ["PATH"]})  # noqa: TID251 — the child's


def noted(journal: Path) -> list[str]:
    return journal.read_text().split() if journal.exists() else []


async def until(journal: Path, words: list[str]) -> None:
    """Wait until the journal begins with *words*."""
    async with asyncio.timeout(30):
        while noted(journal)[: len(words)] != words:  # noqa: ASYNC110 — another process writes it
            await asyncio.sleep(0.01)


async def test_a_child_that_dies_is_started_again_within_a_second(tmp_path: Path) -> None:
    stopping, journal = asyncio.Event(), tmp_path / "journal"
    clock = SystemClock(None)
    keeping = asyncio.create_task(
        keep_running([child(journal, "dies")], clock=clock, stopping=stopping)
    )
    await until(journal, ["started"])

    started = clock.monotonic()
    await until(journal, ["started", "started"])

    # Most of it is Python starting.
    assert clock.monotonic() - started < 1.5
    stopping.set()
    await asyncio.wait_for(keeping, 10)


async def test_children_are_told_to_stop_and_waited_for(tmp_path: Path) -> None:
    stopping, journals = asyncio.Event(), [tmp_path / "one", tmp_path / "two"]
    children = [child(journal, "obeys") for journal in journals]
    keeping = asyncio.create_task(
        keep_running(children, clock=SystemClock(None), stopping=stopping)
    )
    for journal in journals:
        await until(journal, ["started"])

    stopping.set()
    await asyncio.wait_for(keeping, 10)

    assert [noted(journal) for journal in journals] == [["started", "told"]] * 2


async def test_a_child_that_does_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    stopping, journal = asyncio.Event(), tmp_path / "journal"
    keeping = asyncio.create_task(
        keep_running(
            [child(journal, "stubborn")], clock=SystemClock(None), stopping=stopping, grace_s=0.5
        )
    )
    await until(journal, ["started"])

    stopping.set()
    await asyncio.wait_for(keeping, 10)

    assert noted(journal) == ["started", "told"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of a parent's death")
async def test_children_of_a_parent_that_is_killed_are_told_to_stop(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    parent = f"""
import asyncio, os, sys
sys.path.insert(0, {str(PROJECT)!r})
from bot.__main__ import SystemClock
from bot.processes import Child, keep_running
child = Child(name="child", argv={child(journal, "obeys").argv!r}, environment=dict(os.environ))
asyncio.run(keep_running([child], clock=SystemClock(None), stopping=asyncio.Event()))
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=subprocess.DEVNULL
    )
    await until(journal, ["started"])

    process.kill()
    await process.wait()

    await until(journal, ["started", "told"])


# The sandbox's configuration.


def test_the_demos_configuration_is_valid_and_lets_everything_through() -> None:
    secrets = {
        name: f"value of {name}"
        for name in (
            demo_config.SLACK_TOKEN,
            demo_config.SLACK_SECRET,
            demo_config.APP_SECRET,
            demo_config.VERIFY_TOKEN,
            demo_config.ACCESS_TOKEN,
        )
    }
    servers = {"DATABASE_URL": "postgres://x@/y?host=/z", "REDIS_URL": "unix:///z/redis.sock"}
    demo = demo_config.Demo(
        organization="demo",
        bot_url="http://127.0.0.1:8081",
        listen="127.0.0.1:8081",
        graph_url="http://127.0.0.1:8082/graph/v25.0",
        slack_url="http://127.0.0.1:8080/slack/api/",
        timezone="Europe/Amsterdam",
        country="NL",
        team_id="T0DEMO",
        alerts_channel="C0ALERTS",
        inbox_channel="C0INBOX",
        staff={"owner": ["U0OWNER", "U0OWNER2"], "supervisor": ["U0SUPER"], "agent": ["U0AGENT"]},
        business_account_id="100000000000001",
        numbers=[("200000000000001", "+15550001111", 80)],
    )

    read = load(demo_config.as_toml(demo), environment=secrets | servers)

    organization = read.organizations[OrganizationId("demo")]
    assert read.server.listen.port == 8081
    assert organization.staff.owner == ("U0OWNER", "U0OWNER2")
    assert organization.whatsapp.numbers[0].phone == "+15550001111"
    assert organization.sending.hours.always
    assert organization.sending.cooldown is None
    assert organization.sending.deadline is None
    assert organization.sending.approval_above is None
    assert organization.sending.brake_opt_outs is None
    assert organization.sending.large_campaign == 10_000
    assert {each.get_secret_value() for each in read.secrets()} == {
        *secrets.values(),
        *servers.values(),
    }


def test_the_demos_environment_can_be_read_by_a_shell() -> None:
    written = demo_config.as_shell({"B": "it's; $(x)", "A": "1"})

    assert written.splitlines()[0] == "export A=1"
    assert shlex.split(written) == ["export", "A=1", "export", "B=it's; $(x)"]


def test_ports_for_the_sandbox_are_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        bot_port, graph_port = free_ports(port - 1)

    assert len({bot_port, graph_port, port}) == 3

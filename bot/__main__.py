"""The front door of every process: `dripline`. It alone reads file, environment and clock."""
# ruff: noqa: PLC0415 — a command imports what it needs, so that each starts without the others

import asyncio
import os
import re
import struct
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import click
import structlog
from pydantic import SecretStr

from bot import logs
from bot.cli.refusals import EMBEDDED, refuse, told
from bot.cli.running import StoppedTwice, Work, run
from bot.processes import Child, keep_running, keep_servers
from engine.clock import Clock
from engine.config import Config, InvalidConfig, load
from engine.findings import Finding
from engine.ids import OrganizationId
from engine.phone import Phone

if TYPE_CHECKING:
    from sandbox.settings import Settings

Result = TypeVar("Result")

# What a parent tells its children; nobody else sets these.
_DATABASE_URL: Final = "DRIPLINE_DATABASE_URL"
_REDIS_URL: Final = "DRIPLINE_REDIS_URL"
_PARENT: Final = "DRIPLINE_PARENT"
_CLOCK: Final = "DRIPLINE_CLOCK"
# Longer than the grace of its own children, so that a worker told to stop ends them itself.
_GRACE_OF_UP_S: Final = 45.0


class SystemClock:
    """The machine's clocks; business time is ahead by the offset in a file, where there is one.

    The file has 8 bytes: microseconds, a little-endian signed 64-bit number. It may appear, and
    change, at any moment.
    """

    def __init__(self, offset: Path | None) -> None:
        self._path = offset
        self._file: int | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(microseconds=self._offset_us())

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def _offset_us(self) -> int:
        if self._path is None:
            return 0
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return 0
        kept = os.pread(self._file, _OFFSET.size, 0)
        return _OFFSET.unpack(kept)[0] if len(kept) == _OFFSET.size else 0


_OFFSET: Final = struct.Struct("<q")


def main() -> None:
    try:
        cli()
    except Exception:  # noqa: BLE001 — the boundary of the process
        # The one place where what nobody foresaw is told; masked, as every line of the log.
        structlog.get_logger().exception("process.crashed")
        sys.exit(1)


def _version() -> str:
    try:
        return version("dripline")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="dripline")
def cli() -> None:
    """WhatsApp drip campaigns and broadcasts, run from Slack."""


_config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("dripline.toml"),
    show_default=True,
    help="The configuration.",
)
_level_option = click.option(
    "--log-level",
    "level",
    type=click.Choice(logs.LEVELS),
    default="info",
    show_default=True,
    help="The least of what is logged.",
)
_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}=[1-9]\d{0,3}")
_data_help: Final = "The folder of what it keeps."


@cli.command("bot")
@_config_option
@_level_option
def bot_command(config_path: Path, level: str) -> None:
    """Serve WhatsApp's webhooks, Slack and the API. Any number of these may run."""
    config = _with_servers(_configured(config_path, level))

    async def work(stopping: asyncio.Event) -> None:
        from bot.app import serve
        from storage.checks import require_database

        await require_database(_revealed(config.server.database_url))
        await serve(config, _clock(), stopping=stopping)

    _run(work)


@cli.command("worker")
@click.option(
    "--queue",
    type=click.Choice(["lanes", "jobs"]),
    help="Run the worker of this queue alone, in this process; without it, both, supervised.",
)
@_config_option
@_level_option
def worker_command(queue: Literal["lanes", "jobs"] | None, config_path: Path, level: str) -> None:
    """Send messages, and do all that happens on time."""
    config = _with_servers(_configured(config_path, level))
    clock = _clock()

    async def one(queue: Literal["lanes", "jobs"], stopping: asyncio.Event) -> None:
        from storage.checks import require_database
        from worker.app import serve

        await require_database(_revealed(config.server.database_url))
        await serve(config, clock, queue=queue, stopping=stopping)

    async def both(stopping: asyncio.Event) -> None:
        from storage.checks import require_database

        # Before two children say the same once a second.
        await require_database(_revealed(config.server.database_url))
        options = ("--config", str(config_path), "--log-level", level)
        children = [
            _child(queue, ("worker", "--queue", queue, *options)) for queue in ("lanes", "jobs")
        ]
        await keep_running(children, clock=clock, stopping=stopping)

    _run(both if queue is None else lambda stopping: one(queue, stopping))


@cli.command("up")
@_config_option
@_level_option
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".dripline"),
    show_default=True,
    help=_data_help,
)
def up_command(config_path: Path, level: str, data: Path) -> None:
    """Run all of it on this machine: bot, worker, and the servers the configuration leaves out."""
    config = _configured(config_path, level)
    from storage.checks import require_answer
    from storage.embedded import embedded_servers
    from storage.migrate import migrate

    with (
        told(*EMBEDDED),
        embedded_servers(
            data,
            postgres=config.server.database_url is None,
            redis=config.server.redis_url is None,
        ) as embedded,
    ):
        servers = [each for each in (embedded.postgres, embedded.redis) if each is not None]
        for server in servers:
            server.start()
        if embedded.postgres is not None:
            config = _with(config, database_url=embedded.postgres.url)
        if embedded.redis is not None:
            config = _with(config, redis_url=embedded.redis.url)
        given = {
            _DATABASE_URL: _revealed(config.server.database_url),
            _REDIS_URL: _revealed(config.server.redis_url),
        }
        options = ("--config", str(config_path), "--log-level", level)
        children = [_child(name, (name, *options), given) for name in ("bot", "worker")]

        async def work(stopping: asyncio.Event) -> None:
            # Whoever says that there is no way past a pooler migrates by hand, where there is.
            url = _revealed(config.server.direct_url or config.server.database_url)
            await require_answer(url)
            if config.server.direct_url is not None:
                await migrate(url)
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(keep_servers(servers))
                await keep_running(
                    children, clock=_clock(), stopping=stopping, grace_s=_GRACE_OF_UP_S
                )
                keeping.cancel()

        _run(work)


@cli.command("migrate")
@click.option("--to", help='The migration to go to, up or down; "zero": before all.')
@_config_option
@_level_option
def migrate_command(to: str | None, config_path: Path, level: str) -> None:
    """Bring the database to the newest schema, or to another."""
    config = _with_servers(_configured(config_path, level), redis=False)
    from storage.checks import require_answer
    from storage.migrate import UnknownVersion, migrate

    if config.server.direct_url is None:
        refuse(
            'with server.listen_url = "off" there is no way past the pooler, and migrating needs'
            " one: name PostgreSQL itself there while this runs"
        )

    async def work(_: asyncio.Event) -> list[str]:
        url = _revealed(config.server.direct_url)
        await require_answer(url)
        return await migrate(url, to=to)

    with told(UnknownVersion):
        done = _run(work)
    for name in done:
        click.echo(name)
    click.echo(f"{len(done)} migrations run" if done else "nothing to do")


@cli.command("check")
@click.option("--live", is_flag=True, help="Ask Postgres, Redis, Slack and Meta too.")
@_config_option
@_level_option
def check_command(config_path: Path, level: str, *, live: bool) -> None:
    """Say whether the configuration is right, and what to enter at the platforms."""
    from bot.checks import addresses

    config = _configured(config_path, level, warnings_only=True)
    listed = ", ".join(config.organizations)
    click.echo(f"{config_path} is valid; organizations: {listed}")
    for line in addresses(config):
        click.echo(line)
    if not live:
        return
    findings = _run(lambda _: _look(_with_environment(config)))
    for finding in findings:
        click.echo(finding)
    if any(finding.remedy for finding in findings):
        sys.exit(1)


@cli.command("recount")
@_config_option
@_level_option
def recount_command(config_path: Path, level: str) -> None:
    """Compare the statistics with the messages they count, and mend what differs."""
    config = _with_servers(_configured(config_path, level), redis=False)
    from storage.checks import require_database
    from storage.recount import recount

    async def work(_: asyncio.Event) -> Iterable[object]:
        url = _revealed(config.server.database_url)
        await require_database(url)
        return await recount(url, config, _clock())

    _tell(_run(work), none="every count is right")


@cli.command("restored")
@click.argument("answer", type=click.Choice(["send", "leave-out", "ask"]), required=False)
@click.option("--organization", help="Only this one; without it, all of them.")
@_config_option
@_level_option
def restored_command(
    answer: str | None, organization: str | None, config_path: Path, level: str
) -> None:
    """Say what becomes of what was due before the database was restored or promoted.

    Without an answer, it shows what waits for one.
    """
    config = _with_servers(_configured(config_path, level), redis=False)
    from bot.cli.restored import UnknownOrganization, restored
    from storage.checks import require_database

    async def work(_: asyncio.Event) -> list[str]:
        await require_database(_revealed(config.server.database_url))
        return await restored(config, _clock(), answer=answer, organization=organization)

    with told(UnknownOrganization):
        lines = _run(work)
    _tell(lines, none="nothing is held back because of a restored database")


@cli.command("replay")
@click.argument("ids", nargs=-1, type=int)
@_config_option
@_level_option
def replay_command(ids: tuple[int, ...], config_path: Path, level: str) -> None:
    """Take in the webhooks that failed; all that are kept, or those with these IDS."""
    config = _with_servers(_configured(config_path, level))
    from bot.whatsapp.replay import Replayed, replay
    from storage.checks import require_database

    async def work(_: asyncio.Event) -> Replayed:
        await require_database(_revealed(config.server.database_url))
        return await replay(config, _clock(), list(ids) or None)

    done = _run(work)
    for number in done.applied:
        click.echo(f"{number} applied")
    for number in done.kept:
        click.echo(f"{number} failed again, and is kept")
    if not (done.applied or done.kept):
        click.echo("nothing to replay")
    if done.kept:
        sys.exit(1)


@cli.command("sandbox")
@click.option("--port", type=click.IntRange(1, 65_535), default=8080, show_default=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".dripline/sandbox"),
    show_default=True,
    help=_data_help,
)
@click.option(
    "--number",
    "more_numbers",
    multiple=True,
    metavar="PHONE=RATE",
    help="A further number and its messages per second, such as +15550002222=1000.",
)
@_level_option
def sandbox_command(port: int, data: Path, more_numbers: tuple[str, ...], level: str) -> None:
    """Run all of it against a pretend WhatsApp and a pretend Slack, on one web page."""
    logs.configure(level=level, stream=sys.stderr, console=sys.stderr.isatty())
    from bot.cli.demo_config import DATABASE_URL, REDIS_URL, as_shell
    from bot.cli.ports import free_ports
    from sandbox.launch import LaunchSettings, NotReady
    from sandbox.launch import run as launch
    from sandbox.parts import CommandFailed, Program
    from storage.embedded import embedded_servers

    if wrong := [each for each in more_numbers if not _NUMBER.fullmatch(each)]:
        refuse(f"--number {wrong[0]}: write a phone and a rate, such as +15550002222=1000")
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    bot_port, graph_port = free_ports(port)
    settings, toml, secrets = _demo(
        data, port=port, bot_port=bot_port, graph_port=graph_port, more_numbers=more_numbers
    )
    config_path = data / "dripline.toml"
    config_path.write_text(toml)
    external = {name: os.environ.get(name) or None for name in (DATABASE_URL, REDIS_URL)}
    refusals = (*EMBEDDED, CommandFailed, NotReady)
    with (
        told(*refusals, OSError),
        embedded_servers(
            data, postgres=external[DATABASE_URL] is None, redis=external[REDIS_URL] is None
        ) as embedded,
    ):
        servers = [each for each in (embedded.postgres, embedded.redis) if each is not None]
        urls = {
            DATABASE_URL: embedded.postgres.url if embedded.postgres else external[DATABASE_URL],
            REDIS_URL: embedded.redis.url if embedded.redis else external[REDIS_URL],
        }
        own = secrets | {name: url for name, url in urls.items() if url is not None}
        own |= {_CLOCK: str(settings.clock_path)}
        shell = data / "environment"
        shell.touch(mode=0o600)
        shell.write_text(as_shell(own))
        options = ("--config", str(config_path), "--log-level", level)
        command = _command()
        launch(
            LaunchSettings(
                settings=settings,
                servers=tuple(servers),
                setup_commands=((*command, "migrate", *options),),
                programs=(
                    Program(name="bot", argv=(*command, "bot", *options), url=settings.bot_url),
                    *(
                        Program(name=queue, argv=(*command, "worker", "--queue", queue, *options))
                        for queue in ("lanes", "jobs")
                    ),
                ),
                seed_command=(*command, "seed-demo", *options),
                environment=_environment(own),
                logs=data / "logs",
                announce=lambda text: click.echo(f"sandbox: {text}", err=True),
            )
        )


@cli.command("seed-demo", hidden=True)
@_config_option
@_level_option
def seed_demo_command(config_path: Path, level: str) -> None:
    """Make the contacts of the sandbox's organization."""
    config = _with_servers(_configured(config_path, level), redis=False)
    from sandbox import demo
    from storage.demo import seed

    _run(
        lambda _: seed(
            _revealed(config.server.database_url),
            organization=OrganizationId(demo.ORGANIZATION),
            phones=tuple(Phone(each) for each in demo.CONTACTS),
            tag=demo.CONTACTS_TAG,
            at=_clock().now(),
        )
    )


@cli.command("reference", hidden=True)
def reference_command() -> None:
    """Print docs/configuration.md, as the configuration's model has it."""
    from bot.cli.reference import reference

    click.echo(reference(), nl=False)


# What every command does before and around its work.


def _configured(path: Path, level: str, *, warnings_only: bool = False) -> Config:
    """Read the configuration and begin to log; whatever is wrong with it ends the process."""
    console = sys.stderr.isatty()
    level = "warning" if warnings_only and level == "info" else level
    logs.configure(level=level, stream=sys.stderr, console=console)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        refuse(
            f"there is no {path} here: copy dripline.example.toml to it, or name another file"
            " with --config"
        )
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{path} cannot be read: {error}")
    try:
        config = load(text, environment=os.environ)
    except InvalidConfig as error:
        refuse(f"{path}: {error}")
    logs.configure(level=level, stream=sys.stderr, console=console, secrets=config.secrets())
    return config


def _with_environment(config: Config) -> Config:
    """Return the configuration with the embedded servers of a parent, where it names none."""
    server = config.server
    if server.database_url is None and (url := os.environ.get(_DATABASE_URL)):
        config = _with(config, database_url=url)
    if server.redis_url is None and (url := os.environ.get(_REDIS_URL)):
        config = _with(config, redis_url=url)
    return config


def _with_servers(config: Config, *, redis: bool = True) -> Config:
    """Return the configuration with servers; without them, this ends the process."""
    config = _with_environment(config)
    wanted = {"database_url": config.server.database_url}
    if redis:
        wanted["redis_url"] = config.server.redis_url
    missing = [f"server.{name}" for name, url in wanted.items() if url is None]
    if missing:
        refuse(
            f"the configuration lacks {' and '.join(missing)}: set what is missing, or run"
            " `dripline up`, which brings servers of its own"
        )
    return config


def _with(config: Config, **urls: str) -> Config:
    hidden = {name: SecretStr(url) for name, url in urls.items()}
    return config.model_copy(update={"server": config.server.model_copy(update=hidden)})


def _revealed(url: SecretStr | None) -> str:
    if url is None:
        raise AssertionError("a command that needs a server checked that it is there")
    return url.get_secret_value()


def _clock() -> Clock:
    path = os.environ.get(_CLOCK)
    return SystemClock(Path(path) if path else None)


def _run(work: Work[Result]) -> Result:
    """Run *work* until it ends or is stopped; servers that do not answer end the process."""
    from storage.checks import DatabaseUnreachable
    from storage.migrate import SchemaOutdated

    parent = os.environ.get(_PARENT)
    with told(DatabaseUnreachable, SchemaOutdated, StoppedTwice, OSError):
        return run(work, parent=int(parent) if parent else None)


def _tell(told: Iterable[object], *, none: str) -> None:
    lines = [str(each) for each in told]
    click.echo("\n".join(lines) or none)


async def _look(config: Config) -> list[Finding]:
    from bot.checks import slack
    from storage.checks import orphans, postgres, redis
    from worker.whatsapp.checks import whatsapp

    server = config.server
    looks = [
        _absent("server.database_url")
        if server.database_url is None
        else postgres(_revealed(server.database_url)),
        _absent("server.redis_url")
        if server.redis_url is None
        else redis(_revealed(server.redis_url)),
    ]
    for key, organization in config.organizations.items():
        if server.database_url is not None:
            looks.append(orphans(_revealed(server.database_url), OrganizationId(key)))
        looks.append(slack(config, key=key, organization=organization))
        looks.append(whatsapp(config, key=key, organization=organization))
    return [finding for found in await asyncio.gather(*looks) for finding in found]


async def _absent(key: str) -> tuple[Finding, ...]:
    return (Finding(subject=key, said="is not set; `dripline up` runs a server of its own."),)


# Children.


def _command() -> tuple[str, ...]:
    # Where we stand in the project itself, Python must look there; elsewhere it must not, or a
    # bot.py of somebody's would be run in our place.
    in_project = Path(__file__).parents[1] == Path.cwd()
    return (sys.executable, *(() if in_project else ("-P",)), "-m", "bot")


def _child(name: str, arguments: tuple[str, ...], given: Mapping[str, str] | None = None) -> Child:
    return Child(name=name, argv=(*_command(), *arguments), environment=_environment(given or {}))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return our own environment and *given*; where no system tells of our death, our id too."""
    tied = {} if sys.platform == "linux" else {_PARENT: str(os.getpid())}
    return {**os.environ, **given, **tied}


# The sandbox.


def _demo(
    data: Path, *, port: int, bot_port: int, graph_port: int, more_numbers: Iterable[str]
) -> tuple["Settings", str, dict[str, str]]:
    """Return the sandbox's settings, dripline.toml, and the environment it names."""
    import sandbox
    from bot.cli import demo_config
    from sandbox import demo
    from sandbox.settings import Settings

    numbers = demo.with_more(more_numbers)
    settings = Settings(
        state_dir=data / "platforms",
        clock_path=data / "clock",
        bot_url=f"http://127.0.0.1:{bot_port}",
        organization=demo.ORGANIZATION,
        app_secret=demo.APP_SECRET,
        verify_token=demo.VERIFY_TOKEN,
        access_token=demo.ACCESS_TOKEN,
        business_account_id=demo.BUSINESS_ACCOUNT_ID,
        slack_signing_secret=demo.SLACK_SIGNING_SECRET,
        slack_bot_token=demo.SLACK_BOT_TOKEN,
        slack_team_id=demo.SLACK_TEAM_ID,
        numbers=numbers,
        templates=demo.TEMPLATES,
        users=demo.USERS,
        channels=demo.CHANNELS,
        port=port,
        graph_port=graph_port,
        page=Path(sandbox.__file__).parent / "page",
    )
    staff = {
        role: [user.id for user in demo.USERS if user.role == role]
        for role in ("owner", "supervisor", "agent")
    }
    toml = demo_config.as_toml(
        demo_config.Demo(
            organization=demo.ORGANIZATION,
            bot_url=settings.bot_url,
            listen=f"127.0.0.1:{bot_port}",
            graph_url=f"http://127.0.0.1:{graph_port}/graph/v25.0",
            slack_url=f"{settings.url}/slack/api/",
            timezone=demo.TIMEZONE,
            country=demo.COUNTRY,
            team_id=demo.SLACK_TEAM_ID,
            alerts_channel=demo.ALERTS_CHANNEL,
            inbox_channel=demo.INBOX_CHANNEL,
            staff=staff,
            business_account_id=demo.BUSINESS_ACCOUNT_ID,
            numbers=[(each.id, each.phone, each.messages_per_second) for each in numbers],
        )
    )
    secrets = {
        demo_config.SLACK_TOKEN: demo.SLACK_BOT_TOKEN,
        demo_config.SLACK_SECRET: demo.SLACK_SIGNING_SECRET,
        demo_config.APP_SECRET: demo.APP_SECRET,
        demo_config.VERIFY_TOKEN: demo.VERIFY_TOKEN,
        demo_config.ACCESS_TOKEN: demo.ACCESS_TOKEN,
    }
    return settings, toml, secrets


if __name__ == "__main__":
    main()

"""Whether the servers are there, new enough and ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.findings import Finding
from engine.ids import OrganizationId
from storage import migrate
from storage.database import BOT_ROLE
from storage.tasks import LOOK_THROUGH

_WITHIN_S = 5.0
_OLDEST_POSTGRES = 140_000  # as server_version_num counts
_OLDEST_REDIS = (6, 2)
# ValueError: the URL is none.
_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)
_POSTGRES = "PostgreSQL"
_REDIS = "Redis"
_ABOUT = """
select current_setting('server_version_num')::int as number,
       split_part(current_setting('server_version'), ' ', 1) as version,
       -- Since 16, being a member of a role and acting as it are granted apart.
       (select pg_has_role(oid, case when current_setting('server_version_num')::int >= 160000
                                     then 'set' else 'member' end)
          from pg_roles where rolname = $1) as may_be_bot,
       (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) as may_create
"""


class DatabaseUnreachable(Exception):
    """Nobody answers at the database's URL, or not to us; the message never shows the URL."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the database does not let us in: {why}. Is PostgreSQL running, and is"
            " server.database_url right?"
        )


async def require_answer(url: str) -> None:
    """Make sure that the database lets us in.

    Raises:
        DatabaseUnreachable: It does not.
    """
    with _unreachable():
        async with asyncio.timeout(_WITHIN_S):
            connection = await asyncpg.connect(url)
            await connection.close()


async def require_database(url: str) -> None:
    """Make sure that the database answers, and has the schema this version needs.

    Raises:
        DatabaseUnreachable: It does not answer.
        storage.migrate.SchemaOutdated: Its schema is older.
    """
    with _unreachable():
        async with asyncio.timeout(_WITHIN_S):
            await migrate.check(url)


@contextmanager
def _unreachable() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise DatabaseUnreachable(_why(error)) from None


async def postgres(url: str) -> tuple[Finding, ...]:
    """Return what there is to know before bot and worker start."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            connection = await asyncpg.connect(url, statement_cache_size=0)
            try:
                # A pooler may lie between, and takes what is not one transaction apart.
                async with connection.transaction(readonly=True):
                    about = await connection.fetchrow(_ABOUT, BOT_ROLE)
                async with connection.transaction(readonly=True):
                    schema = await _schema(connection)
            finally:
                await connection.close()
    except _FAILURES as error:
        remedy = "Start it, or correct server.database_url."
        return (Finding(subject=_POSTGRES, said=f"{_why(error)}.", remedy=remedy),)
    return (_version(about), schema, _roles(about))


async def redis(url: str) -> tuple[Finding, ...]:
    """Return whether Redis answers, and whether it is new enough."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            client = Redis.from_url(url)
            try:
                await client.ping()
                about = await client.info("server")
            finally:
                await client.aclose()
    except (OSError, RedisError, ValueError) as error:
        remedy = "Start it, or correct server.redis_url."
        return (Finding(subject=_REDIS, said=f"{_why(error)}.", remedy=remedy),)
    version = str(about["redis_version"])
    said = f"answers, version {version}."
    if tuple(map(int, version.split(".")[:2])) < _OLDEST_REDIS:
        return (Finding(subject=_REDIS, said=said, remedy="Use Redis 6.2 or later, or Valkey."),)
    return (Finding(subject=_REDIS, said=said),)


async def orphans(url: str, organization: OrganizationId) -> tuple[Finding, ...]:
    """Return what the last nightly look said of messages that name what is not there."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            connection = await asyncpg.connect(url, statement_cache_size=0)
            try:
                async with connection.transaction(readonly=True):
                    told = await connection.fetchval(
                        "select result::text from tasks where organization_id = $1 and name = $2",
                        organization,
                        LOOK_THROUGH,
                    )
            finally:
                await connection.close()
    except _FAILURES:
        return ()  # what is wrong with the database is said by itself
    subject = f"{organization}: messages"
    if told is None:
        said = "nobody has looked yet whether each has its campaign, step and contact."
        return (Finding(subject=subject, said=said),)
    found: dict[str, int] = orjson.loads(told)["orphans"]
    if not found:
        return (Finding(subject=subject, said="each has its campaign, step and contact."),)
    counts = [f"{count} messages name a {what} that is not there" for what, count in found.items()]
    return (
        Finding(
            subject=subject,
            said=f"{', '.join(counts)} (as of the last night).",
            remedy="What reports say of them may be incomplete: please report it.",
        ),
    )


def _version(about: asyncpg.Record) -> Finding:
    said = f"answers, version {about['version']}."
    remedy = None if about["number"] >= _OLDEST_POSTGRES else "Use PostgreSQL 14 or later."
    return Finding(subject=_POSTGRES, said=said, remedy=remedy)


async def _schema(connection: asyncpg.Connection) -> Finding:
    try:
        absent = await migrate.missing(connection)
    except asyncpg.InsufficientPrivilegeError:
        return Finding(
            subject=_POSTGRES,
            said="its tables belong to another role.",
            remedy="Name that role in server.database_url.",
        )
    if absent:
        said = f"the schema lacks {', '.join(absent)}."
        return Finding(subject=_POSTGRES, said=said, remedy="Run `dripline migrate`.")
    return Finding(subject=_POSTGRES, said="the schema is as this version needs it.")


def _roles(about: asyncpg.Record) -> Finding:
    if about["may_be_bot"]:
        return Finding(subject=_POSTGRES, said=f"we may act as {BOT_ROLE}.")
    if about["may_be_bot"] is not None:
        return Finding(
            subject=_POSTGRES,
            said=f"there is a role {BOT_ROLE}, and we may not act as it.",
            remedy=f"As an administrator: grant {BOT_ROLE} to the role of server.database_url.",
        )
    remedy = None if about["may_create"] else "Give the role of server.database_url CREATEROLE."
    return Finding(
        subject=_POSTGRES, said=f"`dripline migrate` is to make the role {BOT_ROLE}.", remedy=remedy
    )


def _why(error: BaseException) -> str:
    """Return a reason without what it was asked with, which may hold a password."""
    match error:
        case TimeoutError():
            return f"no answer within {_WITHIN_S:g} s"
        case asyncpg.PostgresError():
            return str(error).splitlines()[0].rstrip(".")
        case OSError():
            return error.strerror or type(error).__name__
        case RedisError() if error.__cause__ is not None or error.__context__ is not None:
            cause = error.__cause__ or error.__context__
            return "connection refused" if isinstance(cause, OSError) else type(error).__name__
        case _:
            return type(error).__name__

"""`dripline check --live`, against a real Postgres, a real Redis and the sandbox's platforms."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bot import checks as bot_checks
from engine.config import Config, Organization, load
from engine.findings import Finding
from engine.ids import OrganizationId
from sandbox import demo
from storage import checks
from storage.checks import DatabaseUnreachable
from storage.embedded import start_redis
from storage.migrate import SchemaOutdated
from tests.sandbox.conftest import start, world
from tests.sandbox.world import World
from worker.whatsapp.checks import whatsapp

__all__ = ["start", "world"]

DEMO = OrganizationId(demo.ORGANIZATION)
ENVIRONMENT = {
    "SLACK_TOKEN": demo.SLACK_BOT_TOKEN,
    "SLACK_SECRET": demo.SLACK_SIGNING_SECRET,
    "APP_SECRET": demo.APP_SECRET,
    "VERIFY_TOKEN": demo.VERIFY_TOKEN,
    "ACCESS_TOKEN": demo.ACCESS_TOKEN,
}


def configured(url: str, **environment: str) -> tuple[Config, Organization]:
    (number,) = demo.NUMBERS
    text = f"""
    [server]
    graph_url = "{url}/graph/v25.0"
    slack_url = "{url}/slack/api/"
    [organizations.demo]
    name = "Demo"
    timezone = "Europe/Amsterdam"
    [organizations.demo.slack]
    team_id = "{demo.SLACK_TEAM_ID}"
    bot_token = "env:SLACK_TOKEN"
    signing_secret = "env:SLACK_SECRET"
    alerts_channel = "C0ALERTS"
    [organizations.demo.staff]
    owner = ["U0OWNER"]
    [organizations.demo.whatsapp]
    business_account_id = "{demo.BUSINESS_ACCOUNT_ID}"
    app_secret = "env:APP_SECRET"
    verify_token = "env:VERIFY_TOKEN"
    access_token = "env:ACCESS_TOKEN"
    numbers = [{{ id = "{number.id}", phone = "{number.phone}" }}]
    """
    config = load(text, environment={**ENVIRONMENT, **environment})
    return config, config.organizations[DEMO]


def wrong(findings: tuple[Finding, ...]) -> list[Finding]:
    return [each for each in findings if each.remedy is not None]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="dripline-tests-") as folder:
        data = Path(folder)
        data.chmod(0o755)
        with start_redis(data) as server:
            yield server.url


async def test_a_migrated_database_is_as_it_should_be(migrated: str) -> None:
    found = await checks.postgres(migrated)

    assert wrong(found) == []
    assert [each.said.split()[0] for each in found] == ["answers,", "the", "we"]
    await checks.require_answer(migrated)
    await checks.require_database(migrated)


async def test_a_database_without_our_tables_wants_the_migration(
    migrated: str, postgres: tuple[str, str]
) -> None:
    _, superuser_url = postgres
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("create database empty owner dripline")
        try:
            url = migrated.replace("/dripline?", "/empty?")
            (finding,) = wrong(await checks.postgres(url))
            with pytest.raises(SchemaOutdated):
                await checks.require_database(url)
        finally:
            await connection.execute("drop database empty with (force)")
    finally:
        await connection.close()

    assert finding.remedy == "Run `dripline migrate`."


async def test_a_role_without_rights_is_told_what_it_lacks(
    migrated: str, postgres: tuple[str, str]
) -> None:
    _, superuser_url = postgres
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("create role passer_by login")
        try:
            _, schema, roles = await checks.postgres(
                migrated.replace("//dripline@", "//passer_by@")
            )
        finally:
            await connection.execute("drop role passer_by")
    finally:
        await connection.close()

    assert "belong to another role" in schema.said
    assert "we may not act as it" in roles.said
    assert roles.remedy is not None
    assert "grant dripline_bot" in roles.remedy


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgres://u:hush@127.0.0.1:1/d", id="nobody listens"),
        pytest.param("postgres://u:hush@host.invalid/d", id="no such host"),
        pytest.param("postgres://u:hush@127.0.0.1:x/d", id="no URL"),
    ],
)
async def test_a_database_that_is_not_there_is_told_without_its_password(url: str) -> None:
    (finding,) = await checks.postgres(url)
    with pytest.raises(DatabaseUnreachable) as caught:
        await checks.require_database(url)

    assert finding.remedy == "Start it, or correct server.database_url."
    assert "hush" not in f"{finding} {caught.value}"


async def test_a_missing_database_is_told_by_name(migrated: str) -> None:
    (finding,) = await checks.postgres(migrated.replace("/dripline?", "/nowhere?"))

    assert 'database "nowhere" does not exist' in finding.said


async def test_redis_answers_or_not(redis_url: str) -> None:
    (there,) = await checks.redis(redis_url)
    (absent,) = await checks.redis("redis://:hush@127.0.0.1:1/0")

    assert (there.remedy, there.said.startswith("answers, version ")) == (None, True)
    assert absent.said == "connection refused."
    assert "hush" not in str(absent)


async def test_platforms_that_let_us_work(world: World) -> None:
    config, organization = configured(world.settings.url)

    assert wrong(await bot_checks.slack(config, key=DEMO, organization=organization)) == []
    assert wrong(await whatsapp(config, key=DEMO, organization=organization)) == []


async def test_a_token_that_platforms_refuse(world: World) -> None:
    config, organization = configured(
        world.settings.url, SLACK_TOKEN="xoxb-other", ACCESS_TOKEN="other"
    )

    (slack,) = await bot_checks.slack(config, key=DEMO, organization=organization)
    account, number = await whatsapp(config, key=DEMO, organization=organization)

    assert slack.said == "refuses the token: invalid_auth."
    assert account.remedy is not None
    assert "access_token" in account.remedy
    assert number.remedy is not None


async def test_a_number_that_may_not_send(world: World) -> None:
    (number,) = demo.NUMBERS
    config, organization = configured(world.settings.url)
    blocked = {
        "id": number.id,
        "phone": "+15550009999",
        "messages_per_second": 80,
        "health": "BLOCKED",
    }
    await world.post("whatsapp/numbers", blocked)

    found = wrong(await whatsapp(config, key=DEMO, organization=organization))

    assert any("belongs to another number" in each.said for each in found)
    assert any("sending is BLOCKED" in each.said for each in found)


async def test_platforms_that_do_not_answer() -> None:
    config, organization = configured("http://127.0.0.1:1")

    (slack,) = await bot_checks.slack(config, key=DEMO, organization=organization)
    found = await whatsapp(config, key=DEMO, organization=organization)

    assert slack.said == "does not answer (ClientConnectorError)."
    assert all("graph_url" in str(each.remedy) for each in found)

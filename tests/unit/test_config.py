import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli import reference
from engine.config import Config, InvalidConfig, Problem, load
from engine.config_values import Address, Pace
from engine.hours import Hours
from engine.ids import OrganizationId

PROJECT = Path(__file__).parents[2]
EXAMPLE = (PROJECT / "dripline.example.toml").read_text()
ACME = OrganizationId("acme")
ENVIRONMENT = {
    "DATABASE_URL": "postgres://drip:pw-of-db@db/drip",
    "REDIS_URL": "redis://redis/0",
    "ACME_SLACK_TOKEN": "xoxb-1",
    "ACME_SLACK_SECRET": "slack-secret",
    "ACME_APP_SECRET": "app-secret",
    "ACME_VERIFY_TOKEN": "verify-token",
    "ACME_WA_TOKEN": "wa-token",
}
MINIMAL = """
[organizations.acme]
name = "Acme"
timezone = "Europe/Amsterdam"
[organizations.acme.slack]
team_id = "T0123456"
bot_token = "env:ACME_SLACK_TOKEN"
signing_secret = "env:ACME_SLACK_SECRET"
alerts_channel = "C0ALERTS"
[organizations.acme.staff]
owner = ["U01ADA"]
[organizations.acme.whatsapp]
business_account_id = "1029384756"
app_secret = "env:ACME_APP_SECRET"
verify_token = "env:ACME_VERIFY_TOKEN"
access_token = "env:ACME_WA_TOKEN"
numbers = [{ id = "106540352242922", phone = "+15550001111" }]
"""


def read(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> Config:
    return load(text, environment=environment)


def problems(text: str, environment: Mapping[str, str] = ENVIRONMENT) -> dict[str, Problem]:
    with pytest.raises(InvalidConfig) as caught:
        read(text, environment)
    return {each.path: each for each in caught.value.problems}


def with_line(section: str, line: str) -> str:
    """The example with a key of a section replaced, or added."""
    name = line.split("=", maxsplit=1)[0].strip()
    head, mark, tail = EXAMPLE.partition(f"[{section}]")
    body, bracket, rest = re.split(r"(\n\[|\Z)", tail, maxsplit=1)
    body = re.sub(rf"\n{name} = .*", "", body)
    return f"{head}{mark}{body}\n{line}{bracket}{rest}"


def test_what_the_example_says() -> None:
    config = read(EXAMPLE)

    assert config.server.listen == Address(host="0.0.0.0", port=8080)
    assert config.server.slack_url == "https://slack.com/api"
    acme = config.organizations[ACME]
    assert acme.timezone.key == "Europe/Amsterdam"
    assert acme.slack.bot_token.get_secret_value() == "xoxb-1"
    assert acme.staff.agent == ("S0CARE", "+31612345678")
    assert acme.sending.hours == Hours(start=360, end=1260)
    assert acme.sending.messages_per_hour is None
    assert acme.sending.cooldown == timedelta(days=1)
    assert acme.whatsapp.portfolio == "acme"
    assert acme.keywords.meanings().meaning("genoeg!") == "stop"


def test_what_is_left_out_is_as_the_example_has_it() -> None:
    config = read(MINIMAL)

    full = read(EXAMPLE).organizations[ACME]
    acme = config.organizations[ACME]
    assert acme.sending == full.sending
    assert acme.whatsapp.numbers == full.whatsapp.numbers
    assert acme.visibility == full.visibility
    assert (acme.staff.supervisor, acme.staff.agent, acme.country) == ((), (), None)
    assert acme.slack.inbox_channel == "C0ALERTS"
    assert acme.whatsapp.portfolio == "1029384756"
    assert acme.keywords.stop == ()
    assert config.server.database_url is None
    assert config.server.redis_url is None


def test_nothing_can_be_changed() -> None:
    config = read(EXAMPLE)

    with pytest.raises(ValueError, match="frozen"):
        config.server.public_url = "https://elsewhere.example"
    with pytest.raises(TypeError):
        config.organizations[ACME] = config.organizations[ACME]  # type: ignore[index]


def test_no_secret_is_ever_shown() -> None:
    config = read(EXAMPLE)

    shown = f"{config!r} {config} {config.organizations!r}"
    for secret in ENVIRONMENT.values():
        assert secret not in shown
    assert {each.get_secret_value() for each in config.secrets()} == set(ENVIRONMENT.values())


def test_no_secret_is_shown_by_a_problem_of_another_key() -> None:
    text = with_line("server", 'database_url = "mysql://drip:pw-of-db@db/drip"')
    text = text.replace('"env:ACME_WA_TOKEN"', '"EAAGm0PX4ZCpsBAKZC"')

    with pytest.raises(InvalidConfig) as caught:
        read(text)

    assert len(caught.value.problems) == 2
    assert "pw-of-db" not in str(caught.value)
    assert "EAAGm0PX4ZCpsBAKZC" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_problem_is_told_at_once() -> None:
    text = EXAMPLE.replace('timezone = "Europe/Amsterdam"', 'timezone = "Europe/Amsterdm"')
    text = text.replace('phone = "+15550001111"', 'phone = "0612"')
    text = text.replace('cooldown = "24h"', 'cooldwn = "24h"').replace('"GENOEG"', '"!!"')

    found = problems(text, {**ENVIRONMENT, "ACME_APP_SECRET": " "})

    assert set(found) == {
        "organizations.acme.timezone",
        "organizations.acme.whatsapp.numbers[0].phone",
        "organizations.acme.sending.cooldwn",
        "organizations.acme.keywords.stop[0]",
        "organizations.acme.whatsapp.app_secret",
    }
    assert found["organizations.acme.sending.cooldwn"].hint == "Did you mean cooldown?"


def test_the_error_reads_as_a_list() -> None:
    with pytest.raises(InvalidConfig) as caught:
        read("[server]\npublic_url = 'x'\nlisten = '80'")

    assert str(caught.value) == (
        "the configuration has 3 problems:\n"
        "  server.listen: '80' is no host and port\n"
        "    Where the bot serves WhatsApp, Slack and the API."
        ' For example: listen = "0.0.0.0:8080"\n'
        "  server.public_url: 'x' is no http or https address\n"
        "    How Meta and Slack reach the bot; `dripline check` prints what to enter there."
        ' For example: public_url = "https://drip.acme.example"\n'
        "  organizations: is missing\n"
        "    See [organizations] in dripline.example.toml."
    )


def test_what_is_no_toml_says_where() -> None:
    (problem,) = problems("[server]\nlisten = \n").values()

    assert "line 2" in problem.message


@pytest.mark.parametrize(
    ("section", "line", "says"),
    [
        ("server", 'listen = "0.0.0.0"', "no host and port"),
        ("server", 'listen = "0.0.0.0:99999"', "no host and port"),
        ("server", 'public_url = "ftp://a.example"', "no http or https address"),
        ("server", 'public_url = "https://[a"', "no http or https address"),
        ("server", 'graph_url = "https://a.example?x=1"', "without user, query or fragment"),
        ("server", 'database_url = "mysql://db"', "begin with postgres://"),
        ("server", 'database_url = ""', "is empty"),
        ("server", 'redis_url = "env:NOWHERE"', "the environment has no NOWHERE"),
        ("server", 'redis_url = "env:"', "names no variable"),
        ("server", 'listen_on = "x"', "is no key that is known"),
        ("organizations.acme", "name = 7", "must be text"),
        ("organizations.acme", 'name = "a\\u0000b"', "cannot be seen"),
        ("organizations.acme", 'timezone = "Mars"', "no time zone"),
        ("organizations.acme", 'timezone = "../../etc/passwd"', "no time zone"),
        ("organizations.acme", 'country = "nl"', "no country code"),
        ("organizations.acme", 'country = "XX"', "no country code"),
        ("organizations.acme", 'visibility = "own"', "is not built in this version"),
        ("organizations.acme", 'visibility = "some"', 'must be "all"'),
        ("organizations.acme.slack", 'app_token = "env:A"', "is not built in this version"),
        ("organizations.acme.slack", 'team_id = "acme"', "no id of a Slack workspace"),
        ("organizations.acme.slack", 'alerts_channel = "#alerts"', "no id of a Slack channel"),
        ("organizations.acme.slack", 'bot_token = "xoxb-1"', "must not stand in the file"),
        ("organizations.acme.slack", 'bot_token = "env:NOWHERE"', "has no NOWHERE"),
        ("organizations.acme.staff", 'owner = ["+31612345678"]', "nobody in Slack"),
        ("organizations.acme.staff", "owner = []", "nobody in Slack"),
        ("organizations.acme.staff", 'owner = "U01ADA"', "must be a list"),
        ("organizations.acme.whatsapp", 'business_account_id = "+1555"', "no id of Meta's"),
        ("organizations.acme.whatsapp", "business_account_id = 1029384756", "must be text"),
        ("organizations.acme.whatsapp", "numbers = []", "has no number"),
        ("organizations.acme.sending", 'operating_hours = "9-17"', "are no hours"),
        ("organizations.acme.sending", 'operating_days = "daily"', "are no days"),
        ("organizations.acme.sending", "messages_per_hour = -1", "between 0 and"),
        ("organizations.acme.sending", "messages_per_hour = true", "whole number"),
        ("organizations.acme.sending", 'approval_above = "1000"', "whole number"),
        ("organizations.acme.sending", 'cooldown = "a day"', "is no duration"),
        ("organizations.acme.sending", 'unknown_grace = "off"', "is no duration"),
        ("organizations.acme.sending", 'unknown_grace = "0s"', "longer than nothing"),
        ("organizations.acme.sending", 'unknown_policy = "hope"', "'resend', 'ask' or 'drop'"),
        ("organizations.acme.sending", 'retention = "1d"', "shorter than 7d"),
    ],
)
def test_what_a_key_refuses(section: str, line: str, says: str) -> None:
    (problem,) = problems(with_line(section, line)).values()

    assert problem.path == f"{section}.{line.split(maxsplit=1)[0]}"
    assert says in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("number", "path", "says"),
    [
        ('{ id = "1", phone = "+15550001111" }', "id", "no id of Meta's"),
        ('{ id = "12345", phone = "5550001111" }', "phone", "no phone number"),
        ('{ id = "12345", phone = "+15550001111", pace = "9s-1s" }', "pace", "shortest gap after"),
        ('{ id = "12345", phone = "+15550001111", pace = "x" }', "pace", "is no duration"),
        (
            '{ id = "12345", phone = "+15550001111", messages_per_second = 0 }',
            "messages_per_second",
            "between 1 and 1000",
        ),
        ('{ id = "12345", phone = "+15550001111", speed = 1 }', "speed", "no key that is known"),
        ('{ phone = "+15550001111" }', "id", "is missing"),
    ],
)
def test_what_a_number_refuses(number: str, path: str, says: str) -> None:
    text = with_line("organizations.acme.whatsapp", f"numbers = [{number}]")

    (problem,) = problems(text).values()

    assert problem.path == f"organizations.acme.whatsapp.numbers[0].{path}"
    assert says in problem.message


def test_values_in_other_spellings() -> None:
    text = EXAMPLE.replace('pace = "0s"', 'pace = "40s-100s"')
    text = text.replace('cooldown = "24h"', 'cooldown = "off"')
    text = text.replace('deadline = "48h"', 'deadline = "0s"')
    text = text.replace('operating_hours = "06:00-21:00"', 'operating_hours = "off"')
    text = text.replace('operating_days = "mon-sun"', 'operating_days = "mon,wed-fri"')
    text = text.replace('"0.0.0.0:8080"', '"[::]:80"').replace(
        "approval_above = 1000", "approval_above = 0"
    )

    config = read(text)

    acme = config.organizations[ACME]
    assert acme.whatsapp.numbers[0].pace == Pace(
        shortest=timedelta(seconds=40), longest=timedelta(seconds=100)
    )
    assert acme.sending.cooldown is None
    assert acme.sending.deadline is None
    assert acme.sending.hours == Hours(days=frozenset({0, 2, 3, 4}))
    assert acme.sending.approval_above is None
    assert config.server.listen == Address(host="::", port=80)


def test_what_two_organizations_cannot_share() -> None:
    text = EXAMPLE + MINIMAL.replace("organizations.acme", "organizations.beta")

    found = problems(text)

    assert {path: each.message for path, each in found.items()} == {
        "organizations.beta.slack.team_id": "is that of organizations.acme.slack.team_id too",
        "organizations.beta.whatsapp.numbers[0].id": (
            "is that of organizations.acme.whatsapp.numbers[0].id too"
        ),
        "organizations.beta.whatsapp.numbers[0].phone": (
            "is that of organizations.acme.whatsapp.numbers[0].phone too"
        ),
    }


def test_organizations_may_share_an_app_and_its_secrets() -> None:
    beta = MINIMAL.replace("organizations.acme", "organizations.beta")
    beta = beta.replace("T0123456", "T0BETA").replace("106540352242922", "106540352242923")
    beta = beta.replace("+15550001111", "+15550001112")

    assert set(read(EXAMPLE + beta).organizations) == {"acme", "beta"}


def test_the_first_of_those_that_share_a_portfolio_counts_for_all() -> None:
    def organization(key: str, place: int, portfolio: str) -> str:
        text = MINIMAL.replace("organizations.acme", f"organizations.{key}")
        text = text.replace("T0123456", f"T0{key.upper()}").replace("922", f"92{place}")
        text = text.replace("+15550001111", f"+1555000111{place}")
        return text.replace("app_secret =", f'portfolio = "{portfolio}"\napp_secret =')

    config = read(
        organization("zeta", 3, "shared")
        + organization("beta", 4, "own")
        + organization("acme", 5, "shared")
    )

    homes = {key: config.portfolio_home(key) for key in config.organizations}
    assert homes == {"zeta": "acme", "beta": "beta", "acme": "acme"}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ('stop = ["!!"]', "stop[0]"),
        ('start = ["stop"]', "start[0]"),
        ('stop = ["basta ya"]\nstart = ["hola", "¡BASTA YA!"]', "start[1]"),
    ],
)
def test_words_that_no_message_could_mean(words: str, path: str) -> None:
    text = f"{MINIMAL}\n[organizations.acme.keywords]\n{words}\n"

    assert list(problems(text)) == [f"organizations.acme.keywords.{path}"]


@pytest.mark.parametrize("key", ['"two words"', '""', '"a.b"', f'"{"a" * 41}"', '"é"'])
def test_an_organization_needs_a_plain_key(key: str) -> None:
    found = problems(MINIMAL.replace("organizations.acme", f"organizations.{key}"))

    assert [each.message for each in found.values()] == ["is no name for an organization here"]


@pytest.mark.parametrize("text", ["", "organizations = {}", "organizations = 7", "server = []"])
def test_a_file_of_another_shape_is_a_problem_and_no_crash(text: str) -> None:
    assert problems(text)


def test_the_reference_is_the_model() -> None:
    written = (PROJECT / "docs" / "configuration.md").read_text()

    assert written == reference.reference(), "run: dripline reference > docs/configuration.md"


def test_the_example_has_every_key_as_the_model_has_it() -> None:
    """Each key of the model stands in the example, with its default or with its own example."""
    written = tomllib.loads(EXAMPLE)
    for name, section in reference.sections().items():
        found = written
        for part in name.replace("<key>", "acme").split("."):
            found = found[part.removesuffix("[]")]
            found = found[0] if isinstance(found, list) else found
        for key, field in reference.keys(section):
            example = reference.fact(field, "example")
            allowed = [] if example is None else [tomllib.loads(f"x = {example}")["x"]]
            if not field.is_required() and reference.fact(field, "absent") is None:
                default = field.default
                allowed.append(list(default) if isinstance(default, tuple) else default)
            if name.endswith("whatsapp") and key == "numbers":
                continue  # its keys are looked at one by one
            assert found[key] in allowed, f"{name}.{key}"


def test_every_key_says_what_it_does_and_why_its_default() -> None:
    for name, section in reference.sections().items():
        assert section.__doc__, name
        for key, field in reference.keys(section):
            told = [reference.fact(field, each) for each in ("why", "absent", "example")]
            assert field.description, f"{name}.{key}"
            assert field.description.endswith("."), f"{name}.{key}"
            assert any(told), f"{name}.{key}"


@pytest.mark.parametrize(
    ("listen_url", "pooled", "direct"),
    [
        ('"env:DATABASE_URL"', False, "postgres://drip:pw-of-db@db/drip"),
        ('"postgres://db-itself/drip"', True, "postgres://db-itself/drip"),
        ('"off"', True, None),
    ],
)
def test_a_pooler_is_there_where_another_way_to_listen_is_named(
    listen_url: str,
    pooled: bool,  # noqa: FBT001 — of the table above
    direct: str | None,
) -> None:
    server = read(with_line("server", f"listen_url = {listen_url}")).server

    assert server.pooled is pooled
    assert (server.direct_url and server.direct_url.get_secret_value()) == direct


def test_without_a_way_to_listen_it_is_the_databases() -> None:
    server = read(re.sub(r"\nlisten_url = .*", "", EXAMPLE)).server

    assert not server.pooled
    assert server.direct_url == server.database_url


def test_a_way_past_a_pooler_needs_the_pooler() -> None:
    with pytest.raises(InvalidConfig, match=r"stands there without server\.database_url"):
        read(re.sub(r"\ndatabase_url = .*", "", EXAMPLE))

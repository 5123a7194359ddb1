"""The configuration of the sandbox's organization."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the configuration says; URLs without a slash at the end.

    Attributes:
        numbers: Phone number id, phone and messages per second of each.
        staff: Slack users by role.
    """

    organization: str
    bot_url: str
    listen: str
    graph_url: str
    slack_url: str
    timezone: str
    country: str
    team_id: str
    alerts_channel: str
    inbox_channel: str
    staff: Mapping[str, Iterable[str]]
    business_account_id: str
    numbers: Iterable[tuple[str, str, int]]


SLACK_TOKEN = "DEMO_SLACK_TOKEN"  # noqa: S105 — a name
SLACK_SECRET = "DEMO_SLACK_SECRET"  # noqa: S105 — a name
APP_SECRET = "DEMO_APP_SECRET"  # noqa: S105 — a name
VERIFY_TOKEN = "DEMO_VERIFY_TOKEN"  # noqa: S105 — a name
ACCESS_TOKEN = "DEMO_ACCESS_TOKEN"  # noqa: S105 — a name
DATABASE_URL = "DATABASE_URL"
REDIS_URL = "REDIS_URL"


def as_toml(demo: Demo) -> str:
    """Return dripline.toml of the sandbox; its secrets are in the environment."""
    organization = f"organizations.{demo.organization}"
    numbers = ", ".join(
        f"{{ id = {_text(id_)}, phone = {_text(phone)}, messages_per_second = {rate} }}"
        for id_, phone, rate in demo.numbers
    )
    sections: dict[str, dict[str, str]] = {
        "server": {
            "listen": _text(demo.listen),
            "public_url": _text(demo.bot_url),
            "database_url": _variable(DATABASE_URL),
            "redis_url": _variable(REDIS_URL),
            "graph_url": _text(demo.graph_url),
            "slack_url": _text(demo.slack_url),
        },
        organization: {
            "name": _text("Demo"),
            "timezone": _text(demo.timezone),
            "country": _text(demo.country),
        },
        f"{organization}.slack": {
            "team_id": _text(demo.team_id),
            "bot_token": _variable(SLACK_TOKEN),
            "signing_secret": _variable(SLACK_SECRET),
            "alerts_channel": _text(demo.alerts_channel),
            "inbox_channel": _text(demo.inbox_channel),
        },
        f"{organization}.staff": {
            role: json.dumps(list(users)) for role, users in demo.staff.items()
        },
        f"{organization}.whatsapp": {
            "business_account_id": _text(demo.business_account_id),
            "app_secret": _variable(APP_SECRET),
            "verify_token": _variable(VERIFY_TOKEN),
            "access_token": _variable(ACCESS_TOKEN),
            "numbers": f"[{numbers}]",
        },
        # Whoever tries something out at night, twice, or two days later sees it arrive.
        f"{organization}.sending": {
            "operating_hours": _text("off"),
            "cooldown": _text("off"),
            "deadline": _text("off"),
            "large_campaign": "10000",
            "approval_above": "0",
            # Here people are made to say STOP by the hundred.
            "brake_opt_outs": _text("off"),
        },
    }
    return "\n".join(_section(name, keys) for name, keys in sections.items())


def as_shell(environment: Mapping[str, str]) -> str:
    """Return lines that a shell reads with ``.``, for commands beside the running sandbox."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in sorted(environment.items())
    )


def _section(name: str, keys: Mapping[str, str]) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"[{name}]\n{lines}"


def _variable(name: str) -> str:
    return _text(f"env:{name}")


def _text(value: str) -> str:
    # JSON's strings are TOML's basic strings, as long as nothing is written as a surrogate.
    return json.dumps(value, ensure_ascii=False)

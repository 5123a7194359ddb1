"""What the sandbox is told by whoever starts it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sandbox.wire import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody in the pretend Slack; *role* is only shown, the product has its own list."""

    id: str
    name: str
    role: str
    timezone: str = "Europe/Amsterdam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A public channel of the pretend Slack; the bot is a member."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A business phone number on the platform.

    Attributes:
        quality: GREEN, YELLOW, RED or UNKNOWN.
        health: AVAILABLE, LIMITED or BLOCKED, as ``health_status`` reports it.
        messaging_limit: Of the portfolio, in Meta's words; it is told and not enforced, since no
            error is documented for it.
    """

    id: str
    phone: str
    messages_per_second: int = 80
    quality: str = "GREEN"
    health: str = "AVAILABLE"
    messaging_limit: str = "TIER_UNLIMITED"

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "phone": self.phone,
            "messages_per_second": self.messages_per_second,
            "quality": self.quality,
            "health": self.health,
            "messaging_limit": self.messaging_limit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One organization with its WhatsApp account and its Slack workspace.

    Attributes:
        url: Where the sandbox itself is reached, without a slash at the end.
        bot_url: Where the product's bot is reached, without a slash at the end.
        graph_port: A second port that serves only the Graph API, so that the outage
            "refuse" refuses connections; None: it is on *port* only and cuts them.
        clock_path: The file of 8 bytes the product reads too.
        page: Folder of the web page, or None.
        user_groups: Ids of groups and of their members.
        templates: As the Graph API takes them.
    """

    state_dir: Path
    clock_path: Path
    bot_url: str
    organization: str
    app_secret: str
    verify_token: str
    access_token: str
    business_account_id: str
    slack_signing_secret: str
    slack_bot_token: str
    slack_team_id: str
    numbers: tuple[Number, ...]
    templates: tuple[Json, ...]
    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    user_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    slack_app_id: str = "A0DRIP"
    slack_bot_user: str = "U0DRIP"
    slack_command: str = "/drip"
    host: str = "127.0.0.1"
    port: int = 8080
    graph_port: int | None = None
    page: Path | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Parts(Protocol):
    """The product's processes and servers, as whoever started them sees them."""

    async def health(self) -> tuple[bool, Json]:
        """Whether everything is ready, and ``{parts: {name: {pid, url}}}``."""
        ...

    async def signal(self, name: str, signal: str) -> None:
        """Send a signal, such as ``SIGKILL``, to one part.

        Raises:
            KeyError: No such part.
            ValueError: No such signal.
        """
        ...

    async def restart_postgres(self) -> None:
        """Stop it, start it again, and wait until it is ready.

        Raises:
            KeyError: It runs elsewhere.
        """
        ...

    async def flush_redis(self) -> None:
        """Empty it.

        Raises:
            KeyError: It runs elsewhere.
        """
        ...

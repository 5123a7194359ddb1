"""The shape of dripline.toml: every key with a sentence, its unit, its default, and why that.

Secrets are named, not written: ``"env:NAME"`` is read from the environment.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
)
from pydantic.config import JsonDict

from engine.config_conflicts import conflicts
from engine.config_problems import InvalidConfig, Problem, problems_in, refusal
from engine.config_values import (
    CapOrOff,
    ChannelId,
    Country,
    Days,
    GapRange,
    Limit,
    ListenAddress,
    ListenUrl,
    Member,
    MetaId,
    OwnNumberId,
    OwnPhone,
    PostgresUrl,
    Rate,
    RedisUrl,
    Secret,
    ShareOrOff,
    Span,
    SpanOrOff,
    StaffId,
    TeamId,
    Text,
    TimeOrOff,
    Url,
    Window,
    Zone,
)
from engine.hours import Hours
from engine.ids import OrganizationId
from engine.keywords import Keywords

__all__ = ["Config", "InvalidConfig", "Organization", "Problem", "WhatsAppNumber", "load"]


class Section(BaseModel):
    """A section of the file; an unknown key in it is a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def key(
    default: object = ...,
    /,
    *,
    says: str,
    unit: str | None = None,
    why: str | None = None,
    absent: str | None = None,
    example: str | None = None,
) -> Any:  # noqa: ANN401 — a default stands as TOML writes it and becomes a value when it is read
    """Declare a key.

    Args:
        default: As TOML writes it; absent: the key is required. A callable makes it from the keys
            before it.
        says: What it does, a sentence.
        unit: Of the value, where its form does not say it.
        why: Why this default.
        absent: What happens without the key, where that is no value.
        example: As TOML writes it.
    """
    facts = {"unit": unit, "why": why, "absent": absent, "example": example}
    extra: JsonDict = {name: fact for name, fact in facts.items() if fact is not None}
    if callable(default):
        return Field(default_factory=default, description=says, json_schema_extra=extra)
    return Field(default, description=says, json_schema_extra=extra)


class Server(Section):
    """Where this installation listens, what it is called from outside, and what it talks to."""

    listen: ListenAddress = key(
        "0.0.0.0:8080",
        says="Where the bot serves WhatsApp, Slack and the API.",
        why="all interfaces, as containers and reverse proxies expect",
    )
    public_url: Url = key(
        "http://127.0.0.1:8080",
        says="How Meta and Slack reach the bot; `dripline check` prints what to enter there.",
        why="works with the sandbox on this machine; real platforms need https",
        example='"https://drip.acme.example"',
    )
    database_url: PostgresUrl = key(
        None,
        says="PostgreSQL 14 or later, as a URL or the name of a variable that holds it.",
        absent="`dripline up` runs one itself, its data in ./.dripline; other commands need it",
        example='"env:DATABASE_URL"',
    )
    listen_url: ListenUrl = key(
        None,
        says="PostgreSQL itself, where database_url leads to a pooler of transactions (PgBouncer):"
        " the worker hears there at once what must not wait, and `dripline migrate` works there;"
        ' "off": there is no such way, and the worker looks twice a second instead.',
        absent="that of database_url, which leads to PostgreSQL itself or to a pooler of sessions",
        example='"env:DATABASE_URL"',
    )
    redis_url: RedisUrl = key(
        None,
        says="Redis 6.2 or later, or Valkey, as a URL or the name of a variable that holds it.",
        absent="`dripline up` runs one itself; other commands need it",
        example='"env:REDIS_URL"',
    )
    graph_url: Url = key(
        "https://graph.facebook.com/v25.0",
        says="Meta's Graph API with its version.",
        why="the version this release was tested with",
    )
    slack_url: Url = key(
        "https://slack.com/api/",
        says="Slack's Web API.",
        why="another one only in the sandbox",
    )

    @property
    def pooled(self) -> bool:
        """Whether each transaction may come to another session of PostgreSQL."""
        return self.listen_url not in {None, self.database_url}

    @property
    def direct_url(self) -> SecretStr | None:
        """Where a session of its own is to be had; None: nowhere, or no database is named."""
        if self.listen_url == "off":
            return None
        return self.listen_url or self.database_url


class Slack(Section):
    """The workspace in which staff work."""

    team_id: TeamId = key(
        says="The workspace; each organization has one of its own.", example='"T0123456"'
    )
    bot_token: Secret = key(
        says="The bot token (xoxb-…) of the installed Slack app.",
        example='"env:ACME_SLACK_TOKEN"',
    )
    signing_secret: Secret = key(
        says="The Slack app's signing secret, which proves that a request is Slack's.",
        example='"env:ACME_SLACK_SECRET"',
    )
    alerts_channel: ChannelId = key(
        says="The channel for live cards and alerts; the bot must be a member.",
        example='"C0ALERTS"',
    )
    inbox_channel: ChannelId = key(
        lambda read: read.get("alerts_channel"),
        says="The channel for what contacts write; the bot must be a member.",
        absent="the alerts channel",
        example='"C0INBOX"',
    )
    daily_summary: TimeOrOff = key(
        "08:00",
        says="When the alerts channel is told what was sent, delivered, read and replied to, what"
        ' failed and who opted out the day before; nothing where nothing was; "off": never.',
        unit="time of day of the organization",
        why="at hand when work begins",
    )


def _an_owner(owners: tuple[StaffId, ...]) -> tuple[StaffId, ...]:
    if all(each.startswith("+") for each in owners):
        raise refusal("has nobody in Slack, so nobody could create a campaign")
    return owners


class Staff(Section):
    """Who may do what: Slack users (U…), user groups (S…) or WhatsApp numbers (+…).

    Whoever stands in several roles has the highest.
    """

    owner: Annotated[tuple[Member, ...], AfterValidator(_an_owner)] = key(
        says="Who may do everything, at least one Slack user or group.", example='["U01ADA"]'
    )
    supervisor: tuple[Member, ...] = key(
        (),
        says="Who may look at everything and answer contacts.",
        why="nobody may by accident",
        example='["S0LEADS"]',
    )
    agent: tuple[Member, ...] = key(
        (),
        says="Who may answer contacts.",
        why="nobody may by accident",
        example='["S0CARE", "+31612345678"]',
    )


class WhatsAppNumber(Section):
    """A business phone number."""

    id: OwnNumberId = key(
        says="The phone number id, from WhatsApp Manager.", example='"106540352242922"'
    )
    phone: OwnPhone = key(
        says="The number itself, with + and country code.", example='"+15550001111"'
    )
    messages_per_second: Rate = key(
        80,
        says="A ceiling on what the platform reports for the number.",
        unit="messages per second",
        why="what Meta grants a number at first",
    )
    pace: GapRange = key(
        "0s",
        says='The gap between two messages; "40s-100s" is a random one between the two.',
        why="as fast as the rate allows",
    )


def _some_numbers(numbers: tuple[WhatsAppNumber, ...]) -> tuple[WhatsAppNumber, ...]:
    if not numbers:
        raise refusal("has no number")
    return numbers


class WhatsApp(Section):
    """The WhatsApp Business account and its numbers."""

    business_account_id: MetaId = key(
        says="The WhatsApp Business account (WABA).", example='"1029384756"'
    )
    portfolio: Text = key(
        lambda read: read.get("business_account_id"),
        says="Accounts that share a messaging limit have the same word here; those of one"
        " installation count it together.",
        absent="the account has a limit of its own",
        example='"acme"',
    )
    app_secret: Secret = key(
        says="The Meta app's secret, which proves that a webhook is Meta's.",
        example='"env:ACME_APP_SECRET"',
    )
    verify_token: Secret = key(
        says="A word of your own that Meta repeats when you enter the webhook's address.",
        example='"env:ACME_VERIFY_TOKEN"',
    )
    access_token: Secret = key(
        says="A system user's token with whatsapp_business_messaging and _management.",
        example='"env:ACME_WA_TOKEN"',
    )
    numbers: Annotated[tuple[WhatsAppNumber, ...], AfterValidator(_some_numbers)] = key(
        says="The numbers to send from; the first is used where nothing else decides. What waits"
        " for a number that is no longer here goes from another.",
        example='[{ id = "106540352242922", phone = "+15550001111" }]',
    )


def _long_enough(retention: timedelta | None) -> timedelta | None:
    if retention is not None and retention < _SHORTEST_RETENTION:
        raise refusal(
            "is shorter than 7d", hint="Reports on a message may come for 7 days, and find no row."
        )
    return retention


# Source: Meta, Webhooks overview, "Webhook delivery failure" (retries for up to 7 days).
_SHORTEST_RETENTION: Final = timedelta(days=7)


class Sending(Section):
    """What holds for every campaign that does not say otherwise."""

    operating_hours: Window = key(
        "06:00-21:00",
        says='When campaign messages may leave; "off": at any time.',
        unit="time of day in the contact's zone, else the organization's",
        why="nobody is woken up",
    )
    operating_days: Days = key(
        "mon-sun",
        says="On which days campaign messages may leave.",
        why="hours protect people enough; some trades keep Sundays free",
    )
    messages_per_hour: Limit = key(
        0,
        says="At most so many campaign messages of the organization in an hour; 0: no limit.",
        unit="messages",
        why="the platform's own limits hold anyway",
    )
    contacts_per_day: Limit = key(
        0,
        says="At most so many different contacts get a campaign message in a day of the"
        " organization's time zone, over all campaigns and numbers; 0: no limit.",
        unit="contacts",
        why="the platform's own limits hold anyway",
    )
    cooldown: SpanOrOff = key(
        "24h",
        says="The least time between promotional messages of different campaigns to one contact;"
        ' "off": none.',
        why="one a day is what people bear",
    )
    frequency_cap: CapOrOff = key(
        "off",
        says="The most promotional messages one contact gets within a span of time, of whatever"
        ' campaigns; "3/7d": three within any 7 days; "off": no limit.',
        why="the cooldown is enough for most; a cap keeps many campaigns together bearable",
        example='"3/7d"',
    )
    deadline: SpanOrOff = key(
        "48h",
        says='A message later than that after its time is skipped, not sent; "off": never.',
        why="an outage over a weekend does not end in a flood of stale messages",
    )
    large_campaign: Limit = key(
        10_000,
        says="Above it, staff confirm by typing the count; 0: never.",
        unit="recipients",
        why="a slip of the hand stays small",
    )
    approval_above: Limit = key(
        1_000,
        says="Above it, a second owner approves; 0: never. Until approvals exist, commands refuse.",
        unit="recipients",
        why="four eyes before money is spent",
    )
    unknown_policy: Literal["resend", "ask", "drop"] = key(
        "resend",
        says="What becomes of a message of which nobody knows whether it left: it is sent again,"
        " staff are asked, or it is dropped.",
        why="after the platform's silence it has hardly ever left",
        example='"ask"',
    )
    unknown_grace: Span = key(
        "10m",
        says="How long the platform must be silent about such a message while it speaks of others.",
        why="reports of delivery take seconds, rarely minutes",
    )
    brake_failures: ShareOrOff = key(
        "20%",
        says="A campaign of whose messages within a day more than that failed is stopped, until"
        ' somebody lets it go on; "off": never.',
        why="so many failures mean that something is wrong with the list or the text",
        example='"10%"',
    )
    brake_opt_outs: ShareOrOff = key(
        "5%",
        says="A campaign of whose people within a day more than that answered STOP is stopped,"
        ' until somebody lets it go on; "off": never.',
        why="so many do not want it, and WhatsApp lowers the number's quality for them",
        example='"2.5%"',
    )
    brake_after: Limit = key(
        50,
        says="So many messages have to be sent before a share of them stops a campaign.",
        unit="messages",
        why="one of the first two is half of them",
    )
    retention: Annotated[SpanOrOff, AfterValidator(_long_enough)] = key(
        "90d",
        says='How long messages are kept, statistics longer; "off": for ever.',
        why="long enough for questions, short enough for data protection",
    )

    @property
    def hours(self) -> Hours:
        """The operating hours on the operating days."""
        window = self.operating_hours
        return Hours(start=window.start, end=window.end, days=self.operating_days)


class KeywordLists(Section):
    """Words added to the built-in ones of many languages, as a contact's whole message."""

    stop: tuple[Text, ...] = key(
        (),
        says="Words that end all campaigns for a contact.",
        example='["GENOEG"]',
        why="the built-in ones know fifty languages",
    )
    start: tuple[Text, ...] = key(
        (),
        says="Words that undo it.",
        example='["JA GRAAG"]',
        why="the built-in ones know fifty languages",
    )

    def meanings(self) -> Keywords:
        """The built-in words and these."""
        return Keywords(stop=self.stop, start=self.start)


def _visibility(value: object) -> object:
    if value == "own":
        raise refusal('"own" is not built in this version', hint='Write "all".')
    if value != "all":
        raise refusal('must be "all"')
    return value


class Organization(Section):
    """A business with its workspace, its account and its staff; its data is its own."""

    name: Text = key(says="What staff and reports call it.", example='"Acme"')
    timezone: Zone = key(
        says="Of its hours and reports, and of contacts whose own zone is not known.",
        example='"Europe/Amsterdam"',
    )
    country: Country = key(
        None,
        says="Of phone numbers written without a country code, as two letters.",
        absent="such numbers are refused",
        example='"NL"',
    )
    visibility: Annotated[Literal["all"], BeforeValidator(_visibility)] = key(
        "all",
        says="Whether staff see each other's campaigns.",
        why="a team works on them together",
    )
    slack: Slack
    staff: Staff
    whatsapp: WhatsApp
    sending: Sending = Field(default_factory=Sending)
    keywords: KeywordLists = Field(default_factory=KeywordLists)


def _key_of_organization(value: object) -> str:
    text = str(value)
    if (
        not (text.isascii() and text.replace("-", "").replace("_", "").isalnum())
        or len(text) > _LONGEST_KEY
    ):
        raise refusal(
            "is no name for an organization here",
            hint="Use at most 40 letters, digits, - and _; it stands in every table, so it stays.",
        )
    return text


_LONGEST_KEY: Final = 40


def _some(organizations: Mapping[str, Organization]) -> Mapping[str, Organization]:
    if not organizations:
        raise refusal("has no organization", hint="Write a section [organizations.<key>].")
    return MappingProxyType(dict(organizations))


class Config(Section):
    """All of dripline.toml."""

    server: Server = Field(default_factory=Server)
    organizations: Annotated[
        Mapping[Annotated[OrganizationId, PlainValidator(_key_of_organization)], Organization],
        AfterValidator(_some),
    ]

    def secrets(self) -> tuple[SecretStr, ...]:
        """Every secret there is, so that logs can keep them out."""
        return tuple(_secrets_in(self))

    def portfolio_home(self, organization: OrganizationId) -> OrganizationId:
        """Return the first organization of those that share the portfolio of *organization*."""
        portfolio = self.organizations[organization].whatsapp.portfolio
        return min(
            key for key, each in self.organizations.items() if each.whatsapp.portfolio == portfolio
        )


def _secrets_in(value: object) -> Iterator[SecretStr]:
    match value:
        case SecretStr():
            yield value
        case BaseModel():
            for _, each in value:
                yield from _secrets_in(each)
        case Mapping():
            for each in value.values():
                yield from _secrets_in(each)
        case tuple():
            for each in value:
                yield from _secrets_in(each)


def load(text: str, *, environment: Mapping[str, str]) -> Config:
    """Read a configuration.

    Args:
        text: TOML.
        environment: Where ``env:NAME`` is looked up.

    Raises:
        InvalidConfig: With every problem there is.
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfig((_not_toml(error),)) from None
    # Before the model is complete, so that these too are told at once.
    problems = tuple(conflicts(written))
    try:
        config = Config.model_validate(written, context={"environment": environment})
    except ValidationError as error:
        found = tuple(problems_in(error, model=Config, not_built=_NOT_BUILT))
        # From None: the original carries what was read, and a traceback would print it.
        raise InvalidConfig(found + problems) from None
    if problems:
        raise InvalidConfig(problems)
    return config


_NOT_BUILT: Final = {
    "app_token": "Socket Mode is not there yet: remove it, use signing_secret, and let Slack"
    " call public_url.",
}


def _not_toml(error: tomllib.TOMLDecodeError) -> Problem:
    return Problem(path="", message=f"it is no TOML: {error}", hint="Mend the line; see toml.io.")

"""The types of the values in dripline.toml: each reads its text once, or says what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Final, Literal, NewType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import PlainValidator, SecretStr, ValidationInfo

from engine import duration, hours, phone
from engine.brake import InvalidShare, Share
from engine.config_problems import refusal
from engine.duration import InvalidDuration
from engine.frequency import FrequencyCap, InvalidCap
from engine.hours import Hours, InvalidHours
from engine.ids import NumberId
from engine.phone import InvalidPhone, Phone

StaffId = NewType("StaffId", str)  # a Slack user (U…, W…), a user group (S…) or a phone (+…)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server listens; *host* is a name or an IP address without brackets."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The gap before the next message: at random between the two; both 0: none."""

    shortest: timedelta
    longest: timedelta


_ENVIRONMENT: Final = "env:"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("must be text, in quotes")
    if not value.strip():
        raise refusal("is empty")
    if not value.isprintable():
        raise refusal("has characters that cannot be seen")
    return value.strip()


def _number(value: object) -> int:
    # True is an int to Python, not to whoever wrote it.
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal("must be a whole number, without quotes")
    return value


def _from_environment(name: str, info: ValidationInfo) -> str:
    environment: Mapping[str, str] = info.context["environment"] if info.context else {}
    if not name:
        raise refusal("names no variable", hint='Write "env:NAME".')
    if name not in environment:
        raise refusal(
            f"the environment has no {name}",
            hint=f"Set {name} where this process starts, or name another variable.",
        )
    if not environment[name].strip():
        raise refusal(
            f"{name} is empty in the environment",
            hint=f"Give {name} a value where this process starts.",
        )
    return environment[name].strip()


def _secret(value: object, info: ValidationInfo) -> SecretStr:
    if isinstance(value, SecretStr):
        return value
    written = _text(value)
    if not written.startswith(_ENVIRONMENT):
        raise refusal(
            "must not stand in the file",
            hint='Put the secret into an environment variable and write "env:NAME" here.',
        )
    return SecretStr(_from_environment(written.removeprefix(_ENVIRONMENT), info))


def _server_url(value: object, info: ValidationInfo, schemes: tuple[str, ...]) -> SecretStr | None:
    if value is None or isinstance(value, SecretStr):
        return value
    written = _text(value)
    if written.startswith(_ENVIRONMENT):
        written = _from_environment(written.removeprefix(_ENVIRONMENT), info)
    # The value may hold a password, so it is not repeated.
    if not written.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise refusal(f"must begin with {schemes[0]}://")
    return SecretStr(written)


def _postgres_url(value: object, info: ValidationInfo) -> SecretStr | None:
    return _server_url(value, info, ("postgres", "postgresql"))


def _listen_url(value: object, info: ValidationInfo) -> SecretStr | Literal["off"] | None:
    return "off" if value == "off" else _postgres_url(value, info)


def _redis_url(value: object, info: ValidationInfo) -> SecretStr | None:
    return _server_url(value, info, ("redis", "rediss", "unix"))


def _url(value: object) -> str:
    written = _text(value)
    try:
        parts = urlsplit(written)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or " " in written:
        raise refusal(f"{written!r} is no http or https address")
    if parts.username is not None or parts.query or parts.fragment:
        raise refusal("must be an address alone, without user, query or fragment")
    return written.rstrip("/")


def _address(value: object) -> Address:
    written = _text(value)
    host, colon, port = written.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise refusal(f"{written!r} is no host and port")
    return Address(host=host, port=int(port))


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    written = _text(value)
    try:
        return ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
        raise refusal(f"{written!r} is no time zone") from None


def _country(value: object) -> str | None:
    if value is None:
        return None
    written = _text(value)
    if written not in phonenumbers.SUPPORTED_REGIONS:
        raise refusal(f"{written!r} is no country code of two capital letters")
    return written


def _own_phone(value: object) -> Phone:
    try:
        return phone.own(_text(value))
    except InvalidPhone as error:
        raise refusal("is no phone number", hint=error.reason) from None


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return duration.parse(_text(value))
    except InvalidDuration as error:
        raise refusal(str(error).rstrip(".")) from None


def _positive_span(value: object) -> timedelta:
    span = _span(value)
    if not span:
        raise refusal("must be longer than nothing")
    return span


def _span_or_off(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value or None
    try:
        return duration.parse_or_off(_text(value)) or None
    except InvalidDuration as error:
        raise refusal(str(error).rstrip(".")) from None


def _cap_or_off(value: object) -> FrequencyCap | None:
    if value is None or isinstance(value, FrequencyCap):
        return value
    try:
        return FrequencyCap.parse(_text(value))
    except InvalidCap as error:
        raise refusal(str(error)) from None


def _share_or_off(value: object) -> Share | None:
    if value is None or isinstance(value, Share):
        return value
    try:
        return Share.parse(_text(value))
    except InvalidShare as error:
        raise refusal(str(error)) from None


def _pace(value: object) -> Pace:
    if isinstance(value, Pace):
        return value
    first, _, last = _text(value).partition("-")
    shortest = _span(first)
    longest = _span(last) if last else shortest
    if longest < shortest:
        raise refusal("has the shortest gap after the longest")
    return Pace(shortest=shortest, longest=longest)


def _time_or_off(value: object) -> time | None:
    if value is None or isinstance(value, time):
        return value
    written = _text(value)
    if written == "off":
        return None
    try:
        return datetime.strptime(written, "%H:%M").time()  # noqa: DTZ007 — a time of day alone
    except ValueError:
        raise refusal(f'{written!r} is no time of day such as "08:00", and not "off"') from None


def _window(value: object) -> Hours:
    if isinstance(value, Hours):
        return value
    try:
        return hours.parse(_text(value))
    except InvalidHours as error:
        raise refusal(str(error).rstrip(".")) from None


def _days(value: object) -> frozenset[int]:
    if isinstance(value, frozenset):
        return value
    try:
        return hours.parse_days(_text(value))
    except InvalidHours as error:
        raise refusal(str(error).rstrip(".")) from None


def _limit(value: object) -> int | None:
    if value is None:
        return None
    number = _number(value)
    if not 0 <= number <= _LARGEST_LIMIT:
        raise refusal(f"must be between 0 and {_LARGEST_LIMIT}")
    return number or None


def _rate(value: object) -> int:
    number = _number(value)
    if not 1 <= number <= _LARGEST_RATE:
        raise refusal(f"must be between 1 and {_LARGEST_RATE}")
    return number


def _meta_id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise refusal("must be text, in quotes", hint=f'Write "{value}".')
    written = _text(value)
    if not _DIGITS.fullmatch(written):
        raise refusal(
            f"{written[:60]!r} is no id of Meta's, which are digits",
            hint="Copy it from WhatsApp Manager; it is not the phone number.",
        )
    return written


def _slack_id(value: object, kinds: str, what: str) -> str:
    written = _text(value)
    if written[0] not in kinds or not _SLACK_ID.fullmatch(written):
        raise refusal(
            f"{written[:60]!r} is no id of {what}",
            hint=f"Slack's ids of that kind begin with {' or '.join(kinds)}; a name will not do.",
        )
    return written


def _team(value: object) -> str:
    return _slack_id(value, "TE", "a Slack workspace")


def _channel(value: object) -> str:
    return _slack_id(value, "CG", "a Slack channel")


def _staff(value: object) -> StaffId:
    written = _text(value)
    if written.startswith("+"):
        return StaffId(_own_phone(written))
    if written[0] not in "UWS" or not _SLACK_ID.fullmatch(written):
        raise refusal(
            f"{written[:60]!r} is nobody's id",
            hint="Write a Slack user (U…), a user group (S…) or a phone number (+…); "
            "in Slack's profile: More, Copy member ID.",
        )
    return StaffId(written)


_PORT: Final = re.compile(r"[0-9]{1,5}")
_LAST_PORT: Final = 65_535
_LARGEST_LIMIT: Final = 1_000_000_000
_LARGEST_RATE: Final = 1_000
_DIGITS: Final = re.compile(r"[0-9]{5,30}")
_SLACK_ID: Final = re.compile(r"[A-Z][A-Z0-9]{2,30}")

Text = Annotated[str, PlainValidator(_text)]
Secret = Annotated[SecretStr, PlainValidator(_secret)]
PostgresUrl = Annotated[SecretStr | None, PlainValidator(_postgres_url)]
ListenUrl = Annotated[SecretStr | Literal["off"] | None, PlainValidator(_listen_url)]
RedisUrl = Annotated[SecretStr | None, PlainValidator(_redis_url)]
Url = Annotated[str, PlainValidator(_url)]
ListenAddress = Annotated[Address, PlainValidator(_address)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone)]
Country = Annotated[str | None, PlainValidator(_country)]
OwnPhone = Annotated[Phone, PlainValidator(_own_phone)]
Span = Annotated[timedelta, PlainValidator(_positive_span)]
SpanOrOff = Annotated[timedelta | None, PlainValidator(_span_or_off)]
CapOrOff = Annotated[FrequencyCap | None, PlainValidator(_cap_or_off)]
ShareOrOff = Annotated[Share | None, PlainValidator(_share_or_off)]
GapRange = Annotated[Pace, PlainValidator(_pace)]
TimeOrOff = Annotated[time | None, PlainValidator(_time_or_off)]
Window = Annotated[Hours, PlainValidator(_window)]
Days = Annotated[frozenset[int], PlainValidator(_days)]
Limit = Annotated[int | None, PlainValidator(_limit)]
Rate = Annotated[int, PlainValidator(_rate)]
MetaId = Annotated[str, PlainValidator(_meta_id)]
OwnNumberId = Annotated[NumberId, PlainValidator(_meta_id)]
TeamId = Annotated[str, PlainValidator(_team)]
ChannelId = Annotated[str, PlainValidator(_channel)]
Member = Annotated[StaffId, PlainValidator(_staff)]

"""JSON, times and refusals at the edges of the sandbox."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
from aiohttp import web

Json = dict[str, Any]
Check = Callable[[object], bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HUGE = 1e15
_DIGITS = 18
_YEAR_9999 = 253_370_764_800  # Unix seconds; datetime knows no later one
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Refused(Exception):
    """A request to the sandbox's own interface that it cannot follow."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def text(value: object) -> bool:
    """Whether *value* is text that every store can keep (no NUL, no lone surrogates)."""
    return isinstance(value, str) and "\0" not in value and value.isascii() | _encodable(value)


def phone(value: object) -> bool:
    return isinstance(value, str) and _E164.fullmatch(value) is not None


def number(value: object) -> bool:
    """Whether *value* is a finite number; JSON has no others, ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE


def count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15


def share(value: object) -> bool:
    return number(value) and 0 <= cast("float", value) <= 1


def mapping(value: object) -> bool:
    return isinstance(value, dict)


def anything(value: object) -> bool:
    return value is not None


def read(body: object, required: Mapping[str, Check], optional: Mapping[str, Check]) -> Json:
    """Return *body* with every known key, absent and null ones as None.

    Raises:
        Refused: An unknown key, one of the wrong kind, or a required one missing.
    """
    if not isinstance(body, dict):
        raise Refused("the body must be a JSON object")
    checks = {**required, **optional}
    for key, value in body.items():
        if key not in checks:
            raise Refused(f"unknown key {key!r}; known: {', '.join(checks)}")
        if value is not None and not checks[key](value):
            raise Refused(f"{key}: not a valid {checks[key].__name__}")
    values = {key: body.get(key) for key in checks}
    for key in required:
        if values[key] is None:
            raise Refused(f"{key}: missing")
    return values


def loads(raw: bytes) -> object:
    """Return the JSON of *raw*.

    Raises:
        Refused: It is not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise Refused(f"not JSON: {problem}") from problem


def answer(body: object, *, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8"
    )


def rfc3339(microseconds: int) -> str:
    """Return Unix *microseconds* as RFC 3339 in UTC."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def microseconds(value: object) -> int:
    """Return RFC 3339 text or Unix seconds (text or number) as Unix microseconds.

    Raises:
        Refused: It is none of them.
    """
    try:
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise Refused(f"{value!r}: a time needs its zone")
            return (moment - _EPOCH) // timedelta(microseconds=1)
        seconds = int(str(value))
    except ValueError as problem:
        raise Refused(f"{value!r}: not a time") from problem
    if not 0 <= seconds < _YEAR_9999:
        raise Refused(f"{value!r}: not a time")
    return seconds * 1_000_000


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


async def body_of(
    request: web.Request, required: Mapping[str, Check], optional: Mapping[str, Check]
) -> Json:
    """Return the JSON body of a request to the interface; an empty one is ``{}``.

    Raises:
        Refused: As ``read`` and ``loads`` say.
    """
    return read(loads(await request.read() or b"{}"), required, optional)


def query_of(request: web.Request, *known: str) -> dict[str, str | None]:
    """Return the query of a request to the interface, absent keys as None.

    Raises:
        Refused: An unknown key.
    """
    if unknown := request.query.keys() - set(known):
        raise Refused(f"unknown key {min(unknown)!r}; known: {', '.join(known)}")
    return {key: request.query.get(key) for key in known}


def integer_of(value: str | None, *, default: int) -> int:
    """Return a number of a query.

    Raises:
        Refused: It is none, or below 0.
    """
    if value is None or value == "":
        return default
    if not value.isascii() or not value.isdigit() or len(value) > _DIGITS:
        raise Refused(f"{value!r}: not a number")
    return int(value)

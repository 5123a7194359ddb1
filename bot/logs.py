"""Logs: one line per decision, JSON unless somebody watches.

Nothing in them identifies a contact or opens a door: numbers are masked, texts and secrets absent.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import TextIO

import orjson
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")

# Libraries that write what they send and receive, texts and tokens included, when they debug.
_TALKATIVE = ("arq", "slack_bolt", "slack_sdk", "tortoise", "aiohttp")
_HIDDEN = "[hidden]"
_SHORTEST_SECRET = 4  # a shorter one would hide ordinary words


def configure(
    *, level: str, stream: TextIO, console: bool, secrets: Iterable[SecretStr] = ()
) -> None:
    """Send what structlog and the standard library log to *stream*.

    Args:
        level: One of ``LEVELS``.
        console: For people; else one JSON object per line.
        secrets: Never shown, wherever they turn up.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="logged_at"),
        structlog.processors.format_exc_info,
        structlog.processors.StackInfoRenderer(),
        Mask(secrets),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, logging.INFO))
    logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)


class Mask:
    """The processor that leaves nothing in a line which identifies a contact or opens a door."""

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        # The longest first, or a secret that holds another would show its rest.
        known = sorted({each.get_secret_value() for each in secrets}, key=len, reverse=True)
        words = [re.escape(each) for each in known if len(each) >= _SHORTEST_SECRET]
        self._known = re.compile("|".join(words)) if words else None

    def __call__(self, _logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
        # What the standard library's bridge needs below here, and drops itself.
        kept = {name: event_dict.pop(name) for name in _BRIDGE if name in event_dict}
        return self._fields(event_dict) | kept

    def text(self, text: str) -> str:
        # A lone surrogate has no encoding, and a log must not fail over what it tells.
        text = text.encode(errors="backslashreplace").decode()
        if self._known is not None:
            text = self._known.sub(_HIDDEN, text)
        for pattern in _SECRETS:
            text = pattern.sub(rf"\1{_HIDDEN}", text)
        text = _MESSAGE_ID.sub(r"\1…\2", text)
        return _DIGITS.sub(_masked, _PHONE.sub(_masked, text))

    def _fields(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {
            self.text(str(name)): self._value(value)
            for name, value in fields.items()
            if not _UNTOLD.search(str(name))
        }

    def _value(self, value: object) -> object:
        match value:
            case None | bool() | float():
                return value
            case Enum():
                return self._value(value.value)
            case int():
                shown = self.text(str(value))
                return value if shown == str(value) and abs(value) < _BEYOND_JSON else shown
            case str():
                return self.text(value)
            case bytes() | bytearray() | memoryview():
                return f"[{len(value)} bytes]"
            case datetime() | date():
                return value.isoformat()
            case Mapping():
                return self._fields(value)
            case list() | tuple() | set() | frozenset():
                return [self._value(each) for each in value]
            case _:
                return self.text(repr(value))


_BEYOND_JSON = 2**63
_BRIDGE = ("_record", "_from_structlog")
# Fields that hold what a contact wrote or what opens a door, whatever comes before the last word.
_UNTOLD = re.compile(
    r"(?:^|[_.-])(?:text|body|caption|payload|token|secret|authorization|password|signature|cookie)"
    r"s?$",
    re.IGNORECASE,
)
# No look at what stands before them: a new line in a repr is the letter n.
_SECRETS = (
    re.compile(r"()x(?:ox[a-z]+|app)-[\w.-]+"),  # Slack
    re.compile(r"()EAA[A-Za-z0-9]{8,}"),  # Meta
    re.compile(r"(Bearer\s+)[^\s'\",]+", re.IGNORECASE),
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),  # of a URL
    re.compile(r"((?:token|secret|password|hub\.verify_token)=)[^\s&'\"]+", re.IGNORECASE),
)
# WhatsApp's message ids hold the contact's number, in base64.
_MESSAGE_ID = re.compile(r"(wamid\.)[A-Za-z0-9+/=_-]*([A-Za-z0-9+/_-]{6}=*)")
_PHONE = re.compile(r"\+\s?\d(?:[\s().\-/\u00a0]{0,2}\d){6,}")
# The same without +, as WhatsApp writes its ids of people. Not the longer ids of ours, nor what
# stands behind a decimal point.
_DIGITS = re.compile(r"(?<!\d)(?<!\d\.)\d{8,15}(?!\d)")


def _masked(found: re.Match[str]) -> str:
    number = found.group()
    return f"{number[:3]}…{number[-2:]}"


def _json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS, default=str).decode()

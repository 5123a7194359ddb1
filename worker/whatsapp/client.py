"""The Cloud API over HTTP: send a message, list templates, look after numbers and subscriptions.

WhatsApp has no idempotency key: a call that may have left us must never be made again on a guess.
So every ending of a call is told apart by what it proves, see :class:`Outcome`'s members.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final, NamedTuple

import aiohttp
import orjson
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from engine.ids import NumberId
from worker.whatsapp.patience import Patience

TOTAL_TIMEOUT: Final = 15.0  # seconds, of a whole call
# A call leaves once it is connected, and the lease is looked at before: the two seconds for which a
# renewal is trusted, and this, must be over before somebody else may hold the lease.
CONNECT_TIMEOUT: Final = 1.5  # seconds
UPLOAD_TIMEOUT: Final = 90.0  # seconds; a document may have 100 MB
KEEP_ALIVE: Final = 15.0  # seconds an idle connection is kept
PAGE: Final = 100

_TEMPLATE_FIELDS: Final = (
    "id,name,language,status,category,sub_category,parameter_format,components,quality_score,"
    "rejected_reason,previous_category,correct_category,message_send_ttl_seconds"
)
_NUMBER_FIELDS: Final = (
    "id,display_phone_number,verified_name,quality_rating,throughput,"
    "whatsapp_business_manager_messaging_limit,health_status"
)
_USAGE: Final = "X-Business-Use-Case-Usage"
_TOO_MANY_CALLS: Final = frozenset({4, 17, 32, 613, 80007, 80008})
_HELD: Final = frozenset({"held_for_quality_assessment", "paused"})
_MULTIPLE_CHOICES: Final = 300
_SERVER_ERROR: Final = 500

Json = Mapping[str, object]


class Accepted(NamedTuple):
    """WhatsApp took the message; what becomes of it comes by webhook.

    Attributes:
        held: Kept back to judge the template's quality first; it is sent later, or fails with
            132015. What ``paused`` in an answer means Meta does not say; it is taken as this.
        known_as: The WhatsApp id of whom it is for, where that is not the number it was sent to;
            digits alone.
    """

    wamid: str
    held: bool
    known_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The platform answered that it does not send the message.

    Attributes:
        code: None when the answer names none: a 3xx or 4xx of something in between.
        http: The status, for the log; nothing is decided by it.
        trace: ``fbtrace_id``, which Meta's support asks for.
        regain: After which calls are allowed again, when too many were made.
    """

    code: int | None
    title: str | None
    details: str | None
    http: int
    trace: str | None
    regain: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """No byte of the call left us: there was never a connection to send it over."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """The call may have reached WhatsApp, and nothing tells whether it did."""

    reason: str


Outcome = Accepted | Refused | NotSent | Doubtful


class ManagementFailed(Exception):
    """A call that only reads or sets up did not work; it may be made again.

    Attributes:
        refused: The platform's answer; None when there was none that can be read.
    """

    def __init__(self, reason: str, *, refused: Refused | None) -> None:
        super().__init__(reason)
        self.refused = refused


class TooManyCalls(ManagementFailed):
    """The hourly limit of management calls is reached; try again after ``refused.regain``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberState:
    """What Meta says of a number; None where it says nothing.

    Attributes:
        throughput: ``STANDARD`` (80/s), ``HIGH`` (1,000/s) or ``NOT_APPLICABLE``.
        quality: ``GREEN``, ``YELLOW``, ``RED``, ``UNKNOWN`` or ``NA``.
        messaging_limit: The portfolio's, ``TIER_250`` to ``TIER_UNLIMITED``.
        can_send: ``AVAILABLE``, ``LIMITED`` or ``BLOCKED``: the worst of all entities involved.
        reasons: Why it is limited or blocked, in Meta's words.
    """

    id: NumberId
    display_phone: str | None
    verified_name: str | None
    throughput: str | None
    quality: str | None
    messaging_limit: str | None
    can_send: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTemplate:
    """A template Meta took for review; *category* may be another one than asked for."""

    id: str
    status: str
    category: str | None


class _Punctual(aiohttp.TCPConnector):
    """A connector whose connections come in time or not at all.

    A process that stood still may find its connection made before it finds that the time for it
    is over; whoever allowed the call may have lost the right to it meanwhile.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 — aiohttp's own
    ) -> Connection:
        begun = self._loop.time()
        connection = await super().connect(req, traces, timeout)
        if timeout.connect is not None and self._loop.time() - begun > timeout.connect:
            connection.close()
            raise aiohttp.ConnectionTimeoutError("the connection came too late")
        return connection


def open_session() -> aiohttp.ClientSession:
    """Return a session for any number of :class:`CloudApi`, to be closed by the caller.

    Calls never wait for each other's connections: whoever calls has counted the call against the
    rate and looked at the lease just before. How many are under way is for them to bound.
    """
    return aiohttp.ClientSession(
        connector=_Punctual(limit=0, keepalive_timeout=KEEP_ALIVE),
        timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT),
        # Organizations share the session, and nothing of one may reach the calls of another.
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class CloudApi:
    """The calls of one organization.

    Its errors never hold aiohttp's own: those keep the request's headers, and so the token.
    """

    __slots__ = ("_graph", "_headers", "_messages", "_patience", "_session", "_timeout")

    def __init__(self, session: aiohttp.ClientSession, graph_url: str, token: str) -> None:
        """Remember where and as whom to call.

        Args:
            session: From :func:`open_session`.
            graph_url: With the version: ``https://graph.facebook.com/v25.0``.
            token: Of a system user.
        """
        self._session = session
        self._patience = Patience(session.timeout.total)
        self._timeout = aiohttp.ClientTimeout(connect=session.timeout.connect)
        self._graph = URL(graph_url.rstrip("/"))
        self._headers = CIMultiDict(
            {hdrs.AUTHORIZATION: f"Bearer {token}", hdrs.CONTENT_TYPE: "application/json"}
        )
        self._messages: dict[NumberId, URL] = {}

    def __repr__(self) -> str:
        return f"CloudApi({str(self._graph)!r})"

    async def send(self, number_id: NumberId, payload: bytes) -> Outcome:
        """Post one message, once.

        A call that is cancelled is doubtful too; that is for the caller to remember.
        """
        url = self._messages.get(number_id)
        if url is None:
            url = self._messages[number_id] = self._graph / number_id / "messages"
        task = self._patience.begin()
        try:
            # A redirected POST would become another call, and perhaps one without a body.
            response = await self._session.post(
                url,
                data=payload,
                headers=self._headers,
                allow_redirects=False,
                timeout=self._timeout,
            )
            answer = await response.read()
        except asyncio.CancelledError:
            if not self._patience.ran_out(task):
                raise
            return Doubtful(reason=TimeoutError.__name__)
        except _NOTHING_LEFT as error:
            return NotSent(reason=_reason(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Among them a kept connection that the other side closed as we wrote: whether it read
            # the call first cannot be known.
            return Doubtful(reason=_reason(error))
        finally:
            self._patience.end(task)
        return _outcome(response.status, answer, response.headers)

    async def templates(self, waba_id: str) -> AsyncIterator[tuple[Json, ...]]:
        """Yield the account's templates as Meta lists them, 100 a page.

        Raises:
            ManagementFailed: A page did not come; those before it did.
        """
        query = {"fields": _TEMPLATE_FIELDS, "limit": str(PAGE)}
        seen: set[str] = set()
        while True:
            page = await self._manage(hdrs.METH_GET, f"{waba_id}/message_templates", query)
            items = page.get("data")
            if not isinstance(items, list):
                raise ManagementFailed("The list of templates has no data.", refused=None)
            yield tuple(item for item in items if isinstance(item, dict))
            paging = _object(page, "paging")
            after = _text(_object(paging, "cursors"), "after")
            if "next" not in paging or after is None:
                return
            if after in seen:
                raise ManagementFailed("The list of templates goes in circles.", refused=None)
            seen.add(after)
            query = {**query, "after": after}

    async def find_template(self, waba_id: str, name: str, language: str) -> Json | None:
        """Return the template as Meta lists it; None: there is none.

        Raises:
            ManagementFailed: Meta does not say.
        """
        query = {"fields": _TEMPLATE_FIELDS, "name": name, "language": language}
        found = await self._manage(hdrs.METH_GET, f"{waba_id}/message_templates", query)
        items = found.get("data")
        for each in items if isinstance(items, list) else ():
            # Meta's filter by name finds what begins with it too.
            if isinstance(each, dict) and (each.get("name"), each.get("language")) == (
                name,
                language,
            ):
                return each
        return None

    async def create_template(self, waba_id: str, template: Json) -> MadeTemplate:
        """Submit a template for review.

        Raises:
            ManagementFailed: Meta did not take it, or did and its answer was lost.
        """
        made = await self._manage(hdrs.METH_POST, f"{waba_id}/message_templates", {}, template)
        template_id = _text(made, "id")
        if template_id is None:
            raise ManagementFailed("The answer names no template.", refused=None)
        return MadeTemplate(
            id=template_id,
            status=_text(made, "status") or "PENDING",
            category=_text(made, "category"),
        )

    async def edit_template(self, template_id: str, changes: Json) -> None:
        """Submit a change of a template for review; the same change again is no harm.

        Raises:
            ManagementFailed: As :meth:`create_template`.
        """
        await self._manage(hdrs.METH_POST, template_id, {}, changes)

    async def upload_sample(
        self, file: IO[bytes], *, size: int, filename: str, mimetype: str
    ) -> str:
        """Give the platform a file for the reviewers of a template; return its handle.

        Args:
            file: Open at its beginning; it is read in a thread, and closed.
            size: Its bytes.

        Raises:
            ManagementFailed: Meta does not take it, or its answer was lost.

        Source: Meta, "Resumable Upload API"; ``app`` stands for the token's own.
        """
        query = {"file_name": filename, "file_length": str(size), "file_type": mimetype}
        session = _text(await self._manage(hdrs.METH_POST, "app/uploads", query), "id")
        if session is None:
            raise ManagementFailed("The answer names no upload.", refused=None)
        token = self._headers[hdrs.AUTHORIZATION].removeprefix("Bearer ")
        headers = CIMultiDict({hdrs.AUTHORIZATION: f"OAuth {token}", "file_offset": "0"})
        found = await self._upload(self._graph / session, file, headers)
        handle = _text(found, "h")
        if handle is None:
            raise ManagementFailed("The answer names no handle.", refused=None)
        return handle

    async def upload(
        self, number_id: NumberId, file: IO[bytes], *, filename: str, mimetype: str
    ) -> str:
        """Give the platform a file for messages of one number; return its id there.

        Args:
            file: Open at its beginning; it is read in a thread, and closed.

        Raises:
            ManagementFailed: Meta does not take it, or its answer was lost.
        """
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mimetype)
        form.add_field("file", file, filename=filename, content_type=mimetype)
        headers = CIMultiDict({hdrs.AUTHORIZATION: self._headers[hdrs.AUTHORIZATION]})
        file_id = _text(await self._upload(self._graph / number_id / "media", form, headers), "id")
        if file_id is None:
            raise ManagementFailed("The answer names no file.", refused=None)
        return file_id

    async def number(self, number_id: NumberId) -> NumberState:
        """Return what Meta says of a number now.

        Raises:
            ManagementFailed: It says nothing.
        """
        found = await self._manage(hdrs.METH_GET, number_id, {"fields": _NUMBER_FIELDS})
        health = _object(found, "health_status")
        return NumberState(
            id=number_id,
            display_phone=_text(found, "display_phone_number"),
            verified_name=_text(found, "verified_name"),
            throughput=_text(_object(found, "throughput"), "level"),
            quality=_text(found, "quality_rating"),
            messaging_limit=_text(found, "whatsapp_business_manager_messaging_limit"),
            can_send=_text(health, "can_send_message"),
            reasons=tuple(_reasons(health)),
        )

    async def subscribed(self, waba_id: str) -> bool:
        """Return whether any app gets the account's webhooks; without one no status ever comes.

        Raises:
            ManagementFailed: Meta does not say.
        """
        found = await self._manage(hdrs.METH_GET, f"{waba_id}/subscribed_apps", {})
        return bool(found.get("data"))

    async def subscribe(self, waba_id: str) -> None:
        """Subscribe the token's app to the account's webhooks; again is no harm.

        Raises:
            ManagementFailed: It did not work.
        """
        await self._manage(hdrs.METH_POST, f"{waba_id}/subscribed_apps", {})

    async def _upload(
        self, url: URL, data: aiohttp.FormData | IO[bytes], headers: CIMultiDict[str]
    ) -> Json:
        try:
            response = await self._session.post(
                url,
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=UPLOAD_TIMEOUT, connect=CONNECT_TIMEOUT),
            )
            answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ManagementFailed(_reason(error), refused=None) from None
        return _managed(response, answer)

    async def _manage(
        self, method: str, path: str, query: Mapping[str, str], body: Json | None = None
    ) -> Json:
        try:
            response = await self._session.request(
                method,
                self._graph.joinpath(*path.split("/")),
                params=query,
                headers=self._headers,
                data=None if body is None else orjson.dumps(body),
                allow_redirects=False,
            )
            answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ManagementFailed(_reason(error), refused=None) from None
        return _managed(response, answer)


def _managed(response: aiohttp.ClientResponse, answer: bytes) -> Json:
    """Return the answer to a call that is no message.

    Raises:
        ManagementFailed: It is a refusal, or nothing that can be read.
    """
    found = _json(answer)
    if isinstance(found.get("error"), dict) or response.status >= _MULTIPLE_CHOICES:
        refused = _refused(response.status, found, response.headers)
        kind = TooManyCalls if refused.code in _TOO_MANY_CALLS else ManagementFailed
        raise kind(
            f"Meta refused with HTTP {refused.http}, code {refused.code}: {refused.title}",
            refused=refused,
        )
    if not found:
        raise ManagementFailed("The answer is no JSON object.", refused=None)
    return found


_NOTHING_LEFT: Final = (
    # Only the connector raises these, and it is done before the first byte of a call: no address,
    # refused, unreachable, a failed TLS handshake or certificate, a proxy that would not connect.
    aiohttp.ClientConnectorError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    # Waited too long for a connection. The total timeout is another exception.
    aiohttp.ConnectionTimeoutError,
)


def _known_as(contacts: object) -> str | None:
    """Return whom the platform took the message for, if that is another number than was asked.

    Source: Meta, "Messages": `wa_id` may differ from `input`.
    """
    first = contacts[0] if isinstance(contacts, list) and contacts else None
    if not isinstance(first, dict):
        return None
    asked, known = first.get("input"), first.get("wa_id")
    if not isinstance(asked, str) or not isinstance(known, str):
        return None
    if known == asked.removeprefix("+") or not _DIGITS.fullmatch(known):
        return None
    return known


_DIGITS: Final = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)


def _outcome(status: int, answer: bytes, headers: CIMultiDictProxy[str]) -> Outcome:
    found = _json(answer)
    if status < _MULTIPLE_CHOICES:
        messages = found.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        if isinstance(first, dict) and isinstance(wamid := first.get("id"), str) and wamid:
            return Accepted(
                wamid=wamid,
                held=first.get("message_status") in _HELD,
                known_as=_known_as(found.get("contacts")),
            )
    if isinstance(found.get("error"), dict):
        refused = _refused(status, found, headers)
        if refused.code is not None:
            return refused
    if _MULTIPLE_CHOICES <= status < _SERVER_ERROR:
        return _refused(status, found, headers)
    # A 5xx of something in between may hide an answer; a 200 we cannot read hides the wamid.
    return Doubtful(reason=f"HTTP {status} without an answer that can be read")


def _refused(status: int, found: Json, headers: CIMultiDictProxy[str]) -> Refused:
    error = _object(found, "error")
    code = error.get("code")
    data = error.get("error_data")
    details = _text(data, "details") if isinstance(data, dict) else _text(error, "error_data")
    return Refused(
        code=code if type(code) is int else None,
        title=_text(error, "message"),
        details=details or _text(error, "error_user_msg"),
        http=status,
        trace=_text(error, "fbtrace_id"),
        regain=_regain(headers),
    )


def _regain(headers: CIMultiDictProxy[str]) -> timedelta | None:
    """Return the longest time Meta asks to wait, None if it asks for none.

    Source: Graph API, "Rate limits": ``{"<id>": [{"estimated_time_to_regain_access": minutes}]}``.
    """
    usage = headers.get(_USAGE)
    if usage is None:
        return None
    minutes = [
        entry.get("estimated_time_to_regain_access")
        for entries in _json(usage.encode(errors="surrogateescape")).values()
        if isinstance(entries, list)
        for entry in entries
        if isinstance(entry, dict)
    ]
    longest = max((m for m in minutes if type(m) is int), default=0)
    return timedelta(minutes=min(longest, _LONGEST_REGAIN)) if longest > 0 else None


_LONGEST_REGAIN: Final = 24 * 60  # minutes; the windows of these limits are an hour


def _reasons(health: Json) -> list[str]:
    entities = health.get("entities")
    found: list[str] = []
    for entity in entities if isinstance(entities, list) else ():
        if not isinstance(entity, dict):
            continue
        # Of what is limited there is only this. Source: Meta, "Messaging health status".
        more = entity.get("additional_info")
        found += [each for each in more if isinstance(each, str)] if isinstance(more, list) else []
        errors = entity.get("errors")
        for error in errors if isinstance(errors, list) else ():
            said = _text(error, "error_description") if isinstance(error, dict) else None
            if said is not None:
                found.append(said)
    return found


def _reason(error: BaseException) -> str:
    """Return what happened without aiohttp's own text, which may show the request's headers."""
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def _json(answer: bytes) -> Json:
    """Return a JSON object, an empty one for anything else."""
    try:
        found: object = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _object(found: Json, key: str) -> Json:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _text(found: Json, key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) and value else None

"""A file fetched from the open internet, and from nowhere else, whatever its address leads to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from engine import media_address
from engine.media_address import NotFetched

_TIMEOUT: Final = aiohttp.ClientTimeout(total=100, connect=10, sock_read=20)
_REDIRECTS: Final = 5
_PIECE: Final = 64 * 1024
_OK: Final = 200
_GONE: Final = frozenset({404, 410})
_ASKED_TO_SIGN_IN: Final = frozenset({401, 403})
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which addresses are allowed; the standard one is the only one outside of tests."""

    check: Callable[[str], str] = media_address.checked
    allows: Callable[[str], bool] = media_address.is_public


STANDARD: Final = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file at the other end.

    Attributes:
        declared: The type the server says it is; empty: it says none.
        size: As the server says; None: it does not.
    """

    filename: str
    declared: str
    size: int | None
    pieces: AsyncIterator[bytes]


@asynccontextmanager
async def fetched(url: str, *, policy: Policy = STANDARD) -> AsyncIterator[Found]:
    """Open the file at *url*, after redirects, each of which is checked like the first address.

    A name is resolved once for each connection, and the connection made to what was checked: a
    name that leads elsewhere a moment later changes nothing.

    Raises:
        NotFetched: There is no such file, or it must not be fetched. Also while pieces are read.
    """
    connector = aiohttp.TCPConnector(resolver=_Checked(policy), use_dns_cache=False)
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=_TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # Packed bytes could grow beyond every limit.
            headers={"Accept-Encoding": "identity", "User-Agent": "Dripline"},
            auto_decompress=False,
        ) as session:
            address = policy.check(url)
            for _ in range(_REDIRECTS + 1):
                async with session.get(address, allow_redirects=False) as answer:
                    onward = answer.headers.get("Location")
                    if answer.status // 100 == 3 and onward:  # noqa: PLR2004 — a redirect
                        address = policy.check(urljoin(address, onward))
                        continue
                    _check(answer)
                    yield Found(
                        filename=_filename(address),
                        declared=answer.headers.get("Content-Type", ""),
                        size=answer.content_length,
                        pieces=answer.content.iter_chunked(_PIECE),
                    )
                    return
            raise NotFetched("That address leads from one to the next without an end.")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        if isinstance(reason, _Forbidden):
            raise NotFetched(
                f"{reason.host} is not on the open internet, and nothing is fetched from there."
            ) from None
        raise NotFetched(
            f"{urlsplit(url).hostname} did not give the file ({type(reason).__name__}): check that"
            " the address opens in a browser where nobody is signed in."
        ) from None


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status in _GONE:
        raise NotFetched("There is no file at that address (status 404).")
    if answer.status in _ASKED_TO_SIGN_IN:
        raise NotFetched("The file is not public: its address asks for a password.")
    if answer.status != _OK:
        raise NotFetched(f"The address did not give the file (status {answer.status}).")
    if answer.headers.get("Content-Encoding", "identity").lower() not in {"identity", ""}:
        raise NotFetched("The server only gives the file packed; upload it to Slack instead.")


def _filename(address: str) -> str:
    name = unquote(urlsplit(address).path.rstrip("/").rpartition("/")[2])
    return name[-_LONGEST_NAME:] or "file"


class _Forbidden(OSError):
    """A name leads to an address that is not public."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not public")
        self.host = host


class _Checked(AbstractResolver):
    """Resolves names, and only to addresses the policy allows; one that is not refuses all."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found: list[tuple[Any, ...]] = await loop.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        addresses = [(kind, proto, str(where[0])) for kind, _, proto, _, where in found]
        if not addresses or not all(self._policy.allows(each) for _, _, each in addresses):
            raise _Forbidden(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, proto, address in addresses
        ]

    async def close(self) -> None:
        pass

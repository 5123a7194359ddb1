"""From which addresses a file may be fetched: public ones alone, whatever their names say."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from engine.refusal import Refusal

LONGEST: Final = 2_000


class NotFetched(Refusal):
    """A file is not fetched from there; the message says why and what would do."""


def checked(url: str) -> str:
    """Return *url* if a file may be asked for there, as far as its text tells.

    Raises:
        NotFetched: It is no https:// address with a public name.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise NotFetched("That is no web address: write one like https://example.com/a.jpg.") from (
            error
        )
    if parts.scheme.lower() != "https" or not host or len(url) > LONGEST:
        raise NotFetched("Files are fetched from https:// addresses: write one that begins so.")
    if parts.username is not None or parts.password is not None:
        raise NotFetched("The address holds a name and password: leave them out of it.")
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise NotFetched(f"{host} is not a public address, and nothing is fetched from there.")
    if literal is None and "." not in host:
        raise NotFetched(f"{host} is not a public name, and nothing is fetched from there.")
    return url.strip()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet.

    Private, loopback, link-local, shared, reserved, multicast and unspecified ones are not, nor
    those of IPv6 that stand for such an IPv4 address.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inside = _inside(found)
        if inside is not None:
            return is_public(str(inside))
    return found.is_global and not found.is_multicast and not found.is_reserved


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")


def _inside(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to; None: it leads to none."""
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.sixtofour is not None:
        return found.sixtofour
    if found.teredo is not None:
        return found.teredo[1]
    if found in _NAT64 or found in _COMPATIBLE:
        return ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
    return None


def _literal(host: str) -> str | None:
    """Return *host* if it is an IP address; also one only some resolvers read as such."""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    pieces = host.split(".")
    if all(piece and _is_number(piece) for piece in pieces):
        return host  # 2130706433, 0x7f.1, 0177.0.0.1: is_public refuses what it cannot read
    return None


def _is_number(piece: str) -> bool:
    try:
        int(piece, 0)
    except ValueError:
        return piece.isdecimal()
    return True

"""Ports of this machine that nobody listens on."""

import socket


def free_ports(port: int) -> tuple[int, int]:
    """Return two ports that nobody listens on; the first beside *port*, if that is free."""
    with socket.socket() as first, socket.socket() as second:
        try:
            first.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]

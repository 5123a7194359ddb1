"""The sandbox's two clocks; the only module here that reads the machine's time."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

_OFFSET = struct.Struct("<q")


class Clock:
    """Business time, which can be moved forward, and the machine's own time.

    Business time is the machine's time plus the offset kept in a file of 8 bytes: a
    little-endian signed 64-bit number of microseconds. The product reads the same file.
    """

    def __init__(self, path: Path, *, machine_ns: Callable[[], int] = time.time_ns) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._machine_ns = machine_ns
        # Written in place: a rename would leave readers that mapped the file with the old one.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        kept = os.pread(self._file, _OFFSET.size, 0)
        self._offset_us = _OFFSET.unpack(kept)[0] if len(kept) == _OFFSET.size else 0
        self._write()

    @property
    def offset_us(self) -> int:
        return self._offset_us

    def now_us(self) -> int:
        """Business time in Unix microseconds."""
        return self._machine_ns() // 1_000 + self._offset_us

    def wall_ms(self) -> int:
        """The machine's time in Unix milliseconds."""
        return self._machine_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()

    def forward(self, microseconds: int) -> None:
        """Move business time ahead, for the product too.

        Raises:
            ValueError: Business time never goes back.
        """
        if microseconds < 0:
            raise ValueError("business time never goes back")
        self._offset_us += microseconds
        self._write()

    def close(self) -> None:
        os.close(self._file)

    def _write(self) -> None:
        os.pwrite(self._file, _OFFSET.pack(self._offset_us), 0)

"""What the benchmarks share: child processes, rounds, and the object they print."""

import asyncio
import json
import os
import platform
import statistics
import sys
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

EDGE_S: Final = 0.5
"""Cut off a round's beginning and end, where a side starts up or runs out of work."""

_LONGEST_LINE: Final = 1 << 28  # bytes of JSON between parent and child


@dataclass(slots=True)
class Side:
    """One way of doing the work, and what its rounds came to."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def note(self, *, rate: float, cpu_s: float, count: int) -> None:
        self.rates.append(rate)
        self.cpu_us.append(cpu_s / count * 1e6)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def as_json(self) -> dict[str, float | int]:
        return {
            "rate_per_s": round(self.rate, 1),
            "cpu_us_each": round(statistics.median(self.cpu_us), 1),
            "rounds": len(self.rates),
        }


def rate_within(times: Sequence[float]) -> float:
    """Return how many a second *times* (seconds, ascending) show, without the edges."""
    first, last = times[0] + EDGE_S, times[-1] - EDGE_S
    if last - first < EDGE_S:
        # Too short to be cut; a start-up is then part of it.
        return (len(times) - 1) / (times[-1] - times[0])
    return sum(first <= each < last for each in times) / (last - first)


def percentile(times: Sequence[float], share: float) -> float:
    """Return the smallest of *times* that *share* of them do not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def printed(
    *,
    benchmark: str,
    sizes: Mapping[str, int],
    sides: Mapping[str, Side],
    ratios: Mapping[str, float],
    latency_ms: Mapping[str, float],
    peak_rss_mb: float,
    **more: object,
) -> None:
    """Print what was measured as one line of JSON."""
    result: dict[str, Any] = {
        "benchmark": benchmark,
        "sizes": dict(sizes),
        "sides": {name: side.as_json() for name, side in sides.items()},
        "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "latency_ms": {name: round(each, 2) for name, each in latency_ms.items()},
        "peak_rss_mb": round(peak_rss_mb, 1),
        "machine": machine(),
        **more,
    }
    print(json.dumps(result), flush=True)


def machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def say(text: str) -> None:
    """Tell whoever waits how far it has come."""
    print(text, file=sys.stderr, flush=True)


class Child:
    """A process of a module of this package, which answers lines of JSON with such lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, **request: object) -> Any:  # noqa: ANN401 — JSON
        """Send *request* and return the answer.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._process.stdin is not None  # noqa: S101 — a pipe
        assert self._process.stdout is not None  # noqa: S101 — the same
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a child has ended with {await self._process.wait()}")
        return json.loads(answer)


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run a module of this package; it ends when its standard input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"benchmarks.{module}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        yield Child(process)
    finally:
        assert process.stdin is not None  # noqa: S101 — a pipe
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


async def requests() -> AsyncIterator[dict[str, Any]]:
    """Yield what the parent asks of this child, until it has no more."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        yield json.loads(line)


def answer(**values: object) -> None:
    """Answer what the parent asked."""
    print(json.dumps(values), flush=True)


def seconds_of(packed: str) -> Sequence[float]:
    """Read back the times that a peer has packed."""
    times = array("d")
    times.frombytes(bytes.fromhex(packed))
    return times

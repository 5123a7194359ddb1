"""Carrying out what was drawn, and seeing the product live again after each blow."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import assert_never

import asyncpg

from tests.faults.drawing import CALM, Cut, Fault, Flushed, Frozen, Jumped, Killed, Mood, Restarted
from tests.faults.drawing import Storm as Drawn
from tests.faults.truth import Truth
from tests.system import System

ALIVE_WITHIN_S = 15.0
"""After the last blow, both worker processes are heard of again within so long, without help."""

_LOOK_S = 0.1
_PATIENCE_S = 60.0
_STOPPED = ("lanes", "jobs", "bot", "postgres", "redis")


@dataclass
class Storm:
    """Carries out the faults of one seed.

    Attributes:
        frozen: When lanes stood still: from and until, in milliseconds of the machine's clock.
    """

    system: System
    truth: Truth
    drawn: Drawn
    frozen: list[tuple[float, float]] = field(default_factory=list)

    async def rage(self) -> None:
        """Let everything go wrong that was drawn, each at its moment."""
        async with asyncio.TaskGroup() as faults:
            for fault in self.drawn.faults:
                faults.create_task(self._happen(fault))

    async def calm(self) -> float:
        """End whatever still goes wrong; return the seconds until all lived again.

        Raises:
            AssertionError: They did not live again in time.
        """
        await self.system.post("whatsapp/moods", **CALM)
        for part in _STOPPED:
            await self.system.post(f"parts/{part}/signal", signal="CONT")
        return await self._alive_again()

    async def _happen(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s)
        match fault.what:
            case Mood(turned=turned, back=back):
                await self.system.post("whatsapp/moods", **turned)
                await asyncio.sleep(fault.lasts_s)
                await self.system.post("whatsapp/moods", **back)
            case Killed(part=part):
                await self.system.post(f"parts/{part}/signal", signal="KILL")
            case Frozen(part=part):
                since = time.time()  # noqa: TID251 — the ledger's `ms` is the machine's clock
                await self.system.post(f"parts/{part}/signal", signal="STOP")
                await asyncio.sleep(fault.lasts_s)
                await self.system.post(f"parts/{part}/signal", signal="CONT")
                until = time.time()  # noqa: TID251 — as above
                self.frozen.append((since * 1000, until * 1000))
            case Restarted():
                await self.system.post("postgres/restart")
            case Flushed():
                await self.system.post("redis/flush")
            case Cut():
                await self.truth.cut_connections()
            case Jumped(seconds=seconds):
                await self.system.post("clock/advance", seconds=seconds, at_once=True)
            case _:
                assert_never(fault.what)

    async def _alive_again(self) -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        since = time.time()  # noqa: TID251 — beats are told on the machine's clock
        while loop.time() - begun < _PATIENCE_S:
            try:
                if await self.truth.beaten_since(since):
                    took = loop.time() - begun
                    assert took <= ALIVE_WITHIN_S, f"alive again after {took:.1f} s"
                    await self.system.ready(within=ALIVE_WITHIN_S)
                    return took
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                pass
            await asyncio.sleep(_LOOK_S)
        raise AssertionError(f"not alive again after {_PATIENCE_S:.0f} s")

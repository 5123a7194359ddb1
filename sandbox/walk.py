"""Walking ahead in time: never past anything the product or a platform does on the way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import orjson

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.schedule import Schedule
from sandbox.state import State
from sandbox.wire import Json, Refused, microseconds, rfc3339

_HOP_US = 60 * 1_000_000  # at least so far at once, never past the target
_LONGEST = 47.0  # seconds of the machine's clock, so that a call ends within 50
_LOOK = 0.02
_TIMEOUT = aiohttp.ClientTimeout(total=2.5)


@dataclass(frozen=True, slots=True)
class Product:
    """What the product says of itself; *next_due_us* None: it does nothing by itself."""

    idle: bool
    next_due_us: int | None
    waiting_for: str


@dataclass(frozen=True, slots=True)
class Platforms:
    """What the walk asks of the pretend platforms.

    Attributes:
        idle: Whether nothing is on its way, either way.
        activity: A number that changes whenever something moves.
    """

    idle: Callable[[], bool]
    activity: Callable[[], int]


class Walk:
    """The business clock's way to a target, in hops between which everything settles.

    The target is an offset, so that two days ahead are two days after whatever was under way when
    they were asked for: what settles first does not eat into them.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        schedule: Schedule,
        platforms: Platforms,
        bot_url: str,
        state: State,
        changes: Changes,
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._platforms = platforms
        self._idle_url = f"{bot_url}/health/idle"
        self._state = state
        self._changes = changes
        self._one = asyncio.Lock()
        self._target_us: int | None = None  # an offset

    def restore(self) -> None:
        """Take up the target of a walk that an earlier start did not finish."""
        for _, body in self._state.records("walk"):
            self._target_us = body["target_us"]

    def where(self) -> Json:
        return {"now": rfc3339(self._clock.now_us()), "offset_s": self._clock.offset_us / 1e6}

    async def advance(self, seconds: float) -> Json:
        """Walk on, *seconds* further than the target of an unfinished walk if there is one."""
        deadline = self._clock.monotonic() + _LONGEST
        start = self._clock.offset_us if self._target_us is None else self._target_us
        self._aim(start + round(seconds * 1e6))
        steps = 0
        waiting_for: str | None = "another walk"
        try:
            await asyncio.wait_for(self._one.acquire(), _LONGEST)
        except TimeoutError:
            return self._arrived(steps, waiting_for)
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                while True:
                    product, waiting_for = await self._settled(session, deadline)
                    if waiting_for is not None:
                        break
                    target = self._target_us
                    if target is None or self._clock.offset_us >= target:
                        self._aim(None)
                        break
                    self._hop(target, product.next_due_us)
                    steps += 1
        finally:
            self._one.release()
        return self._arrived(steps, waiting_for)

    def jump(self, seconds: float) -> Json:
        """Move the clock at once, past whatever is due on the way; nobody is waited for.

        So the clock of a machine moves that was set right. The target of an unfinished walk stays.
        """
        self._clock.forward(round(seconds * 1e6))
        self._schedule.moved()
        self._changes.touch("clock")
        return {**self._arrived(1, None), "settled": False}

    def _arrived(self, steps: int, waiting_for: str | None) -> Json:
        return {
            "now": rfc3339(self._clock.now_us()),
            "steps": steps,
            "settled": waiting_for is None and self._target_us is None,
            "waiting_for": waiting_for,
        }

    def _aim(self, target_us: int | None) -> None:
        self._target_us = target_us
        body = None if target_us is None else {"target_us": target_us}
        self._state.keep("walk", "walk", body)

    def _hop(self, target: int, next_due: int | None) -> None:
        now = self._clock.now_us()
        ahead = [when for when in (next_due, self._schedule.next_us) if when is not None]
        left = target - self._clock.offset_us
        wanted = max(_HOP_US, min(ahead) - now) if ahead else left
        self._clock.forward(min(left, wanted))
        self._schedule.moved()
        self._changes.touch("clock")

    async def _settled(
        self, session: aiohttp.ClientSession, deadline: float
    ) -> tuple[Product, str | None]:
        """Wait until both are idle at the same time; the text says for what in vain."""
        while True:
            product = Product(idle=False, next_due_us=None, waiting_for="the platforms")
            if self._platforms.idle():
                before = self._platforms.activity()
                product = await self._ask(session)
                # Whatever moved while the product answered may have given it work.
                if product.idle and self._platforms.idle():
                    if before == self._platforms.activity():
                        return product, None
                    product = Product(idle=False, next_due_us=None, waiting_for="the platforms")
            if self._clock.monotonic() >= deadline:
                return product, product.waiting_for
            await asyncio.sleep(_LOOK)

    async def _ask(self, session: aiohttp.ClientSession) -> Product:
        try:
            async with session.get(self._idle_url) as response:
                body = orjson.loads(await response.read())
                idle = response.status == 200 and body["idle"] is True  # noqa: PLR2004 — ready
                due = body.get("next_due")
                next_due = None if due is None else microseconds(due)
        except (aiohttp.ClientError, TimeoutError):
            return Product(idle=False, next_due_us=None, waiting_for="the product: no answer")
        except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError, Refused) as problem:
            return Product(
                idle=False, next_due_us=None, waiting_for=f"the product: odd answer ({problem!r})"
            )
        counts = ", ".join(f"{key} {body.get(key)}" for key in ("due", "claimed", "unrelayed"))
        return Product(idle=idle, next_due_us=next_due, waiting_for=f"the product: {counts}")

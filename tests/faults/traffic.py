"""What people do meanwhile: staff pause, resume and edit, contacts say STOP and answer."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from tests.faults.campaigns import Campaigns
from tests.faults.drawing import LASTS_S, Storm
from tests.system import ALERTS, Refused, System, words

_STOPS, _REPLIES = 15, 10
_WAIT_MS = 3000


@dataclass
class Traffic:
    """The traffic of one storm.

    Attributes:
        stopped: When a contact's STOP was answered 200, in milliseconds of the machine's clock;
            None: not yet, the platform repeats it.
        replied: Who wrote something else, which ends their drip.
        held: From when on and until when a paused campaign was paused, as staff were told.
    """

    system: System
    campaigns: Campaigns
    drawn: Storm
    stopped: dict[str, float | None] = field(default_factory=dict)
    replied: set[str] = field(default_factory=set)
    held: list[tuple[str, float, float]] = field(default_factory=list)

    async def flow(self) -> None:
        """Do all of it, spread over the storm."""
        chance = self.drawn.chance("traffic")
        phones = chance.sample(self.campaigns.everybody, _STOPS + _REPLIES)
        moments = [chance.uniform(0.5, LASTS_S) for _ in phones]
        pause_at, edit_at, drip_at = (chance.uniform(0.5, LASTS_S - 5) for _ in range(3))
        pause_s = chance.uniform(1.5, 4)
        async with asyncio.TaskGroup() as people:
            for phone, at in zip(phones[:_STOPS], moments[:_STOPS], strict=True):
                people.create_task(self._stop(phone, at))
            for phone, at in zip(phones[_STOPS:], moments[_STOPS:], strict=True):
                people.create_task(self._reply(phone, at))
            people.create_task(self._pause(self.campaigns.news, "broadcast", pause_at, pause_s))
            people.create_task(self._pause(self.campaigns.drip, "campaign", drip_at, pause_s))
            people.create_task(self._edit(edit_at))

    async def resume(self) -> None:
        """Let everything go on that staff, or a brake, have stopped."""
        for name, kind in self.campaigns.kinds.items():
            await self.system.ask(f'{kind} resume "{name}"')

    async def decide_doubts(self) -> int:
        """Give up what staff are asked about; return how many cards asked."""
        asked = 0
        for message in await self.system.channel(ALERTS):
            if not any(name in words(message) for name in self.campaigns.kinds):
                continue
            for block in message["blocks"] or ():
                for element in block.get("elements", ()):
                    if element.get("action_id") == "doubts_give_up":
                        await self.system.click(message, element["action_id"])
                        asked += 1
        return asked

    async def _stop(self, phone: str, at: float) -> None:
        await asyncio.sleep(at)
        self.stopped[phone] = None
        answer = await self.system.writes(phone, "STOP")
        if answer["status"] == 200:
            self.stopped[phone] = _now_ms()

    async def _reply(self, phone: str, at: float) -> None:
        await asyncio.sleep(at)
        self.replied.add(phone)
        await self.system.writes(phone, "what is this about?")

    async def _pause(self, name: str, kind: str, at: float, seconds: float) -> None:
        await asyncio.sleep(at)
        told = await self._told(f'{kind} pause "{name}"')
        since = _now_ms()
        await asyncio.sleep(seconds)
        until = _now_ms()
        await self._told(f'{kind} resume "{name}"')
        if told is not None and "paused" in told:
            self.held.append((name, since, until))

    async def _edit(self, at: float) -> None:
        await asyncio.sleep(at)
        await self._told(f'broadcast edit "{self.campaigns.offer}" rate=30/s')

    async def _told(self, command: str) -> str | None:
        """Give a command once; None: nobody answered, as happens when the bot is away."""
        try:
            answer = await self.system.command(command, wait_ms=_WAIT_MS)
        except (Refused, aiohttp.ClientError, TimeoutError):
            return None
        if answer["status"] != 200:
            return None
        return "\n".join(words(message) for message in answer["replies"]) or None


def _now_ms() -> float:
    return time.time() * 1000  # noqa: TID251 — the ledger's `ms` is the machine's clock

"""Five campaigns at once on two numbers, and a flood of reports: ceilings, shares, nothing lost."""
# ruff: noqa: T201 — what was measured belongs to the proof

import asyncio
import hashlib
import hmac
import json
import random
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from statistics import median

import aiohttp
import pytest

from sandbox.demo import APP_SECRET, BUSINESS_ACCOUNT_ID, NUMBERS
from tests.faults.comparing import over_the_limit
from tests.faults.crowd import gather, phones
from tests.faults.truth import Truth
from tests.system import Json, System, fresh

pytestmark = pytest.mark.prove

SLOW, FAST = "+15550001111", "+15550002222"
LIMITS = {SLOW: 80, FAST: 1000}
CAMPAIGNS = {"Amber": SLOW, "Basil": SLOW, "Cedar": FAST, "Daisy": FAST, "Elder": FAST}
CONTACTS, SECONDS = 10_000, 60
FEW_CONTACTS, FEW_SECONDS = 2000, 8
STOPS = 20
PARTS = 3
STATUSES_PER_S, TOGETHER, CONNECTIONS = 3000, 10, 16


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[System]:
    async with fresh(numbers=[f"{FAST}={LIMITS[FAST]}"]) as running:
        await running.post(
            "whatsapp/moods", latency_ms=[20, 60], read=0, delays_s={"sent": 0, "delivered": 1}
        )
        yield running


@pytest.fixture(scope="module")
async def crowd(system: System, thorough: bool) -> list[str]:  # noqa: FBT001 — a fixture
    many = phones("901", CONTACTS if thorough else FEW_CONTACTS)
    await gather(system, Truth(system), many, tag="loaded")
    return many


async def test_ceilings_hold_everybody_moves_and_a_confirmation_overtakes_them(
    system: System,
    crowd: Sequence[str],
    thorough: bool,  # noqa: FBT001 — a fixture
) -> None:
    truth = Truth(system)
    chance = random.Random(0)  # noqa: S311 — to repeat a run, not to hide anything
    for name, number in CAMPAIGNS.items():
        told = await system.ask(
            f"broadcast new {name} to=tag:loaded template=followup number={number}"
        )
        assert f"{len(crowd):,}" in told, told
    # Nobody of the crowd: who has just had three messages gets no fourth for some seconds.
    stopping = phones("902", STOPS)
    await gather(system, truth, stopping, tag="quiet")
    seconds = SECONDS if thorough else FEW_SECONDS
    begun = _now_ms()
    for name in CAMPAIGNS:
        await system.ask(f"broadcast send {name}")

    asked: dict[str, tuple[float, float]] = {}
    for phone in stopping:
        await asyncio.sleep(seconds / (STOPS + 2))
        since = _now_ms()
        answer = await system.post(
            "whatsapp/inbound",
            **{"from": phone, "text": "STOP", "number": chance.choice(_number_ids())},
        )
        assert answer["status"] == 200
        asked[phone] = (since, _now_ms())
    await asyncio.sleep(seconds / (STOPS + 2))
    ended = _now_ms()
    for name in CAMPAIGNS:
        await system.ask(f"broadcast cancel {name}")
    await system.settle()

    ledger = await system.ledger()
    fullest = {number: _fullest(ledger, number) for number in _number_ids()}
    counts = await _moved(truth, ledger, begun=begun, ended=ended)
    waited, overtaken = _confirmations(ledger, asked)
    print(
        f"\n{len(ledger)} messages in {(ended - begun) / 1000:.0f} s; fullest second of each:"
        f" {fullest}; a confirmation left {median(waited):.0f} ms after the STOP was written"
        f" (slowest {max(waited):.0f} ms), {median(overtaken):.0f} campaign messages in between;"
        f" by campaign and third: { {name: dict(parts) for name, parts in counts.items()} }"
    )
    assert over_the_limit((await system.get("refusals"))["refusals"]) == []
    assert all(most <= limit for most, limit in zip(fullest.values(), LIMITS.values(), strict=True))
    # A third in which nothing left is right once everybody has had it.
    stood_still = [
        name
        for name in CAMPAIGNS
        if not all(counts[name][part] for part in range(PARTS))
        and counts[name].total() < len(crowd)
    ]
    assert not stood_still, counts
    # Behind the bulk that is claimed already it would be two seconds' worth of it.
    assert median(overtaken) < LIMITS[SLOW]
    assert await truth.stats_differ() == []


async def test_no_report_of_a_flood_is_lost_while_messages_are_sent(
    system: System,
    crowd: Sequence[str],
    thorough: bool,  # noqa: FBT001 — a fixture
) -> None:
    truth = Truth(system)
    await system.post("whatsapp/moods", delivered=0)
    for name, number in (("Flood slow", SLOW), ("Flood fast", FAST)):
        await system.ask(f'broadcast new "{name}" to=tag:loaded template=followup number={number}')
        await system.ask(f'broadcast send "{name}"')
    bot = (await system.ready())["parts"]["bot"]["url"]
    flood = _Flood(f"{bot}/webhooks/whatsapp")
    ends = time.monotonic() + (SECONDS if thorough else FEW_SECONDS)
    after = (await system.ledger())[-1]["seq"] if len(crowd) else 0
    while time.monotonic() < ends:
        fresh_ones = await system.ledger(after=after)
        after = fresh_ones[-1]["seq"] if fresh_ones else after
        flood.learn([each for each in fresh_ones if each["template"] is not None])
        await flood.pour(1.0)
    await system.ask('broadcast cancel "Flood slow"')
    await system.ask('broadcast cancel "Flood fast"')
    await flood.finish()
    await system.settle()

    rows = {row.id: row for row in await truth.messages([*CAMPAIGNS, "Flood slow", "Flood fast"])}
    print(
        f"\n{flood.told} reports told, {flood.per_second:.0f} a second, {flood.repeated} requests"
        f" repeated; {len(flood.read)} messages read"
    )
    lost = [row for each in flood.read if (row := rows[each]).state != "read"]
    assert not lost, lost[:5]
    assert flood.read
    assert {row.id for row in rows.values() if row.state == "read"} == flood.read
    assert await truth.stats_differ() == []


class _Flood:
    """Reports of accepted messages, signed as the platform signs, ten to a request.

    Each message is told delivered and read, in any order, and now and then again.

    Attributes:
        read: Messages that were told read and answered 200.
    """

    def __init__(self, url: str) -> None:
        self.read: set[int] = set()
        self.told = self.repeated = 0
        self._url = url
        self._chance = random.Random(0)  # noqa: S311 — to repeat a run, not to hide anything
        self._known: list[Json] = []
        self._waiting: list[tuple[Json, str]] = []
        self._poured_s = 0.0

    @property
    def per_second(self) -> float:
        return self.told / self._poured_s

    def learn(self, accepted: Sequence[Json]) -> None:
        """Take messages that may be reported on from now on."""
        self._known += accepted
        self._waiting += [(each, kind) for each in accepted for kind in ("delivered", "read")]
        self._chance.shuffle(self._waiting)

    async def pour(self, seconds: float) -> None:
        """Tell at the rate for so long: what waits, and for the rest what was told before."""
        wanted = round(STATUSES_PER_S * seconds)
        due, self._waiting = self._waiting[:wanted], self._waiting[wanted:]
        again = max(0, wanted - len(due)) if self._known else 0
        due += [(self._chance.choice(self._known), "delivered") for _ in range(again)]
        begun = time.monotonic()
        await self._tell(due)
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
        self._poured_s += time.monotonic() - begun

    async def finish(self) -> None:
        """Tell all that waits."""
        begun = time.monotonic()
        await self._tell(self._waiting)
        self._poured_s += time.monotonic() - begun
        self._waiting = []

    async def _tell(self, reports: Sequence[tuple[Json, str]]) -> None:
        queue = [reports[at : at + TOGETHER] for at in range(0, len(reports), TOGETHER)]
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as senders:
            for place in range(CONNECTIONS):
                senders.create_task(self._post(session, queue[place::CONNECTIONS]))

    async def _post(
        self, session: aiohttp.ClientSession, batches: Sequence[Sequence[tuple[Json, str]]]
    ) -> None:
        for batch in batches:
            body = _signed_body(batch)
            while True:
                async with session.post(self._url, data=body, headers=_headers(body)) as answer:
                    if answer.status == 200:
                        break
                # As the platform does: what was not answered 200 is told again.
                self.repeated += 1
                await asyncio.sleep(0.2)
            self.told += len(batch)
            self.read |= {_message_id(each) for each, kind in batch if kind == "read"}


def _signed_body(batch: Sequence[tuple[Json, str]]) -> bytes:
    by_number: dict[str, list[Json]] = defaultdict(list)
    for message, kind in batch:
        by_number[message["number"]].append(
            {
                "id": message["id"],
                "status": kind,
                "timestamp": str(int(time.time())),  # noqa: TID251 — the platform's own clock
                "recipient_id": message["to"].removeprefix("+"),
                "biz_opaque_callback_data": message["callback_data"],
            }
        )
    changes = [
        {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": number, "phone_number_id": number},
                "statuses": statuses,
            },
        }
        for number, statuses in by_number.items()
    ]
    entry = {"id": BUSINESS_ACCOUNT_ID, "time": 0, "changes": changes}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _headers(body: bytes) -> dict[str, str]:
    digest = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}


def _number_ids() -> list[str]:
    return [NUMBERS[0].id, str(int(NUMBERS[0].id) + 1)]


def _now_ms() -> float:
    return time.time() * 1000  # noqa: TID251 — the ledger's `ms` is the machine's clock


def _message_id(message: Json) -> int:
    return int(message["callback_data"].split(":")[1])


def _fullest(ledger: Sequence[Json], number: str) -> int:
    """Return how many messages of a number arrived in the fullest sliding second."""
    times = sorted(each["ms"] for each in ledger if each["number"] == number)
    return max(
        (place + 1 - bisect_left(times, ms - 999) for place, ms in enumerate(times)), default=0
    )


async def _moved(
    truth: Truth, ledger: Sequence[Json], *, begun: float, ended: float
) -> dict[str, Counter[int]]:
    """Return how many messages of each campaign left in each third of the time."""
    names = {row.id: row.campaign for row in await truth.messages(list(CAMPAIGNS))}
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for each in ledger:
        if each["template"] is not None and begun <= each["ms"] < ended:
            part = int((each["ms"] - begun) / (ended - begun) * PARTS)
            counts[names[_message_id(each)]][part] += 1
    return counts


def _confirmations(
    ledger: Sequence[Json], asked: dict[str, tuple[float, float]]
) -> tuple[list[float], list[int]]:
    """Return how long each confirmation took, and how much bulk left after the 200 before it."""
    waited: list[float] = []
    overtaken: list[int] = []
    for phone, (since, answered) in asked.items():
        (told,) = [each for each in ledger if each["to"] == phone and each["template"] is None]
        waited.append(told["ms"] - since)
        overtaken.append(
            sum(
                each["number"] == told["number"] and answered < each["ms"] < told["ms"]
                for each in ledger
            )
        )
    return waited, overtaken

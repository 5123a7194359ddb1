"""What several stories do: bring contacts in, send, read a report, count what arrived."""

import asyncio
import csv
import io
import re
from collections.abc import Sequence

from tests.system import Json, System, button, words

_LINE = re.compile(
    r"^(?P<title>[^:\n]+): (?P<figures>[a-z ]+ \d+(?:, [a-z ]+ \d+)*)$", re.MULTILINE
)
_FEW = 5
_FIGURE = re.compile(r"([a-z ]+?) (\d+)")


def phones(first: int, count: int) -> list[str]:
    """Return Dutch mobile numbers of a block of a thousand: ``first`` names the block."""
    return [f"+3163{first:03}{place:04}" for place in range(count)]


def people(numbers: Sequence[str], tag: str) -> bytes:
    """Return a file with one contact for each number, named by its last digits."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["phone", "first_name", "tags"])
    rows.writerows([number, f"P{number[-4:]}", tag] for number in numbers)
    return out.getvalue().encode()


async def bring(system: System, numbers: Sequence[str], tag: str) -> None:
    """Bring contacts in: a few by hand, many by a file, and return when they are there."""
    if len(numbers) <= _FEW:
        for number in numbers:
            await system.ask(f"contact add {number} first_name=P{number[-4:]} tags={tag}")
        return
    name = f"{tag}.csv"
    await system.upload(name, people(numbers, tag))
    verdicts = await system.says(name, f"Import {len(numbers)}")
    await system.click(verdicts, button(verdicts, "Import")["action_id"])
    async with asyncio.timeout(20):
        while f"{len(numbers)} contacts" not in await system.ask(f"contact find tag:{tag}"):
            pass


async def send(system: System, name: str, who: str, *, audience: int) -> dict[str, int]:
    """Broadcast to *who*, and return its counts once it is decided for each of the *audience*."""
    await system.ask(f"broadcast new {name} to={who} template=followup")
    await system.ask(f"broadcast send {name}")
    async with asyncio.timeout(20):
        while True:
            counts = figures(await system.ask(f"report {name}"))["Step 1"]
            if counts["planned"] == audience and not counts["open"]:
                return counts


async def card_of(system: System, name: str, *pieces: str, within: float = 20) -> Json:
    """Return the live card of a campaign once it says all *pieces*."""
    return await system.says(f"{name} (", *pieces, within=within)


async def sent_to(system: System, numbers: Sequence[str]) -> list[Json]:
    """Return the template messages of the ledger to any of the numbers, in order."""
    wanted = set(numbers)
    return [each for each in await system.ledger() if each["to"] in wanted and each["template"]]


def figures(report: str) -> dict[str, dict[str, int]]:
    """Return the numbers of a report's text, by line: ``{"Step 1": {"planned": 195, …}, …}``."""
    return {
        line["title"]: {name.strip(): int(n) for name, n in _FIGURE.findall(line["figures"])}
        for line in _LINE.finditer(report)
    }


def last_said(answer: Json) -> str:
    """Return what a person reads in the last answer to an act."""
    return words(answer["replies"][-1])

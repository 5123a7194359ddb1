"""Contacts by the thousand, made straight in the database: imports have tests of their own."""

from collections.abc import Sequence
from datetime import datetime

from engine.ids import OrganizationId
from engine.phone import Phone
from storage.demo import seed
from tests.faults.truth import Truth
from tests.system import System

_ORGANIZATION = OrganizationId("demo")


def phones(block: str, count: int) -> list[str]:
    """Return *count* phones, 10,000 at most, of a block that is named by three digits."""
    return [f"+3164{block}{place:04}" for place in range(count)]


async def gather(system: System, truth: Truth, crowd: Sequence[str], *, tag: str) -> None:
    """Make contacts with these phones and a tag that only they have."""
    await seed(
        await truth.url(),
        organization=_ORGANIZATION,
        phones=tuple(map(Phone, crowd)),
        tag=tag,
        at=datetime.fromisoformat((await system.get("clock"))["now"]),
    )

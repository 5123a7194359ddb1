"""The sandbox's contacts are made once, however often it starts."""

from engine.phone import Phone
from storage.database import Database
from storage.demo import seed
from tests.database import ACME, NOON

PHONES = tuple(Phone(f"+316{10_000_000 + number:08}") for number in range(1, 701))


async def test_contacts_are_seeded_once(database: Database) -> None:
    first = await seed(database.url, organization=ACME, phones=PHONES, tag="demo", at=NOON)
    again = await seed(database.url, organization=ACME, phones=PHONES, tag="demo", at=NOON)

    assert (first, again) == (700, 0)
    assert await database.pool.fetchval("select count(*) from contacts") == 700
    assert (
        await database.pool.fetchval("select count(*) from contact_tags where tag = 'demo'") == 700
    )
    assert await database.pool.fetchval("select count(*) from occurrences") == 1_400

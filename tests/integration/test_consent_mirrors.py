"""The SQL that judges consent says what engine.consent says, for every order of every pair."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

import pytest

from engine.audience import Audience
from engine.campaign import Type
from engine.consent import Consent
from engine.ids import CampaignId, ContactId
from storage import audiences, enrollments
from storage.database import Database
from tests.database import ACME, NOON

_BEFORE, _AFTER = NOON - timedelta(hours=2), NOON - timedelta(hours=1)
_ORDERS: tuple[tuple[datetime | None, datetime | None], ...] = (
    (None, None),
    (_BEFORE, None),
    (None, _BEFORE),
    (_BEFORE, _AFTER),
    (_AFTER, _AFTER),
    (_AFTER, _BEFORE),
)
_FIELDS = (
    "opted_out_at",
    "opted_in_at",
    "platform_stopped_at",
    "platform_resumed_at",
    "blocked_at",
    "unblocked_at",
    "unreachable_at",
    "reached_at",
)


def _all_consents() -> Iterator[Consent]:
    for erased in (None, _BEFORE):
        for pairs in product(_ORDERS, repeat=len(_FIELDS) // 2):
            times = [at for pair in pairs for at in pair]
            yield Consent(erased_at=erased, **dict(zip(_FIELDS, times, strict=True)))


@pytest.mark.parametrize("kind", [Type.PROMOTIONAL, Type.TRANSACTIONAL])
async def test_enrolling_and_counting_judge_consent_as_the_engine_does(
    database: Database, kind: Type
) -> None:
    consents = list(_all_consents())
    contacts = await _contacts(database, consents)
    campaign = await _campaign(database, kind)
    promotional = kind is Type.PROMOTIONAL
    expected = Counter(
        reason.value if (reason := each.against(promotional=promotional)) else "enrolled"
        for each in consents
    )

    async with database.unit(ACME, NOON) as unit:
        enrolled = await enrollments.enroll(unit, campaign=campaign, contacts=contacts, by="U")
        reach = await audiences.reach(
            unit, audience=Audience(everyone=True), promotional=promotional
        )

    assert Counter({each.value: n for each, n in enrolled.counts.items()}) == expected
    assert reach.recipients == expected.pop("enrolled")
    assert Counter({each.value: n for each, n in reach.left_out.items()}) == expected
    rows = await database.pool.fetch("select contact_id from enrollments order by 1")
    assert [row["contact_id"] for row in rows] == [
        contact
        for contact, each in zip(contacts, consents, strict=True)
        if each.against(promotional=promotional) is None
    ]


async def _contacts(database: Database, consents: list[Consent]) -> list[ContactId]:
    columns = ("erased_at", *_FIELDS)
    places = ", ".join(f"${place}::timestamptz[]" for place in range(2, len(columns) + 2))
    rows = await database.pool.fetch(
        f"insert into contacts (organization_id, source, created_at, updated_at,"  # noqa: S608 — our own names
        f" {', '.join(columns)}) select 'acme', 'test', $1, $1, {', '.join(columns)}"
        f" from unnest({places}) with ordinality as c({', '.join(columns)}, place) order by place"
        " returning id",
        NOON,
        *([getattr(each, column) for each in consents] for column in columns),
    )
    return sorted(row["id"] for row in rows)


async def _campaign(database: Database, kind: Type) -> CampaignId:
    campaign: CampaignId = await database.pool.fetchval(
        "insert into campaigns (organization_id, kind, name, state, type, actor, created_at,"
        " updated_at) values ('acme', 'drip', 'Welcome', 'active', $1, 'U', $2, $2) returning id",
        kind,
        NOON,
    )
    await database.pool.execute(
        "insert into steps (organization_id, campaign_id, position, after_s, content, created_at)"
        " values ('acme', $1, 1, 0, '{}', $2)",
        campaign,
        NOON,
    )
    return campaign

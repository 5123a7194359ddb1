"""Statuses that only tell of progress are recorded in one go, as they would be one by one."""

# ruff: noqa: E501 — SQL reads better unbroken

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import ContactId, MessageId, NumberId
from engine.updates import CallbackRef, ReportedError, ReportedStatus, StatusReport
from engine.usecases.record_statuses import progress_of, record_statuses
from storage.database import Database, Unit
from storage.statuses import StatusReports, progress
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES

NUMBER = NumberId("200000000000001")
HEARD = NOON + timedelta(hours=2)
SINCE = int(NOON.timestamp()) << 30
ROWS = (
    "state = 'accepted', attempt = 1, accepted_at = '2026-11-20 12:00:00.5', wamid = 'w'",
    "state = 'accepted', attempt = 1, accepted_at = '2026-11-20 12:00:00.5', wamid = 'w'",
    "state = 'accepted', attempt = 1, accepted_at = '2026-11-20 13:00:00.5', wamid = 'w'",
    "state = 'accepted', attempt = 2, accepted_at = '2026-11-20 12:00:00.5', wamid = 'w'",
    "state = 'accepted', attempt = 2, tries = 1, failed_attempt = 1, failed_at = '2026-11-20 11:59', accepted_at = '2026-11-20 12:00:00.5', wamid = 'w'",
    "state = 'accepted', attempt = 1, accepted_at = '2026-11-20 12:00:00.5', wamid = 'another'",
    "state = 'sent', attempt = 1, accepted_at = '2026-11-20 12:00', sent_at = '2026-11-20 12:00:30', wamid = 'w'",
    "state = 'read', attempt = 1, accepted_at = '2026-11-20 12:00', sent_at = '2026-11-20 12:00:30', delivered_at = '2026-11-20 12:01', read_at = '2026-11-20 12:02', wamid = 'w'",
    "state = 'claimed', attempt = 1",
    "state = 'unknown', attempt = 1, unknown_since = '2026-11-20 12:00'",
    "state = 'queued', attempt = 1",
    "state = 'dead', reason = 'failed', attempt = 1, failed_attempt = 1, failed_at = '2026-11-20 12:00', settled_at = '2026-11-20 12:00', error_code = 131026, wamid = 'w'",
)
"""What the rows may be when reports of them come."""

_REPORT = st.tuples(
    st.integers(0, 2),
    st.sampled_from(
        (
            ReportedStatus.SENT,
            ReportedStatus.DELIVERED,
            ReportedStatus.READ,
            ReportedStatus.FAILED,
        )
    ),
    st.sampled_from((0, 0, 1, 60, 3600)),
    st.sampled_from((1, 1, 1, 2, None)),
    st.sampled_from(("w", "w", "w", "another")),
)


@ON_POSTGRES
@given(
    rows=st.lists(st.sampled_from(ROWS), min_size=3, max_size=3),
    reported=st.lists(_REPORT, min_size=1, max_size=8),
    unreachable=st.booleans(),
    drip=st.booleans(),
    awaited=st.booleans(),
    elsewhere=st.sets(st.integers(0, 2)),
)
async def test_progress_is_recorded_in_one_go_as_it_is_one_by_one(
    database: Database,
    *,
    rows: list[str],
    reported: list[tuple[int, ReportedStatus, int, int | None, str]],
    unreachable: bool,
    drip: bool,
    awaited: bool,
    elsewhere: set[int],
) -> None:
    """*elsewhere*: reports that came for another number."""
    statuses = [
        StatusReport(
            waba_id="1",
            number_id=NumberId("2") if index in elsewhere else NUMBER,
            wamid=wamid,
            status=status,
            at=NOON + timedelta(seconds=later),
            callback=None
            if attempt is None
            else CallbackRef(message_id=MessageId(SINCE + place), attempt=attempt),
            recipient=None,
            error=ReportedError(code=131000, title="unknown", details=None)
            if status is ReportedStatus.FAILED
            else None,
            pricing=None,
        )
        for index, (place, status, later, attempt, wamid) in enumerate(reported)
    ]

    await _given(database, rows, unreachable=unreachable, drip=drip, awaited=awaited)
    raised = await progress(database, ACME, progress_of(statuses, at=HEARD), at=HEARD)
    await _one_by_one(
        database, [s for s in statuses if s.callback is None or s.callback.message_id not in raised]
    )
    in_one_go = await _written(database)
    await _given(database, rows, unreachable=unreachable, drip=drip, awaited=awaited)
    await _one_by_one(database, statuses)

    assert in_one_go == await _written(database)


async def _one_by_one(database: Database, statuses: list[StatusReport]) -> None:
    async with database.owner_unit(ACME, HEARD) as unit:
        await record_statuses(statuses, at=HEARD, reports=StatusReports(unit))


async def _written(database: Database) -> list[list[dict[str, Any]]]:
    async with database.owner_unit(ACME, HEARD) as unit:
        return [
            [dict(row) for row in await unit.connection.fetch(query)]
            for query in (
                "select * from messages order by id",
                "select campaign_id, step_id, variant_id, hour, metric, count from campaign_stats where count <> 0 order by 1, 2, 3, 4, 5",
                "select * from enrollments order by id",
                "select kind, contact_id, campaign_id, step_id from occurrences order by 1, 2",
                "select id, reached_at, unreachable_at from contacts order by id",
            )
        ]


async def _given(
    database: Database, rows: list[str], *, unreachable: bool, drip: bool, awaited: bool
) -> None:
    async with database.owner_unit(ACME, NOON) as unit:
        await unit.connection.execute(
            "delete from messages; delete from enrollments; delete from campaign_stats; delete from occurrences; delete from automations; delete from campaigns; delete from contacts"
        )
        await unit.connection.execute(
            "insert into campaigns (organization_id, id, kind, name, state, type, actor, created_at, updated_at)"
            " values ('acme', 1, $1, 'Welcome', $2, 'promotional', 'U', $3, $3)",
            "drip" if drip else "broadcast",
            "active" if drip else "running",
            NOON,
        )
        await unit.connection.execute(
            "insert into steps (organization_id, id, campaign_id, position, after_s, content, created_at)"
            " values ('acme', 1, 1, 1, 0, '{}', $1)",
            NOON,
        )
        if awaited:
            await unit.connection.execute(
                "insert into automations (organization_id, trigger, action, state, on_since, created_at, created_by)"
                " values ('acme', '{\"on\": \"delivered\"}', '{}', 'on', $1, $1, 'U')",
                NOON,
            )
        for place, row in enumerate(rows):
            await _row(unit, place, row, unreachable=unreachable, drip=drip)


async def _row(unit: Unit, place: int, row: str, *, unreachable: bool, drip: bool) -> None:
    contact = ContactId(place + 1)
    unreachable_at: datetime | None = NOON - timedelta(days=1) if unreachable else None
    await unit.connection.execute(
        "insert into contacts (organization_id, id, source, created_at, updated_at, unreachable_at) values ('acme', $1, 'import', $2, $2, $3)",
        contact,
        NOON,
        unreachable_at,
    )
    if drip:
        await unit.connection.execute(
            "insert into enrollments (organization_id, id, campaign_id, contact_id, state, step_id, position, enrolled_at, enrolled_by, awaits_delivery)"
            " values ('acme', $1, 1, $2, 'active', 1, 1, $3, 'U', true)",
            100 + place,
            contact,
            NOON,
        )
    await unit.connection.execute(
        "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, due_at)"
        " values ('acme', $1, $2, 1, $3, 1, $4, 'queued', $5)",
        SINCE + place,
        100 + place if drip else 1,
        contact,
        NUMBER,
        NOON,
    )
    await unit.connection.execute(
        f"update messages set {row} where id = $1",  # noqa: S608 — the test's
        SINCE + place,
    )

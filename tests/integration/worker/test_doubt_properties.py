"""Whatever happens to messages in doubt: silence counts only after a positive control.

A model of what is promised is walked beside the real rows: reports of calls on
either number, time, and the worker's looks, in any order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import UnknownPolicy
from engine.ids import MessageId, NumberId
from engine.updates import CallbackRef, ReportedStatus, StatusReport
from engine.usecases.record_statuses import record_statuses
from storage.database import Unit
from storage.statuses import StatusReports
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.worker.world import NUMBER, OTHER_NUMBER, World, worker
from worker.reconciliation import reconcile

MINUTE = timedelta(minutes=1)
GRACE, UNHEARD, HELD = 10 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE


@dataclass
class Row:
    """A message as the model has it.

    Attributes:
        state: unknown, or heard of: sent; asked: left to staff.
        control: When a call on its number that did not start before it was heard of.
    """

    number: NumberId
    claimed: int
    template: str
    policy: UnknownPolicy | None
    state: str
    control: datetime | None = None


ROWS = st.lists(
    st.builds(
        Row,
        number=st.sampled_from([NUMBER, OTHER_NUMBER]),
        claimed=st.integers(0, 2),
        template=st.sampled_from(["held", "held", "free"]),
        policy=st.sampled_from([None, *UnknownPolicy]),
        state=st.sampled_from(["unknown", "unknown", "accepted", "accepted"]),
    ),
    min_size=3,
    max_size=6,
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("heard"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([1, 9, 10, 11, 59, 61, 24 * 60 - 30, 24 * 60])),
    ),
    min_size=4,
    max_size=14,
)


@ON_POSTGRES
@given(
    rows=ROWS,
    acts=ACTS,
    held_at=st.none() | st.integers(-30, 3),
    default=st.sampled_from([*UnknownPolicy]),
)
async def test_silence_counts_only_after_a_control_and_then_the_policy_decides(
    world: World,
    rows: list[Row],
    acts: list[tuple[str, int]],
    held_at: int | None,
    default: UnknownPolicy,
) -> None:
    world.with_rules(unknown_policy=default)
    now = NOON
    world.clock.stand(now)
    held_until = None if held_at is None else NOON + held_at * MINUTE + HELD
    ids = await made(world, rows, held_at)
    for act, value in acts:
        match act:
            case "heard":
                place = value % len(rows)
                await heard(world, rows[place], ids[place], now)
                hear(rows, rows[place], now)
            case _:
                now += value * MINUTE
                world.clock.stand(now)
                while await reconcile(worker(world), ACME):
                    pass
                for row in rows:
                    look(row, now, default, held_until)
        assert await states(world, ids) == [row.state for row in rows], (act, value)


def hear(rows: list[Row], reported: Row, now: datetime) -> None:
    """A status came: it proves that of this number, what was claimed no later would be heard."""
    # Also what was queued again, given up or left to staff: the message has reached WhatsApp.
    reported.state = "sent"
    for row in rows:
        if (
            row.state == "unknown"
            and row.control is None
            and row.number == reported.number
            and row.claimed <= reported.claimed
        ):
            row.control = now


def look(row: Row, now: datetime, default: UnknownPolicy, held_until: datetime | None) -> None:
    if row.state != "unknown":
        return
    if row.control is None:
        row.state = "asked" if now >= NOON + UNHEARD else "unknown"
        return
    held = row.template == "held" and held_until is not None and held_until > now
    if row.control + GRACE <= now and not held:
        row.state = {
            UnknownPolicy.RESEND: "queued",
            UnknownPolicy.ASK: "asked",
            UnknownPolicy.DROP: "dead",
        }[row.policy or default]


async def made(world: World, rows: list[Row], held_at: int | None) -> list[MessageId]:
    for table in ("messages", "campaign_stats", "templates", "events"):
        await world.value(f"delete from {table}")  # noqa: S608 — of the list above
    await world.value(
        "insert into templates"
        " (organization_id, id, name, language, category, status, content, synced_at, held_at)"
        " values ($1, '1', 'held', 'en', 'MARKETING', 'APPROVED', '{}', $2, $3)",
        ACME,
        NOON,
        None if held_at is None else NOON + held_at * MINUTE,
    )
    ids = []
    for row in rows:
        campaign = await world.campaign(
            settings={"unknown": row.policy.value} if row.policy else None
        )
        (contact,) = await world.contacts(1)
        await world.queued(campaign, [contact], number=row.number)
        id_: MessageId = await world.value(
            "update messages set state = $2, attempt = 1, claimed_at = $3, template_name = $4,"
            " template_language = 'en', generation = 1,"
            " unknown_since = case when $2 = 'unknown' then $5::timestamptz end,"
            " accepted_at = case when $2 = 'accepted' then $5::timestamptz end"
            " where campaign_id = $1 returning id",
            campaign,
            row.state,
            NOON + row.claimed * MINUTE,
            row.template,
            NOON,
        )
        ids.append(id_)
    return ids


async def heard(world: World, row: Row, id_: MessageId, now: datetime) -> None:
    report = StatusReport(
        waba_id="100000000000001",
        number_id=row.number,
        wamid=f"wamid.{id_}",
        status=ReportedStatus.SENT,
        at=now,
        callback=CallbackRef(message_id=id_, attempt=1),
        recipient=None,
        error=None,
        pricing=None,
    )

    async def work(unit: Unit) -> None:
        await record_statuses([report], at=now, reports=StatusReports(unit))

    await world.database.run(ACME, now, work)


async def states(world: World, ids: list[MessageId]) -> list[str]:
    found = await world.rows(
        "select id, case when state = 'unknown' and control_at = 'infinity' then 'asked'"
        " else state end as state from messages where id = any($1)",
        ids,
    )
    by_id = {row["id"]: row["state"] for row in found}
    return [by_id[each] for each in ids]

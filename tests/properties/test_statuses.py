"""Any order and repetition of reports gives the same rows, and statistics that equal a recount."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import MessageId, NumberId
from engine.updates import CallbackRef, ReportedError, ReportedStatus, StatusReport
from engine.usecases.record_statuses import record_statuses
from storage.database import Database, Unit
from storage.messages import move_stats, planned_at
from storage.statuses import StatusReports
from tests.database import ACME, NOON, database, migrated, postgres, superuser
from tests.examples import ON_POSTGRES

__all__ = ["database", "migrated", "postgres", "superuser"]

_NUMBER = NumberId("200000000000001")
_PLANNED = NOON - timedelta(hours=3)
# Tried again, given up, put off, an ending that suppresses the contact.
_CODES = (131000, 131051, 131049, 131026)
_BEGUN = ("claimed", "unknown", "accepted", "sent")
_MOMENTS = ("accepted_at", "sent_at", "delivered_at", "read_at", "replied_at")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Of attempt *attempt* of message *place*; a call ends in one way, so only one failure each."""

    place: int
    status: ReportedStatus
    attempt: int
    seconds: int
    code: int | None = None

    def told(self, id_: MessageId) -> StatusReport:
        return StatusReport(
            waba_id="1",
            number_id=_NUMBER,
            wamid=f"wamid.{id_}.{self.attempt}",
            status=self.status,
            at=NOON - timedelta(hours=2) + timedelta(seconds=self.seconds),
            callback=CallbackRef(message_id=id_, attempt=self.attempt),
            recipient=None,
            error=None
            if self.code is None
            else ReportedError(code=self.code, title=None, details=None),
            pricing=None,
        )


@dataclass(frozen=True, kw_only=True)
class Story:
    """What begins as it did, and all that is ever reported of it."""

    states: tuple[str, ...]
    attempts: tuple[int, ...]
    reports: tuple[Report, ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    count = draw(st.integers(1, 3))
    attempts = draw(st.tuples(*[st.integers(1, 2)] * count))
    reports: list[Report] = []
    for place, last in enumerate(attempts):
        told = [_of_a_call(draw, place, attempt) for attempt in range(1, last + 1)]
        if last > 1:
            # A row does not remember of each call whether it failed: beside another call that was
            # heard of, the order decides whether the person counts as having got two messages.
            told[1] = [report for report in told[1] if report.code is None]
        reports += [report for call in told for report in call]
    return Story(
        states=draw(st.tuples(*[st.sampled_from(_BEGUN)] * count)),
        attempts=attempts,
        reports=tuple(reports),
    )


def _of_a_call(draw: st.DrawFn, place: int, attempt: int) -> list[Report]:
    reached = draw(
        st.lists(
            st.sampled_from(
                [
                    ReportedStatus.SENT,
                    ReportedStatus.DELIVERED,
                    ReportedStatus.READ,
                    ReportedStatus.FAILED,
                ]
            ),
            unique=True,
        )
    )
    return [
        Report(
            place=place,
            status=status,
            attempt=attempt,
            seconds=draw(st.integers(0, 7200)),
            code=draw(st.sampled_from(_CODES)) if status is ReportedStatus.FAILED else None,
        )
        for status in reached
    ]


class World:
    """A campaign, in which a story is told."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.campaign = 0
        self.ids: list[MessageId] = []

    async def begin(self, story: Story) -> None:
        async with self.database.owner_unit(ACME, NOON) as unit:
            self.campaign = await unit.connection.fetchval(
                "insert into campaigns (organization_id, kind, name, state, type, actor,"
                " created_at, updated_at) values ($1, 'broadcast', 'C' || gen_random_uuid(),"
                " 'running', 'promotional', 'U', $2, $2) returning id",
                ACME,
                NOON,
            )
            for state, attempt in zip(story.states, story.attempts, strict=True):
                self.ids.append(await self._message(unit, state, attempt))
            await move_stats(unit, Counter(await self._recount(unit)))

            await unit.connection.executemany(
                "insert into automations (organization_id, trigger, action, state, created_at,"
                " on_since, created_by)"
                ' values ($1, $2, \'{"do": "tag", "tag": "t"}\', \'on\', $3, $3, \'U\')',
                [
                    (ACME, {"on": milestone, "campaign": self.campaign}, NOON)
                    for milestone in ("delivered", "read")
                ],
            )

    async def _message(self, unit: Unit, state: str, attempt: int) -> MessageId:
        contact = await unit.connection.fetchval(
            "insert into contacts (organization_id, source, created_at, updated_at)"
            " values ($1, 'test', $2, $2) returning id",
            ACME,
            NOON,
        )
        answered = _PLANNED if state in {"accepted", "sent"} else None
        id_: int = await unit.connection.fetchval(
            "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id,"
            " number_id, state, attempt, due_at, claimed_at, accepted_at, sent_at, unknown_since)"
            " values ($1, new_message_id($2), $3, 1, $4, $3, $5, $6, $7, $8, $8, $9,"
            " case when $6 = 'sent' then $9::timestamptz end,"
            " case when $6 = 'unknown' then $8::timestamptz end) returning id",
            ACME,
            int(_PLANNED.timestamp()),
            self.campaign,
            contact,
            _NUMBER,
            state,
            attempt,
            _PLANNED,
            answered,
        )
        if answered is not None:
            await unit.connection.execute(
                "update messages set wamid = 'wamid.' || id || '.' || attempt where id = $1", id_
            )
        return MessageId(id_)

    async def hear(self, reports: Sequence[Report]) -> None:
        """One group commit."""

        async def work(unit: Unit) -> None:
            told = [report.told(self.ids[report.place]) for report in reports]
            await record_statuses(told, at=NOON, reports=StatusReports(unit))

        await self.database.run(ACME, NOON, work)

    async def rows(self) -> list[dict[str, Any]]:
        async with self.database.owner_unit(ACME, NOON) as unit:
            found = await unit.connection.fetch(
                "select * from messages where campaign_id = $1 order by id", self.campaign
            )
        return [self._comparable(dict(row)) for row in found]

    def _comparable(self, row: dict[str, Any]) -> dict[str, Any]:
        row["wamid"] = row["wamid"] and row["wamid"].replace(str(row["id"]), "its id")
        if row["state"] in {"delivered", "read"}:
            # When and whether it would have been tried again means nothing any more.
            row["due_at"] = row["tries"] = row["failed_attempt"] = None
        for own in ("id", "run_id", "campaign_id", "contact_id"):
            del row[own]
        return row

    async def assert_what_was_reached_is_told_once(self) -> None:
        async with self.database.owner_unit(ACME, NOON) as unit:
            told = await unit.connection.fetch(
                "select contact_id, kind from occurrences where campaign_id = $1", self.campaign
            )
            reached = await unit.connection.fetch(
                "select contact_id, delivered_at, read_at from messages where campaign_id = $1",
                self.campaign,
            )
        assert Counter((row["contact_id"], row["kind"]) for row in told) == Counter(
            (row["contact_id"], kind)
            for row in reached
            for kind in ("delivered", "read")
            if row[f"{kind}_at"] is not None
        )

    async def assert_statistics_equal_a_recount(self) -> None:
        async with self.database.owner_unit(ACME, NOON) as unit:
            kept = await unit.connection.fetch(
                "select * from campaign_stats where campaign_id = $1 and count <> 0", self.campaign
            )
            recounted = await self._recount(unit)
        assert {
            (
                row["campaign_id"],
                row["step_id"],
                row["variant_id"],
                row["hour"],
                row["metric"],
            ): row["count"]
            for row in kept
        } == dict(recounted)

    async def _recount(self, unit: Unit) -> Counter[tuple[int, int, int, datetime, str]]:
        """Count the rows without any help of the code that keeps the statistics."""
        counts: Counter[tuple[int, int, int, datetime, str]] = Counter()
        for row in await unit.connection.fetch(
            "select * from messages where campaign_id = $1", self.campaign
        ):
            planned = planned_at(row["id"]).replace(minute=0, second=0, microsecond=0)
            accepted = row["accepted_at"]
            hour = accepted.replace(minute=0, second=0, microsecond=0) if accepted else planned
            counts[self.campaign, 1, 0, planned, "planned"] += 1
            for moment in _MOMENTS:
                if row[moment] is not None:
                    counts[self.campaign, 1, 0, hour, moment.removesuffix("_at")] += 1
            if accepted and row["state"] not in {"accepted", "sent", "delivered", "read"}:
                counts[self.campaign, 1, 0, hour, "returned"] += 1
                if row["sent_at"] is None:
                    counts[self.campaign, 1, 0, hour, "unsent"] += 1
            if row["state"] == "dead":
                counts[self.campaign, 1, 0, hour, "dead"] += 1
        return counts


@ON_POSTGRES
@given(story=stories(), data=st.data())
async def test_any_order_and_repetition_gives_the_same_rows_and_statistics(
    database: Database, story: Story, data: st.DataObject
) -> None:
    in_order, shuffled = World(database), World(database)
    await in_order.begin(story)
    await shuffled.begin(story)
    repeated = data.draw(st.lists(st.sampled_from(story.reports))) if story.reports else []
    another_order = data.draw(st.permutations([*story.reports, *repeated]))

    for report in story.reports:
        await in_order.hear([report])
    while another_order:
        size = data.draw(st.integers(1, len(another_order)))
        await shuffled.hear(another_order[:size])
        another_order = another_order[size:]

    assert await shuffled.rows() == await in_order.rows()
    await in_order.assert_statistics_equal_a_recount()
    await shuffled.assert_statistics_equal_a_recount()
    await in_order.assert_what_was_reached_is_told_once()
    await shuffled.assert_what_was_reached_is_told_once()

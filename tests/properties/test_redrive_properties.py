"""Failures, retries, re-drives and late reports in any order: nobody who has it gets it again."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.campaign import Type
from engine.errand import CHANGED
from engine.ids import CampaignId, ContactId, MessageId
from engine.reasons import Reason
from engine.updates import ReportedStatus
from engine.usecases.record_statuses import record_statuses
from storage import messages, redriving
from storage.database import Database, Unit
from storage.statuses import StatusReports
from tests.database import ACME, NOON, database, migrated, postgres, superuser
from tests.examples import ON_POSTGRES
from tests.properties.test_statuses import Report, Story, World

__all__ = ["database", "migrated", "postgres", "superuser"]

_TOGETHER = 2
# Tried again, put off, given up, given up for the second time with the person suppressed.
_CODES = (131000, 131049, 131051, 131026)
_HAS_IT = {"delivered", "read"}


@dataclass(frozen=True, kw_only=True)
class Act:
    """What happens next, to message *place* where it is about one."""

    what: str
    place: int = 0
    code: int = 131000
    call: int = 1  # of its calls, the first is 1
    chosen: frozenset[int] = frozenset()


def acts() -> st.SearchStrategy[Act]:
    places = st.integers(0, _TOGETHER - 1)
    return st.one_of(
        st.builds(Act, what=st.just("call"), place=places),
        st.builds(Act, what=st.just("call"), place=places),
        st.builds(Act, what=st.just("fail"), place=places, code=st.sampled_from(_CODES)),
        st.builds(Act, what=st.just("fail"), place=places, code=st.sampled_from((131000, 131051))),
        st.builds(Act, what=st.just("retry"), chosen=st.frozensets(places, min_size=1)),
        st.builds(
            Act,
            what=st.sampled_from(("sent", "delivered", "read")),
            place=places,
            call=st.integers(1, 6),
        ),
        st.builds(Act, what=st.just("late failure"), place=places, call=st.integers(1, 6)),
        st.builds(Act, what=st.just("stop"), place=places),
        st.builds(Act, what=st.just("silence"), place=places),
        st.builds(Act, what=st.just("drop"), place=places),
        st.builds(Act, what=st.just("complete")),
        st.builds(Act, what=st.just("retry"), chosen=st.frozensets(places, min_size=1)),
    )


@dataclass
class Telling:
    """One story in one campaign; what the person behind each message got is kept beside it."""

    world: World
    reached: dict[int, set[int]] = field(default_factory=dict)

    async def run(self, work: Any) -> Any:  # noqa: ANN401 — whatever it returns
        return await self.world.database.run(ACME, NOON, work)

    async def row(self, place: int) -> dict[str, Any]:
        async with self.world.database.owner_unit(ACME, NOON) as unit:
            found = await unit.connection.fetchrow(
                "select m.*, c.opted_out_at is not null or c.unreachable_at is not null as left"
                " from messages m join contacts c on c.id = m.contact_id where m.id = $1",
                self.world.ids[place],
            )
        return dict(found)

    async def sql(self, query: str, *values: object) -> None:
        async with self.world.database.owner_unit(ACME, NOON) as unit:
            await unit.connection.execute(query, *values)

    async def do(self, act: Act) -> None:
        before = await self.row(act.place)
        id_ = self.world.ids[act.place]
        match act.what:
            case "call" if before["state"] == "queued" and not before["left"]:
                # The lane claims, and the call leaves: nobody may have it by now.
                assert not self.reached.get(act.place)
                await self.sql(
                    "update messages set state = 'claimed', attempt = attempt + 1, claimed_at = $2"
                    " where id = $1",
                    id_,
                    NOON,
                )
            case "fail" if before["state"] == "claimed":
                await self.hear(act.place, ReportedStatus.FAILED, before["attempt"], act.code)
            case "sent" | "delivered" | "read" if act.call <= before["attempt"]:
                if act.what in _HAS_IT:
                    self.reached.setdefault(act.place, set()).add(act.call)
                await self.hear(act.place, ReportedStatus(act.what), act.call)
            case "late failure" if act.call <= before["attempt"]:
                await self.hear(act.place, ReportedStatus.FAILED, act.call, 131051)
            case "stop":
                await self.sql(
                    "update contacts set opted_out_at = $2 where id ="
                    " (select contact_id from messages where id = $1)",
                    id_,
                    NOON,
                )
            case "silence" if before["state"] == "claimed":
                await self.sql("update messages set state = 'unknown' where id = $1", id_)
            case "drop" if before["state"] == "unknown":
                await self.drop(id_)
            case "complete":
                await self.sql(
                    "update campaigns set state = 'completed', ended_at = $2 where id = $1"
                    " and not exists (select from messages where campaign_id = $1"
                    " and state in ('queued', 'claimed', 'unknown'))",
                    self.world.campaign,
                    NOON,
                )
            case "retry":
                await self.retry(act.chosen)

    async def drop(self, id_: MessageId) -> None:
        """Nobody ever said whether it left, and the campaign's policy is to drop it."""

        async def work(unit: Unit) -> None:
            row = (await messages.locked(unit, [id_]))[id_]
            dropped = row.message.given_up(at=NOON, reason=Reason.UNANSWERED, code=None, error=None)
            await messages.save(unit, [(row, row.with_message(dropped))])

        await self.run(work)

    async def hear(
        self, place: int, status: ReportedStatus, attempt: int, code: int | None = None
    ) -> None:
        told = Report(place=place, status=status, attempt=attempt, seconds=0, code=code)
        report = told.told(self.world.ids[place])

        async def work(unit: Unit) -> None:
            await record_statuses([report], at=NOON, reports=StatusReports(unit))

        await self.run(work)

    async def retry(self, chosen: frozenset[int]) -> None:
        before = {place: await self.row(place) for place in chosen}
        contacts = [ContactId(row["contact_id"]) for row in before.values()]

        async def work(unit: Unit) -> Counter[str]:
            return await redriving.redrive(
                unit, campaign=CampaignId(self.world.campaign), contacts=contacts, by="U0OWNER"
            )

        async def offered(unit: Unit) -> list[ContactId]:
            return await redriving.choosable(
                unit,
                campaign=CampaignId(self.world.campaign),
                type_=Type.PROMOTIONAL,
                contacts=contacts,
            )

        chosen_from = await self.run(offered)
        counts = await self.run(work)
        expected = {
            place
            for place, row in before.items()
            if row["state"] == "dead" and row["reason"] != "unanswered" and not row["left"]
        }
        assert set(chosen_from) == {before[place]["contact_id"] for place in expected}
        for place, row in before.items():
            after = await self.row(place)
            if place in expected:
                assert (after["state"], after["tries"], after["attempt"], after["reason"]) == (
                    "queued",
                    0,
                    row["attempt"],
                    None,
                )
            else:
                assert after == row
        assert counts[CHANGED] == counts[redriving.MESSAGES] == len(expected)

    async def goes_on_to_the_end(self) -> None:
        """Let everything that is queued be called and accepted."""
        for place in range(_TOGETHER):
            before = await self.row(place)
            if before["state"] != "queued" or before["left"]:
                continue
            await self.do(Act(what="call", place=place))
            await self.hear(place, ReportedStatus.DELIVERED, before["attempt"] + 1)
            after = await self.row(place)
            assert (after["state"], after["attempt"]) == ("delivered", before["attempt"] + 1)


@ON_POSTGRES
@given(story=st.lists(acts(), min_size=8, max_size=30))
async def test_nobody_who_has_it_gets_it_again_and_everybody_chosen_is_tried_once_more(
    database: Database, story: list[Act]
) -> None:
    world = World(database)
    await world.begin(Story(states=("claimed",) * _TOGETHER, attempts=(1,) * _TOGETHER, reports=()))
    telling = Telling(world)
    attempts = [1] * _TOGETHER

    for act in story:
        await telling.do(act)
        now = [(await telling.row(place))["attempt"] for place in range(_TOGETHER)]
        assert all(new >= old for new, old in zip(now, attempts, strict=True))
        attempts = now
    await telling.do(Act(what="retry", chosen=frozenset(range(_TOGETHER))))
    await telling.goes_on_to_the_end()

    for place in range(_TOGETHER):
        row = await telling.row(place)
        assert row["state"] != "dead" or row["left"] or row["reason"] == "unanswered"
        assert row["state"] in _HAS_IT or not telling.reached.get(place)
    await world.assert_statistics_equal_a_recount()

"""What failed for good: staff look at it, and have it tried again."""

# ruff: noqa: E501 — SQL reads better unbroken

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import campaign_alerts, errands, failed
from storage import recount
from storage.database import Database
from tests.database import ACME
from tests.integration.slack.campaign_room import CampaignRoom, opened
from worker.completion import complete
from worker.errands import run_errands

assert campaign_alerts
assert errands


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        failed.register(room.room.registry, room.room.desk)
        yield room


async def sale(room: CampaignRoom, count: int, *, code: int = 131026) -> None:
    """Send a broadcast to contacts for whom it failed for good, and let it be completed."""
    await room.contacts(count)
    await room.say("broadcast new Sale to=tag:lead template=followup")
    await room.say(f"broadcast send Sale count={count}")
    await room.plan()
    await give_up(room, code=code)
    await completed(room)


async def give_up(room: CampaignRoom, *, code: int = 131026) -> None:
    """Let what is queued have failed for good, as the last of four calls."""
    await room.value(
        "with done as (update messages set state = 'dead', reason = 'failed', attempt = attempt + 4, tries = 3,"
        "   failed_attempt = attempt + 4, error_code = $1, error = 'No.', failed_at = $2, settled_at = $2 where state = 'queued'"
        "   returning campaign_id, step_id, id)"
        " insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)"
        " select 'acme', campaign_id, step_id, date_trunc('hour', to_timestamp(id >> 30), 'UTC'), 'dead', count(*) from done group by 1, 2, 3, 4"
        " on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric) do update set count = campaign_stats.count + excluded.count",
        code,
        room.room.clock.at,
    )


async def completed(room: CampaignRoom) -> None:
    for _ in range(2):
        await complete(room.worker, ACME)
        await room.later(timedelta(seconds=11))


async def rows(room: CampaignRoom, what: str) -> list[Any]:
    return await room.rows(f"select {what} from messages order by id")  # noqa: S608 — the test's


async def no_differences(room: CampaignRoom) -> bool:
    async with room.database.owner_unit(ACME, room.room.clock.at) as unit:
        return await recount.differences(unit, repair=False) == []


async def test_what_failed_is_listed_by_reason_and_by_contact(room: CampaignRoom) -> None:
    await sale(room, 3)

    said = await room.say("failed Sale", user="U0SUPER")

    lines = said.splitlines()
    assert lines[0] == "Sale: 3 messages failed for good."
    assert lines[1].startswith("3 messages: The message cannot be delivered")
    assert lines[1].endswith("(error 131026)")
    assert "C3 +31610000003 · 1 ·" in said
    assert "· 4 · 131026 · No." in said
    assert "/drip retry Sale all" in said


async def test_a_list_has_pages(room: CampaignRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed, "PAGE", 2)
    await sale(room, 5)
    campaign = await room.value("select id from campaigns")
    ids = sorted((id_ for (id_,) in await rows(room, "id")), reverse=True)

    first = await room.say("failed Sale")
    second = await room.click("failed_further", f"{campaign}:{ids[1]}@1")
    last = await room.click("failed_further", f"{campaign}:{ids[3]}@1")
    again = await room.click("failed_first", f"{campaign}:0@2")

    shown = [
        {name for name in ("C1", "C2", "C3", "C4", "C5") if f"{name} +31" in page}
        for page in (first, second, last)
    ]
    assert [len(each) for each in shown] == [2, 2, 1]
    assert set.union(*shown) == {"C1", "C2", "C3", "C4", "C5"}
    assert again == first
    for value in ("", "x@1", "1@1", f"{campaign}:{2**64}@1", "999999:0@1"):
        assert "no longer there" in await room.click("failed_further", value)


async def test_an_owner_gets_all_of_it_as_a_file(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.failed_file.SLICE", 2)
    monkeypatch.setattr("bot.slack.failed_file.alone_with", _alone)
    await sale(room, 5)
    await room.value("update contacts set first_name = '=1+1' where first_name = 'C5'")

    refused = await room.say("failed Sale csv", user="U0SUPER")
    said = await room.say("failed Sale csv")

    assert "for owners" in refused
    assert said == (
        "The list of 5 messages of *Sale* that failed comes to you alone, here in Slack."
    )
    told = await room.value("select content from events where kind = 'failed_list'")
    assert (told["channel"], told["name"]) == ("D0OWNER", "Sale")
    content = await room.value(
        "select string_agg(content, ''::bytea order by position) from blob_chunks"
        " where blob_id = $1",
        told["blob"],
    )
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["phone", "name", "step"]
    assert [row[:3] for row in rows[1:3]] == [
        ["+31610000005", "'=1+1", "1"],
        ["+31610000004", "C4", "1"],
    ]
    assert len(rows) == 6
    assert all(row[6].startswith("The message cannot be delivered") for row in rows[1:])
    assert await room.value("select action from audit_log where action = 'failed.export'")


async def _alone(_: object) -> str:
    return "D0OWNER"


async def test_nothing_failed_says_so(room: CampaignRoom) -> None:
    await room.welcome()

    assert (await room.say("failed Welcome")).startswith("Nothing of *Welcome* has failed")
    assert await room.say("retry Welcome all") == (
        "Nothing of Welcome has failed for good; /drip report Welcome shows how it went."
    )


async def test_a_completed_broadcast_runs_again_and_its_completion_is_told_once_more(
    room: CampaignRoom,
) -> None:
    await sale(room, 3)
    assert await rows(room, "state, attempt, tries, redriven_at") == [("dead", 4, 3, None)] * 3

    asked = await room.say("retry Sale")
    said = await room.say("retry Sale all")

    assert "what failed for 3 contacts can be tried again. Nothing has been done." in asked
    assert said == "<@U0OWNER> has 3 messages of *Sale* tried again, for 3 contacts."
    assert await rows(room, "state, reason, attempt, tries") == [("queued", None, 4, 0)] * 3
    assert await room.rows("select state, ended_at from campaigns") == [("running", None)]
    assert await no_differences(room)
    await give_up(room)
    await completed(room)
    assert await room.value("select state from campaigns") == "completed"
    assert (await room.events()).count("campaign_completed") == 2
    assert (await room.events()).count("campaign_retried") == 1
    assert await room.rows(
        "select actor, content ->> 'messages' from audit_log where action = 'messages.retry'"
    ) == [("U0OWNER", "3")]


async def test_one_or_some_are_tried_again(room: CampaignRoom) -> None:
    await sale(room, 4)

    said = await room.say("retry Sale +31610000001 +31610000003")

    assert said == "<@U0OWNER> has 2 messages of *Sale* tried again, for 2 contacts."
    assert sorted(
        await room.rows(
            "select c.first_name from messages m join contacts c on c.id = m.contact_id where m.state = 'queued'"
        )
    ) == [("C1",), ("C3",)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param("update contacts set opted_out_at = now()", "opted out", id="opted out"),
        pytest.param("update contacts set erased_at = now()", "opted out", id="erased"),
        pytest.param("update messages set reason = 'unanswered'", "may have it", id="in doubt"),
        pytest.param(
            "update messages set state = 'delivered', reason = null", "failed", id="has it"
        ),
        pytest.param("update messages set state = 'unknown', reason = null", "failed", id="open"),
    ],
)
async def test_who_has_it_or_does_not_want_it_is_left_out(
    room: CampaignRoom, change: str, why: str
) -> None:
    await sale(room, 1)
    await room.value(change)
    before = await rows(room, "state, attempt, tries")

    said = await room.say("retry Sale all")

    assert why in said
    assert await rows(room, "state, attempt, tries") == before
    assert await room.value("select state from campaigns") == "completed"


async def test_what_changed_while_it_was_asked_is_left_out_and_counted(room: CampaignRoom) -> None:
    await sale(room, 3)
    found = [id_ for (id_,) in await room.rows("select id from contacts order by id")]
    await room.value("update contacts set opted_out_at = $1 where id = $2", room.room.clock.at, found[0])  # fmt: skip
    await room.value("update messages set reason = 'unanswered' where contact_id = $1", found[1])

    said = await room.say("retry Sale all")

    assert said.splitlines()[0] == "<@U0OWNER> has 1 message of *Sale* tried again, for 1 contact."
    assert [state for (state,) in await room.rows("select state from messages order by contact_id")] == ["dead", "dead", "queued"]  # fmt: skip


async def test_a_drip_that_was_gone_through_is_not_moved_back(room: CampaignRoom) -> None:
    await room.say("campaign new Short")
    await room.say("step add Short after=0m template=followup")
    await room.say("campaign activate Short")
    await room.contacts(2)
    await room.say("enroll Short tag:lead")
    await room.plan()
    await give_up(room)
    await room.value(
        "update enrollments set state = 'completed', step_id = null, due_at = null, ended_at = $1",
        room.room.clock.at,
    )
    await room.value(
        "update enrollments set state = 'dropped' where id = (select min(id) from enrollments)"
    )
    before = await room.rows("select id, state, step_id, ended_at from enrollments order by id")

    said = await room.say("retry Short all")

    assert said == "<@U0OWNER> has 1 message of *Short* tried again, for 1 contact."
    assert before == await room.rows(
        "select id, state, step_id, ended_at from enrollments order by id"
    )
    assert sorted(await rows(room, "state")) == [("dead",), ("queued",)]
    assert await no_differences(room)


async def test_many_want_their_number(room: CampaignRoom) -> None:
    await sale(room, 6)

    asked = await room.say("retry Sale all")
    said = await room.say("retry Sale all count=6")

    assert "That is for *6 recipients*" in asked
    assert "`/drip retry Sale all count=6`" in asked
    assert said == "<@U0OWNER> has 6 messages of *Sale* tried again, for 6 contacts."


async def test_very_many_are_an_errand_of_the_worker(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sale(room, 5)
    monkeypatch.setattr("bot.slack.errands.at_once", lambda _: 2)
    monkeypatch.setattr("worker.errands.CONTACTS", 2)

    said = await room.say("retry Sale all")

    assert said.startswith("<@U0OWNER> has what failed for 5 contacts of *Sale* tried again.")
    while await run_errands(room.worker, ACME):
        pass
    assert await rows(room, "state, tries") == [("queued", 0)] * 5
    done = await room.value("select content from events where kind = 'errand_done'")
    assert (done["counts"]["messages"], done["counts"]["changed"]) == (5, 5)
    assert await no_differences(room)


async def test_what_is_over_stays_over(room: CampaignRoom) -> None:
    await sale(room, 1)
    await room.say("campaign archive Sale")

    assert await room.say("retry Sale all") == "Sale is archived: nothing of it is sent."
    assert await rows(room, "state") == [("dead",)]


async def test_a_stopped_campaign_says_that_nothing_leaves_yet(room: CampaignRoom) -> None:
    await sale(room, 1)
    await room.value(
        "update campaigns set closed_until = 'infinity', closed_why = 'The template is gone.'"
    )

    said = await room.say("retry Sale all")

    assert "because it has stopped: The template is gone." in said
    assert "/drip broadcast resume Sale" in said

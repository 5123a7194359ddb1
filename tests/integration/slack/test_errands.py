"""What staff ask for so many contacts that it goes on behind the answer, whoever dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.slack import automations
from bot.slack import errands as feature
from bot.slack.alerts import UNTOLD, Elsewhere
from engine.errand import Errand
from engine.ids import ContactId
from storage import errand_acts, events, work
from storage.database import Database, Unit
from storage.events import Event
from tests.database import ACME, NOON
from tests.integration.slack.campaign_room import CampaignRoom, opened
from tests.lock_order import WatchedDatabase
from worker import errands
from worker.errands import run_errands
from worker.following import follow_segments

SLICES = 3
EVERYBODY = 5

ENROLLED = "select contact_id from enrollments where state = 'active' order by 1"
TAGGED = "select contact_id from contact_tags where tag = 'vip' order by 1"
OUT = "select id from contacts where opted_out_at > coalesce(opted_in_at, '-infinity') order by 1"
LISTED = "select contact_id from list_members order by 1"

EACH = [
    pytest.param("enroll Welcome tag:lead", (), ENROLLED, True, "enrolled 5 contacts in *Welcome*"),
    pytest.param(
        "unenroll Welcome tag:lead",
        ("enroll Welcome tag:lead",),
        ENROLLED,
        False,
        "took 5 contacts out of *Welcome*",
    ),
    pytest.param("contact tag tag:lead vip", (), TAGGED, True, "tagged 5 contacts with `vip`"),
    pytest.param(
        "contact untag tag:lead vip",
        ("contact tag tag:lead vip",),
        TAGGED,
        False,
        "took `vip` off 5 contacts",
    ),
    pytest.param("contact optout tag:lead", (), OUT, True, "opted 5 contacts out"),
    pytest.param(
        "contact optin tag:lead",
        ("contact optout tag:lead",),
        OUT,
        False,
        "opted 5 contacts in again",
    ),
    pytest.param("list add Beta tag:lead", (), LISTED, True, "put 5 contacts on *Beta*"),
    pytest.param(
        "list remove Beta tag:lead",
        ("list add Beta tag:lead",),
        LISTED,
        False,
        "took 5 contacts off *Beta*",
    ),
]


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        await room.welcome()
        await room.say("list new Beta")
        yield room


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two contacts are what one transaction takes, and one transaction what a slice takes."""
    monkeypatch.setattr("engine.errand._CONSENTS", 2)
    monkeypatch.setattr("engine.errand._OTHERS", 2)
    monkeypatch.setattr(errands, "SLICE_S", 0.0)


async def jobs(room: CampaignRoom) -> list[str]:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        return await work.jobs(unit, numbers=[])


async def due(room: CampaignRoom) -> int:
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        return (await work.idle(unit, grace=timedelta(minutes=10))).due


async def ended(room: CampaignRoom) -> list[str]:
    """Return what was told of errands that ended, as staff read it."""
    said = []
    async with room.database.unit(ACME, room.room.clock.now()) as unit:
        for row in await unit.connection.fetch(
            "select id, kind, campaign_id, content, at from events where kind = 'errand_done'"
        ):
            (alert,) = await feature.ended(Event(**dict(row)), unit)
            assert alert.place == Elsewhere(channel="C0TEAM")
            said.append(str(alert.message.text))
    return said


async def worked_off(room: CampaignRoom) -> None:
    while await run_errands(room.worker, ACME):
        await room.later(timedelta(seconds=1))


@pytest.mark.parametrize(("command", "before", "query", "there", "told"), EACH)
async def test_what_is_for_many_goes_on_after_a_kill_and_is_told_once_where_it_was_asked_for(
    room: CampaignRoom,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    before: Sequence[str],
    query: str,
    *,
    there: bool,
    told: str,
) -> None:
    meant = await room.contacts(EVERYBODY)
    for each in before:
        await room.say(each)
    request.getfixturevalue("slices")
    tries, carry_out = [], errand_acts.carry_out

    async def killed(
        unit: Unit, errand: Errand, contacts: Sequence[ContactId], *, by: str, asked_at: datetime
    ) -> Counter[str]:
        tries.append(contacts)
        done = await carry_out(unit, errand, contacts, by=by, asked_at=asked_at)
        if len(tries) == SLICES - 1:
            raise asyncio.CancelledError
        return done

    said = await room.say(command)
    # Whoever is meant is meant as of now.
    await room.contacts(1, first=100)
    monkeypatch.setattr(errands, "carry_out", killed)
    await run_errands(room.worker, ACME)
    assert "run_errands" in await jobs(room)
    assert await due(room) > 0
    with pytest.raises(asyncio.CancelledError):
        await run_errands(room.worker, ACME)
    half = [id_ for (id_,) in await room.rows(query)]
    status = await room.say("status")
    await worked_off(room)

    assert "5 contacts" in said
    assert "goes on by itself" in said
    assert half == (meant[:2] if there else meant[2:])
    assert "40 %" in status
    assert [id_ for (id_,) in await room.rows(query)] == (meant if there else [])
    (sentence,) = await ended(room)
    assert sentence.startswith(f"<@U0OWNER> {told}")
    assert "run_errands" not in await jobs(room)
    assert len(tries) == SLICES + 1


@pytest.mark.parametrize(("command", "before", "query", "there", "told"), EACH)
async def test_what_fits_one_slice_is_done_when_it_is_answered(
    room: CampaignRoom,
    command: str,
    before: Sequence[str],
    query: str,
    *,
    there: bool,
    told: str,
) -> None:
    meant = await room.contacts(EVERYBODY)
    for each in before:
        await room.say(each)

    said = await room.say(command)

    assert told in said
    assert [id_ for (id_,) in await room.rows(query)] == (meant if there else [])
    assert await ended(room) == []


@pytest.mark.parametrize(("command", "before"), [each.values[:2] for each in EACH])
async def test_slices_lock_rows_in_the_one_order_of_all(
    room: CampaignRoom, request: pytest.FixtureRequest, command: str, before: Sequence[str]
) -> None:
    await room.contacts(EVERYBODY)
    await room.say("enroll Welcome tag:lead")
    await room.later(timedelta(minutes=1))
    await room.plan()
    for each in before:
        await room.say(each)
    request.getfixturevalue("slices")
    await room.say(command)
    watched = WatchedDatabase.of(room.database)
    worker = replace(room.worker, database=watched)

    while await run_errands(worker, ACME):
        pass

    assert watched.order.broken == []
    assert len(await ended(room)) == 1


@pytest.mark.usefixtures("slices")
async def test_who_stops_before_it_is_their_turn_is_not_enrolled(room: CampaignRoom) -> None:
    *_, last = await room.contacts(EVERYBODY)
    await room.say("enroll Welcome tag:lead")
    await room.value("update contacts set opted_out_at = $1 where id = $2", NOON, last)

    await worked_off(room)

    (sentence,) = await ended(room)
    assert "enrolled 4 contacts" in sentence
    assert "1 said STOP" in sentence


@pytest.mark.usefixtures("slices")
async def test_who_opts_in_after_it_was_asked_to_opt_them_out_stays_in(room: CampaignRoom) -> None:
    *_, last = await room.contacts(EVERYBODY)
    await room.say("contact optout tag:lead")
    await room.later(timedelta(minutes=1))
    await room.value(
        "update contacts set opted_in_at = $1 where id = $2", room.room.clock.now(), last
    )

    await worked_off(room)

    assert last not in [id_ for (id_,) in await room.rows(OUT)]
    assert await room.value("select count(*) from consents where contact_id = $1", last) == 0
    (sentence,) = await ended(room)
    assert "opted 4 contacts out" in sentence


@pytest.mark.usefixtures("slices")
async def test_enrolling_that_a_campaign_ends_says_how_far_it_came(room: CampaignRoom) -> None:
    await room.contacts(EVERYBODY)
    await room.say("enroll Welcome tag:lead")
    await run_errands(room.worker, ACME)
    await room.say("campaign archive Welcome")

    await worked_off(room)

    (sentence,) = await ended(room)
    assert "enrolled 2 contacts in *Welcome*" in sentence
    assert "stopped after 2 of 5 contacts" in sentence


@pytest.mark.usefixtures("slices")
async def test_two_of_them_take_turns(room: CampaignRoom) -> None:
    await room.contacts(EVERYBODY)
    await room.say("contact tag tag:lead vip")
    await room.say("list add Beta tag:lead")

    for _ in range(2):
        await room.later(timedelta(seconds=1))
        await run_errands(room.worker, ACME)

    assert len(await room.rows(TAGGED)) == 2
    assert len(await room.rows(LISTED)) == 2


@pytest.mark.usefixtures("slices")
async def test_a_large_one_says_how_far_it_is_in_between(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "_TOLD_ABOVE", 4)
    await room.contacts(EVERYBODY)
    await room.say("contact tag tag:lead vip")

    await worked_off(room)

    kinds = [kind for kind in await room.events() if str(kind).startswith("errand")]
    assert kinds == ["errand_moved", "errand_moved", "errand_done"]
    async with room.database.unit(ACME, NOON) as unit:
        (first, _, _) = await unit.connection.fetch(
            "select id, kind, campaign_id, content, at from events where kind like 'errand%'"
            " order by id"
        )
        (alert,) = await feature.moved(Event(**dict(first)), unit)
    assert "tags 5 contacts with `vip`" in alert.message.text
    assert "40 %" in alert.message.text


@pytest.mark.usefixtures("slices")
async def test_where_a_channel_takes_nothing_who_asked_is_told_alone(room: CampaignRoom) -> None:
    await room.contacts(EVERYBODY)
    await room.say("contact tag tag:lead vip")
    await worked_off(room)

    async def last(unit: Unit) -> dict[str, Any]:
        row = await unit.connection.fetchrow(
            "select id, kind, campaign_id, content, at from events order by id desc limit 1"
        )
        assert row is not None
        return dict(row)

    async with room.database.unit(ACME, room.room.clock.now()) as unit:
        for _ in range(2):  # refused there too, nothing follows
            refused: Event = events.Event(**await last(unit))
            await UNTOLD["errand_done"](refused, unit, "not_in_channel")
        assert (await last(unit))["content"]["channel"] == "U0OWNER"
        assert (
            await unit.connection.fetchval("select count(*) from events where kind = 'errand_done'")
            == 2
        )


@pytest.mark.usefixtures("slices")
async def test_one_that_always_fails_is_set_aside_told_once_and_holds_up_no_other(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.contacts(EVERYBODY)
    await room.say("contact tag tag:lead vip")
    await room.say("list add Beta tag:lead")
    broken, carry_out = [True], errand_acts.carry_out

    async def failing(
        unit: Unit, errand: Errand, contacts: Sequence[ContactId], *, by: str, asked_at: datetime
    ) -> Counter[str]:
        counts = await carry_out(unit, errand, contacts, by=by, asked_at=asked_at)
        if broken[0] and errand.subject == "vip":
            await unit.connection.execute("select 1 / 0")
        return counts

    monkeypatch.setattr(errands, "carry_out", failing)
    await worked_off(room)

    assert len(await room.rows(LISTED)) == EVERYBODY
    assert await room.rows(TAGGED) == []
    assert await due(room) == 0
    assert "run_errands" not in await jobs(room)
    assert "set aside" in await room.say("status")
    async with room.database.owner_unit(ACME, room.room.clock.now()) as unit:
        again = (await work.idle(unit, grace=timedelta(minutes=10))).next_due
    assert again is not None
    for _ in range(3):  # each time later than the last
        waits = await room.value("select next_try_at from errands")
        await room.later(waits - room.room.clock.now())
        assert "run_errands" in await jobs(room)
        assert await due(room) > 0
        await worked_off(room)
        later = await room.value("select next_try_at from errands")
        assert later - room.room.clock.now() > waits - again
        again, waits = waits, later
    (told,) = await set_aside(room)
    assert told.startswith("<@U0OWNER> tags 5 contacts with `vip`")
    assert "failed" in told

    broken[0] = False
    await room.later(waits - room.room.clock.now())
    await worked_off(room)

    assert len(await room.rows(TAGGED)) == EVERYBODY
    assert len(await ended(room)) == 2


async def set_aside(room: CampaignRoom) -> list[str]:
    async with room.database.unit(ACME, room.room.clock.now()) as unit:
        rows = await unit.connection.fetch(
            "select id, kind, campaign_id, content, at from events where kind = 'errand_set_aside'"
        )
        return [
            str((await feature.set_aside(Event(**dict(row)), unit))[0].message.text) for row in rows
        ]


@pytest.mark.usefixtures("slices")
async def test_a_list_deleted_meanwhile_is_told_as_gone(room: CampaignRoom) -> None:
    await room.contacts(EVERYBODY)
    await room.say("list add Beta tag:lead")
    await run_errands(room.worker, ACME)
    assert "deleted the list" in await room.say("list delete Beta")

    await worked_off(room)

    (sentence,) = await ended(room)
    assert "stopped after 2 of 5 contacts: the list was deleted meanwhile." in sentence
    assert "on it already" not in sentence


@pytest.mark.usefixtures("slices")
async def test_one_that_always_takes_too_long_is_set_aside_and_holds_up_no_other(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.contacts(EVERYBODY)
    await room.say("contact tag tag:lead vip")
    await room.say("list add Beta tag:lead")
    carry_out = errand_acts.carry_out

    async def slow(
        unit: Unit, errand: Errand, contacts: Sequence[ContactId], *, by: str, asked_at: datetime
    ) -> Counter[str]:
        if errand.subject == "vip":
            await unit.connection.execute("select pg_sleep(60)", timeout=0.05)
        return await carry_out(unit, errand, contacts, by=by, asked_at=asked_at)

    monkeypatch.setattr(errands, "carry_out", slow)
    await worked_off(room)

    assert len(await room.rows(LISTED)) == EVERYBODY
    assert "set aside" in await room.say("status")
    assert len(await set_aside(room)) == 1


async def told_by(room: CampaignRoom) -> list[str]:
    while await run_errands(room.worker, ACME):
        await room.later(timedelta(seconds=1))
    return await ended(room)


@pytest.mark.usefixtures("slices")
async def test_a_static_segment_of_many_is_filled_behind_the_answer_after_a_kill_too(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = await room.contacts(EVERYBODY)

    made = await room.say("segment new Still tag:lead static=yes")
    shown = await room.say("segment show Still")
    status = await room.say("status")
    again = await room.say("segment refresh Still")
    await killed_once(room, monkeypatch)
    first = await told_by(room)
    await room.contacts(1, first=50)
    gone = meant[:3]
    await room.value("delete from contact_tags where contact_id = any($1)", gone)
    asked = await room.say("segment refresh Still")
    both = await told_by(room)

    assert "5 contacts" in made
    assert "goes on by itself" in made
    assert "static, being filled" in shown
    assert "refreshes the segment *Still*, 5 contacts" in status
    assert "is being refreshed already" in again
    assert first == ["<@U0OWNER> refreshed the segment *Still*: 5 contacts came, 0 contacts went."]
    assert "refreshes the segment *Still*, 4 contacts" in asked
    assert "1 contact came, 3 contacts went." in both[-1]
    assert len(await room.rows(LISTED)) == 3
    assert "static, refreshed" in await room.say("segment show Still")


async def killed_once(room: CampaignRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process of the second slice die before it commits."""
    carry_out, tries = errand_acts.carry_out, []

    async def killed(
        unit: Unit, errand: Errand, contacts: Sequence[ContactId], *, by: str, asked_at: datetime
    ) -> Counter[str]:
        tries.append(contacts)
        done = await carry_out(unit, errand, contacts, by=by, asked_at=asked_at)
        if len(tries) == 2:
            raise asyncio.CancelledError
        return done

    monkeypatch.setattr(errands, "carry_out", killed)
    await run_errands(room.worker, ACME)
    with pytest.raises(asyncio.CancelledError):
        await run_errands(room.worker, ACME)
    monkeypatch.setattr(errands, "carry_out", carry_out)


async def test_a_segment_whose_list_goes_while_it_is_filled_is_told(
    room: CampaignRoom, request: pytest.FixtureRequest
) -> None:
    await room.contacts(EVERYBODY)
    request.getfixturevalue("slices")
    await room.say("segment new Still tag:lead static=yes")
    await room.say("segment delete Still")

    (sentence,) = await told_by(room)

    assert "the list was deleted meanwhile" in sentence


async def test_a_refresh_that_automations_hear_of_is_held_to_the_sizes_of_sending(
    room: CampaignRoom,
) -> None:
    await room.contacts(1)
    await room.say("segment new Still tag:lead static=yes")
    await room.say("campaign new Hears trigger=segment:Still")
    await room.say("step add Hears after=0m template=followup")
    await room.say("campaign activate Hears")
    await room.contacts(EVERYBODY + 2, first=50)

    asked = await room.say("segment refresh Still")
    before = await room.rows(LISTED)
    done = await room.say("segment refresh Still count=7")

    assert "That would change *7 contacts* of *Still*" in asked
    assert "`/drip segment refresh Still count=7`" in asked
    assert len(before) == 1
    assert "7 contacts came" in done


DATES = "select attributes ->> 'since' from contacts order by id"


async def dated(room: CampaignRoom, *values: str) -> None:
    contacts = await room.contacts(len(values))
    for contact, value in zip(contacts, values, strict=True):
        await room.value(
            "update contacts set attributes = jsonb_build_object('since', $2::text),"
            " updated_at = $3 where id = $1",
            contact,
            value,
            NOON - timedelta(days=1),
        )
    await room.value(
        "insert into attributes (organization_id, name, type, created_at)"
        " values ('acme', 'since', 'text', $1)",
        NOON,
    )


@pytest.mark.usefixtures("slices")
async def test_an_attribute_of_many_gets_its_type_behind_the_answer_after_a_kill_too(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dated(room, "1/5/2020", "31-12-2019", "2021-01-01", "2/5/2020", "3/5/2020")

    asked = await room.say("attribute type since date")
    status = await room.say("status")
    again = await room.say("attribute type since number")
    await killed_once(room, monkeypatch)
    before = await room.value("select type from attributes where name = 'since'")
    told = await told_by(room)

    assert "checks the `since` of 5 contacts as date" in asked
    assert "checks the `since` of 5 contacts as date" in status
    assert "is being made of type date already" in again
    assert before == "text"
    assert told == ["<@U0OWNER> made `since` of type date; 4 values were written anew."]
    assert [value for (value,) in await room.rows(DATES)] == [
        "2020-05-01",
        "2019-12-31",
        "2021-01-01",
        "2020-05-02",
        "2020-05-03",
    ]
    assert await room.value("select type from attributes where name = 'since'") == "date"


@pytest.mark.usefixtures("slices")
@pytest.mark.parametrize("late", [False, True])
async def test_an_attribute_with_values_that_do_not_fit_keeps_its_type_and_says_which(
    room: CampaignRoom, *, late: bool
) -> None:
    await dated(
        room, "1/5/2020", "31-12-2019", "1/1/2021", "2/5/2020", "1/1/2020" if late else "ever"
    )
    await room.say("attribute type since date")
    if late:  # written once all were looked at
        for _ in range(5):
            await run_errands(room.worker, ACME)
        await room.value(
            'update contacts set attributes = \'{"since": "ever"}\', updated_at = $1'
            " where id = (select min(id) from contacts)",
            room.room.clock.now(),
        )

    (sentence,) = await told_by(room)

    assert "At least 1 contact has a value of since that is not a date" in sentence
    assert "'ever'" in sentence
    assert await room.value("select type from attributes where name = 'since'") == "text"
    if not late:
        assert "1/5/2020" in [value for (value,) in await room.rows(DATES)]


@pytest.mark.usefixtures("slices")
async def test_many_values_written_while_an_attribute_gets_its_type_are_looked_at_too(
    room: CampaignRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.retyping.LATE", 2)
    monkeypatch.setattr("storage.retyping._SLACK", timedelta())
    await dated(room, "1/5/2020", "31-12-2019", "1/1/2021")
    await room.say("attribute type since date")
    await run_errands(room.worker, ACME)
    await room.later(timedelta(minutes=1))
    await room.value(
        'update contacts set attributes = \'{"since": "9/9/2020"}\', updated_at = $1',
        room.room.clock.now(),
    )

    (sentence,) = await told_by(room)

    assert "made `since` of type date" in sentence
    assert {value for (value,) in await room.rows(DATES)} == {"2020-09-09"}


async def test_a_segment_that_becomes_static_holds_whom_it_held_while_its_list_is_filled(
    room: CampaignRoom, request: pytest.FixtureRequest
) -> None:
    automations.register(room.room.registry, room.room.desk)
    await room.contacts(EVERYBODY)
    await room.say("segment new Still tag:lead")
    await room.say("automation new when=segment:Still then=tag:came")
    while await follow_segments(room.worker, ACME):
        pass
    request.getfixturevalue("slices")

    await room.say("segment edit Still static=yes")
    await run_errands(room.worker, ACME)
    shown = await room.say("segment show Still")
    found = await room.say("contact find segment:Still")
    for _ in range(2):
        await room.later(timedelta(minutes=2))
        while await follow_segments(room.worker, ACME):
            pass
        await told_by(room)

    assert "(static, being filled): 5 contacts" in shown
    assert "5 contacts for segment" in found
    assert await room.rows("select 1 from occurrences where kind = 'segment_joined'") == []
    assert len(await room.rows(LISTED)) == EVERYBODY


@pytest.mark.parametrize(
    "command", ["segment refresh Still", "attribute type since date"], ids=["refresh", "type"]
)
async def test_what_is_asked_of_no_contacts_by_name_locks_in_that_order_too(
    room: CampaignRoom, request: pytest.FixtureRequest, command: str
) -> None:
    await room.say("segment new Still first_name is set static=yes")
    await dated(room, "1/5/2020", "31-12-2019", "1/1/2021", "2/5/2020", "3/5/2020")
    request.getfixturevalue("slices")
    await room.say(command)
    watched = WatchedDatabase.of(room.database)
    worker = replace(room.worker, database=watched)

    while await run_errands(worker, ACME):
        await room.later(timedelta(seconds=1))

    assert watched.order.broken == []
    assert len(await ended(room)) == 1

# ruff: noqa: ANN401 — pieces of JSON are of any type
"""A person with another phone or user id, and two contacts that turn out to be one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.database import ACME, NOON
from tests.integration.whatsapp.meta import Meta

OLD, NEW = "31610000001", "31610000009"


def _changed(
    *, old: str | None = OLD, new: str | None = NEW, at: datetime = NOON, **ids: Any
) -> dict[str, Any]:
    system: dict[str, Any] = {"type": "user_changed_number", **ids}
    if new is not None:
        system["wa_id"] = new
    message: dict[str, Any] = {
        "id": f"wamid.{old}.{new}",
        "timestamp": str(int(at.timestamp())),
        "type": "system",
        "system": system,
    }
    if old is not None:
        message["from"] = old
    return {"messages": [message]}


async def _identities(meta: Meta) -> set[tuple[int, str, str]]:
    rows = await meta.rows("select contact_id, kind, value from contact_identities")
    return {(row["contact_id"], row["kind"], row["value"]) for row in rows}


async def test_a_contact_keeps_its_history_with_a_new_number(meta: Meta) -> None:
    contact = await meta.contact("+" + OLD)
    await meta.identity(contact, "bsuid", "NL.old")

    await meta.send(_changed(user_id="NL.new", previous_user_id="NL.old"))

    assert await _identities(meta) == {
        (contact, "phone", "+" + NEW),
        (contact, "wa_id", NEW),
        (contact, "bsuid", "NL.new"),
    }


async def test_a_new_user_id_alone_takes_the_place_of_all_that_was(meta: Meta) -> None:
    contact = await meta.contact("+" + OLD)
    await meta.identity(contact, "bsuid", "NL.old")

    await meta.send(_changed(new=None, user_id="NL.new", previous_user_id="NL.old"))

    assert await _identities(meta) == {(contact, "bsuid", "NL.new")}


async def test_a_change_of_a_stranger_changes_nothing(meta: Meta) -> None:
    await meta.send(_changed())

    assert await meta.value("select count(*) from contacts") == 0


async def test_a_repeat_does_not_touch_who_has_the_old_number_by_then(meta: Meta) -> None:
    contact = await meta.contact("+" + OLD)
    await meta.send(_changed())
    stranger = await meta.contact("+" + OLD, opted_out_at=NOON)

    await meta.send(_changed())

    owners = {(owner, kind) for owner, kind, _ in await _identities(meta)}
    assert owners == {
        (contact, "phone"),
        (contact, "wa_id"),
        (stranger, "phone"),
        (stranger, "wa_id"),
    }


async def test_two_contacts_become_the_older_with_the_stricter_consent(meta: Meta) -> None:
    elder = await meta.contact("+" + OLD, opted_in_at=NOON - timedelta(days=2))
    younger = await meta.contact(
        "+" + NEW, name="Ann", opted_out_at=NOON - timedelta(days=1), email="ann@example.org"
    )
    for contact, tag in ((elder, "lead"), (younger, "lead"), (younger, "vip")):
        await meta.value(
            "insert into contact_tags values ($1, $2, $3, $4)", ACME, tag, contact, NOON
        )
    campaign, step = await meta.campaign()
    message = await meta.message(campaign, step, younger)

    await meta.send(_changed())

    (row,) = await meta.rows("select * from contacts")
    assert (row["id"], row["name"], row["email"]) == (elder, "Ann", "ann@example.org")
    assert row["opted_out_at"] == NOON - timedelta(days=1)
    assert await _identities(meta) == {(elder, "phone", "+" + NEW), (elder, "wa_id", NEW)}
    tags = await meta.rows("select tag, contact_id from contact_tags order by tag")
    assert [tuple(tag.values()) for tag in tags] == [("lead", elder), ("vip", elder)]
    assert await meta.value("select contact_id from messages where id = $1", message) == elder
    (act,) = await meta.rows("select contact_id, kind, at from consents")
    assert act == {"contact_id": elder, "kind": "opt_out", "at": NOON - timedelta(days=1)}


async def test_nobody_gets_a_broadcast_twice_for_having_been_two(meta: Meta) -> None:
    elder, younger = await meta.contact("+" + OLD), await meta.contact("+" + NEW)
    campaign, step = await meta.campaign("Sale", kind="broadcast", state="running")
    first = await meta.message(campaign, step, elder, state="queued", attempt=0)
    second = await meta.message(campaign, step, younger, state="queued", attempt=0)

    await meta.send(_changed())

    rows = await meta.rows("select id, state, reason from messages order by id")
    assert [tuple(row.values()) for row in rows] == [
        (first, "queued", None),
        (second, "cancelled", "merged"),
    ]
    counted = await meta.rows(
        "select metric from campaign_stats where count <> 0 and metric <> 'planned'"
    )
    assert counted == [{"metric": "cancelled:merged"}]


@pytest.mark.parametrize("state", ["claimed", "delivered"])
async def test_what_is_under_way_to_the_younger_counts_for_the_older(
    meta: Meta, state: str
) -> None:
    elder, younger = await meta.contact("+" + OLD), await meta.contact("+" + NEW)
    campaign, step = await meta.campaign("Sale", kind="broadcast", state="running")
    first = await meta.message(campaign, step, elder, state="queued", attempt=0)
    await meta.message(campaign, step, younger, state=state)

    await meta.send(_changed())

    assert await meta.value("select state from messages where id = $1", first) == "cancelled"


async def test_of_two_enrollments_in_a_drip_the_younger_ends(meta: Meta) -> None:
    elder, younger = await meta.contact("+" + OLD), await meta.contact("+" + NEW)
    campaign, step = await meta.campaign()
    runs = [await meta.enrollment(campaign, step, contact) for contact in (elder, younger)]
    for contact, run in zip((elder, younger), runs, strict=True):
        await meta.message(campaign, step, contact, run=run, state="queued", attempt=0)

    await meta.send(_changed())

    rows = await meta.rows("select contact_id, state, reason from enrollments order by id")
    assert [tuple(row.values()) for row in rows] == [
        (elder, "active", None),
        (elder, "dropped", "merged"),
    ]
    rows = await meta.rows("select contact_id, state from messages order by id")
    assert [tuple(row.values()) for row in rows] == [(elder, "queued"), (elder, "cancelled")]


# The same person under two numbers: Brazil, Mexico, Argentina.

TWINS = [
    pytest.param("5511987654321", "551187654321", id="Brazil's ninth digit"),
    pytest.param("525512345678", "5215512345678", id="Mexico's one"),
    pytest.param("541123456789", "5491123456789", id="Argentina's nine"),
]


@pytest.mark.parametrize(("dialled", "reported"), TWINS)
async def test_who_writes_under_a_twin_of_the_number_is_the_contact_we_know(
    meta: Meta, dialled: str, reported: str
) -> None:
    contact = await meta.imported("+" + dialled)

    await meta.send(
        {
            "messages": [
                {
                    "id": "wamid.1",
                    "from": reported,
                    "timestamp": str(int(NOON.timestamp())),
                    "type": "text",
                    "text": {"body": "STOP"},
                }
            ]
        }
    )

    assert await _identities(meta) == {
        (contact, "phone", "+" + dialled),
        (contact, "wa_id", reported),
    }
    assert await meta.value("select opted_out_at from contacts") == NOON


@pytest.mark.parametrize(("dialled", "reported"), TWINS)
async def test_a_change_told_of_a_twin_finds_both_and_makes_them_one(
    meta: Meta, dialled: str, reported: str
) -> None:
    elder = await meta.imported("+" + dialled)
    younger = await meta.contact("+" + NEW, opted_out_at=NOON)
    campaign, step = await meta.campaign("Sale", kind="broadcast", state="running")
    for contact in (elder, younger):
        await meta.message(campaign, step, contact, state="queued", attempt=0)

    await meta.send(_changed(old=reported))

    assert await _identities(meta) == {(elder, "phone", "+" + NEW), (elder, "wa_id", NEW)}
    rows = await meta.rows("select contact_id, state from messages order by id")
    assert [tuple(row.values()) for row in rows] == [(elder, "queued"), (younger, "cancelled")]
    kept = "select opted_out_at from contacts where id = $1"
    assert await meta.value(kept, elder) == NOON

"""Webhooks lock rows in the one order of all: nobody waits for them in a circle."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from engine.ids import ContactId, MessageId
from engine.usecases.change_consent import opt_out
from storage.database import Database, Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from storage.staff_acts import StaffLedger
from tests.database import ACME, NOON
from tests.integration.whatsapp.meta import NUMBER, Meta, served, status
from tests.lock_order import LockOrder, WatchedDatabase

ALL_BUT_LEASES = {"campaigns", "contacts", "enrollments", "messages", "campaign_stats"}
SECOND = timedelta(seconds=1)


@pytest.fixture
def watched(database: Database) -> WatchedDatabase:
    return WatchedDatabase.of(database)


@pytest.fixture
async def meta(watched: WatchedDatabase) -> AsyncIterator[Meta]:
    async with served(watched) as meta:
        yield meta


@pytest.fixture
def order(watched: WatchedDatabase) -> LockOrder:
    return watched.order


@pytest.fixture
async def crossed(meta: Meta) -> list[MessageId]:
    """Messages of six contacts in two drips; the keys of all that is behind them run backwards."""
    drips = [await meta.campaign(name) for name in ("One", "Two")]
    contacts = [await meta.contact(f"+3161000000{place}") for place in range(6)]
    await meta.value(
        "insert into numbers (organization_id, id, phone, updated_at)"
        " values ($1, $2, '+15550001111', $3), ($1, '100', '+15550003333', $3)",
        ACME,
        NUMBER[ACME],
        NOON,
    )
    runs = {
        contact: await meta.enrollment(*drips[place % 2], contact)
        for place, contact in enumerate(contacts)
    }
    messages = [
        await meta.message(*drips[place % 2], contact, run=runs[contact], wamid=f"wamid.{place}")
        for place, contact in reversed(list(enumerate(contacts)))
    ]
    # What is inserted cannot be seen from outside; what is there and counted up can.
    await meta.value(
        "insert into campaign_stats (organization_id, campaign_id, step_id, hour, metric, count)"
        " select distinct s.organization_id, s.campaign_id, s.step_id, s.hour, m.name, 0"
        "   from campaign_stats s, unnest(array['sent', 'delivered', 'read', 'returned', 'unsent',"
        "        'dead', 'cancelled:merged', 'cancelled:opted_out', 'replied']) as m(name)"
    )
    return messages


@pytest.mark.parametrize(
    ("codes", "tables"),
    [
        pytest.param([None], ALL_BUT_LEASES - {"campaigns", "contacts"}, id="nothing failed"),
        pytest.param([131000, 131049], ALL_BUT_LEASES - {"contacts"}, id="to be sent again"),
        pytest.param([131050, 131021, 130403], ALL_BUT_LEASES - {"campaigns"}, id="suppressing"),
        pytest.param([132001, 132015], ALL_BUT_LEASES - {"contacts"}, id="stopping campaigns"),
        pytest.param([131047], ALL_BUT_LEASES - {"campaigns"}, id="closing windows"),
        pytest.param(
            [131057, 131042],
            (ALL_BUT_LEASES | {"numbers"}) - {"contacts"},
            id="stopping numbers",
        ),
        pytest.param([132001, 131000, 131050], ALL_BUT_LEASES, id="of every kind"),
        pytest.param([131050, None, 131000], ALL_BUT_LEASES, id="some failed"),
    ],
)
async def test_a_group_of_statuses_locks_in_order(
    meta: Meta,
    order: LockOrder,
    crossed: list[MessageId],
    codes: list[int | None],
    tables: set[str],
) -> None:
    order.tables.clear()

    await meta.send(
        *(
            status("failed" if code else "read", message=id_, code=code)
            for id_, code in zip(crossed, codes * len(crossed), strict=False)
        )
    )

    assert order.broken == []
    assert order.tables == tables


async def test_what_arrived_after_all_locks_in_order(
    meta: Meta, order: LockOrder, crossed: list[MessageId]
) -> None:
    """Contacts once found unreachable are reached, others are found to be so, in one group."""
    await meta.value("update contacts set unreachable_at = $1", NOON - SECOND)

    await meta.send(
        *(
            status("failed", message=id_, code=131021)
            if place % 2
            else status("delivered", message=id_)
            for place, id_ in enumerate(crossed)
        )
    )

    assert order.broken == []
    assert order.tables >= {"contacts", "messages"}


async def test_a_stop_beside_replies_locks_in_order(
    meta: Meta, order: LockOrder, crossed: list[MessageId]
) -> None:
    await meta.value("update messages set state = 'queued' where id = any($1)", crossed[:4])
    await meta.value(
        "update enrollments set state = 'completed'"
        " where contact_id = (select min(id) from contacts)"
    )

    await meta.send(
        meta.written("STOP", sender="31610000005"),
        meta.written("hello", sender="31610000000", reply_to="wamid.0"),
        meta.written("hello", sender="31610000002", reply_to="wamid.2"),
        meta.written("STOP", sender="31610000003"),
    )

    assert order.broken == []
    assert order.tables >= ALL_BUT_LEASES - {"campaigns"}
    assert await meta.value("select count(*) from messages where state = 'cancelled'") == 3


async def test_staff_who_opt_contacts_out_lock_in_order(
    meta: Meta, order: LockOrder, crossed: list[MessageId]
) -> None:
    await meta.value("update messages set state = 'queued' where id = any($1)", crossed)
    contacts = [ContactId(row["id"]) for row in await meta.rows("select id from contacts")]

    async def act(unit: Unit) -> None:
        await opt_out(
            ids=contacts,
            at=NOON,
            contacts=IdentifiedContacts(unit),
            ledger=StaffLedger(unit, actor="U0OWNER"),
            runs=InboundMessages(unit),
        )

    await meta.do(act)

    assert order.broken == []
    assert order.tables == ALL_BUT_LEASES - {"campaigns"}


async def test_three_contacts_that_become_one_lock_in_order(
    meta: Meta, order: LockOrder, crossed: list[MessageId]
) -> None:
    await meta.value("update messages set state = 'queued' where id = any($1)", crossed)
    await meta.identity(await meta.value("select max(id) from contacts"), "bsuid", "NL.new")
    changed: dict[str, Any] = {
        "messages": [
            {
                "id": "wamid.changed",
                "from": "31610000001",
                "timestamp": str(int(NOON.timestamp())),
                "type": "system",
                "system": {
                    "type": "user_changed_number",
                    "wa_id": "31610000003",
                    "user_id": "NL.new",
                },
            }
        ]
    }

    assert await meta.send(changed) == 200

    assert order.broken == []
    assert order.tables == ALL_BUT_LEASES - {"campaigns"}
    assert await meta.value("select count(*) from contacts") == 4

"""Somebody who says STOP and then START is as reachable as before; what STOP ended stays ended."""

# ruff: noqa: E501 — SQL reads better unbroken

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.consent import FIELD, Act, Consent
from engine.ids import ContactId
from engine.reasons import Reason
from engine.usecases.change_consent import opt_in, opt_out
from storage.database import Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from storage.staff_acts import StaffLedger
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.whatsapp.meta import NUMBER, Meta

PHONE = "+31610000001"
EARLIER = st.none() | st.integers(1, 3).map(lambda hours: NOON - timedelta(hours=hours))
CONSENTS = st.fixed_dictionaries(
    {name: EARLIER for act, name in FIELD.items() if act not in {Act.OPT_OUT, Act.ERASED}}
)
RUNS = st.lists(st.sampled_from(("active", "paused", "completed", "dropped")), max_size=4)
MESSAGES = st.lists(st.sampled_from(("queued", "accepted", "dead", "skipped")), max_size=4)
SECOND = timedelta(seconds=1)


@ON_POSTGRES
@given(
    consent=CONSENTS,
    runs=RUNS,
    messages=MESSAGES,
    out_by_staff=st.booleans(),
    in_by_staff=st.booleans(),
    times=st.integers(1, 2),
)
async def test_out_and_in_again_is_as_before_and_what_ended_stays_so(
    meta: Meta,
    consent: dict[str, datetime | None],
    runs: list[str],
    messages: list[str],
    times: int,
    *,
    out_by_staff: bool,
    in_by_staff: bool,
) -> None:
    contact = await _known(meta, consent, runs, messages)
    before = await _consent(meta, contact)
    if not (out_by_staff and in_by_staff):
        before = before.after(Act.REACHED, NOON)  # whoever writes can be reached

    for round_ in range(times):
        meta.clock.at = NOON + 4 * round_ * SECOND
        await _say(meta, contact, Act.OPT_OUT, staff=out_by_staff)
        stopped = await _consent(meta, contact)
        meta.clock.at += 2 * SECOND
        await _say(meta, contact, Act.OPT_IN, staff=in_by_staff)

    after = await _consent(meta, contact)
    for promotional in (True, False):
        assert stopped.against(promotional=promotional) is not None
        assert after.against(promotional=promotional) == before.against(promotional=promotional)
    assert stopped.opted_out
    assert not after.opted_out
    ended = {"active": "opted_out", "paused": "opted_out"}
    rows = await meta.rows("select state from enrollments order by id")
    assert [row["state"] for row in rows] == [ended.get(state, state) for state in runs]
    rows = await meta.rows("select state, reason from messages where campaign_id <> 0 order by id")
    assert [row["state"] for row in rows] == [
        "cancelled" if state == "queued" else state for state in messages
    ]
    assert {row["reason"] for row in rows if row["state"] == "cancelled"} <= {Reason.OPTED_OUT}


async def _known(
    meta: Meta, consent: dict[str, datetime | None], runs: list[str], messages: list[str]
) -> ContactId:
    for table in ("inbound_messages", "messages", "enrollments", "campaigns", "contacts"):
        await meta.value(f"delete from {table}")  # noqa: S608 — of the line above
    contact = await meta.contact(PHONE, **consent)
    for place, state in enumerate([*runs, *messages], start=1):
        await meta.value(
            "insert into campaigns (organization_id, id, kind, name, state, type, actor, created_at, updated_at)"
            " values ($1, $2, 'drip', 'Drip ' || $2::bigint, 'active', 'promotional', 'U', $3, $3)",
            ACME,
            place,
            NOON,
        )
        if place <= len(runs):
            await meta.value(
                "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by, ended_at)"
                " values ($1, $2, $3, $4, $5, 'U', case when $4 in ('active', 'paused') then null else $5::timestamptz end)",
                ACME,
                place,
                contact,
                state,
                NOON,
            )
        else:
            await meta.value(
                "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, reason, due_at)"
                " values ($1, new_message_id($2), $3, 1, $4, $3, $5, $6, case when $6 in ('dead', 'skipped') then 'failed' end, $7)",
                ACME,
                int(NOON.timestamp()),
                place,
                contact,
                NUMBER[ACME],
                state,
                NOON,
            )
    return contact


async def _say(meta: Meta, contact: ContactId, act: Act, *, staff: bool) -> None:
    if not staff:
        word = "STOP" if act is Act.OPT_OUT else "START"
        assert await meta.write(word, at=meta.clock.at) == 200
        return

    async def work(unit: Unit) -> None:
        inside = IdentifiedContacts(unit)
        if act is Act.OPT_OUT:
            await opt_out(
                ids=[contact],
                at=unit.at,
                contacts=inside,
                ledger=StaffLedger(unit, actor="U0OWNER"),
                runs=InboundMessages(unit),
            )
        else:
            await opt_in(
                ids=[contact],
                at=unit.at,
                contacts=inside,
                ledger=StaffLedger(unit, actor="U0OWNER"),
            )

    await meta.do(work)


async def _consent(meta: Meta, contact: ContactId) -> Consent:
    (row,) = await meta.rows("select * from contacts where id = $1", contact)
    return Consent(**{name: row[name] for name in FIELD.values()})

"""What answers to calls say of who people are: two that WhatsApp knows as one become one."""

from datetime import timedelta

from engine.ids import ContactId
from tests.database import NOON
from tests.integration.worker.world import World

DIALLED = "+5511987654321"
KNOWN_AS = "+551187654321"  # before Brazil put a 9 in


async def _with_phone(world: World, phone: str) -> ContactId:
    (contact,) = await world.contacts(1)
    await world.value(
        "update contact_identities set value = $2 where contact_id = $1 and kind = 'phone'",
        contact,
        phone,
    )
    return contact


async def _identities(world: World) -> list[tuple[object, ...]]:
    rows = await world.rows("select contact_id, kind, value from contact_identities order by 1, 2")
    return [tuple(row.values()) for row in rows]


async def test_the_id_whatsapp_knows_somebody_by_is_kept(world: World) -> None:
    contact = await _with_phone(world, DIALLED)
    world.platform.known_as = {DIALLED: KNOWN_AS}
    campaign = await world.campaign()
    await world.queued(campaign, [contact])

    await world.run()

    assert await world.states() == {"accepted": 1}
    assert await _identities(world) == [
        (contact, "phone", DIALLED),
        (contact, "wa_id", KNOWN_AS.removeprefix("+")),
    ]


async def test_two_whom_whatsapp_knows_as_one_become_one_with_the_stricter_consent(
    world: World,
) -> None:
    older = await _with_phone(world, KNOWN_AS)
    await world.value(
        "update contacts set opted_out_at = $2 where id = $1", older, NOON - timedelta(days=1)
    )
    younger = await _with_phone(world, DIALLED)
    world.platform.known_as = {DIALLED: KNOWN_AS}
    await world.queued(await world.campaign(), [younger])
    await world.queued(await world.campaign(), [younger], due_at=NOON + timedelta(days=1))

    await world.run()

    rows = await world.rows("select id, opted_out_at from contacts")
    assert [tuple(row.values()) for row in rows] == [(older, NOON - timedelta(days=1))]
    assert [each[0] for each in await _identities(world)] == [older] * 3
    assert await world.rows("select distinct contact_id from messages") == [{"contact_id": older}]


async def test_the_same_number_changes_nothing(world: World) -> None:
    contact = await _with_phone(world, DIALLED)
    await world.queued(await world.campaign(), [contact])

    await world.run()

    assert await _identities(world) == [(contact, "phone", DIALLED)]

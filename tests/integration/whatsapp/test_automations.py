"""What contacts write and what becomes of messages sets automations off, once."""

from typing import Any

from tests.database import NOON
from tests.integration.whatsapp.meta import Meta, status

AUTOMATION = (
    "insert into automations (organization_id, trigger, action, state, created_at, on_since,"
    " created_by) values ('acme', $1, $2, 'on', $3, $3, 'U01ADA')"
)
TAG = {"do": "tag", "tag": "x"}


async def waits(meta: Meta, **trigger: Any) -> None:  # noqa: ANN401 — JSON
    await meta.value(AUTOMATION, trigger, TAG, NOON)


async def told(meta: Meta) -> list[tuple[Any, ...]]:
    rows = await meta.rows(
        "select kind, contact_id, value, campaign_id, step_id, depth from occurrences"
        " where kind <> 'contact_created' order by id"
    )
    return [tuple(row.values()) for row in rows]


async def test_a_keyword_is_heard_as_a_word_of_its_own_and_once(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    await waits(meta, on="keyword", word="price list")
    await waits(meta, on="keyword", word="menu")

    for text in ("The PRICE-list, please!", "menus", "STOP menu", "Menú?"):
        await meta.write(text, wamid=f"wamid.{text}")
    await meta.write("The PRICE-list, please!", wamid="wamid.The PRICE-list, please!")

    assert [(kind, who, value) for kind, who, value, *_ in await told(meta)] == [
        ("keyword", contact, "price list"),
        ("keyword", contact, "menu"),
    ]


async def test_a_reply_is_told_once_for_each_message(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    campaign, step = await meta.campaign()
    await meta.message(campaign, step, contact)
    await waits(meta, on="replied")

    for text in ("Yes", "please"):
        await meta.write(text)

    assert await told(meta) == [("replied", contact, "", campaign, step, 0)]


async def test_what_arrives_by_itself_is_as_deep_as_its_enrollment(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    campaign, step = await meta.campaign()
    run = await meta.enrollment(campaign, step, contact)
    await meta.value("update enrollments set depth = 4 where id = $1", run)
    message = await meta.message(campaign, step, contact, run=run)
    await waits(meta, on="delivered")
    await waits(meta, on="read")

    for _ in range(2):
        await meta.send(status("read", message=message))
        await meta.send(status("delivered", message=message))

    assert await told(meta) == [
        ("delivered", contact, "", campaign, step, 4),
        ("read", contact, "", campaign, step, 4),
    ]


async def test_nothing_is_told_that_no_automation_waits_for(meta: Meta) -> None:
    contact = await meta.contact("+31610000001")
    campaign, step = await meta.campaign()
    message = await meta.message(campaign, step, contact)
    await waits(meta, on="read")
    await meta.value("update automations set state = 'off'")

    await meta.send(status("read", message=message))
    await meta.write("menu")

    assert await told(meta) == []


async def test_what_is_waited_for_of_two_becomes_one_persons(meta: Meta) -> None:
    older, younger = await meta.contact("+31610000001"), await meta.contact("+31610000009")
    date = {"on": "date", "attribute": "birthday", "minute": 540}
    await meta.value(AUTOMATION, date, TAG, NOON)
    automation = await meta.value("select id from automations")
    await meta.value(
        "insert into dates_due (organization_id, automation_id, contact_id, fired)"
        " values ('acme', $1, $2, 2026)",
        automation,
        younger,
    )
    await meta.value(
        "insert into occurrences (organization_id, kind, contact_id, value, at)"
        " values ('acme', 'tag_added', $1, 'x', $2)",
        younger,
        NOON,
    )

    await meta.send(
        {
            "messages": [
                {
                    "id": "wamid.changed",
                    "timestamp": str(int(NOON.timestamp())),
                    "type": "system",
                    "from": "31610000001",
                    "system": {"type": "user_changed_number", "wa_id": "31610000009"},
                }
            ]
        }
    )

    assert [(kind, who) for kind, who, *_ in await told(meta)] == [("tag_added", older)]
    assert await meta.value("select fired from dates_due where contact_id = $1", older) == 2026
    assert await meta.value("select contact_id from dates_changed") == older

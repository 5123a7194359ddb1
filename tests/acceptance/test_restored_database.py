"""The database is restored: nothing leaves until an owner says what becomes of what was due."""

import asyncpg

from tests.acceptance.steps import sent_to
from tests.system import System, button, words

BEFORE, ALSO, AFTER = "+31650100001", "+31650100002", "+31650100003"


async def test_after_a_restore_nothing_leaves_until_an_owner_says(system: System) -> None:
    for text in (
        "campaign new Restored",
        "step add Restored after=1h template=followup",
        "campaign activate Restored",
        *(f"contact add {phone} tags=restored" for phone in (BEFORE, ALSO)),
        "enroll Restored tag:restored",
        "campaign pause Restored",
    ):
        await system.ask(text)
    await system.advance(hours=2)
    # What a restore changes, and a test cannot do to a running server: it is another database.
    postgres = (await system.get("health"))["parts"]["postgres"]["url"]
    connection = await asyncpg.connect(postgres)
    await connection.execute("update organizations set database_identity = '1/00000001/1/1'")
    await connection.close()

    alert = await system.says("Nothing is sent", "Restored")
    assert "Nothing is sent" in await system.ask("status")
    await system.ask("campaign resume Restored")
    walked = await system.advance(minutes=10)
    assert walked["settled"]
    assert await sent_to(system, [BEFORE, ALSO]) == []

    answer = button(alert, "Leave them out")
    await system.click(alert, answer["action_id"])
    await system.ask(f"contact add {AFTER}")
    await system.ask(f"enroll Restored {AFTER}")
    await system.advance(hours=2)

    assert "Nothing is sent" not in await system.ask("status")
    assert await sent_to(system, [BEFORE, ALSO]) == []
    assert [each["to"] for each in await sent_to(system, [AFTER])] == [AFTER]
    report = await system.ask("report Restored")
    assert "2 was due before the database was restored" in report
    assert "Nothing is sent" in words(alert)

"""What a process does that has not migrated by itself: all of them but the first."""

import subprocess
import sys

from storage.database import Database

CREATE_A_ROW = """
import asyncio
import sys
from datetime import UTC, datetime

from engine.ids import OrganizationId
from storage.database import Database
from storage.models import AuditEntry

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def main():
    database = await Database.open(sys.argv[1], name="fresh")
    async with database.unit(OrganizationId("acme"), AT) as unit:
        await AuditEntry.create(
            organization_id=unit.organization, at=AT, actor="U0OWNER", action="campaign.new",
            subject="campaign:1", content={"steps": [1, 2]}, using_db=unit.orm,
        )
        print(await AuditEntry.filter(content__contains={"steps": [2]}).using_db(unit.orm).count())
    await database.close()


asyncio.run(main())
"""


async def test_a_fresh_process_writes_and_reads_rows_by_models(database: Database) -> None:
    """Models learn their dialect when they are set up, not from a migration run before."""
    fresh = subprocess.run(  # noqa: ASYNC221 — nothing else is to happen meanwhile
        [sys.executable, "-c", CREATE_A_ROW, database.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert fresh.stderr == ""
    assert fresh.stdout.split() == ["1"]
    kept = await database.pool.fetchval("select content from audit_log where actor = 'U0OWNER'")
    assert kept == {"steps": [1, 2]}

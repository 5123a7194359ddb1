"""What the platform says of each number: read at start, daily, and when a webhook hints at news."""

from collections.abc import Mapping
from typing import Final

import structlog

from engine.config import WhatsAppNumber
from engine.ids import OrganizationId
from storage import numbers, template_sync
from storage.tasks import READ_ACCOUNTS
from worker.context import Worker
from worker.whatsapp.client import ManagementFailed

# Source: Meta, "Throughput": 80 messages per second by default, 1,000 after an upgrade.
_THROUGHPUT: Final[Mapping[str | None, int]] = {"STANDARD": 80, "HIGH": 1000}

log = structlog.get_logger()


async def read_accounts(worker: Worker, organization: OrganizationId) -> bool:
    """Read every number's account; one that cannot be read does not hold up the others."""
    begun = worker.now()
    problems: dict[str, str] = {}
    configured = worker.config.organizations[organization].whatsapp.numbers
    for number in configured:
        try:
            await _read(worker, organization, number)
        except ManagementFailed as failed:
            problems[number.phone] = str(failed)
            log.warning(
                "account.unread", organization=organization, number=number.id, reason=str(failed)
            )
    result: dict[str, object] = {"numbers": len(configured) - len(problems)}
    if problems:
        result["problem"] = " ".join(f"{phone}: {why}" for phone, why in problems.items())
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        await template_sync.task_done(unit, name=READ_ACCOUNTS, begun=begun, result=result)
    return False


async def _read(worker: Worker, organization: OrganizationId, number: WhatsAppNumber) -> None:
    state = await worker.apis[organization].number(number.id)
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        await numbers.save_account(
            unit,
            number=number.id,
            phone=number.phone,
            messages_per_second=_THROUGHPUT.get(state.throughput),
            quality=state.quality,
            messaging_limit=state.messaging_limit,
            verified_name=state.verified_name,
            can_send=state.can_send,
            reasons=state.reasons,
        )

"""What the platform knows and we keep a copy of: templates."""

import structlog

from engine.ids import OrganizationId
from engine.template_items import UnreadableTemplate, template
from engine.templates import Template
from storage import template_drafts, template_sync
from worker.context import Worker
from worker.whatsapp.client import Json, ManagementFailed

TASK = "sync_templates"

log = structlog.get_logger()


async def sync_templates(worker: Worker, organization: OrganizationId) -> bool:
    """Take over all templates; half a list changes nothing but what it listed."""
    begun = worker.now()
    api = worker.apis[organization]
    account = worker.config.organizations[organization].whatsapp
    ids: list[str] = []
    try:
        async for page in api.templates(account.business_account_id):
            listed = list(_readable(page))
            # Also of what we cannot read: it is listed, so it is not gone.
            ids += [str(item["id"]) for item in page if "id" in item]
            async with worker.database.owner_unit(organization, worker.now()) as unit:
                await template_sync.save_templates(unit, listed=listed, as_of=begun)
    except ManagementFailed as failed:
        log.warning("templates.sync_failed", organization=organization, reason=str(failed))
        result: dict[str, object] = {"problem": str(failed)}
    else:
        result = {"templates": len(ids)}
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        if "templates" in result:
            result["gone"] = await template_sync.retire_absent(unit, ids=ids, as_of=begun)
            # A webhook that never came leaves a draft waiting.
            await template_drafts.decide(unit)
        await template_sync.task_done(unit, name=TASK, begun=begun, result=result)
    return False


def _readable(page: tuple[Json, ...]) -> list[tuple[Template, Json]]:
    readable: list[tuple[Template, Json]] = []
    for item in page:
        try:
            readable.append((template(item), item))
        except UnreadableTemplate:
            log.warning("templates.unreadable", keys=sorted(item))
    return readable

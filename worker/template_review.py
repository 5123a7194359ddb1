"""Drafted templates brought to WhatsApp for review, one at a time."""

from datetime import timedelta
from typing import Final

import structlog

from engine import template_draft
from engine.ids import OrganizationId
from engine.template_draft import Draft, HeaderFile
from engine.template_items import template
from engine.template_ports import KeptDraft
from engine.templates import Status, Template
from storage import media, template_drafts, template_sync, templates
from storage.database import Unit
from worker.context import Worker
from worker.library import spooled
from worker.whatsapp.client import Json, ManagementFailed, TooManyCalls

_ALONE: Final = timedelta(minutes=2)  # longer than the calls for one draft take
_AGAIN: Final = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
_CLIENT_ERROR: Final = range(400, 500)
_TRANSIENT: Final = frozenset({1, 2, 4, 17, 32, 341, 368, 613, 80007, 80008})
_TOKEN: Final = frozenset({0, 10, 104, 190, 200})

log = structlog.get_logger()


class SampleGone(Exception):
    """The file that reviewers were to see is no longer in the library."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the media library has no file {name} any longer")


async def submit_templates(worker: Worker, organization: OrganizationId) -> bool:
    """Bring the draft that waits longest to WhatsApp; return whether there was one.

    A process that dies after the call leaves the draft submitted: the next try looks first whether
    WhatsApp has it, so that it is never made twice.
    """
    at = worker.now()
    async with worker.database.owner_unit(organization, at) as unit:
        kept = await template_drafts.take(unit, until=at + _ALONE)
        before = None if kept is None else await _listed(unit, kept)
    if kept is None:
        return False
    try:
        item = await _bring(worker, organization, kept, before)
    except SampleGone as gone:
        async with worker.database.owner_unit(organization, worker.now()) as unit:
            await template_drafts.refused(unit, kept, problem=str(gone))
        return True
    except ManagementFailed as failed:
        await _failed(worker, organization, kept, failed)
        return True
    approved = before is not None and before.status is Status.APPROVED
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        taken = template(item)
        await template_sync.save_templates(unit, listed=[(taken, item)])
        await template_drafts.taken_over(
            unit, draft=kept.id, template_id=taken.id, of_approved=approved
        )
        # It may have been decided at once, or while our answer was lost.
        await template_drafts.decide(unit, of=(taken.name, taken.language))
    log.info("template.submitted", organization=organization, draft=kept.id)
    return True


async def _listed(unit: Unit, kept: KeptDraft) -> Template | None:
    """Return the template a draft would change, as WhatsApp listed it last."""
    found = await templates.KnownTemplates(unit).of_name(kept.draft.name)
    return next((each for each in found if each.id == kept.template_id), None)


async def _bring(
    worker: Worker, organization: OrganizationId, kept: KeptDraft, before: Template | None
) -> Json:
    """Submit a draft, new or as a change; return how WhatsApp lists it now.

    Raises:
        ManagementFailed: WhatsApp does not have it, as far as we know.
    """
    api = worker.apis[organization]
    account = worker.config.organizations[organization].whatsapp.business_account_id
    draft = kept.draft
    if kept.tries > 1:
        found = await api.find_template(account, draft.name, draft.language)
        if found is not None and _says_the_same(template(found), draft):
            return found
    handle = await _sample(worker, organization, draft)
    parts = template_draft.components(draft, handle=handle)
    if before is not None:
        changes: dict[str, object] = {"components": parts}
        if before.category is not draft.category:
            changes["category"] = draft.category.value
        await api.edit_template(before.id, changes)
        return template_draft.item(draft, template_id=before.id, status=Status.PENDING)
    made = await api.create_template(
        account,
        {
            "name": draft.name,
            "language": draft.language,
            "category": draft.category.value,
            "parameter_format": template_draft.parameter_format(draft),
            "components": parts,
        },
    )
    item = template_draft.item(draft, template_id=made.id, status=made.status)
    return {**item, "category": made.category or item["category"]}


async def _sample(worker: Worker, organization: OrganizationId, draft: Draft) -> str | None:
    """Give WhatsApp the file of a draft's header; return its handle, None: it has none.

    Raises:
        ManagementFailed: WhatsApp did not take it.
        SampleGone: The library no longer has it.
    """
    if not isinstance(draft.header, HeaderFile):
        return None
    async with worker.database.owner_unit(organization, worker.now()) as unit:
        file = await media.file(unit, name=draft.header.name)
    if file is None or file.blob_id is None or file.mimetype is None:
        raise SampleGone(draft.header.name)
    async with spooled(worker, organization, file.blob_id) as content:
        return await worker.apis[organization].upload_sample(
            content, size=file.size or 0, filename=file.filename, mimetype=file.mimetype
        )


def _says_the_same(listed: Template, draft: Draft) -> bool:
    ours = template(template_draft.item(draft, template_id=listed.id, status=listed.status_name))
    return (listed.header, listed.body, listed.footer, listed.buttons) == (
        ours.header,
        ours.body,
        ours.footer,
        ours.buttons,
    )


async def _failed(
    worker: Worker, organization: OrganizationId, kept: KeptDraft, failed: ManagementFailed
) -> None:
    refused = failed.refused
    final = (
        refused is not None
        and refused.http in _CLIENT_ERROR
        and refused.code not in _TRANSIENT
        and refused.code not in _TOKEN
    )
    at = worker.now()
    async with worker.database.owner_unit(organization, at) as unit:
        if final and refused is not None:
            why = refused.details or refused.title or str(failed)
            await template_drafts.refused(unit, kept, problem=why)
        else:
            pause = _AGAIN[min(kept.tries, len(_AGAIN)) - 1]
            if isinstance(failed, TooManyCalls) and refused is not None and refused.regain:
                pause = max(pause, refused.regain)
            await template_drafts.later(unit, draft=kept.id, again=at + pause, problem=str(failed))
    log.warning(
        "template.not_submitted",
        organization=organization,
        draft=kept.id,
        final=final,
        code=refused.code if refused else None,
    )

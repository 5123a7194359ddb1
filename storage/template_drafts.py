"""Templates as staff draft and submit them, and what the platform made of them."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from engine import template_draft
from engine.ids import CampaignId, DraftId
from engine.template_draft import Draft
from engine.template_ports import DraftState, KeptDraft
from engine.templates import Template
from storage import audit, effects, templates
from storage.database import Unit
from storage.queries import load

_SQL = load("template_drafts")

DECIDED = "template_decided"
REFUSED = "template_refused"


class StaffDrafts:
    """`engine.template_ports.Drafts`, of what *actor* does."""

    def __init__(self, unit: Unit, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def of_name(self, name: str) -> list[KeptDraft]:
        return [_kept(row) for row in await self.unit.rows(_SQL["of_name"], name=name)]

    async def names(self) -> list[str]:
        return [row["name"] for row in await self.unit.rows(_SQL["names"])]

    async def lock(self, name: str, language: str) -> KeptDraft | None:
        row = await self.unit.row(_SQL["lock"], name=name, language=language)
        return None if row is None else _kept(row)

    async def listed(self, name: str, language: str) -> Template | None:
        found = await templates.KnownTemplates(self.unit).of_name(name)
        return next((each for each in found if each.language == language), None)

    async def save(self, draft: Draft, *, template_id: str | None) -> DraftId:
        saved: DraftId = await self.unit.value(
            _SQL["save"],
            name=draft.name,
            language=draft.language,
            content=template_draft.to_json(draft),
            template=template_id,
            actor=self.actor,
        )
        await self._note("template.draft", saved)
        return saved

    async def submit(self, kept: KeptDraft) -> None:
        await self.unit.run(_SQL["submit"], draft=kept.id, actor=self.actor)
        await self._note("template.submit", kept.id)

    async def discard(self, kept: KeptDraft) -> None:
        await self.unit.run(_SQL["discard"], draft=kept.id)
        await self._note("template.discard", kept.id)

    async def _note(self, action: str, draft: DraftId) -> None:
        await audit.note(
            self.unit, actor=self.actor, action=action, subject=f"template_draft:{draft}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A campaign with a step of a template, and who made it."""

    campaign: CampaignId
    name: str
    actor: str


async def get(unit: Unit, *, draft: DraftId) -> KeptDraft | None:
    row = await unit.row(_SQL["get"], draft=draft)
    return None if row is None else _kept(row)


async def unlisted(unit: Unit) -> list[KeptDraft]:
    """Return drafts WhatsApp does not list as they are now, sorted by name and language."""
    return [_kept(row) for row in await unit.rows(_SQL["unlisted"])]


async def take(unit: Unit, *, until: datetime) -> KeptDraft | None:
    """Take the next draft to be brought to the platform; nobody else takes it before *until*."""
    row = await unit.row(_SQL["take"], until=until)
    return None if row is None else _kept(row)


async def taken_over(unit: Unit, *, draft: DraftId, template_id: str, of_approved: bool) -> None:
    """Note that the platform has a submitted draft; *of_approved*: it was approved before."""
    await unit.run(_SQL["taken_over"], draft=draft, template=template_id, edited=of_approved)


async def refused(unit: Unit, kept: KeptDraft, *, problem: str) -> None:
    """Make a draft of it again, and tell staff why the platform did not take it."""
    if await unit.run(_SQL["refused"], draft=kept.id, problem=problem):
        content = {
            "name": kept.draft.name,
            "language": kept.draft.language,
            "why": problem,
            "by": kept.submitted_by,
            "at": unit.at.isoformat(),
        }
        await effects.tell_staff(unit, kind=REFUSED, campaign=None, content=content)


async def later(unit: Unit, *, draft: DraftId, again: datetime, problem: str) -> None:
    """Note that the platform could not be asked; the worker tries again at *again*."""
    await unit.run(_SQL["later"], draft=draft, again=again, problem=problem)


async def decide(
    unit: Unit,
    *,
    of: tuple[str, str] | None = None,
    reason: str | None = None,
    advice: str | None = None,
) -> int:
    """Settle pending drafts whose templates are decided, tell who waits, and return how many.

    Args:
        of: The name and language of the only template to look at.
        reason: The platform's word for a rejection just heard of; None: as its list has it.
    """
    name, language = of or (None, None)
    rows = await unit.rows(
        _SQL["decide"], name=name, language=language, reason=reason, advice=advice
    )
    for row in rows:
        content = {
            "draft": row["id"],
            "name": row["name"],
            "language": row["language"],
            "state": row["state"],
            "reason": row["reason"],
            "advice": row["advice"],
            "by": row["submitted_by"],
            "at": unit.at.isoformat(),
        }
        await effects.tell_staff(unit, kind=DECIDED, campaign=None, content=content)
    return len(rows)


async def waiting(unit: Unit, *, name: str, language: str) -> list[Waiting]:
    """Return the campaigns that use a template, by name."""
    return (await waiting_for(unit, name=name)).get(language, [])


async def waiting_for(unit: Unit, *, name: str) -> dict[str, list[Waiting]]:
    """Return the campaigns that use a template, by its language and each by name."""
    found: dict[str, list[Waiting]] = {}
    for row in await unit.rows(_SQL["waiting_for"], name=name):
        waits = Waiting(campaign=row["id"], name=row["name"], actor=row["actor"])
        found.setdefault(row["language"], []).append(waits)
    return found


def _kept(row: asyncpg.Record) -> KeptDraft:
    return KeptDraft(
        id=row["id"],
        draft=template_draft.from_json(row["draft"]),
        state=DraftState(row["state"]),
        reason=row["reason"],
        advice=row["advice"],
        template_id=row["template_id"],
        problem=row["problem"],
        edited_ats=tuple(row["edited_ats"]),
        created_by=row["created_by"],
        submitted_at=row["submitted_at"],
        submitted_by=row["submitted_by"],
        decided_at=row["decided_at"],
        tries=row.get("tries", 0),
    )

"""What the use cases about drafted templates need of storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.ids import DraftId
from engine.template_draft import Draft
from engine.templates import Template


class DraftState(StrEnum):
    """Submitted: the worker is bringing it to WhatsApp; pending: WhatsApp reviews it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraft:
    """A draft as it is kept.

    Attributes:
        reason: Why WhatsApp rejected it, in its words.
        advice: What WhatsApp says would help.
        template_id: WhatsApp's; None: it never took it.
        problem: Why the last try to submit it did not work.
        edited_ats: When WhatsApp took changes of it while it was approved.
        tries: How often the worker has tried since it was submitted; only known to the worker.
    """

    id: DraftId
    draft: Draft
    state: DraftState
    reason: str | None
    advice: str | None
    template_id: str | None
    problem: str | None
    edited_ats: tuple[datetime, ...]
    created_by: str
    submitted_at: datetime | None
    submitted_by: str | None
    decided_at: datetime | None
    tries: int = 0


class Drafts(Protocol):
    """Drafts, as one member of the staff changes them."""

    async def of_name(self, name: str) -> Sequence[KeptDraft]:
        """Return the drafts of a name, in each language it has, by language."""
        ...

    async def names(self) -> Sequence[str]: ...

    async def lock(self, name: str, language: str) -> KeptDraft | None: ...

    async def listed(self, name: str, language: str) -> Template | None:
        """Return the template as WhatsApp lists it; None: it does not."""
        ...

    async def save(self, draft: Draft, *, template_id: str | None) -> DraftId:
        """Write a draft over what there was of that name and language."""
        ...

    async def submit(self, kept: KeptDraft) -> None:
        """Let the worker bring it to WhatsApp."""
        ...

    async def discard(self, kept: KeptDraft) -> None:
        """Forget a draft."""
        ...

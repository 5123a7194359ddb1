"""Submit: a draft that keeps to Meta's rules goes to WhatsApp for review."""

from datetime import datetime, timedelta
from typing import Final

from engine import names
from engine.refusal import Refusal
from engine.template_ports import Drafts, DraftState, KeptDraft
from engine.template_rules import problems
from engine.templates import Status

EDITS_A_DAY: Final = 1
EDITS_A_MONTH: Final = 10
"""Of an approved template. Source: Meta, "Template management"."""

_DAY: Final = timedelta(hours=24)
_MONTH: Final = timedelta(days=30)


class NoSuchDraft(Refusal):
    """Nobody drafted a template of that name, or none in that language."""


class NotReady(Refusal):
    """WhatsApp would refuse it, or has it already."""


async def submit_template(
    *, name: str, language: str | None, at: datetime, drafts: Drafts
) -> KeptDraft:
    """Let the worker bring a draft to WhatsApp; return the draft.

    Raises:
        NoSuchDraft: There is none, or several languages to choose from.
        NotReady: It breaks a rule, is with WhatsApp, or has not changed since WhatsApp decided.
    """
    kept = await _locked(name, language, drafts)
    draft = kept.draft
    shown = f"{draft.name} ({draft.language})"
    match kept.state:
        case DraftState.SUBMITTED | DraftState.PENDING:
            raise NotReady(f"{shown} is with WhatsApp already; you are told when it is decided.")
        case DraftState.APPROVED:
            raise NotReady(f"{shown} is approved already; {_change(draft.name)} changes it.")
        case DraftState.REJECTED:
            raise NotReady(
                f"WhatsApp rejected {shown} as it is: change it first with {_change(draft.name)}."
            )
        case DraftState.DRAFT:
            pass
    found = problems(draft)
    if found:
        raise NotReady(f"{shown} is not ready. {' '.join(found)}")
    listed = await drafts.listed(draft.name, draft.language)
    if listed is not None and listed.status is Status.PENDING:
        raise NotReady(f"WhatsApp is reviewing {shown}, and takes no change until it is decided.")
    if listed is not None and listed.status is Status.APPROVED:
        _check_edits(kept, at)
    await drafts.submit(kept)
    return kept


async def discard_template(*, name: str, language: str | None, drafts: Drafts) -> KeptDraft:
    """Throw a draft away; return what it was.

    Raises:
        NoSuchDraft: There is none, or several languages to choose from.
        NotReady: It is with WhatsApp.
    """
    kept = await _locked(name, language, drafts)
    if kept.state in {DraftState.SUBMITTED, DraftState.PENDING}:
        raise NotReady(
            f"{kept.draft.name} ({kept.draft.language}) is with WhatsApp, and stays until it is"
            " decided."
        )
    await drafts.discard(kept)
    return kept


async def _locked(name: str, language: str | None, drafts: Drafts) -> KeptDraft:
    found = await drafts.of_name(name)
    languages = [kept.draft.language for kept in found]
    if not found:
        raise NoSuchDraft(
            f"There is no draft {names.echoed(name)}; {_change(names.echoed(name))} makes one."
        )
    if language is None and len(found) > 1:
        raise NoSuchDraft(
            f"{name} is drafted in {', '.join(languages)}: add language={languages[0]}, or another"
            " of them."
        )
    wanted = language or languages[0]
    kept = await drafts.lock(name, wanted) if wanted in languages else None
    if kept is None:
        raise NoSuchDraft(
            f"There is no draft {name} in {wanted}; it is drafted in {', '.join(languages)}:"
            f" write language={languages[0]}."
        )
    return kept


def _check_edits(kept: KeptDraft, at: datetime) -> None:
    for span, most, words in ((_DAY, EDITS_A_DAY, "once in 24 hours"), (_MONTH, EDITS_A_MONTH, "")):
        recent = sorted(each for each in kept.edited_ats if each > at - span)
        if len(recent) >= most:
            free = recent[-most] + span
            often = words or f"{EDITS_A_MONTH} times in 30 days"
            raise NotReady(
                f"WhatsApp takes changes of an approved template {often}: submit it again after"
                f" {free:%Y-%m-%d %H:%M} UTC."
            )


def _change(name: str) -> str:
    return f"/drip template draft {name} …"

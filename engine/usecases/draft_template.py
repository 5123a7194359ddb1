"""Draft: what staff write of a template, put together with what they wrote of it before."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from engine import names
from engine.refusal import Refusal
from engine.template_draft import Draft, DraftButton, HeaderFile
from engine.template_ports import Drafts, DraftState, KeptDraft
from engine.template_rules import problems, warnings
from engine.templates import Category, Status, Template


class Off(Enum):
    """Staff want none, as against nobody said anything (None)."""

    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What staff wrote; None, and no buttons or samples, leave what the draft had."""

    name: str
    language: str | None
    category: Category | None
    header: str | HeaderFile | Off | None
    body: str | None
    footer: str | Off | None
    buttons: tuple[DraftButton, ...] | Off
    samples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft as it is now.

    Attributes:
        problems: What keeps it from being submitted, a sentence each.
        warnings: What WhatsApp may not do as asked.
        listed: The template it would change, as WhatsApp lists it; None: it would be new.
    """

    draft: Draft
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    listed: Template | None


class NoDraftYet(Refusal):
    """A draft begins with what cannot be left out."""


class UnderReview(Refusal):
    """WhatsApp is looking at it and takes no change meanwhile."""


class NotADraft(Refusal):
    """The options do not go together."""


STANDARD_LANGUAGE: Final = "en"
_LOCKED: Final = frozenset({Status.APPROVED, Status.PAUSED})


async def draft_template(*, wanted: Wanted, drafts: Drafts) -> Drafted:
    """Make a draft or change one; it is kept also while something keeps it from being submitted.

    Raises:
        NoDraftYet: There is none of the name, and category= or body= is missing.
        UnderReview: It has been submitted and WhatsApp has not decided.
        NotADraft: The name or a sample cannot be, or the category can no longer change.
    """
    name = wanted.name
    language = wanted.language or await _only_language(name, drafts)
    kept = await drafts.lock(name, language)
    listed = await drafts.listed(name, language)
    if kept is not None and kept.state in {DraftState.SUBMITTED, DraftState.PENDING}:
        raise UnderReview(
            f"The template {name} ({language}) is with WhatsApp for review, and cannot change until"
            " it is decided. You are told here."
        )
    if listed is not None and listed.status is Status.PENDING:
        raise UnderReview(
            f"WhatsApp is reviewing {name} ({language}), and takes no change until it is decided."
        )
    draft = _merged(wanted, language, kept, listed)
    if listed is not None and listed.status in _LOCKED and listed.category is not draft.category:
        raise NotADraft(
            f"{name} ({language}) is {listed.category.value.lower()}, and WhatsApp lets nobody"
            " change the category of an approved template: draft it under another name."
        )
    if any(len(option) > _LONGEST_OPTION for option, _ in draft.samples):
        raise NotADraft("A sample's name is a variable of the template, like first_name= or 1=.")
    await drafts.save(draft.without_spare_samples(), template_id=listed.id if listed else None)
    return Drafted(
        draft=draft.without_spare_samples(),
        problems=problems(draft.without_spare_samples()),
        warnings=(*warnings(draft), *_spare(draft)),
        listed=listed,
    )


_LONGEST_OPTION: Final = 64


async def _only_language(name: str, drafts: Drafts) -> str:
    known = [kept.draft.language for kept in await drafts.of_name(name)]
    if len(known) > 1:
        raise NotADraft(
            f"{name} is drafted in {', '.join(known)}: add language={known[0]}, or another of them."
        )
    return known[0] if known else STANDARD_LANGUAGE


def _merged(
    wanted: Wanted, language: str, kept: KeptDraft | None, listed: Template | None
) -> Draft:
    before = None if kept is None else kept.draft
    category = wanted.category or _category(before, listed)
    body = wanted.body if wanted.body is not None else (before.body if before else None)
    if category is None or body is None:
        missing = " and ".join(
            option for option, value in (("category=", category), ("body=", body)) if value is None
        )
        raise NoDraftYet(
            f"There is no draft {wanted.name} ({language}) yet, so {missing} cannot be left out."
            ' Write /drip template draft <name> category=marketing body="…".'
        )
    base = before or Draft(name=wanted.name, language=language, category=category, body=body)
    samples = dict(base.samples) | dict(wanted.samples)
    return replace(
        base,
        category=category,
        body=body,
        header=_header(wanted, base),
        footer=_footer(wanted, base),
        buttons=() if isinstance(wanted.buttons, Off) else wanted.buttons or base.buttons,
        samples=tuple(samples.items()),
    )


def _header(wanted: Wanted, base: Draft) -> str | HeaderFile | None:
    if wanted.header is None:
        return base.header
    return None if isinstance(wanted.header, Off) else wanted.header


def _footer(wanted: Wanted, base: Draft) -> str:
    if wanted.footer is None:
        return base.footer
    return "" if isinstance(wanted.footer, Off) else wanted.footer


def _category(before: Draft | None, listed: Template | None) -> Category | None:
    if before is not None:
        return before.category
    return None if listed is None else listed.category


def _spare(draft: Draft) -> tuple[str, ...]:
    """Say which samples stand for nothing: more often a slip than meant."""
    sentences = []
    for option, _ in draft.samples:
        if option not in draft.wanted_samples:
            meant = names.closest(option, draft.wanted_samples)
            hint = f" Did you mean {meant}=?" if meant else ""
            sentences.append(f"{option}= has no place in the template and was left out.{hint}")
    return tuple(sentences)

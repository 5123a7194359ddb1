"""Which template somebody means by a name and a language."""

from engine import names
from engine.names import Ambiguous, NoMatch, One
from engine.template_ports import DraftState, KeptDraft
from engine.templates import Template
from engine.usecases.compose import ManyLanguages, NoSuchTemplate
from storage import template_drafts
from storage.database import Unit
from storage.templates import KnownTemplates


async def named(unit: Unit, asked: str) -> tuple[Template, ...]:
    """Return the template of that name, or of that beginning, in each of its languages.

    Raises:
        NoSuchTemplate: None is meant, or several are.
    """
    known = KnownTemplates(unit)
    match names.match_name(asked, await known.names()):
        case One(name=name):
            return await known.of_name(name)
        case Ambiguous(names=several):
            raise NoSuchTemplate(
                f"{names.echoed(asked)} may be {', '.join(several[:8])}: write more of it."
            )
        case NoMatch(closest=closest):
            drafted = (await template_drafts.StaffDrafts(unit, "").of_name(asked.strip().lower()))[
                :1
            ]
            if drafted:
                raise NoSuchTemplate(_only_drafted(drafted[0]))
            hint = f"Did you mean {closest}?" if closest else "/drip template list shows them."
            raise NoSuchTemplate(f"WhatsApp lists no template {names.echoed(asked)}. {hint}")


def _only_drafted(kept: KeptDraft) -> str:
    name, language = kept.draft.name, kept.draft.language
    if kept.state in {DraftState.SUBMITTED, DraftState.PENDING}:
        return f"{name} ({language}) is on its way to WhatsApp; you are told when it is decided."
    return (
        f"{name} ({language}) is a draft, which WhatsApp does not have yet: /drip template draft"
        f" {name} shows it, /drip template submit {name} sends it."
    )


def in_language(asked: str, found: tuple[Template, ...], language: str | None) -> Template:
    """Return the one in *language*; None: the only one there is.

    Raises:
        NoSuchTemplate: It is not there in that language.
        ManyLanguages: There are several to choose from.
    """
    there = ", ".join(template.language for template in found)
    if language is None:
        if len(found) > 1:
            raise ManyLanguages(
                f"The template {found[0].name} is there in {there}: add language="
                f"{found[0].language}, or another of them."
            )
        return found[0]
    for template in found:
        if template.language.lower() == language.lower():
            return template
    raise NoSuchTemplate(
        f"There is no template {names.echoed(asked)} in {language}: it is there in {there};"
        f" write language={found[0].language}."
    )

"""Which import somebody means by its file, or by the beginning of it."""

from collections.abc import Collection
from typing import Final

from bot.slack.clicks import Value
from bot.slack.desk import Desk
from bot.slack.registry import Context
from bot.slack.requests import Click
from engine import names
from engine.ids import ImportId
from engine.names import Ambiguous, NoMatch, One
from engine.refusal import Refusal
from storage import imports
from storage.imports import Import, State

_LOOKED_AT: Final = 200
_OFFERED: Final = 5


class NoSuchImport(Refusal):
    """No import, or several, are called so; the message says which."""


def import_clicked(click: Click) -> ImportId:
    """Return the import a button is about.

    Raises:
        NoSuchImport: The button is none of ours.
    """
    value = Value.parse(click.value)
    if value is None or value.id is None:
        raise NoSuchImport("There is no such import.")
    return ImportId(value.id)


async def recent_imports(desk: Desk, context: Context) -> dict[str, Import]:
    """Return the last imports by what they are called, the latest first: file, day and time."""
    zone = desk.config.organizations[context.organization].timezone
    found = await desk.database.run(
        context.organization, context.at, lambda unit: imports.recent(unit, limit=_LOOKED_AT)
    )
    called: dict[str, Import] = {}
    for each in found:
        label = f"{names.cleaned(each.name)} {each.created_at.astimezone(zone):%Y-%m-%d %H:%M}"
        # Two of one name in one minute: the earlier one is told apart by its number.
        called[label if label not in called else f"{label} #{each.id}"] = each
    return called


def meant_import(given: str, recent: dict[str, Import], *, rather: Collection[State]) -> Import:
    """Return the import that a file or the beginning of one means.

    Args:
        rather: The states a name alone means where there is one such.

    Raises:
        NoSuchImport: None, or several.
    """
    by_state = {label: each for label, each in recent.items() if each.state in rather}
    for known in (by_state, recent):
        match names.match_name(given, known):
            case One(name=name):
                return known[name]
            case Ambiguous(names=several):
                listed = ", ".join(repr(each) for each in several[:_OFFERED])
                raise NoSuchImport(f"{given[:80]!r} may be {listed}: write more of it.")
            case NoMatch():
                continue
    raise NoSuchImport(f"There is no import {given[:80]!r}. /drip import list shows the last ones.")

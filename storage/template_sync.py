"""What the platform lists, taken over as it is: templates, and the state of our numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.ids import NumberId
from engine.phone import Phone
from engine.templates import Template
from storage.database import Unit
from storage.queries import load

_SQL = load("template_sync")


async def save_templates(
    unit: Unit,
    *,
    listed: Sequence[tuple[Template, Mapping[str, object]]],
    as_of: datetime | None = None,
) -> None:
    """Add and update templates; each comes with the platform's own item.

    Args:
        as_of: When the platform was asked: what it said since stays. None: now.
    """
    keys = {
        "ids": [template.id for template, _ in listed],
        "names": [template.name for template, _ in listed],
        "languages": [template.language for template, _ in listed],
    }
    await unit.run(_SQL["retire_remade"], **keys)
    await unit.run(
        _SQL["save_templates"],
        **keys,
        categories=[template.category for template, _ in listed],
        statuses=[template.status for template, _ in listed],
        qualities=[template.quality or "UNKNOWN" for template, _ in listed],
        contents=[dict(item) for _, item in listed],
        as_of=as_of or unit.at,
    )


async def retire_absent(unit: Unit, *, ids: Sequence[str], as_of: datetime) -> int:
    """Mark what was not among *ids* at *as_of* as gone; return how many that were."""
    return await unit.run(_SQL["retire_absent"], ids=ids, as_of=as_of)


async def save_number(
    unit: Unit,
    *,
    number: NumberId,
    phone: Phone,
    messages_per_second: int | None,
    quality: str | None,
    messaging_limit: str | None,
    verified_name: str | None,
    account: Mapping[str, object],
) -> None:
    await unit.run(
        _SQL["save_number"],
        id=number,
        phone=phone,
        messages_per_second=messages_per_second,
        quality=(quality or "unknown").lower(),
        messaging_limit=messaging_limit,
        verified_name=verified_name,
        account=dict(account),
    )


async def know_organization(unit: Unit) -> None:
    await unit.run(_SQL["know_organization"])


async def task_done(
    unit: Unit, *, name: str, begun: datetime, result: Mapping[str, object]
) -> None:
    """Note that a task begun at *begun* is done; what was asked for since stays asked for."""
    await unit.run(_SQL["task_done"], name=name, begun=begun, result=dict(result))


async def task_wanted(unit: Unit, *, name: str, since: datetime, again: datetime) -> None:
    """Ask for a task unless it was done since *since* or is asked for already.

    Args:
        again: One that met a problem is tried again if that was before.
    """
    await unit.run(_SQL["task_wanted"], name=name, since=since, again=again)

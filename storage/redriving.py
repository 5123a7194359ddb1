"""What ended dead of a campaign: listed with its reasons, and tried anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.campaign import Kind, State, Type
from engine.campaign_types import MEANINGS
from engine.consent import FIELD, Consent
from engine.errand import CHANGED
from engine.ids import CampaignId, ContactId, MessageId, StepId
from engine.message import State as MessageState
from engine.reasons import Reason
from engine.redrive import Candidate, Obstacle, obstacle
from storage import audit, effects, messages
from storage.database import Unit
from storage.messages import Row
from storage.queries import load

_SQL = load("redriving")

_LOOKED_THROUGH: Final = 10_000
MESSAGES: Final = "messages"
"""Under this the messages tried anew are counted; contacts under `CHANGED`."""

_RUNNING: Final = frozenset({State.ACTIVE, State.RUNNING, State.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Why so many messages ended dead; *code* None: the platform named none."""

    reason: Reason
    code: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A message that ended dead.

    Attributes:
        error: The platform's own words; None: there were none.
        attempt: Calls made.
    """

    id: MessageId
    contact_id: ContactId
    step_id: StepId
    reason: Reason
    code: int | None
    error: str | None
    attempt: int
    settled_at: datetime
    name: str | None
    phone: str | None


async def reasons(unit: Unit, *, campaign: CampaignId) -> list[Ended]:
    """Return why messages ended dead, the most frequent first."""
    rows = await unit.rows(_SQL["reasons"], campaign=campaign)
    return [
        Ended(reason=Reason(row["reason"]), code=row["code"], count=row["count"]) for row in rows
    ]


async def waiting(unit: Unit, *, campaign: CampaignId) -> list[tuple[int | None, int]]:
    """Return by which codes messages failed that wait to be tried again, with their numbers.

    Of the next ten thousand of each number that wait: there may be a million.
    """
    rows = await unit.rows(_SQL["waiting"], campaign=campaign, limit=_LOOKED_THROUGH)
    return [(row["code"], row["count"]) for row in rows]


async def page(
    unit: Unit, *, campaign: CampaignId, limit: int, before: MessageId | None = None
) -> list[Dead]:
    """Return what ended dead, the latest planned first; *before*: only what was planned before."""
    rows = await unit.rows(_SQL["page"], campaign=campaign, limit=limit, before=before)
    return [Dead(**{**dict(row), "reason": Reason(row["reason"])}) for row in rows]


async def choosable(
    unit: Unit, *, campaign: CampaignId, type_: Type, contacts: Sequence[ContactId] | None
) -> list[ContactId]:
    """Return of *contacts* (None: of all) those with something that may be tried anew."""
    rows = await unit.rows(
        _SQL["choosable"],
        campaign=campaign,
        contacts=contacts,
        promotional=MEANINGS[type_].promotional,
    )
    return [row["contact_id"] for row in rows]


async def redrive(
    unit: Unit, *, campaign: CampaignId, contacts: Sequence[ContactId], by: str
) -> Counter[str]:
    """Queue what ended dead for *contacts* with all its retries before it again.

    Enrollments stay where they are; a completed broadcast runs again until nothing of it is open.

    Returns contacts under `CHANGED`, messages under `MESSAGES`, and those left out by
    `engine.redrive.obstacle`.
    """
    known = await unit.row(_SQL["lock_campaign"], campaign=campaign)
    over = known is None or State(known["state"]) not in _RUNNING | {State.COMPLETED}
    if known is None or over:
        ids = await _dead(unit, campaign, contacts)
        return Counter({Obstacle.OVER.value: len(ids)} if ids else {})
    people = await _people(unit, contacts)
    rows = await messages.locked(unit, await _dead(unit, campaign, contacts))
    counts: Counter[str] = Counter()
    again: list[Row] = []
    promotional = MEANINGS[Type(known["type"])].promotional
    for row, candidate in await _candidates(unit, rows, people):
        against = obstacle(candidate, promotional=promotional)
        if against is None:
            again.append(row)
        else:
            counts[against.value] += 1
    if not again:
        return counts
    changes = [(row, row.with_message(row.message.tried_anew(at=unit.at))) for row in again]
    # Before the statistics, behind which no message may be locked.
    await unit.run(_SQL["begin_anew"], ids=[row.message.id for row in again])
    if known["state"] == State.COMPLETED and Kind(known["kind"]) is Kind.BROADCAST:
        await unit.run(_SQL["reopen"], campaign=campaign)
    await messages.save(unit, changes, campaigns={campaign: known["state"]})
    counts[MESSAGES] = len(again)
    counts[CHANGED] = len({row.contact_id for row in again})
    await effects.tell_staff(unit, kind="campaign_retried", campaign=campaign, content={"by": by})
    await audit.note(
        unit,
        actor=by,
        action="messages.retry",
        subject=f"{known['kind']}:{campaign}",
        content=dict(counts),
    )
    return counts


async def _dead(unit: Unit, campaign: CampaignId, contacts: Sequence[ContactId]) -> list[MessageId]:
    found = await unit.rows(_SQL["dead_of"], campaign=campaign, contacts=list(contacts))
    return [row["id"] for row in found]


async def _people(
    unit: Unit, contacts: Sequence[ContactId]
) -> Mapping[ContactId, tuple[Consent, bool]]:
    """Return by contact its consent, and whether its country is banned."""
    rows = await unit.rows(_SQL["lock_contacts"], contacts=list(contacts))
    return {
        row["id"]: (Consent(**{name: row[name] for name in FIELD.values()}), row["banned"])
        for row in rows
    }


async def _candidates(
    unit: Unit,
    rows: Mapping[MessageId, Row],
    people: Mapping[ContactId, tuple[Consent, bool]],
) -> list[tuple[Row, Candidate]]:
    facts = {row["id"]: row for row in await unit.rows(_SQL["facts"], ids=list(rows))}
    gone = Consent(erased_at=unit.at), False
    return [
        (
            row,
            Candidate(
                dead=row.message.state is MessageState.DEAD,
                reason=row.message.reason,
                run=facts[id_]["run"],
                elsewhere=facts[id_]["elsewhere"],
                consent=consent,
                banned=banned,
            ),
        )
        for id_, row in rows.items()
        for consent, banned in [people.get(row.contact_id, gone)]
    ]

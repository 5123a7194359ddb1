"""Who is in an audience now, and who of them may be written to."""

from collections.abc import Collection, Sequence
from datetime import datetime

from engine.audience import Audience
from engine.campaign import Campaign
from engine.campaign_ports import Reach
from engine.campaign_types import MEANINGS
from engine.content import Content
from engine.gate import SERVICE_WINDOW
from engine.ids import CampaignId, ContactId
from engine.phone import Phone, with_twins
from engine.reasons import Reason
from engine.rendering import Rendering, needed
from engine.segment import Definition
from engine.sending_rules import SendingRules
from storage import members
from storage.database import Unit
from storage.queries import load

_SQL = load("audiences")


async def contacts(unit: Unit, *, audience: Audience) -> list[ContactId]:
    """Return the contacts of an audience, sorted."""
    return await members.members(unit, definition=_definition(audience))


async def includes(unit: Unit, *, audience: Audience, contact: ContactId) -> bool:
    """Whether a contact is in an audience now."""
    found = await members.among(unit, definition=_definition(audience), contacts=[contact])
    return bool(found)


async def reach(unit: Unit, *, audience: Audience, promotional: bool) -> Reach:
    """Return whom an audience reaches, by the consent of this moment."""
    last = await members.last_contact(unit)
    counts = await members.reach(unit, definition=_definition(audience), promotional=promotional)
    return Reach(
        recipients=counts.pop(None, 0),
        left_out={reason: counts[reason] for reason in sorted(filter(None, counts))},
        last_contact=last,
        strangers=await strangers(unit, phones=audience.phones),
    )


async def unsaid(
    unit: Unit,
    *,
    campaign: Campaign,
    content: Content,
    rules: SendingRules,
    due_at: datetime,
) -> dict[Reason, int]:
    """Return to how many of a broadcast's audience only *content* itself cannot go, by why.

    They lack a value it asks for, have not written within the service window, or have had so many
    promotional messages lately that it would be too late.

    Args:
        due_at: When it goes out.
    """
    tokens, free_form = needed([content]), Rendering.of(content).free_form
    promotional = MEANINGS[campaign.type].promotional
    deadline, cap = rules.deadline_of(campaign.settings), rules.frequency_cap
    waits = promotional and deadline is not None and (rules.cooldown or cap)
    if not (tokens or free_form or waits):
        return {}
    numbers = rules.number_ids
    return await members.unsaid(
        unit,
        definition=_definition(campaign.audience or Audience()),
        campaign=campaign.id,
        promotional=promotional,
        active=campaign.excluded.active,
        recent=campaign.excluded.recent,
        promoted_since=unit.at - rules.cooldown,
        tokens=tokens,
        due_at=due_at,
        deadline_at=None if deadline is None else due_at + deadline,
        cooldown_s=int(rules.cooldown.total_seconds()),
        cap_count=cap.count if cap else 0,
        cap_s=int(cap.span.total_seconds()) if cap else 0,
        free_form=free_form,
        number=campaign.number_id if campaign.number_id in numbers else None,
        numbers=numbers,
        standard_number=numbers[0],
        written_since=due_at - SERVICE_WINDOW,
    )


async def freeze(unit: Unit, *, campaign: CampaignId, audience: Audience, up_to: ContactId) -> None:
    """Keep whom a broadcast is for as of now, for planning to take slice by slice.

    All contacts up to the last need no keeping: nobody leaves them.
    """
    if not audience.everyone:
        await members.freeze(unit, campaign=campaign, definition=_definition(audience), up_to=up_to)


async def lacking(unit: Unit, *, audience: Audience, tokens: Sequence[str]) -> dict[str, int]:
    """Return how many of an audience have no value for each of *tokens*; none of them zero."""
    return await members.lacking(unit, definition=_definition(audience), tokens=tokens)


async def strangers(unit: Unit, *, phones: Sequence[Phone]) -> tuple[Phone, ...]:
    """Return those of *phones* that no contact has."""
    if not phones:
        return ()
    known = await members.known_phones(unit, phones=with_twins(phones))
    return tuple(phone for phone in phones if known.isdisjoint(with_twins([phone])))


def _definition(audience: Audience) -> Definition:
    # Nothing in a <who> is a day; segments in it have zones of their own.
    return Definition(where=audience.condition, zone="UTC")


class ContactAttributes:
    """`engine.campaign_ports.Attributes`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def names(self) -> Collection[str]:
        return [row["name"] for row in await self.unit.rows(_SQL["attributes"])]

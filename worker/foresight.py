"""What importing a file would set off: counted for its rows while they are judged."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from engine.audience_verdict import Judged, Verdict
from engine.automation import Automation, Enroll, Kind, kind_of
from engine.automation_foresight import Standing, foresee
from engine.ids import CampaignId, ContactId
from engine.phone import Phone
from storage import automations, enrollments, tags
from storage.database import Unit
from storage.enrollments import Outcome


async def foreseen(
    unit: Unit, judged: Sequence[Judged], known: Mapping[Phone, ContactId]
) -> Counter[CampaignId]:
    """Return how many enrollments importing *judged* would lead to, by campaign."""
    live = [each.automation for each in await automations.live(unit)]
    targets = {each.action.campaign for each in live if isinstance(each.action, Enroll)}
    if not targets or not any(_set_off_by_a_file(each) for each in live):
        return Counter()
    drips = await automations.drips(unit, campaigns=targets)
    rows = [
        (each, known.get(each.row.phone))
        for each in judged
        if each.verdict.imports and each.row.phone is not None
    ]
    there = sorted({contact for _, contact in rows if contact is not None})
    standings = await _standings(unit, there, drips)
    total: Counter[CampaignId] = Counter()
    for judgement, contact in rows:
        total += foresee(
            created=judgement.verdict is Verdict.NEW,
            gets=judgement.row.person.tags,
            standing=_STRANGER if contact is None else standings[contact],
            at=unit.at,
            automations=live,
            drips=drips,
        )
    return total


async def _standings(
    unit: Unit, there: Sequence[ContactId], drips: Collection[CampaignId]
) -> Mapping[ContactId, Standing]:
    had = await tags.of(unit, contacts=there)
    within = await enrollments.of_contacts(unit, contacts=there)
    barred: dict[ContactId, set[CampaignId]] = {each: set() for each in there}
    for campaign in sorted(drips):
        outcomes = await enrollments.outcomes(unit, campaign=campaign, contacts=there)
        for outcome, contacts in outcomes.items():
            if outcome not in _NOT_OF_CONSENT:
                for each in contacts:
                    barred[each].add(campaign)
    return {
        each: Standing(
            tags=had.get(each, ()),
            been=[campaign for campaign, _ in within.get(each, ())],
            running=[campaign for campaign, running in within.get(each, ()) if running],
            barred=barred[each],
        )
        for each in there
    }


_STRANGER: Final = Standing()
_NOT_OF_CONSENT: Final = frozenset({Outcome.ENROLLED, Outcome.ALREADY, Outcome.ELSEWHERE})


def _set_off_by_a_file(automation: Automation) -> bool:
    return kind_of(automation.trigger) in {Kind.CONTACT_CREATED, Kind.TAG_ADDED}

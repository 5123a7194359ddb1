"""May it go: every message of one claim before the gate, and beside the others of its contact."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from engine import gate
from engine.campaign_types import MEANINGS
from engine.ids import CampaignId, ContactId, StepId
from engine.payloads import Unsendable
from engine.personalise import Missing
from engine.places import Cap
from engine.reasons import Reason
from engine.sending_rules import SendingRules
from storage import overlaps, sending
from storage.database import Unit
from storage.sending import ClaimNote, Due, OpenCampaign, Promotion
from worker.claimed import Call, Go, call
from worker.places import Taking
from worker.saying import Said, Saying
from worker.wording import Wording

_OUTRANKED = timedelta(minutes=1)
"""A contact's message waits so long for one of a higher priority that is due as well."""

_LATER = timedelta(microseconds=1)
"""Between two notes on a contact: as little as the database tells apart."""

Campaigns = Mapping[CampaignId, OpenCampaign]


class Judge:
    """The judge of one claim, made at its business time."""

    def __init__(
        self,
        rules: SendingRules,
        saying: Saying,
        campaigns: Campaigns,
        *,
        at: datetime,
        places: Taking,
    ) -> None:
        self.rules = rules
        self.saying = saying
        self.campaigns = campaigns
        self.at = at
        self.places = places
        self._in_others: Mapping[CampaignId, Collection[ContactId]] = {}
        self._outranked: Mapping[int, Collection[ContactId]] = {}
        self._promotional = {
            id_: MEANINGS[each.type].promotional for id_, each in campaigns.items()
        }
        # Thousands of contacts share a few zones.
        self._openings: dict[tuple[StepId, str | None], tuple[datetime, datetime | None]] = {}

    async def look(self, unit: Unit, due: Sequence[Due]) -> None:
        """Look up what decides about *due* and is not of one message alone."""
        self._in_others = await self._found_elsewhere(unit, due)
        self._outranked = await self._found_outranked(unit, due)

    def judged(
        self, due: Iterable[Due], *, generation: int
    ) -> Iterable[tuple[Due, Call | gate.Defer | gate.Skip | Cap]]:
        """Yield each of *due* with its call, or with what became of it instead.

        That is a limit on contacts where there is no place under it.
        """
        notes: dict[ContactId, list[ClaimNote]] = defaultdict(list)
        for one in due:
            verdict: Call | gate.Defer | gate.Skip | Cap
            before = notes[one.message.contact_id]
            match self._verdict(one, before):
                case Go() as go:
                    verdict = self._called(one, go, before, generation=generation)
                    if isinstance(verdict, Call):
                        before.append(verdict.note)
                case gate.Defer() | gate.Skip() as verdict:
                    pass
            yield one, verdict

    def _called(
        self, due: Due, go: Go, before: Sequence[ClaimNote], *, generation: int
    ) -> Call | gate.Skip | Cap:
        caps: tuple[Cap, ...] = ()
        counting = self.places.counting(due)
        if counting:
            lacking = self.places.lacking(due, counting)
            if lacking is not None:
                return lacking
            caps = tuple(each.cap for each in counting)
        note = self._note(due, go, before)
        try:
            made = call(due, go, note=note, at=self.at, generation=generation, caps=caps)
        except Unsendable:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        for each in counting:
            each.take(due.message.contact_id)
        return made

    def _note(self, due: Due, go: Go, before: Sequence[ClaimNote]) -> ClaimNote:
        """Return what the contact's next message in this claim writes on it.

        Args:
            before: What those before it wrote.
        """
        recipient = due.recipient
        message_at = before[-1].at if before else recipient.last_message_at
        promoted_at, promoted_by = recipient.promoted_at, recipient.promoted_campaign_id
        for note in before:
            if note.promotion is not None:
                promoted_at, promoted_by = note.at, note.promotion.campaign_id
        at = self.at
        if message_at is not None and message_at >= at:
            at = message_at + _LATER
        if promoted_at is not None and promoted_at >= at:
            at = promoted_at + _LATER
        promotion = None
        if go.promotes is not None:
            promotion = Promotion(go.promotes, promoted_at, promoted_by)
        return ClaimNote(due.message.contact_id, at, message_at, promotion)

    def _verdict(self, due: Due, before: Sequence[ClaimNote]) -> Go | gate.Defer | gate.Skip:
        if due.message.campaign_id is None:
            return self._outside_campaigns(due)
        campaign = self.campaigns[due.message.campaign_id]
        said = self.saying.of_campaign(due, campaign, self.at)
        if isinstance(said, gate.Skip):
            return said
        decision = gate.decide(
            self._candidate(due, campaign, said),
            at=self.at,
            cooldown=self.rules.cooldown,
            cap=self.rules.frequency_cap,
        )
        if not isinstance(decision, gate.Send):
            return decision
        wording = self.saying.ready(said.phrase, self.at)
        if not isinstance(wording, Wording):
            return wording
        if not self._promotional[campaign.id]:
            return Go(wording, decision.until)
        yielded = self._yields(due, campaign, before)
        return yielded or Go(wording, decision.until, campaign.id)

    def _outside_campaigns(self, due: Due) -> Go | gate.Defer | gate.Skip:
        """Judge a confirmation, which answers a STOP too, or what staff sent to one contact."""
        if due.content is not None:
            against = due.recipient.consent.against(promotional=False)
            if against is not None:
                return gate.Skip(reason=against)
        phrase = self.saying.outside_campaigns(due)
        ready = phrase if isinstance(phrase, gate.Skip) else self.saying.ready(phrase, self.at)
        return Go(wording=ready) if isinstance(ready, Wording) else ready

    def _candidate(self, due: Due, campaign: OpenCampaign, said: Said) -> gate.Candidate:
        recipient = due.recipient
        opens_at, closes_at = self._opening(due, campaign, said)
        return gate.Candidate(
            campaign_id=campaign.id,
            promotional=self._promotional[campaign.id],
            consent=recipient.consent,
            addressed=bool(recipient.phone or recipient.bsuid),
            banned=campaign.banned.reaches(recipient.phone),
            deadline_at=None if due.deadline_at is None else due.deadline_at + campaign.held,
            run=due.run,
            promoted_at=recipient.promoted_at,
            promoted_campaign_id=recipient.promoted_campaign_id,
            promoted_ats=recipient.promoted_ats,
            last_inbound_at=recipient.last_inbound_at,
            free_form=said.free_form,
            missing=isinstance(said.phrase, Missing),
            opens_at=opens_at,
            closes_at=closes_at,
            exclude=campaign.excluded,
            elsewhere=due.message.contact_id in self._in_others.get(campaign.id, ()),
            restored=campaign.leaves_out(due.record["due_at"]),
        )

    def _opening(
        self, due: Due, campaign: OpenCampaign, said: Said
    ) -> tuple[datetime, datetime | None]:
        key = due.message.step_id, due.recipient.timezone
        known = self._openings.get(key)
        if known is None:
            zone = self.rules.zone_of(due.recipient.timezone)
            window = self.rules.hours_of(said.words.settings_over(campaign.settings))
            known = window.opens(self.at, zone), window.closes(self.at, zone)
            self._openings[key] = known
        return known

    # Beside the contact's other messages

    def _yields(
        self, due: Due, campaign: OpenCampaign, before: Sequence[ClaimNote]
    ) -> gate.Defer | None:
        """Put a promotional message off for another one to the same contact; None: it may go."""
        if before and self._taken(campaign.id, before):
            # Another message to the same contact is in this very claim.
            return gate.Defer(until=self.at + timedelta(seconds=1), reason=Reason.COOLDOWN)
        if due.message.contact_id in self._outranked.get(campaign.priority, ()):
            return gate.Defer(until=self.at + _OUTRANKED, reason=Reason.COOLDOWN)
        return None

    def _taken(self, campaign: CampaignId, before: Sequence[ClaimNote]) -> bool:
        """Whether this claim has a promotional message that keeps another from the contact."""
        promoted = [note.promotion.campaign_id for note in before if note.promotion is not None]
        if self.rules.frequency_cap is not None:
            return bool(promoted)
        return bool(self.rules.cooldown) and any(each != campaign for each in promoted)

    async def _found_outranked(
        self, unit: Unit, due: Sequence[Due]
    ) -> dict[int, frozenset[ContactId]]:
        """Return by priority for whom something promotional of a higher one is due as well.

        It would win if both were looked at together; a quota must not turn that around.
        """
        if not self.rules.cooldown and self.rules.frequency_cap is None:
            return {}
        ranked: dict[int, list[CampaignId]] = defaultdict(list)
        for each in self.campaigns.values():
            if MEANINGS[each.type].promotional:
                ranked[each.priority].append(each.id)
        found: dict[int, frozenset[ContactId]] = {}
        for priority, own in sorted(ranked.items()):
            higher = [each for other, ids in ranked.items() if other > priority for each in ids]
            contacts = sorted({m.contact_id for m, *_ in due if m.campaign_id in own})
            if higher and contacts:
                found[priority] = await sending.outranked(unit, contacts=contacts, campaigns=higher)
        return found

    async def _found_elsewhere(
        self, unit: Unit, due: Sequence[Due]
    ) -> dict[CampaignId, frozenset[ContactId]]:
        """Return who is in another drip, for campaigns that leave such contacts out."""
        found: dict[CampaignId, frozenset[ContactId]] = {}
        for each in self.campaigns.values():
            if not each.excluded.active:
                continue
            contacts = sorted({m.contact_id for m, *_ in due if m.campaign_id == each.id})
            if contacts:
                found[each.id] = await overlaps.elsewhere(unit, contacts=contacts, campaign=each.id)
        return found

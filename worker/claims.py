"""One claim: what is due on a number, through taps and gate, claimed in one transaction."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil

import orjson
import structlog

from engine import gate
from engine.campaign_types import MEANINGS
from engine.content import (
    Content,
    Media,
    TemplateMessage,
    Text,
    UnreadableContent,
    from_json,
    library_file,
    with_file_id,
)
from engine.holding import held_by
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, EnrollmentId, MessageId, StepId
from engine.message import State, callback_data, hour_of
from engine.payloads import Unsendable, message_payload
from engine.personalise import InvalidText, Missing
from engine.phone import Phone
from engine.reasons import Reason
from engine.rendering import Rendering, values_of
from engine.sending_rules import NumberRule, SendingRules
from engine.step_words import StepWords
from storage import leases, media, messages, overlaps, sending
from storage.database import Unit
from storage.leases import Lease
from storage.messages import Row
from storage.sending import (
    AHEAD,
    REPLIES,
    ClaimNote,
    Due,
    OpenCampaign,
    Promotion,
    Recipient,
    StepContent,
)

_HOURLY = "messages_per_hour"
FILE_PAUSE = timedelta(seconds=5)
"""A message whose file has no id on the number yet is looked at again after it."""
_OUTRANKED = timedelta(minutes=1)
"""A contact's message waits so long for one of a higher priority that is due as well."""

log = structlog.get_logger()


class LeaseMoved(Exception):
    """Another process holds the lane now; nothing may be claimed or started under the old lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message claimed and ready to be posted.

    Attributes:
        body: The JSON of the call.
        until: Given back to the queue if not started by then (business time); None: no limit.
        starts_at: Not to be started before (business time): its campaign's rate says so.
        priority: Replies and confirmations, which go first and are not paced.
        template: Name and language, if it is one.
        file_id: The platform's, of a file it sends; None: it sends none, or a link.
        generation: Of the lease it was claimed under.
        earlier_message_at: When the contact had last been written to before this claim.
        promotion: What the claim noted on the contact; None: the message is not promotional.
    """

    row: Row
    phone: Phone | None
    body: bytes
    until: datetime | None
    priority: bool
    template: tuple[str, str] | None
    generation: int
    claimed_at: datetime
    starts_at: datetime
    earlier_message_at: datetime | None = None
    promotion: Promotion | None = None
    file_id: str | None = None

    @property
    def note(self) -> ClaimNote:
        """What its claim wrote on the contact."""
        return ClaimNote(
            contact_id=self.row.contact_id,
            claimed_at=self.claimed_at,
            earlier_message_at=self.earlier_message_at,
            promotion=self.promotion,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim came to.

    Attributes:
        settled: How many rows were left out or put off instead.
    """

    calls: tuple[Call, ...] = ()
    settled: int = 0


class Claims:
    """Claims of one number. Keeps what campaigns say between claims, and whose turn it is."""

    def __init__(self, rules: SendingRules, number: NumberRule) -> None:
        self.rules = rules
        self.number = number
        self._renderings: dict[tuple[CampaignId, int], dict[StepId, StepWords | None]] = {}
        self._credits: dict[CampaignId, float] = {}
        self._files: Mapping[str, str | None] = {}
        self._wanted_files: set[str] = set()
        self._in_others: dict[CampaignId, frozenset[ContactId]] = {}
        self._openings: dict[tuple[Hours, str | None], tuple[datetime, datetime | None]] = {}

    async def claim(self, unit: Unit, lease: Lease, *, room: int, replies: int) -> Claimed:
        """Claim up to *room* campaign messages and *replies* others under *lease*.

        Raises:
            LeaseMoved: The lane is somebody else's.
        """
        held = await leases.hold(unit, lease)
        if held is None:
            raise LeaseMoved
        if (await sending.number_state(unit, number=self.number.id)).closed:
            return Claimed()
        room = await self._allowed(unit, held.paced_until, room)
        campaigns = await sending.open_campaigns(unit, number=self.number.id) if room else []
        quotas = await self._quotas(unit, campaigns, room)
        found = await sending.due(unit, number=self.number.id, quotas={REPLIES: replies, **quotas})
        due = self._cut(found, room)
        self._settle_turns(quotas, found, due)
        await self._know_contents(unit, campaigns)
        by_id = {campaign.id: campaign for campaign in campaigns}
        calls, settled = await self._through_the_gate(unit, lease, due, by_id)
        if calls:
            await self._take(unit, lease, calls, campaigns)
        return Claimed(calls=_in_slots(calls, by_id, unit.at), settled=settled)

    async def give_back(self, unit: Unit, calls: Sequence[Call]) -> None:
        """Return claimed messages whose call never started, and what their claim had reserved."""
        campaign_calls = [call for call in calls if call.row.campaign_id is not None]
        hours = {hour_of(call.claimed_at) for call in campaign_calls}
        if self.rules.messages_per_hour:
            for hour in sorted(hours):
                await sending.hour_used(unit, hour=hour)
        await sending.lock_reserved(
            unit,
            ids=[call.row.message.id for call in campaign_calls],
            contacts=[call.row.contact_id for call in calls],
        )
        by_generation: dict[int, dict[MessageId, int]] = defaultdict(dict)
        for call in calls:
            by_generation[call.generation][call.row.message.id] = call.row.message.attempt
        back: set[MessageId] = set()
        for generation, attempts in sorted(by_generation.items()):
            back |= await sending.give_back(unit, attempts=attempts, generation=generation)
        returned = [call for call in campaign_calls if call.row.message.id in back]
        # Of a contact's calls the promotional one noted more than the others.
        notes = {
            call.row.contact_id: call.note
            for call in sorted(calls, key=lambda call: call.promotion is not None)
            if call.row.message.id in back
        }
        if notes:
            await sending.forget_claimed(unit, notes=list(notes.values()))
        days = Counter((call.row.campaign_id, self._day(call.claimed_at)) for call in returned)
        for (campaign, day), count in sorted(days.items(), key=str):
            if campaign is not None:
                await sending.return_slots(unit, campaign=campaign, day_on=day, count=count)
        if self.rules.messages_per_hour:
            for hour, count in sorted(Counter(hour_of(c.claimed_at) for c in returned).items()):
                await sending.use_hour(unit, hour=hour, count=-count)
            if returned:
                await sending.open_organization(unit, why=_HOURLY)

    # How much

    async def _allowed(self, unit: Unit, paced_until: datetime | None, room: int) -> int:
        """Return for how many campaign messages of *room* the number and the hour leave place."""
        if await sending.organization_closed(unit):
            return 0
        if self.number.pace[1]:
            room = 0 if paced_until is not None and paced_until > unit.at else min(room, 1)
        limit = self.rules.messages_per_hour
        if not limit or not room:
            return room
        hour = hour_of(unit.at)
        left = limit - await sending.hour_used(unit, hour=hour)
        if left <= 0:
            await sending.close_organization(unit, until=hour + timedelta(hours=1), why=_HOURLY)
        return max(0, min(room, left))

    async def _quotas(
        self, unit: Unit, campaigns: Sequence[OpenCampaign], room: int
    ) -> dict[CampaignId, int]:
        """Share *room*, weighted by priority; what one did not get counts for it the next time."""
        allowed = {campaign.id: self._allowance(campaign, unit.at) for campaign in campaigns}
        for campaign in campaigns:
            if not allowed[campaign.id] and self._used_up(campaign, unit.at):
                # Somebody opened the tap by hand, or the cap was lowered.
                await self._reserve(unit, campaign, 0)
        sharing = [campaign for campaign in campaigns if allowed[campaign.id]]
        weight = sum(campaign.priority for campaign in sharing)
        self._credits = {
            campaign.id: min(
                float(room),
                self._credits.get(campaign.id, 0.0) + room * campaign.priority / weight,
            )
            for campaign in sharing
        }
        turns = sorted(self._credits, key=lambda campaign: (-self._credits[campaign], campaign))
        return {
            campaign: min(max(1, ceil(self._credits[campaign])), allowed[campaign])
            for campaign in turns
        }

    def _settle_turns(
        self, quotas: Mapping[CampaignId, int], found: Iterable[Due], due: Iterable[Due]
    ) -> None:
        waiting = Counter(one.row.campaign_id for one in found)
        taken = Counter(one.row.campaign_id for one in due)
        for campaign, quota in quotas.items():
            # Who had less waiting than it could have had saves nothing up.
            self._credits[campaign] = (
                self._credits[campaign] - taken[campaign] if waiting[campaign] >= quota else 0.0
            )

    def _cut(self, due: Sequence[Due], room: int) -> list[Due]:
        """Return replies, and of the rest as many as there is room for; the others stay queued."""
        kept: list[Due] = []
        for one in due:
            if one.row.campaign_id is not None:
                room -= 1
                if room < 0:
                    break
            kept.append(one)
        return kept

    def _allowance(self, campaign: OpenCampaign, at: datetime) -> int:
        allowed = 1 << 30
        rate = campaign.settings.rate
        if rate is not None:
            ahead = at + AHEAD - _first_slot(campaign, at)
            allowed = max(0, ahead // rate.interval + 1)
        if campaign.settings.per_day is not None:
            allowed = min(
                allowed, max(0, campaign.settings.per_day - self._used_today(campaign, at))
            )
        return allowed

    def _used_today(self, campaign: OpenCampaign, at: datetime) -> int:
        return campaign.day_count if campaign.day_on == self._day(at) else 0

    def _used_up(self, campaign: OpenCampaign, at: datetime) -> bool:
        per_day = campaign.settings.per_day
        return per_day is not None and self._used_today(campaign, at) >= per_day

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.rules.zone).date()

    # What they say

    async def _know_contents(self, unit: Unit, campaigns: Iterable[OpenCampaign]) -> None:
        wanted = {(campaign.id, campaign.version) for campaign in campaigns}
        for old in self._renderings.keys() - wanted:
            del self._renderings[old]
        versions = dict(wanted - self._renderings.keys())
        if not versions:
            return
        self._renderings |= {key: {} for key in versions.items()}
        for step in await sending.contents_of(unit, campaigns=list(versions)):
            key = (step.campaign_id, versions[step.campaign_id])
            self._renderings[key][step.step_id] = _words(step)

    async def _know_files(
        self, unit: Unit, due: Iterable[Due], campaigns: Mapping[CampaignId, OpenCampaign]
    ) -> None:
        """Look up the ids of the library's files that *due* messages send."""
        self._wanted_files.clear()
        files: set[str] = set()
        for one in due:
            if one.row.campaign_id is None:
                files |= _files_of(one.content)
                continue
            campaign = campaigns[one.row.campaign_id]
            words = self._renderings[campaign.id, campaign.version].get(one.row.step_id)
            if words is not None:
                files |= words.files
        self._files = await media.ids(unit, number=self.number.id, files=files) if files else {}

    # Who gets it

    async def _through_the_gate(
        self,
        unit: Unit,
        lease: Lease,
        due: Sequence[Due],
        campaigns: Mapping[CampaignId, OpenCampaign],
    ) -> tuple[list[Call], int]:
        self._openings.clear()
        due = list(due)
        await self._know_files(unit, due, campaigns)
        calls: list[Call] = []
        skipped: list[tuple[Row, Reason]] = []
        deferred: dict[MessageId, datetime] = {}
        promoted: dict[ContactId, CampaignId] = {}
        self._in_others = await self._elsewhere(unit, due, campaigns)
        outranked = await self._outranked(unit, due, campaigns)
        for one in due:
            match self._judge(one, campaigns, unit.at, lease, promoted, outranked):
                case Call() as call:
                    calls.append(call)
                case gate.Defer(until=until):
                    deferred[one.row.message.id] = until
                case gate.Skip(reason=reason):
                    skipped.append((one.row, reason))
        if self._wanted_files:
            await media.want(unit, number=self.number.id, files=self._wanted_files)
        if deferred:
            await sending.defer(unit, due_ats=deferred)
        left_out = await self._leave_out(unit, skipped) if skipped else 0
        return calls, len(deferred) + left_out

    async def _leave_out(self, unit: Unit, skipped: Sequence[tuple[Row, Reason]]) -> int:
        # Enrollments come before messages in the order of locks, and the claim has the messages.
        runs = sorted({EnrollmentId(row.run_id) for row, _ in skipped if row.enrolled})
        free = await sending.lock_enrollments_if_free(unit, ids=runs) if runs else frozenset()
        settled = [
            (row, row.with_message(row.message.ended(State.SKIPPED, at=unit.at, reason=reason)))
            for row, reason in skipped
            if not row.enrolled or row.run_id in free
        ]
        await messages.save(unit, settled)
        return len(settled)

    def _judge(
        self,
        due: Due,
        campaigns: Mapping[CampaignId, OpenCampaign],
        at: datetime,
        lease: Lease,
        promoted: dict[ContactId, CampaignId],
        outranked: Mapping[int, Collection[ContactId]],
    ) -> Call | gate.Defer | gate.Skip:
        if due.row.campaign_id is None:
            return self._outside_campaigns(due, at, lease)
        campaign = campaigns[due.row.campaign_id]
        renderings = self._renderings[campaign.id, campaign.version]
        if due.row.step_id not in renderings:
            return gate.Skip(reason=Reason.STEP_REMOVED)
        words = renderings[due.row.step_id]
        if words is None:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        rendering = words.for_window(due.recipient.last_inbound_at, at)
        content = rendering.filled(_values(due.recipient))
        candidate = self._candidate(due, campaign, words, rendering, content, at)
        decision = gate.decide(
            candidate, at=at, cooldown=self.rules.cooldown, cap=self.rules.frequency_cap
        )
        if not isinstance(decision, gate.Send):
            return decision
        if isinstance(content, Missing):
            return gate.Skip(reason=Reason.MISSING_VALUE)
        ready = self._with_file(content, at)
        if isinstance(ready, gate.Defer | gate.Skip):
            return ready
        content = ready
        contact = due.row.contact_id
        if not candidate.promotional:
            return _call(due, content, at=at, until=decision.until, lease=lease)
        if self._taken(campaign.id, contact, promoted):
            # Another message to the same contact is in this very claim.
            return gate.Defer(until=at + timedelta(seconds=1), reason=Reason.COOLDOWN)
        if contact in outranked.get(campaign.priority, ()):
            return gate.Defer(until=at + _OUTRANKED, reason=Reason.COOLDOWN)
        promotion = Promotion(
            contact_id=contact,
            campaign_id=campaign.id,
            claimed_at=at,
            earlier_at=due.recipient.promoted_at,
            earlier_campaign_id=due.recipient.promoted_campaign_id,
        )
        call = _call(due, content, at=at, until=decision.until, lease=lease, promotion=promotion)
        if isinstance(call, Call):
            promoted[contact] = campaign.id
        return call

    def _outside_campaigns(
        self, due: Due, at: datetime, lease: Lease
    ) -> Call | gate.Defer | gate.Skip:
        """Judge a confirmation, which answers a STOP too, or what staff sent to one contact."""
        if due.content is None:
            return _call(due, Text(body=due.body or ""), at=at, until=None, lease=lease)
        against = due.recipient.consent.against(promotional=False)
        if against is not None:
            return gate.Skip(reason=against)
        try:
            content = from_json(due.content)
        except UnreadableContent:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        ready = self._with_file(content, at)
        if isinstance(ready, gate.Defer | gate.Skip):
            return ready
        return _call(due, ready, at=at, until=None, lease=lease)

    def _with_file(self, content: Content, at: datetime) -> Content | gate.Defer | gate.Skip:
        """Put the number's id for a file of the library into *content*, or wait for one."""
        name = library_file(content)
        if name is None:
            return content
        if name not in self._files:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        file_id = self._files[name]
        if file_id is None:
            self._wanted_files.add(name)
            return gate.Defer(until=at + FILE_PAUSE)
        return with_file_id(content, file_id)

    def _taken(
        self, campaign: CampaignId, contact: ContactId, promoted: Mapping[ContactId, CampaignId]
    ) -> bool:
        """Whether this claim has a promotional message that keeps another from the contact."""
        if self.rules.frequency_cap is not None:
            return contact in promoted
        return bool(self.rules.cooldown) and promoted.get(contact, campaign) != campaign

    async def _outranked(
        self, unit: Unit, due: Sequence[Due], campaigns: Mapping[CampaignId, OpenCampaign]
    ) -> dict[int, frozenset[ContactId]]:
        """Return by priority for whom something promotional of a higher one is due as well.

        It would win if both were looked at together; a quota must not turn that around.
        """
        if not self.rules.cooldown and self.rules.frequency_cap is None:
            return {}
        ranked: dict[int, list[CampaignId]] = defaultdict(list)
        for each in campaigns.values():
            if MEANINGS[each.type].promotional:
                ranked[each.priority].append(each.id)
        found: dict[int, frozenset[ContactId]] = {}
        for priority, own in sorted(ranked.items()):
            higher = [each for other, ids in ranked.items() if other > priority for each in ids]
            contacts = sorted({one.row.contact_id for one in due if one.row.campaign_id in own})
            if higher and contacts:
                found[priority] = await sending.outranked(unit, contacts=contacts, campaigns=higher)
        return found

    async def _elsewhere(
        self, unit: Unit, due: Sequence[Due], campaigns: Mapping[CampaignId, OpenCampaign]
    ) -> dict[CampaignId, frozenset[ContactId]]:
        """Return who is in another drip, for campaigns that leave such contacts out."""
        found: dict[CampaignId, frozenset[ContactId]] = {}
        for each in campaigns.values():
            if not each.excluded.active:
                continue
            contacts = sorted({one.row.contact_id for one in due if one.row.campaign_id == each.id})
            if contacts:
                found[each.id] = await overlaps.elsewhere(unit, contacts=contacts, campaign=each.id)
        return found

    def _candidate(
        self,
        due: Due,
        campaign: OpenCampaign,
        words: StepWords,
        rendering: Rendering,
        content: Content | Missing,
        at: datetime,
    ) -> gate.Candidate:
        recipient = due.recipient
        opens_at, closes_at = self._opening(
            self.rules.hours_of(words.settings_over(campaign.settings)), recipient.timezone, at
        )
        return gate.Candidate(
            campaign_id=campaign.id,
            promotional=MEANINGS[campaign.type].promotional,
            consent=recipient.consent,
            addressed=bool(recipient.phone or recipient.bsuid),
            deadline_at=None if due.deadline_at is None else due.deadline_at + campaign.held,
            run=due.run,
            promoted_at=recipient.promoted_at,
            promoted_campaign_id=recipient.promoted_campaign_id,
            promoted_ats=recipient.promoted_ats,
            last_inbound_at=recipient.last_inbound_at,
            free_form=rendering.free_form,
            missing=isinstance(content, Missing),
            opens_at=opens_at,
            closes_at=closes_at,
            exclude=campaign.excluded,
            elsewhere=due.row.contact_id in self._in_others.get(campaign.id, ()),
        )

    def _opening(
        self, window: Hours, timezone: str | None, at: datetime
    ) -> tuple[datetime, datetime | None]:
        # Thousands of contacts share a few zones; the memory is of one claim.
        known = self._openings.get((window, timezone))
        if known is None:
            zone = self.rules.zone_of(timezone)
            known = self._openings[window, timezone] = (
                window.opens(at, zone),
                window.closes(at, zone),
            )
        return known

    # Taking them

    async def _take(
        self, unit: Unit, lease: Lease, calls: Sequence[Call], campaigns: Iterable[OpenCampaign]
    ) -> None:
        await sending.mark_claimed(
            unit,
            templates={call.row.message.id: call.template for call in calls},
            generation=lease.generation,
        )
        written: dict[ContactId, CampaignId | None] = {call.row.contact_id: None for call in calls}
        written |= {
            call.promotion.contact_id: call.promotion.campaign_id
            for call in calls
            if call.promotion is not None
        }
        if written:
            cap = self.rules.frequency_cap
            await sending.note_claimed(unit, campaigns=written, capped=cap.count if cap else 0)
        taken = Counter(call.row.campaign_id for call in calls)
        bulk = taken.total() - taken[None]
        if not bulk:
            return
        if self.rules.messages_per_hour:
            await sending.use_hour(unit, hour=hour_of(unit.at), count=bulk)
        if self.number.pace[1]:
            await leases.pace(unit, lease, until=unit.at + _gap(*self.number.pace))
        for campaign in campaigns:
            if taken[campaign.id]:
                await self._reserve(unit, campaign, taken[campaign.id])

    async def _reserve(self, unit: Unit, campaign: OpenCampaign, taken: int) -> None:
        settings = campaign.settings
        if settings.rate is None and settings.per_day is None:
            return
        next_slot_at = campaign.next_slot_at
        if settings.rate is not None and taken:
            next_slot_at = _first_slot(campaign, unit.at) + taken * settings.rate.interval
        count = taken + self._used_today(campaign, unit.at)
        used_up = settings.per_day is not None and count >= settings.per_day
        await sending.reserve_slots(
            unit,
            campaign=campaign.id,
            next_slot_at=next_slot_at,
            day_on=self._day(unit.at),
            day_count=count,
            closed_until=self.rules.day_after(unit.at) if used_up else None,
            held=held_by(
                taken,
                interval=None if settings.rate is None else settings.rate.interval,
                used_up=used_up,
            ),
        )


def _in_slots(
    calls: Iterable[Call], campaigns: Mapping[CampaignId, OpenCampaign], at: datetime
) -> tuple[Call, ...]:
    """Return *calls* with the moments at which their campaigns' rates let them start."""
    slots: Counter[CampaignId] = Counter()
    spread: list[Call] = []
    for call in calls:
        campaign = campaigns.get(call.row.campaign_id) if call.row.campaign_id else None
        if campaign is None or campaign.settings.rate is None:
            spread.append(call)
            continue
        place = slots[campaign.id]
        slots[campaign.id] += 1
        starts_at = _first_slot(campaign, at) + place * campaign.settings.rate.interval
        spread.append(replace(call, starts_at=starts_at))
    return tuple(spread)


def _first_slot(campaign: OpenCampaign, at: datetime) -> datetime:
    return max(campaign.next_slot_at or at, at)


def _gap(shortest: timedelta, longest: timedelta) -> timedelta:
    return shortest + (longest - shortest) * secrets.SystemRandom().random()


def _words(step: StepContent) -> StepWords | None:
    """Return what a step says; None: it cannot be read, and must not stop the others."""
    try:
        return StepWords.saying(
            from_json(step.content),
            fallback=None if step.fallback is None else from_json(step.fallback),
            hours=step.hours,
            days=step.days,
        )
    except (UnreadableContent, InvalidText):
        log.error("step.unreadable", step=step.step_id)  # noqa: TRY400 — its text may hold what logs must not
        return None


def _file_id(content: Content) -> str | None:
    sent = content.header if isinstance(content, TemplateMessage) else content
    return sent.ref.id if isinstance(sent, Media) else None


def _files_of(content: object) -> set[str]:
    if content is None:
        return set()
    try:
        name = library_file(from_json(content))
    except UnreadableContent:
        return set()  # left out where it is judged
    return set() if name is None else {name}


def _call(
    due: Due,
    content: Content,
    *,
    at: datetime,
    until: datetime | None,
    lease: Lease,
    promotion: Promotion | None = None,
) -> Call | gate.Skip:
    attempt = due.row.message.attempt + 1
    try:
        payload = message_payload(
            to=due.recipient.phone,
            bsuid=due.recipient.bsuid,
            content=content,
            callback_data=callback_data(due.row.message.id, attempt),
        )
    except Unsendable:
        return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
    return Call(
        row=due.row.with_message(due.row.message.claimed(attempt)),
        phone=due.recipient.phone,
        body=orjson.dumps(payload),
        until=until,
        priority=due.row.campaign_id is None,
        template=(content.name, content.language) if isinstance(content, TemplateMessage) else None,
        file_id=_file_id(content),
        generation=lease.generation,
        claimed_at=at,
        starts_at=at,
        earlier_message_at=due.recipient.last_message_at,
        promotion=promotion,
    )


def _values(recipient: Recipient) -> dict[str, str]:
    return values_of(
        name=recipient.name,
        first_name=recipient.first_name,
        company=recipient.company,
        email=recipient.email,
        phone=recipient.phone,
        attributes=recipient.attributes,
        properties=recipient.properties,
    )

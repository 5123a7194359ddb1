"""One claim: what is due on a number, through taps and gate, claimed in one transaction."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engine import gate
from engine.ids import CampaignId, EnrollmentId, MessageId
from engine.message import State, hour_of
from engine.places import Cap
from engine.reasons import Reason
from engine.sending_rules import NumberRule, SendingRules
from storage import leases, messages, sending
from storage.database import Unit
from storage.leases import Lease
from storage.messages import Row
from storage.sending import REPLIES, Due, OpenCampaign
from worker.claimed import Call, Claimed
from worker.judging import Judge
from worker.places import Limits, Taking
from worker.saying import Saying
from worker.slots import Slots, spread
from worker.turns import Turns, by_priority, cut

_HOURLY = "messages_per_hour"


class LeaseMoved(Exception):
    """Another process holds the lane now; nothing may be claimed or started under the old lease."""


class Claims:
    """Claims of one number. Keeps what campaigns say between claims, and whose turn it is."""

    def __init__(self, rules: SendingRules, number: NumberRule) -> None:
        self.rules = rules
        self.number = number
        self._saying = Saying(number.id)
        self._slots = Slots(rules)
        self._limits = Limits(rules)
        # The last claim that the pace counts from, and until when nothing may go; None: none yet.
        self._paced: tuple[datetime, datetime] | None = None
        self._turns = Turns()

    async def claim(self, unit: Unit, lease: Lease, *, room: int, replies: int) -> Claimed:
        """Claim up to *room* campaign messages and *replies* others under *lease*.

        Raises:
            LeaseMoved: The lane is somebody else's.
        """
        held = await sending.hold(unit, lease, number=self.number.id)
        if held is None:
            raise LeaseMoved
        state = held.number
        if state.closed:
            return Claimed(number=state)
        room = 0 if held.all_closed else await self._allowed(unit, held.paced_until, room)
        places = await self._limits.look(unit, state.messaging_limit)
        campaigns = await self._open_campaigns(unit, places) if room else []
        await self._slots.close_used_up(unit, campaigns)
        free = {campaign.id: self._slots.free(campaign, unit.at) for campaign in campaigns}
        quotas = self._turns.quotas(campaigns, free, room)
        if places.scarce(room):
            quotas = by_priority(campaigns, free, room)
        await self._saying.know_steps(unit, campaigns)
        found = await sending.due(
            unit,
            number=self.number.id,
            quotas={REPLIES: replies, **quotas},
            named=self._saying.names_attributes(),
        )
        due = cut(found, room)
        self._turns.taken(quotas, found, due)
        await self._limits.know(unit, places, due)
        calls, settled = await self._through_the_gate(unit, lease, due, campaigns, places)
        if calls:
            await self._take(unit, lease, calls, campaigns)
        by_id = {campaign.id: campaign for campaign in campaigns}
        return Claimed(calls=spread(calls, by_id, unit.at), settled=settled, number=state)

    async def give_back(self, unit: Unit, calls: Sequence[Call]) -> None:
        """Return claimed messages whose call never started, and what their claim had reserved."""
        campaign_calls = [call for call in calls if call.message.campaign_id is not None]
        hours = {hour_of(call.claimed_at) for call in campaign_calls}
        if self._paced is not None:
            paced_at, until = self._paced
            if any(call.claimed_at == paced_at for call in campaign_calls):
                # The gap before it has passed; the one after it is not to be waited for.
                await leases.unpace(unit, name=f"lane:{self.number.id}", until=until)
        if self.rules.messages_per_hour:
            for hour in sorted(hours):
                await sending.hour_used(unit, hour=hour)
        await self._limits.prepare(unit, calls)
        await sending.lock_reserved(
            unit,
            ids=[call.message.id for call in campaign_calls],
            contacts=[call.message.contact_id for call in calls],
        )
        by_generation: dict[int, dict[MessageId, int]] = defaultdict(dict)
        for call in calls:
            by_generation[call.generation][call.message.id] = call.message.attempt
        back: set[MessageId] = set()
        for generation, attempts in sorted(by_generation.items()):
            back |= await sending.give_back(unit, attempts=attempts, generation=generation)
        returned = [call for call in campaign_calls if call.message.id in back]
        notes = [call.note for call in calls if call.message.id in back]
        if notes:
            await sending.forget_claimed(unit, notes=notes)
        await self._limits.give_back(unit, [c for c in calls if c.message.id in back])
        days = Counter(
            (call.message.campaign_id, self._slots.day(call.claimed_at)) for call in returned
        )
        for (campaign, day_on), count in sorted(days.items(), key=str):
            if campaign is not None:
                await sending.return_slots(unit, campaign=campaign, day_on=day_on, count=count)
        if self.rules.messages_per_hour:
            for hour, count in sorted(Counter(hour_of(c.claimed_at) for c in returned).items()):
                await sending.use_hour(unit, hour=hour, count=-count)
            if returned:
                await sending.open_organization(unit, why=_HOURLY)

    # How much

    async def _allowed(self, unit: Unit, paced_until: datetime | None, room: int) -> int:
        """Return for how many campaign messages of *room* the number and the hour leave place."""
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

    async def _open_campaigns(self, unit: Unit, places: Taking) -> list[OpenCampaign]:
        # Locked to be changed, because the claim closes the taps of those that find no place.
        counted = bool(places.limits)
        return await sending.open_campaigns(unit, number=self.number.id, counted=counted)

    # Who gets it

    async def _through_the_gate(
        self,
        unit: Unit,
        lease: Lease,
        due: Sequence[Due],
        campaigns: Sequence[OpenCampaign],
        places: Taking,
    ) -> tuple[list[Call], int]:
        """Return the calls of *due*, and how many were left out or put off instead."""
        by_id = {campaign.id: campaign for campaign in campaigns}
        await self._saying.know_files(unit, due, by_id)
        judge = Judge(self.rules, self._saying, by_id, at=unit.at, places=places)
        await judge.look(unit, due)
        calls: list[Call] = []
        skipped: list[tuple[Row, Reason]] = []
        deferred: dict[MessageId, datetime] = {}
        for one, verdict in judge.judged(due, generation=lease.generation):
            match verdict:
                case Call() as call:
                    calls.append(call)
                case gate.Defer(until=until):
                    deferred[one.message.id] = until
                case gate.Skip(reason=reason):
                    skipped.append((one.row, reason))
                case Cap() as cap:
                    campaign = by_id[CampaignId(one.message.campaign_id or 0)]
                    places.wait(one, cap, alone=self._saying.has_free_form(campaign))
        await self._saying.want_files(unit)
        if deferred:
            await sending.defer(unit, due_ats=deferred)
        left_out = await self._leave_out(unit, skipped) if skipped else 0
        put_off = await self._limits.save(unit, places)
        return calls, len(deferred) + put_off + left_out

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

    # Taking them

    async def _take(
        self, unit: Unit, lease: Lease, calls: Sequence[Call], campaigns: Iterable[OpenCampaign]
    ) -> None:
        cap = self.rules.frequency_cap
        await sending.take(
            unit,
            templates={call.message.id: call.template for call in calls},
            generation=lease.generation,
            notes=[call.note for call in calls],
            capped=cap.count if cap else 0,
        )
        taken = Counter(call.message.campaign_id for call in calls)
        bulk = taken.total() - taken[None]
        if not bulk:
            return
        if self.rules.messages_per_hour:
            await sending.use_hour(unit, hour=hour_of(unit.at), count=bulk)
        if self.number.pace[1]:
            until = unit.at + self.number.gap(secrets.SystemRandom().random())
            await leases.pace(unit, lease, until=until)
            self._paced = unit.at, until
        for campaign in campaigns:
            if taken[campaign.id]:
                await self._slots.take(unit, campaign, taken[campaign.id])

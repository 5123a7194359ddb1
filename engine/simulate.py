"""A campaign played through in pretended time: nothing is sent, nothing is written.

It decides by the functions of planner and gate (`engine.journey`, `engine.gate`) and keeps count
of the caps as the lane does. People in the same position move as one cohort, and part only where a
cap or an answer parts them, so that a hundred thousand take seconds. Small crowds are played one
by one and in the order of the lane.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final, assert_never
from zlib import crc32

from engine import gate, journey
from engine.campaign import StepRule
from engine.conditions import Evidence
from engine.crowd import TURNS, Assumed, Person, Plan, Waiting
from engine.gate import Candidate
from engine.ids import CampaignId, ContactId, StepId
from engine.journey import Finish, Go, LeaveOut, PassOn, Standing, Wait
from engine.message import State
from engine.reasons import Reason
from engine.simulated import Outcome, Tally
from engine.simulated_caps import Caps

ONE_BY_ONE: Final = 2_000
"""People up to whom each is a cohort of their own."""

_ANSWERS_AFTER: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(days=3_660)
_MOST_EVENTS: Final = 3_000_000
_REPLY, _PLAN, _CLAIM, _OPEN = range(4)


@dataclass(slots=True, eq=False)
class _Cohort:
    """People in one position; *members* are places in the crowd, ascending.

    Attributes:
        replies: When they are going to reply.
        gone: A reply has ended it for them.
    """

    members: Sequence[int]
    person: Person
    step_id: StepId
    place: float
    since_at: datetime | None
    due_at: datetime
    timed: bool
    queued: Waiting | None
    promoted_at: datetime | None
    promoted_by: CampaignId | None
    promoted_ats: tuple[datetime, ...]
    last_inbound_at: datetime | None
    replies: tuple[datetime, ...] = ()
    gone: bool = False
    evidence: dict[StepId, Evidence] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Sequence[int], person: Person) -> "_Cohort":
        return cls(
            members=members,
            person=person,
            step_id=person.step_id,
            place=person.place,
            since_at=person.since_at,
            due_at=person.due_at,
            timed=person.timed,
            queued=person.queued,
            promoted_at=person.promoted_at,
            promoted_by=person.promoted_by,
            promoted_ats=person.promoted_ats,
            last_inbound_at=person.last_inbound_at,
            evidence=dict(person.evidence),
        )


def simulate(
    plan: Plan,
    crowd: Iterable[tuple[ContactId, Person]],
    *,
    at: datetime,
    assumed: Assumed,
) -> Tally:
    """Play *plan* through for *crowd* (ascending by how planning meets them) from *at* on.

    Takes about a second for 20,000 messages, so not on an event loop.
    """
    return _Play(plan, crowd, at=at, assumed=assumed).played()


class _Play:
    def __init__(
        self,
        plan: Plan,
        crowd: Iterable[tuple[ContactId, Person]],
        *,
        at: datetime,
        assumed: Assumed,
    ) -> None:
        self.plan = plan
        self.assumed = assumed
        self.ids: list[ContactId] = []
        people: list[Person] = []
        for contact, person in crowd:
            self.ids.append(contact)
            people.append(person)
        self.alone = len(people) <= ONE_BY_ONE
        self.tally = Tally(zone=plan.zone, began_at=at, contacts=self.ids)
        self.ends = at + _LONGEST
        self.now = at
        self._sequence = count()
        self._turns = count(TURNS)
        self._events: list[tuple[datetime, int, int, int, _Cohort | None]] = []
        self._waiting: list[tuple[datetime, int, int, int, int, _Cohort]] = []
        self._opens_at: datetime | None = None
        self._numbers = {step.id: number for number, step in enumerate(plan.steps, start=1)}
        self.caps = Caps(plan, at=at, alone=self.alone)
        for members, person in _one_by_one(people) if self.alone else _merged(people):
            self._begin(_Cohort.of(members, person), at)

    def played(self) -> Tally:
        for _ in range(_MOST_EVENTS):
            if not self._events:
                return self.tally
            self.now, kind, _, _, cohort = heappop(self._events)
            if self.now > self.ends:
                break
            if kind == _REPLY and cohort is not None:
                self._hear(cohort)
            elif kind == _PLAN and cohort is not None:
                self._decide(cohort)
            elif kind == _CLAIM and cohort is not None:
                self._queue(cohort)
            else:
                self._opens_at = None
                self._drain()
        self.tally.cut_short = True
        return self.tally

    # Planning

    def _begin(self, cohort: _Cohort, at: datetime) -> None:
        if cohort.queued is not None:
            self._at(max(cohort.queued.due_at, at), _CLAIM, cohort)
        elif self.plan.drip:
            self._at(max(cohort.due_at, at), _PLAN, cohort)
        else:
            against = cohort.person.consent.against(promotional=self.plan.promotional)
            if against is not None:
                self._note(cohort, cohort.step_id, Outcome.left_out(against))
                return
            self._plan_message(cohort, cohort.due_at)

    def _at(self, when: datetime, kind: int, cohort: _Cohort | None) -> None:
        first = cohort.members[0] if cohort is not None else 0
        heappush(self._events, (when, kind, first, next(self._sequence), cohort))

    def _plan_message(self, cohort: _Cohort, due_at: datetime) -> None:
        deadline = self.plan.deadline
        cohort.queued = Waiting(
            step_id=cohort.step_id,
            due_at=due_at,
            deadline_at=self._since(due_at) + deadline - self.caps.held if deadline else None,
            second=int(cohort.due_at.timestamp()),
            turn=next(self._turns) if self.alone else 0,
        )
        self._at(max(due_at, self.now), _CLAIM, cohort)

    def _since(self, due_at: datetime) -> datetime:
        """Return from when its deadline counts: what came up during a pause, from its end."""
        resumed_at = self.plan.resumed_at
        return due_at if resumed_at is None else max(due_at, resumed_at)

    def _decide(self, cohort: _Cohort) -> None:
        if cohort.gone:
            return
        person = cohort.person
        standing = Standing(
            step_id=cohort.step_id,
            place=cohort.place,
            since_at=cohort.since_at,
            due_at=cohort.due_at,
            timed=cohort.timed,
            zone=person.zone,
            attributes=dict(person.dates),
            tags=person.tags,
            evidence={step: self._seen(of) for step, of in cohort.evidence.items()},
        )
        step = self._step(cohort.step_id)
        match journey.decide(standing, self.plan.steps, self.plan.hours, at=self.now):
            case Go(due_at=due_at):
                cohort.place = step.position
                self._plan_message(cohort, due_at)
            case LeaveOut(reason=reason, ends=ends):
                cohort.place = step.position
                self._note(cohort, cohort.step_id, Outcome.left_out(reason))
                cohort.evidence[cohort.step_id] = Evidence(state=State.SKIPPED)
                if not ends:
                    self._advance(cohort, self.now)
            case Wait(until=until, for_delivery=_):
                cohort.since_at = cohort.since_at or cohort.due_at - step.after
                cohort.timed = True
                cohort.due_at = until
                self._at(until, _PLAN, cohort)
            case PassOn(step_id=step_id, place=place, due_at=due_at):
                cohort.step_id, cohort.place, cohort.due_at = step_id, place, due_at
                cohort.timed = False
                self._at(max(due_at, self.now), _PLAN, cohort)
            case Finish():
                pass
            case other:
                assert_never(other)

    def _seen(self, evidence: Evidence) -> Evidence:
        """Return what is known of it by now."""
        return replace(
            evidence,
            read_at=_by(self.now, evidence.read_at),
            replied_at=_by(self.now, evidence.replied_at),
        )

    def _step(self, step: StepId) -> StepRule:
        return self.plan.steps[self._numbers[step] - 1]

    def _advance(self, cohort: _Cohort, moment: datetime) -> None:
        if not self.plan.drip:
            return
        sent = cohort.step_id
        following = next(
            (s for s in self.plan.steps if s.position > cohort.place and s.id != sent), None
        )
        cohort.queued = None
        if following is None:
            return
        cohort.step_id = following.id
        cohort.since_at = moment
        cohort.due_at = moment + following.after
        cohort.timed = False
        self._at(max(cohort.due_at, self.now), _PLAN, cohort)

    # Replies

    def _hear(self, cohort: _Cohort) -> None:
        """Let them reply, which ends it at once where a reply does, with what is queued."""
        cohort.last_inbound_at = self.now
        cohort.replies = tuple(at for at in cohort.replies if at > self.now)
        if not self.plan.drip or not self.plan.stop_on_reply:
            return
        cohort.gone = True
        if cohort.queued is not None:
            self._note(cohort, cohort.queued.step_id, Outcome.left_out(Reason.ENROLLMENT_ENDED))
            cohort.queued = None

    def _parted(self, cohort: _Cohort, members: Sequence[int]) -> _Cohort:
        """Return *members* of a cohort as one of their own, who reply when the others do."""
        part = replace(cohort, members=members, evidence=dict(cohort.evidence))
        for at in part.replies:
            self._at(at, _REPLY, part)
        return part

    # Sending

    def _queue(self, cohort: _Cohort) -> None:
        if not cohort.gone:
            self._wait(cohort)
        # Whatever comes due at the same moment takes its turn by its own age.
        if not self._events or self._events[0][:2] != (self.now, _CLAIM):
            self._drain()

    def _wait(self, cohort: _Cohort) -> None:
        waits = cohort.queued
        if waits is None:
            raise AssertionError("a cohort came to be claimed without a message")
        turn = (waits.due_at, waits.second, waits.turn, cohort.members[0], next(self._sequence))
        heappush(self._waiting, (*turn, cohort))

    def _drain(self) -> None:
        while self._waiting:
            opens_at = self.caps.opens(self.now)
            if opens_at > self.now:
                self._open_at(opens_at)
                return
            self._judge(heappop(self._waiting)[-1])

    def _open_at(self, when: datetime) -> None:
        if self._opens_at is None or when < self._opens_at:
            self._opens_at = when
            self._at(when, _OPEN, None)

    def _judge(self, cohort: _Cohort) -> None:
        if cohort.gone:
            return
        waits = cohort.queued
        if waits is None:
            raise AssertionError("a cohort came to be judged without a message")
        step = waits.step_id
        by_fallback = (
            step in self.plan.free_form
            and step in self.plan.fallbacks
            and not gate.window_open(cohort.last_inbound_at, self.now)
        )
        unfit = next(
            (
                why
                for s, fallback, why in cohort.person.unfit
                if (s, fallback) == (step, by_fallback)
            ),
            None,
        )
        decision = gate.decide(
            self._candidate(cohort, waits, unfit, by_fallback=by_fallback),
            at=self.now,
            cooldown=self.plan.cooldown,
            cap=self.plan.cap,
        )
        match decision:
            case gate.Skip(reason=reason):
                self._leave_out(cohort, step, reason)
            case gate.Defer(until=until):
                cohort.queued = replace(waits, due_at=until)
                self._at(until, _CLAIM, cohort)
            case gate.Send() if unfit is not None:
                self._leave_out(cohort, step, unfit)
            case gate.Send():
                self._send(cohort, step)
            case other:
                assert_never(other)

    def _candidate(
        self, cohort: _Cohort, waits: Waiting, unfit: Reason | None, *, by_fallback: bool
    ) -> Candidate:
        hours = self.plan.hours[waits.step_id]
        return Candidate(
            campaign_id=self.plan.campaign_id,
            promotional=self.plan.promotional,
            consent=cohort.person.consent,
            addressed=cohort.person.addressed,
            banned=cohort.person.banned,
            deadline_at=waits.deadline_at and waits.deadline_at + self.caps.held,
            run="active",
            promoted_at=cohort.promoted_at,
            promoted_campaign_id=cohort.promoted_by,
            promoted_ats=cohort.promoted_ats,
            exclude=self.plan.exclude,
            elsewhere=cohort.person.elsewhere,
            last_inbound_at=cohort.last_inbound_at,
            free_form=waits.step_id in self.plan.free_form and not by_fallback,
            missing=unfit is Reason.MISSING_VALUE,
            opens_at=hours.opens(self.now, cohort.person.zone),
            closes_at=None,
        )

    def _leave_out(self, cohort: _Cohort, step: StepId, reason: Reason) -> None:
        self._note(cohort, step, Outcome.left_out(reason))
        cohort.evidence[step] = Evidence(state=State.SKIPPED)
        self._advance(cohort, self.now)

    def _send(self, cohort: _Cohort, step: StepId) -> None:
        inside = gate.window_open(cohort.last_inbound_at, self.now)
        room = self.caps.places.room(cohort.members, self.now, inside=inside)
        if not room:
            self.caps.wait_for_a_place(self.now, inside=inside)
            self._wait(cohort)
            return
        room = min(room, self.caps.room(self.now, len(cohort.members)))
        if room < len(cohort.members):
            self._wait(self._parted(cohort, cohort.members[room:]))
            cohort.members = cohort.members[:room]
        self.caps.use(self.now, len(cohort.members))
        self.caps.places.take(cohort.members, self.now, inside=inside)
        self._note(cohort, step, Outcome.sent())
        if self.plan.promotional:
            cohort.promoted_at, cohort.promoted_by = self.now, self.plan.campaign_id
            if self.plan.cap is not None:
                latest = (*cohort.promoted_ats, self.now)
                cohort.promoted_ats = latest[-self.plan.cap.count :]
        cohort.queued = None
        for members, read, replied in self._answers(cohort.members, step):
            part = self._parted(cohort, members)
            answers_at = self.now + _ANSWERS_AFTER
            part.evidence[step] = Evidence(
                state=State.READ if read else State.DELIVERED,
                accepted_at=self.now,
                delivered_at=self.now,
                read_at=answers_at if read else None,
                replied_at=answers_at if replied else None,
            )
            if replied:
                part.replies += (answers_at,)
                self._at(answers_at, _REPLY, part)
            self._advance(part, self.now)

    def _answers(
        self, members: Sequence[int], step: StepId
    ) -> Iterable[tuple[Sequence[int], bool, bool]]:
        """Part *members* by what they do with the message: who reads it, and who replies."""
        groups: dict[tuple[bool, bool], list[int]] = {}
        plain = {0, 100}
        if {self.assumed.read, self.assumed.replied} <= plain:
            replied = self.assumed.replied > 0
            yield members, replied or self.assumed.read > 0, replied
            return
        for member in members:
            replied = _chosen(f"reply:{step}:{self.ids[member]}", self.assumed.replied)
            read = replied or _chosen(f"read:{step}:{self.ids[member]}", self.assumed.read)
            groups.setdefault((read, replied), []).append(member)
        for (read, replied), several in groups.items():
            yield several, read, replied

    def _note(self, cohort: _Cohort, step: StepId, outcome: Outcome) -> None:
        self.tally.add(self.now, self._numbers[step], outcome, cohort.members)


def _one_by_one(people: Sequence[Person]) -> Iterable[tuple[Sequence[int], Person]]:
    return (([place], person) for place, person in enumerate(people))


def _merged(people: Sequence[Person]) -> Iterable[tuple[Sequence[int], Person]]:
    """Return people with the places of all who are alike, as far as large crowds are told apart."""
    alike: dict[Person, list[int]] = {}
    for place, person in enumerate(people):
        alike.setdefault(person, []).append(place)
    merged: dict[Person, list[int]] = {}
    for person, places in alike.items():
        merged.setdefault(person.coarse(), []).extend(places)
    return ((sorted(places), person) for person, places in merged.items())


def _by(now: datetime, at: datetime | None) -> datetime | None:
    return at if at is not None and at <= now else None


def _chosen(key: str, per_cent: int) -> bool:
    """Whether somebody is among *per_cent* of all; the same every time."""
    return crc32(key.encode()) % 100 < per_cent

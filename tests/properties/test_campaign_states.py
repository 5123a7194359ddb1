"""Whatever staff do in whatever order, a campaign moves as its table of transitions says."""

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar, cast

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from engine.audience import Audience
from engine.automation_ports import Automations
from engine.campaign import SENDING, TRANSITIONS, Campaign, Kind, Rate, Settings, State, Step, Type
from engine.campaign_ports import Affected, Draft, Reach, StepDraft
from engine.content import Content, Text
from engine.hours import Hours
from engine.ids import CampaignId, ContactId, StepId
from engine.overlap import Overlap
from engine.reasons import Reason
from engine.refusal import Refusal
from engine.schedule import Schedule
from engine.size import Size
from engine.templates import Template
from engine.usecases import move_campaign
from engine.usecases.change_steps import (
    Changed,
    Writing,
    add_step,
    edit_step,
    move_step,
    remove_step,
)
from engine.usecases.clone_campaign import clone_campaign
from engine.usecases.compose import Wanted
from engine.usecases.create_campaign import create_campaign
from engine.usecases.delete_campaign import delete_campaign
from engine.usecases.edit_campaign import Changes, Edited, edit_campaign
from engine.usecases.schedule_broadcast import schedule_broadcast, unschedule_broadcast
from engine.usecases.send_broadcast import send_broadcast
from engine.usecases.start_scheduled import start_scheduled
from engine.usecases.write_step import StepWish

T = TypeVar("T")
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class InMemory:
    """`engine.campaign_ports.Campaigns` for one person at a time; all it does is remember."""

    def __init__(self) -> None:
        self.known: dict[CampaignId, Campaign] = {}
        self.steps_of: dict[CampaignId, list[Step]] = {}
        self.events: list[tuple[CampaignId, str]] = []
        self.revoked: list[CampaignId] = []
        self.recipients = 1
        self.made = 0
        self.under_way = 0
        self.ids = count(1)

    async def lock(self, campaign: CampaignId) -> Campaign | None:
        return self.known.get(campaign)

    async def is_taken(self, name: str) -> bool:
        return any(
            each.name.lower() == name.lower() and each.state is not State.ARCHIVED
            for each in self.known.values()
        )

    async def add(self, draft: Draft) -> Campaign:
        made = Campaign(
            id=CampaignId(next(self.ids)),
            kind=draft.kind,
            name=draft.name,
            state=State.DRAFT,
            type=draft.type,
            trigger=draft.trigger,
            settings=draft.settings,
            priority=draft.priority,
            number_id=draft.number_id,
            audience=draft.audience,
            contacts_up_to=None,
            closed_until=None,
            closed_why=None,
            version=1,
            actor="U",
            channel=draft.channel,
            created_at=AT,
            started_at=None,
            started_by=None,
            paused_at=None,
            paused_by=None,
            ended_at=None,
            ended_by=None,
        )
        self.known[made.id] = made
        self.steps_of[made.id] = []
        return made

    async def hold(self, audience: Audience) -> None:
        pass

    async def add_like(self, campaign: Campaign, *, name: str) -> Campaign:
        made = await self.add(
            Draft(
                kind=campaign.kind,
                name=name,
                type=campaign.type,
                settings=campaign.settings,
                audience=campaign.audience,
            )
        )
        self.steps_of[made.id] = list(self.steps_of[campaign.id])
        return made

    async def change(self, campaign: Campaign) -> Campaign:
        changed = replace(campaign, version=campaign.version + 1)
        self.known[campaign.id] = changed
        return changed

    async def replace_content(self, campaign: Campaign, step: Step, content: Content) -> None:
        self.steps_of[campaign.id] = [replace(step, content=content)]

    async def seal(self, campaign: CampaignId) -> None: ...

    async def audiences_with(self, campaign: CampaignId) -> list[str]:
        return [
            each.name
            for each in self.known.values()
            if each.audience and campaign in (*each.audience.drips, *each.audience.broadcasts)
        ]

    async def delete(self, campaign: Campaign) -> None:
        del self.known[campaign.id]

    async def move(
        self,
        campaign: Campaign,
        state: State,
        *,
        channel: str | None = None,
        contacts_up_to: ContactId | None = None,
    ) -> Campaign:
        sending = state is SENDING[campaign.kind]
        moved = replace(
            campaign,
            state=state,
            started_at=AT if sending else campaign.started_at,
            version=campaign.version + 1,
            scheduled_at=None,
            channel=channel or campaign.channel,
            contacts_up_to=contacts_up_to or campaign.contacts_up_to,
            closed_until=None if sending else campaign.closed_until,
            closed_why=None if sending else campaign.closed_why,
        )
        self.known[campaign.id] = moved
        return moved

    async def zones(self, campaign: Campaign) -> Collection[str | None]:  # noqa: ARG002 — the port's
        return [None]

    async def schedule(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        return self._kept(
            replace(campaign, state=State.SCHEDULED, schedule=schedule, scheduled_at=starts_at)
        )

    async def postpone(
        self, campaign: Campaign, schedule: Schedule, *, starts_at: datetime
    ) -> Campaign:
        return self._kept(replace(campaign, schedule=schedule, scheduled_at=starts_at))

    async def unschedule(self, campaign: Campaign) -> Campaign:
        return self._kept(replace(campaign, state=State.DRAFT, schedule=None, scheduled_at=None))

    async def add_occurrence(self, series: Campaign, *, name: str, schedule: Schedule) -> Campaign:
        made = await self.add_like(series, name=name)
        return self._kept(replace(made, series_id=series.id, schedule=schedule))

    def _kept(self, campaign: Campaign) -> Campaign:
        kept = replace(campaign, version=campaign.version + 1)
        self.known[campaign.id] = kept
        return kept

    async def tell(self, campaign: Campaign, kind: str, **content: object) -> None:  # noqa: ARG002 — the port's
        self.events.append((campaign.id, kind))

    async def revoke(self, campaign: CampaignId) -> None:
        self.revoked.append(campaign)

    async def note(self, action: str, campaign: Campaign, **content: object) -> None:
        pass

    async def steps(self, campaign: CampaignId) -> tuple[Step, ...]:
        return tuple(self.steps_of[campaign])

    async def add_step(self, campaign: Campaign, *, after: timedelta, content: Content) -> Step:
        await self.put_step(campaign, StepDraft(after=after, content=content), place=None)
        return self.steps_of[campaign.id][-1]

    async def put_step(self, campaign: Campaign, draft: StepDraft, *, place: float | None) -> None:
        steps = self.steps_of[campaign.id]
        self.made += 1
        added = Step(
            id=StepId(self.made),
            number=0,
            position=place or max((each.position for each in steps), default=0) + 1,
            after=draft.after,
            content=draft.content,
        )
        self._ordered(campaign, [*steps, added])

    async def edit_step(self, campaign: Campaign, step: Step, draft: StepDraft) -> None:
        edited = replace(step, content=draft.content, version=step.version + 1)
        others = [each for each in self.steps_of[campaign.id] if each.id != step.id]
        self._ordered(campaign, [*others, edited])

    async def move_step(self, campaign: Campaign, step: Step, *, place: float | None) -> None:
        others = [each for each in self.steps_of[campaign.id] if each.id != step.id]
        last = max(each.position for each in others) + 1
        self._ordered(campaign, [*others, replace(step, position=place or last)])

    async def remove_step(self, campaign: Campaign, step: Step) -> None:
        self._ordered(campaign, [each for each in self.steps_of[campaign.id] if each != step])

    async def look_again(self, campaign: Campaign) -> None:  # noqa: ARG002 — the port's
        raise AssertionError("nothing here changes hours")

    async def rewalk(self, campaign: Campaign) -> None:
        pass

    async def affected(self, campaign: Campaign, *, place: float, step: Step | None) -> Affected:  # noqa: ARG002 — the port's
        return Affected(before=self.under_way)

    def _ordered(self, campaign: Campaign, steps: list[Step]) -> None:
        self.steps_of[campaign.id] = [
            replace(each, number=number)
            for number, each in enumerate(sorted(steps, key=lambda each: each.position), start=1)
        ]

    async def lacking(
        self,
        campaign: Campaign,  # noqa: ARG002 — the port's
        contents: Iterable[Content],  # noqa: ARG002 — the port's
        *,
        place: float | None = None,  # noqa: ARG002 — the port's
    ) -> dict[str, int]:
        return {}

    async def overlap(self, campaign: Campaign) -> Overlap:  # noqa: ARG002 — the port's
        return Overlap()

    async def reach(
        self,
        campaign: Campaign,  # noqa: ARG002 — the port's
        content: Content,  # noqa: ARG002 — the same
        *,
        at: datetime | None = None,  # noqa: ARG002 — the same
    ) -> Reach:
        left_out = {} if self.recipients else {Reason.OPTED_OUT: 1}
        return Reach(recipients=self.recipients, left_out=left_out, last_contact=ContactId(9))


class NoTemplates:
    async def of_name(self, name: str) -> tuple[Template, ...]:  # noqa: ARG002 — the port's
        return ()

    async def names(self) -> Collection[str]:
        return ()

    async def file(self, name: str) -> None: ...

    async def file_names(self) -> Collection[str]:
        return ()


class NoAutomations:
    """What campaigns without a trigger= ask of `engine.automation_ports.Automations`."""

    async def end_of(self, campaign: CampaignId) -> None: ...


WRITING = Writing(templates=NoTemplates(), attributes=NoTemplates(), types={}, window=Hours())


class StaffAtWork(RuleBasedStateMachine):
    """Staff type any command for any campaign, also where it makes no sense."""

    campaigns = Bundle("campaigns")

    @initialize()
    def begin(self) -> None:
        self.port = InMemory()
        self.seen: dict[CampaignId, State] = {}

    @rule(target=campaigns, kind=st.sampled_from(Kind), name=st.sampled_from(("A", "a", "B", "C")))
    def create(self, kind: Kind, name: str) -> CampaignId | None:
        taken = asyncio.run(self.port.is_taken(name))
        draft = Draft(
            kind=kind,
            name=name,
            type=Type.PROMOTIONAL,
            settings=Settings(),
            audience=Audience(everyone=True) if kind is Kind.BROADCAST else None,
        )
        content = Text(body="Hi") if kind is Kind.BROADCAST else None
        made = self._tried(create_campaign(draft=draft, content=content, campaigns=self.port))
        assert taken is (made is None)
        if made is None:
            return None
        self.seen[made.id] = State.DRAFT
        return made.id

    @rule(it=campaigns, number=st.none() | st.integers(1, 3), confirmed=st.booleans())
    def add_step(self, it: CampaignId | None, number: int | None, *, confirmed: bool) -> None:
        self._changes_steps(
            it,
            add_step(
                campaign=it or CampaignId(0),
                wish=StepWish(after=timedelta(0), wanted=Wanted(text="Hi")),
                campaigns=self.port,
                writing=WRITING,
                number=number,
                confirmed=confirmed,
            ),
        )

    @rule(it=campaigns, number=st.integers(1, 3), confirmed=st.booleans())
    def edit_step(self, it: CampaignId | None, number: int, *, confirmed: bool) -> None:
        self._changes_steps(
            it,
            edit_step(
                campaign=it or CampaignId(0),
                number=number,
                wish=StepWish(wanted=Wanted(text="Ho")),
                campaigns=self.port,
                writing=WRITING,
                confirmed=confirmed,
            ),
        )

    @rule(it=campaigns, number=st.integers(1, 3), to=st.integers(1, 3), confirmed=st.booleans())
    def move_step(self, it: CampaignId | None, number: int, to: int, *, confirmed: bool) -> None:
        self._changes_steps(
            it,
            move_step(
                campaign=it or CampaignId(0),
                number=number,
                to=to,
                campaigns=self.port,
                confirmed=self._step(it, number) if confirmed else None,
            ),
        )

    @rule(it=campaigns, number=st.integers(1, 3), confirmed=st.booleans())
    def remove_step(self, it: CampaignId | None, number: int, *, confirmed: bool) -> None:
        self._changes_steps(
            it,
            remove_step(
                campaign=it or CampaignId(0),
                number=number,
                campaigns=self.port,
                confirmed=self._step(it, number) if confirmed else None,
            ),
        )

    @rule(contacts=st.integers(0, 2))
    def enroll(self, contacts: int) -> None:
        self.port.under_way = contacts

    def _step(self, it: CampaignId | None, number: int) -> StepId | None:
        steps = self.port.steps_of.get(it or CampaignId(0), [])
        return next((each.id for each in steps if each.number == number), None)

    def _changes_steps(self, it: CampaignId | None, doing: Awaitable[object]) -> None:
        """What has to be confirmed, or is refused, changes nothing."""
        before = self.port.steps_of.get(it or CampaignId(0))
        done = self._answered(doing)
        after = self.port.steps_of.get(it or CampaignId(0))
        if not isinstance(done, Changed):
            assert after == before
        assert [each.number for each in after or ()] == list(range(1, len(after or ()) + 1))

    @rule(it=campaigns)
    def activate(self, it: CampaignId | None) -> None:
        self._moves(
            it,
            move_campaign.activate(
                campaign=it or CampaignId(0),
                channel="C",
                campaigns=self.port,
                templates=NoTemplates(),
                automations=cast(Automations, NoAutomations()),
            ),
            to={State.ACTIVE},
            quiet=True,
        )

    @rule(it=campaigns, recipients=st.integers(0, 12), count=st.none() | st.integers(1, 12))
    def send(self, it: CampaignId | None, recipients: int, count: int | None) -> None:
        self.port.recipients = recipients
        before = self.port.known.get(it or CampaignId(0))
        self._moves(
            it,
            send_broadcast(
                campaign=it or CampaignId(0),
                size=Size(large=3, approval=10, count=count),
                channel="C",
                campaigns=self.port,
                templates=NoTemplates(),
            ),
            to={State.RUNNING},
            quiet=True,
        )
        after = self.port.known.get(it or CampaignId(0))
        if before and after and before.state is not after.state:
            assert after.contacts_up_to == ContactId(9)
            assert 0 < recipients <= 10
            assert recipients <= 3 or count == recipients

    @rule(it=campaigns)
    def pause(self, it: CampaignId | None) -> None:
        to_pause = move_campaign.pause(campaign=it or CampaignId(0), campaigns=self.port)
        self._moves(it, to_pause, to={State.PAUSED}, revokes=True)

    @rule(it=campaigns, stopped=st.booleans())
    def resume(self, it: CampaignId | None, *, stopped: bool) -> None:
        campaign = self.port.known.get(it or CampaignId(0))
        if campaign is not None and stopped:
            closed = replace(campaign, closed_until=AT + timedelta(days=1), closed_why="why")
            self.port.known[campaign.id] = closed
        self._moves(
            it,
            move_campaign.resume(
                campaign=it or CampaignId(0), at=AT, standard=UTC, campaigns=self.port
            ),
            to={State.ACTIVE, State.RUNNING, State.SCHEDULED},
        )
        now = self.port.known.get(it or CampaignId(0))
        if now is not None and now.state is SENDING[now.kind]:
            assert not now.stopped(AT)

    @rule(
        it=campaigns,
        hours=st.integers(-2, 72),
        rule=st.sampled_from((None, "FREQ=DAILY;COUNT=2", "FREQ=DAILY")),
        zone=st.sampled_from((None, "UTC")),
    )
    def schedule(
        self, it: CampaignId | None, hours: int, rule: str | None, zone: str | None
    ) -> None:
        self.port.recipients = 1
        local = (AT + timedelta(hours=hours)).replace(tzinfo=None)
        self._moves(
            it,
            schedule_broadcast(
                campaign=it or CampaignId(0),
                schedule=Schedule.of(at=local, zone=zone, rule=rule, standard=UTC),
                at=AT,
                standard=UTC,
                size=Size(large=3, approval=10, count=None),
                campaigns=self.port,
                templates=NoTemplates(),
            ),
            to={State.SCHEDULED},
            quiet=True,
        )
        now = self.port.known.get(it or CampaignId(0))
        if now is not None and now.state is State.SCHEDULED:
            assert now.scheduled_at is not None
            assert now.scheduled_at > AT
            assert not now.begun

    @rule(it=campaigns)
    def unschedule(self, it: CampaignId | None) -> None:
        off = unschedule_broadcast(campaign=it or CampaignId(0), campaigns=self.port)
        self._moves(it, off, to={State.DRAFT}, quiet=True)

    @rule(
        it=campaigns,
        hours=st.integers(0, 200),
        recipients=st.integers(0, 12),
        deadline=st.none() | st.integers(0, 48).map(lambda n: timedelta(hours=n)),
    )
    def start_on_time(
        self, it: CampaignId | None, hours: int, recipients: int, deadline: timedelta | None
    ) -> None:
        """The worker finds it due, or thinks it does."""
        before = self.port.known.get(it or CampaignId(0))
        self.port.recipients = recipients
        known = set(self.port.known)
        at = AT + timedelta(hours=hours)
        done = self._tried(
            start_scheduled(
                campaign=it or CampaignId(0),
                at=at,
                deadline=deadline,
                approval=10,
                standard=UTC,
                campaigns=self.port,
                templates=NoTemplates(),
            )
        )
        new = set(self.port.known) - known
        for each in new:
            self.seen[each] = self.port.known[each].state
        if before is None:
            assert done is None
            return
        now = self.port.known[before.id]
        self.seen[before.id] = now.state
        due = (
            before.state is State.SCHEDULED
            and before.scheduled_at is not None
            and before.scheduled_at <= at
        )
        if not due:
            assert (done, now, new) == (None, before, set())
            return
        if done is not None:
            assert done.state is State.RUNNING
            assert 0 < recipients <= 10
            assert (done.id in new) == before.recurs
        if before.recurs:
            assert now.state in {State.SCHEDULED, State.COMPLETED}
            assert not now.begun
            assert now.scheduled_at is None or now.scheduled_at > at
        else:
            assert now.state is (State.RUNNING if done else State.DRAFT)
            assert not new

    @rule(it=campaigns)
    def archive(self, it: CampaignId | None) -> None:
        away = move_campaign.archive(
            campaign=it or CampaignId(0),
            campaigns=self.port,
            automations=cast(Automations, NoAutomations()),
        )
        self._moves(it, away, to={State.ARCHIVED}, revokes=True)

    @rule(it=campaigns)
    def cancel(self, it: CampaignId | None) -> None:
        end = move_campaign.cancel(campaign=it or CampaignId(0), campaigns=self.port)
        self._moves(it, end, to={State.CANCELLED}, revokes=True)

    @rule(it=campaigns, rate=st.sampled_from((None, Rate.parse("5/s"))), text=st.booleans())
    def edit(self, it: CampaignId | None, rate: Rate | None, *, text: bool) -> None:
        before = self.port.known.get(it or CampaignId(0))
        content = Wanted(text="Otherwise") if text and before and before.audience else None
        done = self._tried(
            edit_campaign(
                campaign=it or CampaignId(0),
                changes=Changes(settings={"rate": rate}, content=content),
                at=AT,
                standard=UTC,
                size=Size(large=3, approval=10, count=None),
                campaigns=self.port,
                templates=NoTemplates(),
                attributes=NoTemplates(),
                automations=cast(Automations, NoAutomations()),
            ),
            Edited,
        )
        if before is None:
            return
        now = self.port.known[before.id]
        over = before.state in {State.COMPLETED, State.CANCELLED, State.ARCHIVED}
        begun = before.started_at is not None and before.kind is Kind.BROADCAST
        assert (done is None) == (over or (begun and content is not None))
        assert now.state is before.state
        assert (now.version != before.version) == (done is not None)

    @rule(target=campaigns, it=campaigns)
    def clone(self, it: CampaignId | None) -> CampaignId | None:
        like = self.port.known.get(it or CampaignId(0))
        both = self._tried(
            clone_campaign(campaign=it or CampaignId(0), name=None, campaigns=self.port), tuple
        )
        assert (both is None) is (like is None)
        if like is None or both is None:
            return None
        made = both[1]
        assert (made.state, made.started_at) == (State.DRAFT, None)
        assert self.port.steps_of[made.id] == self.port.steps_of[like.id]
        self.seen[made.id] = State.DRAFT
        return CampaignId(made.id)

    @rule(it=campaigns)
    def delete(self, it: CampaignId | None) -> None:
        before = self.port.known.get(it or CampaignId(0))
        self._tried(delete_campaign(campaign=it or CampaignId(0), campaigns=self.port))
        if before is None:
            return
        gone = before.id not in self.port.known
        assert gone == (before.state is State.DRAFT)
        if gone:
            assert before.started_at is None

    @rule(it=campaigns)
    def complete(self, it: CampaignId | None) -> None:
        """The worker finds nothing open any more."""
        campaign = self.port.known.get(it or CampaignId(0))
        if campaign is not None and campaign.may_become(State.COMPLETED):
            self.port.known[campaign.id] = replace(campaign, state=State.COMPLETED)
            self.seen[campaign.id] = State.COMPLETED

    @invariant()
    def nothing_sends_that_has_nothing_to_send_first(self) -> None:
        for campaign in getattr(self, "port", InMemory()).known.values():
            if campaign.kind is Kind.BROADCAST:
                assert len(self.port.steps_of[campaign.id]) == 1
            assert campaign.state in TRANSITIONS[campaign.kind]

    def _moves(
        self,
        it: CampaignId | None,
        doing: Awaitable[object],
        *,
        to: Collection[State],
        revokes: bool = False,
        quiet: bool = False,
    ) -> None:
        events, revoked = len(self.port.events), len(self.port.revoked)
        there = it is not None and it in self.port.known
        version = self.port.known[it].version if it is not None and there else 0
        self._tried(doing)
        if it is None or not there:
            return
        before, now = self.seen[it], self.port.known[it]
        self.seen[it] = now.state
        if now.state is not before:
            assert now.state in TRANSITIONS[now.kind][before]
            assert now.state in to
        changed = now.version != version
        # Senders give back exactly when something changed, and staff are told unless the answer
        # or the card says all.
        told = len(self.port.events) - events
        assert told == (changed and not quiet) or now.state is State.SCHEDULED
        assert len(self.port.revoked) - revoked == (changed and revokes)
        assert changed or now.state is before

    def _tried(self, doing: Awaitable[object], kind: type[T] = Campaign) -> T | None:  # type: ignore[assignment]  # the usual kind
        done = self._answered(doing)
        return done if isinstance(done, kind) else None

    def _answered(self, doing: Awaitable[object]) -> object:
        async def trying() -> object:
            return await doing

        refusal = ""
        done: object = None
        try:
            done = asyncio.run(trying())
        except Refusal as refused:
            refusal = str(refused)
        assert not refusal or refusal.endswith((".", "?"))
        return done


TestStaffAtWork = StaffAtWork.TestCase

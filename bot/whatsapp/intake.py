"""From typed updates to their effects: routed to their organizations, committed in groups."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.whatsapp.groups import Aftermath, GroupCommit, Ticket
from engine.clock import Clock
from engine.config import Config, Organization
from engine.ids import NumberId, OrganizationId
from engine.ports import OwnNumber
from engine.updates import (
    IdentityChange,
    Inbound,
    Preference,
    StatusReport,
    Update,
)
from engine.usecases.apply_platform_event import PlatformEvent, apply_platform_event
from engine.usecases.apply_preference import apply_preferences
from engine.usecases.change_identity import change_identity
from engine.usecases.receive_inbound import Voice, receive_inbound
from engine.usecases.record_statuses import progress_of, record_statuses
from storage.consents import ConsentLedger
from storage.database import Database, Unit
from storage.identities import IdentifiedContacts
from storage.inbound import InboundMessages
from storage.platform_events import PlatformEvents
from storage.statuses import LockedMessages, StatusReports, progress

_STATUS_GROUPS = 2  # while one waits for its commit, Python merges the other


class Department:
    """One organization's updates."""

    def __init__(
        self,
        organization: OrganizationId,
        config: Organization,
        *,
        database: Database,
        clock: Clock,
    ) -> None:
        self.organization = organization
        self.database = database
        self.clock = clock
        self.voice = Voice(name=config.name, keywords=config.keywords.meanings())
        self.numbers = tuple(
            OwnNumber(id=number.id, phone=number.phone) for number in config.whatsapp.numbers
        )
        self._statuses = GroupCommit(self._record, at_once=_STATUS_GROUPS)
        self._inbound = GroupCommit(self._receive)
        self._preferences = GroupCommit(self._prefer)
        self._rare = GroupCommit(self._happen, largest=1)

        self._groups = (self._statuses, self._inbound, self._preferences, self._rare)

    def start(self) -> None:
        for group in self._groups:
            group.start()

    async def close(self) -> None:
        await asyncio.gather(*(group.close() for group in self._groups))

    def submit(self, update: Update, ticket: Ticket) -> None:
        match update:
            case StatusReport():
                self._statuses.submit(update, ticket)
            case Inbound():
                self._inbound.submit(update, ticket)
            case Preference():
                self._preferences.submit(update, ticket)
            case _:
                self._rare.submit(update, ticket)

    async def _record(self, statuses: Sequence[StatusReport]) -> Mapping[StatusReport, Aftermath]:
        at = self.clock.now()
        # What most groups are all of.
        got_on = progress_of(statuses, at=at)
        raised = await progress(self.database, self.organization, got_on, at=at)
        others = [
            each
            for each in statuses
            if each.callback is None or each.callback.message_id not in raised
        ]

        async def work(unit: Unit) -> None:
            await record_statuses(others, at=at, reports=StatusReports(unit))

        if others:
            await self.database.run(self.organization, at, work)
        return {}

    async def _receive(self, messages: Sequence[Inbound]) -> Mapping[Inbound, Aftermath]:
        at = self.clock.now()
        # The same message may come in bodies that differ around it.
        once = {message.wamid: message for message in messages}

        async def work(unit: Unit) -> Mapping[str, Aftermath]:
            heard = await receive_inbound(
                tuple(once.values()),
                at=at,
                voice=self.voice,
                contacts=IdentifiedContacts(unit),
                ledger=ConsentLedger(unit),
                inbox=InboundMessages(unit),
            )
            return {
                wamid: Aftermath(
                    stopped=frozenset(
                        (self.organization, contact) for contact in heard.stopped.get(wamid, ())
                    ),
                    woken=frozenset({message.number_id} if wamid in heard.confirmed else ()),
                )
                for wamid, message in once.items()
            }

        by_wamid = await self.database.run(self.organization, at, work)
        return {message: by_wamid[message.wamid] for message in messages}

    async def _prefer(self, preferences: Sequence[Preference]) -> Mapping[Preference, Aftermath]:
        at = self.clock.now()

        async def work(unit: Unit) -> None:
            await apply_preferences(
                preferences,
                at=at,
                contacts=IdentifiedContacts(unit),
                ledger=ConsentLedger(unit),
                platform=PlatformEvents(unit),
            )

        await self.database.run(self.organization, at, work)
        return {}

    async def _happen(
        self, events: Sequence[IdentityChange | PlatformEvent]
    ) -> Mapping[IdentityChange | PlatformEvent, Aftermath]:
        at = self.clock.now()

        async def work(unit: Unit) -> None:
            for event in events:
                await self._one(unit, event)

        await self.database.run(self.organization, at, work)
        return {}

    async def _one(self, unit: Unit, event: IdentityChange | PlatformEvent) -> None:
        if isinstance(event, IdentityChange):
            await change_identity(
                event,
                at=unit.at,
                contacts=IdentifiedContacts(unit),
                ledger=ConsentLedger(unit),
                messages=LockedMessages(unit),
                platform=PlatformEvents(unit),
            )
        else:
            await apply_platform_event(
                event, at=unit.at, numbers=self.numbers, platform=PlatformEvents(unit)
            )


class Intake:
    """All organizations' updates, each where it belongs, and nowhere else."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self._departments = {
            key: Department(key, each, database=database, clock=clock)
            for key, each in config.organizations.items()
        }
        self._by_number: dict[NumberId, OrganizationId] = {}
        self._by_account: dict[str, list[OrganizationId]] = {}
        for key, each in config.organizations.items():
            self._by_account.setdefault(each.whatsapp.business_account_id, []).append(key)
            for number in each.whatsapp.numbers:
                self._by_number[number.id] = key

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for department in self._departments.values():
            department.start()

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._departments.values()))

    async def take(
        self, updates: Iterable[Update], *, allowed: Collection[OrganizationId]
    ) -> Ticket:
        """Apply *updates* to organizations among *allowed*; return once all are settled.

        Those of numbers and accounts that none of *allowed* has are refused.
        """
        routed = [(update, self._owners(update, allowed)) for update in updates]
        ticket = Ticket(waiting=1 + sum(len(owners) for _, owners in routed))
        for update, owners in routed:
            if not owners:
                ticket.refused = "of a number or account that the signing secret is not for"
            for owner in owners:
                self._departments[owner].submit(update, ticket)
        ticket.settle()  # itself: there may have been nothing to wait for
        await ticket.settled(self._loop)
        return ticket

    def organization_of(self, number: NumberId) -> OrganizationId | None:
        return self._by_number.get(number)

    def _owners(
        self, update: Update, allowed: Collection[OrganizationId]
    ) -> Sequence[OrganizationId]:
        match update:
            case Inbound() | StatusReport() | IdentityChange() | Preference():
                owner = self._by_number.get(update.number_id)
                return (owner,) if owner is not None and owner in allowed else ()
            case _:
                accounts = self._by_account.get(update.waba_id or "", ())
                return tuple(owner for owner in accounts if owner in allowed)

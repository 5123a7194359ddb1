"""What a claim takes of the limits on unique contacts, and gives back with its messages."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine.gate import window_open
from engine.ids import CampaignId, ContactId, MessageId, OrganizationId
from engine.places import Cap, Places, Span
from engine.sending_rules import SendingRules
from storage import places as stored
from storage.database import Unit
from storage.sending import Due
from worker.claimed import Call

_LOOK_AGAIN: Final = timedelta(minutes=10)
"""What of a campaign waits for a place, message by message, is looked at again after it."""


class Taking:
    """The places of one claim; none where nothing is limited, which costs nothing."""

    def __init__(self, limits: Sequence[Places], *, at: datetime) -> None:
        self.limits = limits
        self.at = at
        self._held: dict[Cap, set[CampaignId]] = defaultdict(set)
        self._put_off: dict[Cap, list[MessageId]] = defaultdict(list)

    def scarce(self, room: int) -> bool:
        """Whether so few places are free that priority alone decides who gets one."""
        return any(each.scarce(room) for each in self.limits)

    def counting(self, due: Due) -> Sequence[Places]:
        """Return the limits under which a message counts."""
        if not self.limits:
            return ()
        return [each for each in self.limits if self._counts(each.cap, due)]

    def lacking(self, due: Due, counting: Iterable[Places]) -> Cap | None:
        """Return under which limit there is no place for a message; None: it may go.

        What is not of a campaign is never held.
        """
        if due.message.campaign_id is None:
            return None
        lacking = (each.cap for each in counting if not each.admits(due.message.contact_id))
        return next(lacking, None)

    def wait(self, due: Due, cap: Cap, *, alone: bool) -> None:
        """Let a message wait for a place.

        Args:
            alone: It must not hold up what else of its campaign is due, which may need none.
        """
        if due.message.campaign_id is None:
            raise AssertionError("held, and not of a campaign")
        if alone and cap is Cap.MESSAGING_LIMIT:
            self._put_off[cap].append(due.message.id)
        else:
            self._held[cap].add(due.message.campaign_id)

    def _counts(self, cap: Cap, due: Due) -> bool:
        match cap:
            case Cap.MESSAGING_LIMIT:
                return not window_open(due.recipient.last_inbound_at, self.at)
            case Cap.CONTACTS_PER_DAY:
                return due.message.campaign_id is not None

    async def save(self, unit: Unit, home: OrganizationId) -> int:
        """Write down what was taken and what waits; return how many messages were put off."""
        for each in self.limits:
            of = _home(each.cap, home, unit)
            await stored.take(unit, home=of, places=each)
            free_at = each.next_free_at()
            if self._held[each.cap]:
                await stored.hold(unit, campaigns=self._held[each.cap], until=free_at, why=each.cap)
            if self._put_off[each.cap]:
                until = max(free_at, self.at + _LOOK_AGAIN)
                await stored.put_off(unit, messages=self._put_off[each.cap], until=until)
        return sum(map(len, self._put_off.values()))


class Limits:
    """The limits on unique contacts of one organization."""

    def __init__(self, rules: SendingRules) -> None:
        self.rules = rules

    async def look(self, unit: Unit, messaging_limit: str | None) -> Taking:
        """Lock and read what is taken of each limit there is.

        Args:
            messaging_limit: As the platform names it; None: it has not said, and nothing counts.
        """
        limits: list[Places] = []
        for cap, limit in self.rules.people_limits(messaging_limit):
            home = _home(cap, self.rules.portfolio_home, unit)
            await stored.lock(unit, home=home, cap=cap)
            span = self.rules.people_span(cap, unit.at)
            limits.append(await stored.counted(unit, home=home, cap=cap, limit=limit, span=span))
        return Taking(limits, at=unit.at)

    async def know(self, unit: Unit, taking: Taking, due: Iterable[Due]) -> None:
        """Look up who of *due* has a place already."""
        if taking.limits:
            contacts = {one.message.contact_id for one in due}
            for each in taking.limits:
                each.holders = await stored.holders(unit, places=each, contacts=contacts)

    async def save(self, unit: Unit, taking: Taking) -> int:
        """Write down what *taking* took; return how many messages it put off."""
        return await taking.save(unit, self.rules.portfolio_home)

    async def prepare(self, unit: Unit, calls: Iterable[Call]) -> None:
        """Lock what giving *calls* back changes, and let campaigns look again."""
        counted = [call for call in calls if call.caps]
        # In the order in which claims lock them.
        caps = [cap for cap in Cap if any(cap in call.caps for call in counted)]
        if not caps:
            return
        for cap in caps:
            await stored.lock(unit, home=_home(cap, self.rules.portfolio_home, unit), cap=cap)
        ids = [call.message.id for call in counted]
        await stored.lock_held(unit, whys=caps, messages=ids)
        await stored.open_held(unit, whys=caps)

    async def give_back(self, unit: Unit, calls: Collection[Call]) -> None:
        """Take back the places of *calls*, which went back to the queue."""
        uses: dict[tuple[Cap, datetime], Counter[ContactId]] = defaultdict(Counter)
        for call in calls:
            for cap in call.caps:
                uses[cap, self.rules.people_span(cap, call.claimed_at).bucket][
                    call.message.contact_id
                ] += 1
        for (cap, bucket), contacts in sorted(uses.items()):
            span = self.rules.people_span(cap, unit.at)
            await stored.give_back(
                unit,
                home=_home(cap, self.rules.portfolio_home, unit),
                cap=cap,
                span=Span(bucket=bucket, since=span.since, length=span.length),
                uses=contacts,
            )


def _home(cap: Cap, portfolio_home: OrganizationId, unit: Unit) -> OrganizationId:
    return portfolio_home if cap is Cap.MESSAGING_LIMIT else unit.organization

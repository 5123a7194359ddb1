"""What the use cases need of storage, in the engine's words; a unit of work is behind each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.consent import Act, Consent
from engine.failure_codes import Failure
from engine.failures import Effect
from engine.identity import Identity
from engine.ids import CampaignId, ContactId, MessageId, NumberId
from engine.keywords import Meaning
from engine.message import Message
from engine.updates import Inbound, QualityScore, TemplateRef

# Messages


class Placed(Protocol):
    """A message, locked, and where it belongs."""

    @property
    def message(self) -> Message: ...

    @property
    def campaign_id(self) -> CampaignId | None:
        """None for what is not of a campaign, such as a confirmation."""
        ...

    @property
    def contact_id(self) -> ContactId: ...

    @property
    def number_id(self) -> NumberId: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A message of ours that a report is about, not locked.

    Attributes:
        unreachable: Its contact was once found unreachable.
        doubts: Some message of the organization waits for its positive control.
    """

    id: MessageId
    wamid: str | None
    attempt: int
    contact_id: ContactId
    number_id: NumberId
    unreachable: bool
    doubts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMessage:
    """A failure that was news, and what follows from it beyond the message itself."""

    message: MessageId
    failure: Failure
    effects: tuple[Effect, ...]
    at: datetime


class Messages(Protocol):
    """Rows to be changed by one unit; see `storage.messages` for the locks."""

    async def lock(self, ids: Collection[MessageId]) -> Mapping[MessageId, Placed]:
        """Lock messages, after the enrollments behind them; those that do not exist are missing."""
        ...

    async def save(self, messages: Collection[Message]) -> None:
        """Write messages locked before, with all that counts them."""
        ...


class Reports(Messages, Protocol):
    """What statuses change."""

    async def known(self, *, ids: Collection[MessageId], wamids: Collection[str]) -> list[Known]:
        """Return the messages among *ids* and those with one of *wamids*."""
        ...

    async def doubted_before(self, ids: Collection[MessageId]) -> list[MessageId]:
        """Return messages in doubt, claimed on the same number no later than one of *ids*."""
        ...

    async def prepare(
        self,
        failing: Collection[tuple[MessageId, int | None]],
        *,
        reached: Collection[ContactId],
    ) -> None:
        """Lock what the failures of messages (by their codes) may change, before all else.

        Args:
            reached: Contacts of whom will be noted that messages got through to them.
        """
        ...

    async def control(self, ids: Collection[MessageId]) -> None:
        """Note that a later call than those in doubt was heard of, where this is the first."""
        ...

    async def reached(self, contacts: Mapping[ContactId, datetime]) -> None:
        """Note that messages got through to contacts."""
        ...

    async def renew_files(self, ids: Collection[MessageId]) -> Collection[MessageId]:
        """Ask for new ids of the files that messages sent; return those whose file gets one.

        Not of files that had their id from just before the call: they are themselves to blame.
        """
        ...

    async def follow(self, failed: Sequence[FailedMessage]) -> None:
        """Apply the effects of failures to contacts, taps and staff."""
        ...


# People


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """A contact, locked.

    Attributes:
        identities: All of them.
        last_number_id: Of the last exchange.
        last_reply_at: When the contact last wrote; None: never.
    """

    id: ContactId
    name: str | None
    consent: Consent
    last_number_id: NumberId | None
    last_reply_at: datetime | None = None
    identities: frozenset[Identity] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """Somebody who wrote first.

    Attributes:
        timezone: Where the phone's country has only one; None otherwise.
        country: Of the phone (``NL``); None: it has none.
        last_reply_at: When the contact last wrote; None: it did something else.
    """

    name: str | None
    timezone: str | None
    country: str | None
    last_reply_at: datetime | None
    consent: Consent
    last_number_id: NumberId | None
    identities: tuple[Identity, ...]


class Contacts(Protocol):
    async def lock(
        self, *, identities: Collection[Identity], ids: Collection[ContactId] = ()
    ) -> Mapping[ContactId, KnownContact]:
        """Lock the contacts with one of *identities*, and *ids*, in the order of their ids."""
        ...

    async def create(self, new: Sequence[NewContact]) -> list[ContactId]:
        """Create contacts, each told to triggers, and return their ids in the same order."""
        ...

    async def save(self, contacts: Collection[KnownContact]) -> None:
        """Write name, consent and last number of contacts locked before."""
        ...

    async def attach(self, links: Collection[tuple[ContactId, Identity]]) -> None:
        """Give contacts identities that nobody had."""
        ...

    async def detach(self, identities: Collection[Identity]) -> None: ...

    async def merge(self, *, into: ContactId, others: Sequence[ContactId]) -> list[MessageId]:
        """Make *others* part of *into*, but for open messages to be cancelled, returned here.

        Identities, tags, messages, replies and enrollments move. Where two are in one run, what
        is younger and not yet under way is to be cancelled, and stays with the other contact, who
        is kept for it, without any identity.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """An act for the ledger, with its proof.

    Attributes:
        at: Of the message or act that says so.
        text: What the person wrote.
        reference: The wamid, or what else identifies the act.
    """

    contact_id: ContactId
    act: Act
    at: datetime
    channel: str
    text: str | None
    reference: str


class Ledger(Protocol):
    async def append(self, entries: Sequence[ConsentEntry]) -> list[int]:
        """Append acts and return their ids in the same order."""
        ...

    async def append_new(self, entries: Sequence[ConsentEntry]) -> None:
        """Append those acts whose contact, kind, time and reference are not there yet."""
        ...


# What people write


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """The message a reply answers; no campaign: a confirmation, or what staff wrote."""

    message_id: MessageId
    contact_id: ContactId
    campaign_id: CampaignId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An inbound message as it is kept.

    Attributes:
        contact_id: Whose it is, the oldest of those *reached* by its sender.
    """

    inbound: Inbound
    contact_id: ContactId
    reached: tuple[ContactId, ...]
    at: datetime
    meaning: Meaning | None
    tie: Tie | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """An answer to STOP or START, at the head of the number's lane.

    Attributes:
        consent_id: Of the ledger; its run.
    """

    contact_id: ContactId
    number_id: NumberId
    consent_id: int
    body: str


class Inbox(Messages, Protocol):
    async def stored(self, wamids: Collection[str]) -> frozenset[str]:
        """Return which of *wamids* were received before."""
        ...

    async def by_wamid(self, wamids: Collection[str]) -> Mapping[str, Tie]:
        """Return those of our messages."""
        ...

    async def latest(
        self, moments: Sequence[tuple[Collection[ContactId], datetime]], *, within_s: int
    ) -> list[Tie | None]:
        """Return for each moment the campaign message its contacts got last before.

        Looks back *within_s* seconds; None: they got none.
        """
        ...

    async def keep(self, received: Sequence[Received]) -> list[int]:
        """Store inbound messages and return their ids in the same order."""
        ...

    async def open_windows(
        self, windows: Mapping[tuple[NumberId, ContactId], datetime]
    ) -> None: ...

    async def stops_on_reply(self, campaigns: Collection[CampaignId]) -> frozenset[CampaignId]:
        """Return the drips among *campaigns* that a reply ends."""
        ...

    async def end_runs(
        self,
        *,
        stopped: Collection[ContactId],
        replied: Collection[tuple[ContactId, CampaignId]],
        answered: Collection[MessageId] = (),
    ) -> None:
        """End all enrollments of *stopped*, and those of *replied* in the campaign.

        Args:
            answered: Messages that are to change too: the enrollments behind them are locked
                along, in one order with those that end.
        """
        ...

    async def queued(
        self, *, stopped: Collection[ContactId], replied: Collection[tuple[ContactId, CampaignId]]
    ) -> frozenset[MessageId]:
        """Return campaign messages still queued, of all campaigns or of the one."""
        ...

    async def confirm(self, confirmations: Sequence[Confirmation]) -> None:
        """Queue confirmations and wake their lanes."""
        ...

    async def revoke(self, contacts: Collection[ContactId]) -> None:
        """Have senders give back what they have claimed for *contacts* and not started."""
        ...

    async def keywords(self) -> Collection[str]:
        """Return the words that some automation waits for, folded."""
        ...

    async def tell_of_keywords(self, written: Sequence[tuple[ContactId, str]]) -> None:
        """Tell automations which words contacts wrote."""
        ...

    async def tell_of_replies(self, replies: Sequence[tuple[int, Received]]) -> None:
        """Tell staff of inbound messages, by their ids."""
        ...


# What the platform says about templates, numbers and the account


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumber:
    """A number as configured."""

    id: NumberId
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What staff are told; `content` is JSON without texts and phones of contacts."""

    kind: str
    content: Mapping[str, object] = field(default_factory=dict)


class Platform(Protocol):
    async def keep(
        self, *, key: str, kind: str, content: Mapping[str, object] | str, at: datetime
    ) -> bool:
        """Store an event; False: it was known already. A text is JSON."""
        ...

    async def tell(self, notice: Notice) -> None:
        """Write an event for staff, unless the same was told within the hour."""
        ...

    async def set_template(
        self,
        template: TemplateRef,
        *,
        at: datetime,
        status: str | None = None,
        category: str | None = None,
        quality: QualityScore | None = None,
    ) -> bool:
        """Change what is not None, unless the template is known as of later than *at*."""
        ...

    async def decide_draft(
        self, template: TemplateRef, *, reason: str | None, advice: str | None
    ) -> bool:
        """Settle the draft of a template just decided, and tell who waits; False: there is none."""
        ...

    async def fetch_templates(self) -> None:
        """Let the worker take over the platform's list of templates."""
        ...

    async def close_campaigns(self, template: TemplateRef, *, why: str) -> None:
        """Close the taps of open campaigns that use *template*, and tell staff of each."""
        ...

    async def approved_again(self, template: TemplateRef) -> None:
        """Tell staff of campaigns that a template stopped and all of whose are approved now.

        Nothing goes on by itself: whether it should is for a person to say.
        """
        ...

    async def set_numbers(
        self,
        numbers: Sequence[OwnNumber],
        *,
        messages_per_second: int | None = None,
        messaging_limit: str | None = None,
    ) -> None:
        """Change what is not None; a number not known yet is added."""
        ...

    async def read_accounts(self) -> None:
        """Ask for what the platform says of our numbers now."""
        ...

    async def close_numbers(
        self, numbers: Sequence[OwnNumber], *, until: datetime | None, why: str
    ) -> None:
        """Close the taps of numbers (None: until a person opens them), and tell staff."""
        ...

    async def allowed_again(self, numbers: Sequence[OwnNumber], *, why: str) -> None:
        """Tell staff of numbers that were closed for something beginning with *why*."""
        ...

r"""What a WhatsApp webhook says, in our words: one frozen value per fact, with no dict inside.

Every value names the business account it came under and, when the webhook names one, the number, so
that a reader can check both against the organizations whose secret signed the request.
``at`` is WhatsApp's time of the fact: whole seconds, UTC; None where the webhook states none that
can be read, and then the time of arrival is the best there is. Texts are as sent: they may hold
``\u0000`` and lone surrogates, which a database refuses.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from engine.ids import MessageId, NumberId
from engine.phone import Phone


class InboundKind(Enum):
    TEXT = "text"
    BUTTON = "button"
    INTERACTIVE = "interactive"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"
    REACTION = "reaction"
    LOCATION = "location"
    CONTACTS = "contacts"
    ORDER = "order"
    EDIT = "edit"
    REVOKE = "revoke"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


class ReportedStatus(Enum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PreferenceChoice(Enum):
    STOP = "stop"
    RESUME = "resume"
    SIGNUP = "signup"
    UNKNOWN = "unknown"


class TemplateEvent(Enum):
    APPROVED = "APPROVED"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    IN_APPEAL = "IN_APPEAL"
    FLAGGED = "FLAGGED"
    REINSTATED = "REINSTATED"
    LOCKED = "LOCKED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PENDING_DELETION = "PENDING_DELETION"
    DELETED = "DELETED"
    ARCHIVED = "ARCHIVED"
    UNARCHIVED = "UNARCHIVED"
    UNKNOWN = "UNKNOWN"


class QualityScore(Enum):
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on WhatsApp, by whatever the platform chose to tell; at least one is set.

    Attributes:
        phone: The WhatsApp id with a ``+``. For Brazil and Mexico it may differ by a digit from the
            number people dial. None when WhatsApp hides it behind a username.
        bsuid: Business-scoped user id (``US.1349…``), another one after a change of phone.
        parent_bsuid: The same across linked portfolios (``US.ENT.…``).
    """

    phone: Phone | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMedia:
    """A file somebody sent.

    Attributes:
        id: To fetch it with, within seven days.
        sha256: Base64, as the platform gives it.
        voice: Recorded as a voice note.
    """

    id: str
    mime_type: str | None
    sha256: str | None
    filename: str | None
    voice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """An emoji put on a message; ``emoji`` None: taken away again."""

    wamid: str
    emoji: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """The advertisement or post that somebody came from; every part may be missing.

    Attributes:
        source_type: ``ad`` or ``post`` so far.
        click_id: ``ctwa_clid``, to report a conversion with.
    """

    source_type: str | None
    source_id: str | None
    source_url: str | None
    headline: str | None
    body: str | None
    click_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Something a person wrote, tapped or sent.

    Attributes:
        profile_name: What the person calls themselves on WhatsApp.
        text: What the person wrote or tapped: the text, the button's label, the chosen title, the
            caption; empty where there is none.
        payload: Of a template's quick reply, or the id of an interactive choice.
        context_id: The wamid of the message this one answers.
        raw: The message as it came, JSON.
    """

    waba_id: str
    number_id: NumberId
    wamid: str
    sender: Person
    profile_name: str | None
    at: datetime | None
    kind: InboundKind
    text: str
    payload: str | None
    context_id: str | None
    referral: Referral | None
    media: InboundMedia | None
    reaction: Reaction | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRef:
    """Our own mark on a call, ``d:<message id>:<attempt>``, as it comes back in its reports."""

    message_id: MessageId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """Why the platform failed or refused; decide by ``code``, and by ``details`` where one must."""

    code: int
    title: str | None
    details: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """How a message is charged; the platform states no amount.

    Attributes:
        type: ``regular``, ``free_customer_service``, ``free_entry_point``, or one we do not know.
        billable: Being withdrawn by Meta; None once it is gone.
    """

    category: str | None
    type: str | None
    billable: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """How far one of our messages got.

    Attributes:
        callback: None when it carries no mark of ours (sent by hand, or by another tool).
        recipient: None when the report names nobody.
        error: With ``FAILED``; the first one when there are several.
    """

    waba_id: str
    number_id: NumberId
    wamid: str
    status: ReportedStatus
    at: datetime | None
    callback: CallbackRef | None
    recipient: Person | None
    error: ReportedError | None
    pricing: Pricing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """A person has another phone or user id from now on; each side holds what was told."""

    waba_id: str
    number_id: NumberId
    wamid: str
    at: datetime | None
    old: Person
    new: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A person told WhatsApp itself, not us, whether to get such messages from the business.

    Attributes:
        category: ``marketing_messages`` so far.
        signup_id: With ``SIGNUP``, which sign-up link was used.
    """

    waba_id: str
    number_id: NumberId
    person: Person
    at: datetime | None
    category: str | None
    choice: PreferenceChoice
    detail: str | None
    signup_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRef:
    """Which template an event is about; name and language identify it, an id may be missing."""

    id: str | None
    name: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatus:
    """Meta's decision about a template.

    Attributes:
        event_name: As it came, also where ``event`` is ``UNKNOWN``.
        reason: In Meta's words (``INVALID_FORMAT``), None for ``NONE``.
        title: Of a pause: ``FIRST_PAUSE``, ``SECOND_PAUSE``, ``RATE_LIMITING_PAUSE``, ``UNPAUSE``.
        advice: What Meta says about it or recommends, a sentence.
    """

    waba_id: str
    at: datetime | None
    template: TemplateRef
    event: TemplateEvent
    event_name: str
    category: str | None
    reason: str | None
    title: str | None
    advice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateQuality:
    waba_id: str
    at: datetime | None
    template: TemplateRef
    previous: QualityScore
    new: QualityScore


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCategory:
    """Meta moved a template to another category, or is about to.

    Attributes:
        new: The category it has now; None while the change is only announced.
        correct: What Meta will make it.
        changes_at: When, if announced.
    """

    waba_id: str
    at: datetime | None
    template: TemplateRef
    previous: str | None
    new: str | None
    correct: str | None
    changes_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateComponents:
    """A template's text was edited; the stored one is out of date."""

    waba_id: str
    at: datetime | None
    template: TemplateRef
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberQuality:
    """A number's standing or limit changed.

    Attributes:
        display_phone: The number as Meta prints it; the webhook has no id for it.
        event: ``ONBOARDING``, ``UPGRADE``, ``DOWNGRADE``, ``THROUGHPUT_UPGRADE`` …
        daily_users: Unique users per 24 h, as in :class:`Capability`.
        limit: The tier as written, whichever key it came under.
    """

    waba_id: str
    at: datetime | None
    display_phone: str | None
    event: str
    daily_users: int | None
    limit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """How many unique users the portfolio may write to per 24 h outside the service window.

    Attributes:
        daily_users: -1 for unlimited, None when it cannot be read.
    """

    waba_id: str
    at: datetime | None
    daily_users: int | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What an account may not do; ``expires_at`` None: no end was stated."""

    type: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdate:
    """Something happened to the account, a number's name, or its PIN; staff should hear of it.

    Attributes:
        field: Which webhook: ``account_update``, ``account_review_update``,
            ``phone_number_name_update`` or ``security``.
        event: In Meta's words, or the decision where there is no event.
        ban_state: ``DISABLE``, ``REINSTATE`` or ``SCHEDULE_FOR_DISABLE``.
        violation: The kind of policy that was violated.
    """

    waba_id: str
    at: datetime | None
    field: str
    event: str
    display_phone: str | None
    ban_state: str | None
    violation: str | None
    restrictions: tuple[Restriction, ...]
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAlert:
    """Meta's notice to the business; ``severity`` is CRITICAL, WARNING or INFORMATIONAL so far."""

    waba_id: str
    at: datetime | None
    entity_type: str | None
    entity_id: str | None
    severity: str | None
    status: str | None
    type: str
    description: str | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberError:
    """A problem of the number, app or account that belongs to no message."""

    waba_id: str
    number_id: NumberId
    at: datetime | None
    error: ReportedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A part of a webhook that says nothing we understand; kept, never an error.

    Attributes:
        waba_id: None when even that could not be read.
        field: The webhook field; empty outside of one.
        kind: What in it was not understood: ``message``, ``status``, ``user_actions`` …
        raw: That part, JSON.
    """

    waba_id: str | None
    number_id: NumberId | None
    at: datetime | None
    field: str
    kind: str
    raw: str


Update = (
    Inbound
    | StatusReport
    | IdentityChange
    | Preference
    | TemplateStatus
    | TemplateQuality
    | TemplateCategory
    | TemplateComponents
    | NumberQuality
    | Capability
    | AccountUpdate
    | AccountAlert
    | NumberError
    | Unknown
)

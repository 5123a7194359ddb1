"""Automations: when something happens to a contact, and perhaps only in a segment, do something.

The trigger of a campaign is one of them, which enrolls into that campaign.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, assert_never

from engine import event_condition
from engine.ids import AutomationId, CampaignId, ContactId, SegmentId, StepId
from engine.segment import Condition
from engine.segment_json import condition_from_json, condition_to_json

DEEPEST: Final = 10
"""So many automations may lead to one another; the next one is stopped."""


class Kind(StrEnum):
    """What can have happened; the words of the table."""

    CONTACT_CREATED = "contact_created"
    TAG_ADDED = "tag_added"
    EVENT = "event"
    KEYWORD = "keyword"
    SEGMENT_JOINED = "segment_joined"
    DATE = "date"
    REPLIED = "replied"
    DELIVERED = "delivered"
    READ = "read"
    CLICKED = "clicked"
    CONVERSATION_RESOLVED = "conversation_resolved"
    API = "api"


class Milestone(StrEnum):
    """What becomes of a message; words of `Kind` too."""

    REPLIED = "replied"
    DELIVERED = "delivered"
    READ = "read"
    CLICKED = "clicked"


# Triggers


@dataclass(frozen=True, slots=True)
class ContactCreated:
    """Somebody became a contact."""


@dataclass(frozen=True, slots=True)
class TagAdded:
    """A contact got a tag it did not have."""

    tag: str


@dataclass(frozen=True, slots=True)
class EventFired:
    """A custom event, by the name staff or programs fire it under.

    Attributes:
        where: What its properties have to fulfil; None: nothing.
    """

    name: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class KeywordWritten:
    """An inbound message has the word in it, in the form `engine.keywords.folded` gives."""

    word: str


@dataclass(frozen=True, slots=True)
class SegmentJoined:
    """A contact is in a segment and was not before."""

    segment: SegmentId


@dataclass(frozen=True, slots=True)
class DateReached:
    """It is the day of a date of the contact's, this year's or an anniversary of it.

    Attributes:
        minute: After midnight, of the contact's zone.
    """

    attribute: str
    minute: int


@dataclass(frozen=True, slots=True)
class MessageReached:
    """A message was replied to, delivered, read or clicked.

    Attributes:
        campaign: None: of any campaign.
        step: None: of any step.
    """

    milestone: Milestone
    campaign: CampaignId | None = None
    step: StepId | None = None


@dataclass(frozen=True, slots=True)
class ConversationResolved:
    """Staff resolved a contact's conversation."""


@dataclass(frozen=True, slots=True)
class ApiCalled:
    """A program asked for it; a campaign's own trigger hears only of calls that name it."""


Trigger = (
    ContactCreated
    | TagAdded
    | EventFired
    | KeywordWritten
    | SegmentJoined
    | DateReached
    | MessageReached
    | ConversationResolved
    | ApiCalled
)

# Actions


@dataclass(frozen=True, slots=True)
class Enroll:
    """Put the contact into a drip, as its rules and the contact's consent allow."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class Unenroll:
    """Take the contact out of a drip; what waits is not sent."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class AddTag:
    """Put a tag on the contact."""

    tag: str


@dataclass(frozen=True, slots=True)
class RemoveTag:
    """Take a tag off the contact."""

    tag: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Say something in a Slack channel.

    Attributes:
        text: With tokens, as a message's.
    """

    channel: str
    text: str


Action = Enroll | Unenroll | AddTag | RemoveTag | Tell


class State(StrEnum):
    ON = "on"
    OFF = "off"
    STOPPED = "stopped"  # by ourselves: it led to itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """An automation as it stands.

    Attributes:
        campaign_id: The campaign whose trigger= it is; None: made on its own.
        segment_id: Only contacts in it; None: all.
        on_since: When it was made or last resumed; what happened before is none of its business.
        created_by: A Slack user.
    """

    id: AutomationId
    trigger: Trigger
    segment_id: SegmentId | None
    action: Action
    campaign_id: CampaignId | None = None
    state: State = State.ON
    stopped_why: str | None = None
    on_since: datetime
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that happened to a contact, written where it happened, once.

    Attributes:
        value: The tag, the event's name, the word, the segment's id, or the id of the automation
            whose date it is.
        campaign_id, step_id: Of the message; of an API call, the campaign it named.
        properties: Of an event.
        depth: How many automations led to it, one after the other.
    """

    id: int
    kind: Kind
    contact_id: ContactId
    value: str = ""
    at: datetime
    campaign_id: CampaignId | None = None
    step_id: StepId | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0


def hears(automation: Automation, of: Occurrence) -> bool:
    """Whether *automation* acts on an occurrence, but for the segment and its state."""
    if of.at < automation.on_since:
        return False
    match automation.trigger:
        case ContactCreated():
            return of.kind is Kind.CONTACT_CREATED
        case TagAdded(tag):
            return of.kind is Kind.TAG_ADDED and of.value == tag
        case EventFired(name, where):
            return (
                of.kind is Kind.EVENT
                and of.value == name
                and (where is None or event_condition.fulfils(of.properties, where))
            )
        case KeywordWritten(word):
            return of.kind is Kind.KEYWORD and of.value == word
        case SegmentJoined(segment):
            return of.kind is Kind.SEGMENT_JOINED and of.value == str(segment)
        case DateReached():
            return of.kind is Kind.DATE and of.value == str(automation.id)
        case MessageReached(milestone, campaign, step):
            return (
                of.kind is Kind(milestone.value)
                and campaign in (None, of.campaign_id)
                and step in (None, of.step_id)
            )
        case ConversationResolved():
            return of.kind is Kind.CONVERSATION_RESOLVED
        case ApiCalled():
            return of.kind is Kind.API and automation.campaign_id in (None, of.campaign_id)
        case _:
            assert_never(automation.trigger)


def kind_of(trigger: Trigger) -> Kind:
    """Return the kind of occurrence a trigger is about."""
    match trigger:
        case ContactCreated():
            return Kind.CONTACT_CREATED
        case TagAdded():
            return Kind.TAG_ADDED
        case EventFired():
            return Kind.EVENT
        case KeywordWritten():
            return Kind.KEYWORD
        case SegmentJoined():
            return Kind.SEGMENT_JOINED
        case DateReached():
            return Kind.DATE
        case MessageReached(milestone):
            return Kind(milestone.value)
        case ConversationResolved():
            return Kind.CONVERSATION_RESOLVED
        case ApiCalled():
            return Kind.API
        case _:
            assert_never(trigger)


def trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """Return the trigger column: what it is about under ``on``, and the fields it has."""
    found: dict[str, Any] = {"on": kind_of(trigger).value}
    for name in type(trigger).__slots__:
        value = getattr(trigger, name)
        if value is not None and name != "milestone":
            found[name] = condition_to_json(value) if name == "where" else value
    return found


def trigger_from_json(content: Mapping[str, Any]) -> Trigger:
    given = {name: value for name, value in content.items() if name != "on"}
    kind = Kind(content["on"])
    if kind.value in set(Milestone):
        return MessageReached(Milestone(kind.value), **given)
    if "where" in given:
        given["where"] = condition_from_json(given["where"])
    made: Trigger = _TRIGGERS[kind](**given)
    return made


def action_to_json(action: Action) -> dict[str, Any]:
    """Return the action column: what is done under ``do``, and the fields it has."""
    return {"do": _VERBS[type(action)]} | {
        name: getattr(action, name) for name in type(action).__slots__
    }


def action_from_json(content: Mapping[str, Any]) -> Action:
    given = {name: value for name, value in content.items() if name != "do"}
    made: Action = _ACTIONS[content["do"]](**given)
    return made


_TRIGGERS: Final[dict[Kind, Any]] = {
    Kind.CONTACT_CREATED: ContactCreated,
    Kind.TAG_ADDED: TagAdded,
    Kind.EVENT: EventFired,
    Kind.KEYWORD: KeywordWritten,
    Kind.SEGMENT_JOINED: SegmentJoined,
    Kind.DATE: DateReached,
    Kind.CONVERSATION_RESOLVED: ConversationResolved,
    Kind.API: ApiCalled,
}
_ACTIONS: Final[dict[str, Any]] = {
    "enroll": Enroll,
    "unenroll": Unenroll,
    "tag": AddTag,
    "untag": RemoveTag,
    "tell": Tell,
}
_VERBS: Final[dict[type, str]] = {made: verb for verb, made in _ACTIONS.items()}

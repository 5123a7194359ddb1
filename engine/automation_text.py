"""Automations as staff write and read them: `when=` and `then=`, and one sentence for all of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from engine import event_condition, keywords, names
from engine.automation import (
    Action,
    AddTag,
    ApiCalled,
    Automation,
    ContactCreated,
    ConversationResolved,
    DateReached,
    Enroll,
    EventFired,
    KeywordWritten,
    MessageReached,
    Milestone,
    RemoveTag,
    SegmentJoined,
    TagAdded,
    Tell,
    Trigger,
    Unenroll,
)
from engine.ids import CampaignId, SegmentId, StepId

TRIGGERS: Final = (
    "contact_created, tag:<tag>, event:<name>, keyword:<word>, segment:<name>, date:<attribute>,"
    " replied, delivered, read, clicked, resolved or api"
)
ACTIONS: Final = (
    'enroll <campaign>, unenroll <campaign>, tag <tag>, untag <tag> or tell <#channel> "text"'
)
MANUAL: Final = "manual"
MORNING: Final = 9 * 60
"""When date triggers fire unless they say: minutes after midnight."""
LONGEST_TEXT: Final = 2_000


class InvalidAutomation(ValueError):
    """The text says no trigger or no action; the message is a sentence for staff."""


@dataclass(frozen=True, slots=True)
class WrittenTrigger:
    """A trigger with the names in it not looked up.

    Attributes:
        word: ``contact_created``, ``tag``, ``event``, ``keyword``, ``segment``, ``date``,
            ``replied``, ``delivered``, ``read``, ``clicked``, ``resolved`` or ``api``.
        value: What follows the colon, in its one form; empty: nothing.
        minute: Of a date, after midnight.
    """

    word: str
    value: str = ""
    minute: int = MORNING

    def __str__(self) -> str:
        """Write it as :func:`read_trigger` reads it."""
        if self.word == "date" and self.minute != MORNING:
            return f"date:{self.value}@{_clock(self.minute)}"
        return f"{self.word}:{self.value}" if self.value else self.word


@dataclass(frozen=True, slots=True)
class WrittenAction:
    """An action with the names in it not looked up.

    Attributes:
        verb: ``enroll``, ``unenroll``, ``tag``, ``untag`` or ``tell``.
        value: The campaign, tag or channel.
        text: Of ``tell``; empty for the others.
    """

    verb: str
    value: str
    text: str = ""

    def __str__(self) -> str:
        """Write it as :func:`read_action` reads it."""
        return f"{self.verb} {self.value} {self.text}".rstrip()


def read_trigger(text: str) -> WrittenTrigger:
    """Read a trigger.

    >>> str(read_trigger("Tag: VIP")), str(read_trigger("date:Birthday@8:30"))
    ('tag:vip', 'date:birthday@08:30')

    Raises:
        InvalidAutomation: It is none.
    """
    before, colon, after = names.cleaned(text).partition(":")
    word, value = before.strip().lower().replace(" ", "_").replace("-", "_"), after.strip()
    if word in _ALONE:
        if colon:
            raise InvalidAutomation(f"{word} stands alone; leave out what follows it.")
        return WrittenTrigger(word)
    if word in set(Milestone):
        return WrittenTrigger(word, names.campaign(value) if value else "")
    reads = _READS.get(word)
    if reads is None:
        closest = names.closest(word, [*_ALONE, *Milestone, *_READS])
        meant = f" Did you mean {closest}?" if closest else ""
        raise InvalidAutomation(f"{text[:40]!r} is no trigger.{meant} Write {TRIGGERS}.")
    if not value:
        raise InvalidAutomation(f"{word}: needs {_NEEDS[word]} after the colon.")
    try:
        if word == "date":
            return _date(value)
        return WrittenTrigger(word, reads(value))
    except names.InvalidName as error:
        raise InvalidAutomation(f"What follows {word}: cannot be. {error}") from error


def read_action(text: str) -> WrittenAction:
    """Read an action; a colon may stand after the verb, and quotes around a name or the text.

    >>> read_action('tell:#C0SALES "New lead: {name}"')
    WrittenAction(verb='tell', value='C0SALES', text='New lead: {name}')

    Raises:
        InvalidAutomation: It is none.
    """
    found = _ACTION.fullmatch(text.strip())
    verb = "" if found is None else found[1].lower()
    if found is None or verb not in _VERBS:
        closest = names.closest(verb or text[:20], _VERBS)
        meant = f" Did you mean {closest}?" if closest else ""
        raise InvalidAutomation(f"{text[:40]!r} is no action.{meant} Write {ACTIONS}.")
    value = found[2].strip()
    if verb == "tell":
        return _tell(value)
    if not value:
        needs = "a tag" if verb in {"tag", "untag"} else "a campaign"
        raise InvalidAutomation(f"{verb} needs {needs} after it.")
    read = names.tag if verb in {"tag", "untag"} else names.campaign
    try:
        return WrittenAction(verb, read(_unquoted(value)))
    except names.InvalidName as error:
        raise InvalidAutomation(f"What follows {verb} cannot be. {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What the ids in automations are called; what is missing was deleted."""

    campaigns: Mapping[CampaignId, str] = field(default_factory=dict)
    steps: Mapping[StepId, int] = field(default_factory=dict)
    segments: Mapping[SegmentId, str] = field(default_factory=dict)

    def campaign(self, campaign: CampaignId) -> str:
        return self.campaigns.get(campaign, "a campaign that is gone")

    def segment(self, segment: SegmentId) -> str:
        return self.segments.get(segment, "a segment that is gone")


def sentence(automation: Automation, known: Directory) -> str:
    """Return the one sentence that says all an automation does."""
    only = automation.segment_id
    condition = "" if only is None else f" and is in the segment {known.segment(only)}"
    return f"{_when(automation.trigger, known)}{condition}, {done(automation.action, known)}."


def done(action: Action, known: Directory) -> str:
    """Return what an action does, as the end of a sentence."""
    match action:
        case Enroll(campaign):
            return f"enroll the contact in {known.campaign(campaign)}"
        case Unenroll(campaign):
            return f"take the contact out of {known.campaign(campaign)}"
        case AddTag(tag):
            return f"tag the contact {tag}"
        case RemoveTag(tag):
            return f"take the tag {tag} off the contact"
        case Tell(channel, text):
            return f"tell #{channel} “{text}”"
        case _:
            assert_never(action)


def written(trigger: Trigger, known: Directory) -> WrittenTrigger:
    """Return a trigger as staff would write it."""
    match trigger:
        case ContactCreated():
            return WrittenTrigger("contact_created")
        case TagAdded(tag):
            return WrittenTrigger("tag", tag)
        case EventFired(name):
            return WrittenTrigger("event", name)
        case KeywordWritten(word):
            return WrittenTrigger("keyword", word)
        case SegmentJoined(segment):
            return WrittenTrigger("segment", known.segment(segment))
        case DateReached(attribute, minute):
            return WrittenTrigger("date", attribute, minute)
        case MessageReached(milestone, campaign, step):
            value = "" if campaign is None else known.campaign(campaign)
            number = None if step is None else known.steps.get(step, 0)
            return WrittenTrigger(milestone.value, value if number is None else f"{value}#{number}")
        case ConversationResolved():
            return WrittenTrigger("resolved")
        case ApiCalled():
            return WrittenTrigger("api")
        case _:
            assert_never(trigger)


def _when(trigger: Trigger, known: Directory) -> str:
    match trigger:
        case ContactCreated():
            return "When somebody becomes a contact"
        case TagAdded(tag):
            return f"When a contact gets the tag {tag}"
        case EventFired(name, where):
            only = "" if where is None else f" with {event_condition.show(where)}"
            return f"When the event {name}{only} happens to a contact"
        case KeywordWritten(word):
            return f"When a contact writes “{word}”"
        case SegmentJoined(segment):
            return f"When a contact joins the segment {known.segment(segment)}"
        case DateReached(attribute, minute):
            return f"When a contact reaches the day of its {attribute} at {_clock(minute)}"
        case MessageReached(milestone, campaign, step):
            return _REACHED[milestone].format(of=_of(campaign, step, known))
        case ConversationResolved():
            return "When a contact's conversation is resolved"
        case ApiCalled():
            return "When a program asks for it for a contact"
        case _:
            assert_never(trigger)


def _of(campaign: CampaignId | None, step: StepId | None, known: Directory) -> str:
    if campaign is None:
        return "any campaign"
    of = known.campaign(campaign)
    if step is None:
        return of
    number = known.steps.get(step)
    return f"step {number} of {of}" if number else f"a removed step of {of}"


def _date(value: str) -> WrittenTrigger:
    attribute, at, clock = value.partition("@")
    if not at:
        return WrittenTrigger("date", names.attribute(attribute))
    found = _TIME.fullmatch(clock.strip())
    if found is None:
        raise InvalidAutomation(
            f"{clock[:20]!r} is no time of day: write date:{attribute[:50]}@09:00."
        )
    return WrittenTrigger("date", names.attribute(attribute), int(found[1]) * 60 + int(found[2]))


def _tell(value: str) -> WrittenAction:
    channel, _, text = value.partition(" ")
    found = _CHANNEL.fullmatch(channel)
    if found is None:
        raise InvalidAutomation(
            f"{channel[:40]!r} is no channel: write # and pick it from Slack's list, or give its"
            " id, like C0123456789."
        )
    said = _unquoted(text.strip()).strip()
    if not said:
        raise InvalidAutomation('tell needs a text after the channel: tell #channel "text".')
    if len(said) > LONGEST_TEXT:
        raise InvalidAutomation(f"The text has {len(said):,} characters, at most {LONGEST_TEXT:,}.")
    return WrittenAction("tell", found[1], said)


def _keyword(value: str) -> str:
    word = keywords.folded(value)
    if not word:
        raise names.InvalidName("A word has at least one letter or digit.")
    if len(word) > names.LONGEST_NAME:
        raise names.InvalidName(
            f"A word has at most {names.LONGEST_NAME} characters, this one has {len(word)}."
        )
    if keywords.Keywords().meaning(word) is not None:
        raise names.InvalidName(f"{word} already means that a contact stops or starts again.")
    return word


def event_name(text: str) -> str:
    """Read an event's name, in the form in which it is fired and heard.

    >>> event_name("Order paid")
    'order_paid'

    Raises:
        InvalidName: No letter or digit is left of it, or it is longer than 50 characters.
    """
    try:
        return names.attribute(text)
    except names.InvalidName as error:
        said = str(error).replace("The name of an attribute", "The name of an event")
        raise names.InvalidName(said) from error


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


_ALONE: Final = ("contact_created", "resolved", "api")
_READS: Final[dict[str, Callable[[str], str]]] = {
    "tag": names.tag,
    "event": event_name,
    "keyword": _keyword,
    "segment": names.campaign,
    "date": names.attribute,
}
_NEEDS: Final = {
    "tag": "a tag",
    "event": "the event's name",
    "keyword": "a word",
    "segment": "the segment's name",
    "date": "an attribute such as birthday",
}
_VERBS: Final = ("enroll", "unenroll", "tag", "untag", "tell")
_ACTION: Final = re.compile(r"([A-Za-z]+)(?:\s*:\s*|\s+|$)(.*)", re.DOTALL)
_CHANNEL: Final = re.compile(r"#?([CG][A-Z0-9]{2,20})")
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_REACHED: Final = {
    Milestone.REPLIED: "When a contact replies to {of}",
    Milestone.DELIVERED: "When a message of {of} is delivered",
    Milestone.READ: "When a message of {of} is read",
    Milestone.CLICKED: "When a contact clicks a link of {of}",
}

"""What several commands say alike: what a message says, and how it is sent."""

from datetime import timedelta

from bot.slack import kinds
from bot.slack.declare import Command, free, option, shared
from bot.slack.kinds import Off, Standard
from engine.campaign import Rate, Type, UnknownPolicy
from engine.campaign_types import MEANINGS
from engine.content import MediaRef
from engine.phone import Phone

_AS_THE_ORGANIZATION = "as the organization has it"
_AS_IT_IS = "as it is"
EXCLUDE_ABOUT = (
    "Whom to leave out: those active in another campaign, those who had another's message within"
    " the cooldown, or both."
)
ZONE_ABOUT = "Whose clocks that is: contact for each contact's own, or the name of a time zone."
_TYPES = (
    "What its messages are: "
    + ", ".join(f"{each.value} ({meaning.about})" for each, meaning in MEANINGS.items())
    + "."
)


@shared
class Content(Command):
    """What a message says: exactly one of text, template and media."""

    text: str | None = option(
        kinds.TEXT,
        about="A free text; WhatsApp takes it within 24 hours of the contact's last message.",
        default=None,
    )
    template: str | None = option(kinds.TEMPLATE, about="An approved template.", default=None)
    language: str | None = option(
        kinds.LANGUAGE,
        about="The template's language.",
        default=None,
        needs="template",
        otherwise="its only one",
    )
    media: MediaRef | None = option(
        kinds.MEDIA, about="A file of the media library, or a link.", default=None
    )
    caption: str | None = option(
        kinds.TEXT, about="A text under the file.", default=None, needs="media", otherwise="none"
    )
    parameters: tuple[tuple[str, str], ...] = free(
        shape="param",
        about="The template's parameters: by name, by number (1= 2=), header= and url=.",
        default=(),
        needs="template",
    )


CONTENTS = ("text", "template", "media")


@shared
class Sending(Command):
    """How a campaign sends."""

    type: Type = option(
        kinds.choice(Type),
        about=_TYPES,
        default=Type.PROMOTIONAL,
    )
    number: Phone | None = option(
        kinds.OWN_NUMBER,
        about="Our number that sends.",
        default=None,
        otherwise="the contact's last, else the first",
    )
    per_day: int | None = option(
        kinds.whole(1, 10_000_000),
        about="Most contacts written to per day.",
        default=None,
        otherwise="unlimited",
    )
    hours: str | None = option(
        kinds.HOURS,
        about="When messages may go out, in the contact's time zone.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    days: str | None = option(
        kinds.DAYS,
        about="On which days they may.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    rate: Rate | None = option(
        kinds.RATE, about="How fast at most.", default=None, otherwise="unlimited"
    )
    priority: int = option(kinds.whole(1, 9), about="Who goes first; 9 before 1.", default=5)
    deadline: timedelta | Off | None = option(
        kinds.DURATION_OR_OFF,
        about=(
            "Later than that after its time a message is left out instead of sent; what it waits"
            " for rate=, per_day= or the end of a pause does not count."
        ),
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )
    unknown: UnknownPolicy | None = option(
        kinds.choice(UnknownPolicy),
        about="What becomes of a message WhatsApp never answered for.",
        default=None,
        otherwise=_AS_THE_ORGANIZATION,
    )


@shared
class SendingChanges(Command):
    """How a campaign sends, changed; "default" takes a choice back."""

    name: str | None = option(
        kinds.NAME, about="A new name, not yet in use.", default=None, otherwise=_AS_IT_IS
    )
    type: Type | None = option(kinds.choice(Type), about=_TYPES, default=None, otherwise=_AS_IT_IS)
    number: Phone | Standard | None = option(
        kinds.or_standard(kinds.OWN_NUMBER),
        about="Our number that sends.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    per_day: int | Standard | None = option(
        kinds.or_standard(kinds.whole(1, 10_000_000)),
        about="Most contacts written to per day.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    hours: str | Standard | None = option(
        kinds.or_standard(kinds.HOURS),
        about="When messages may go out, in the contact's time zone.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    days: str | Standard | None = option(
        kinds.or_standard(kinds.DAYS),
        about="On which days they may.",
        default=None,
        otherwise=_AS_IT_IS,
    )
    rate: Rate | Standard | None = option(
        kinds.or_standard(kinds.RATE), about="How fast at most.", default=None, otherwise=_AS_IT_IS
    )
    priority: int | None = option(
        kinds.whole(1, 9), about="Who goes first; 9 before 1.", default=None, otherwise=_AS_IT_IS
    )
    deadline: timedelta | Off | Standard | None = option(
        kinds.or_standard(kinds.DURATION_OR_OFF),
        about=(
            "Later than that after its time a message is left out instead of sent; what it waits"
            " for rate=, per_day= or the end of a pause does not count."
        ),
        default=None,
        otherwise=_AS_IT_IS,
    )
    unknown: UnknownPolicy | Standard | None = option(
        kinds.or_standard(kinds.choice(UnknownPolicy)),
        about="What becomes of a message WhatsApp never answered for.",
        default=None,
        otherwise=_AS_IT_IS,
    )

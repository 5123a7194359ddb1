"""The steps of a campaign: what they say, when, and to whom."""

from datetime import time, timedelta

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, free, option, shared
from bot.slack.kinds import Off
from bot.slack.language.shared import CONTENTS, Content
from engine.conditions import Otherwise
from engine.roles import Role
from engine.timing import Anchor
from engine.usecases.write_step import Asked

_DRIP = "The campaign; a unique beginning of its name is enough."
_NUMBER = 'Its number, as in "campaign show".'
_CONFIRM = "Do it although contacts are under way."
_CONFIRM_STEP = "Do it although contacts are under way; the command without it names the step so."
_UNCONFIRMED = "asks first"


@shared
class When(Command):
    """When a step goes out, and to whom."""

    after: timedelta | Anchor | None = option(
        kinds.DELAY,
        about="How long after the step before it was sent (the first: after enrollment); or days"
        " after a date of the contact, like 0d:birthday.",
        default=None,
        otherwise="as it is; a new step needs after= or before=",
    )
    before: Anchor | None = option(
        kinds.BEFORE,
        about="Days before a date of the contact, like 7d:renewal.",
        default=None,
        otherwise="none",
    )
    yearly: bool | None = option(
        kinds.YES_NO,
        about="Whether every anniversary of that date counts, as for birthdays.",
        default=None,
        otherwise="no",
    )
    clock: time | Off | None = option(
        kinds.CLOCK,
        name="at",
        about="The next such time of day after that, in the contact's time zone; 09:00 for dates.",
        default=None,
        otherwise="any time",
    )
    weekday: int | Off | None = option(
        kinds.WEEKDAY,
        name="on",
        about="The next such day of the week after that, in the contact's time zone.",
        default=None,
        otherwise="any day",
    )
    conditions: tuple[Asked, ...] | Off | None = option(
        kinds.CONDITIONS,
        name="if",
        about="Only to whom this holds for: of the step before, of another one (read:2), a tag, or"
        " a property of the event that enrolled;"
        " with commas all must hold.",
        default=None,
        otherwise="to everybody",
    )
    otherwise: Otherwise | None = option(
        kinds.choice(Otherwise),
        name="else",
        about="What becomes of the others: they skip the step, or their campaign ends.",
        default=None,
        otherwise="skip",
    )
    wait: bool | None = option(
        kinds.WAIT,
        about="Not before the step before is delivered, at most 24 hours.",
        default=None,
        otherwise="off",
    )
    hours: str | Off | None = option(
        kinds.OWN_HOURS,
        about="When this step may go out, in the contact's time zone.",
        default=None,
        otherwise="as the campaign has it",
    )
    days: str | Off | None = option(
        kinds.OWN_DAYS,
        about="On which days it may.",
        default=None,
        otherwise="as the campaign has it",
    )
    fallback: str | Off | None = option(
        kinds.FALLBACK,
        about="A template instead of a text or file, where the contact did not write within 24"
        " hours; without one the step is left out then.",
        default=None,
        otherwise="none",
    )
    fallback_parameters: tuple[tuple[str, str], ...] = free(
        shape="param",
        prefix="fallback.",
        about="The fallback's language and parameters.",
        default=(),
        needs="fallback",
    )

    def objection(self) -> str | None:
        """Return why they do not go together."""
        if self.after is not None and self.before is not None:
            return "A step counts after= or before= something, not both."
        return None


@declare(
    "step add",
    role=Role.OWNER,
    about="Add a message to a campaign, at its end or as the step of a number.",
    examples=(
        "Welcome after=2d template=followup",
        "Welcome after=0m template=welcome first_name={first_name|there}",
        'Welcome after=3h text="Hi {first_name|there}, any questions?" fallback=followup',
        'Welcome after=1w media=https://example.com/menu.pdf caption="Our menu"',
        "Welcome after=2d at=10:00 on=tuesday if=not_replied else=end template=followup",
        "Birthdays after=0d:birthday yearly=yes at=09:30 template=followup",
        "Renewals before=7d:renewal template=followup",
        "Welcome after=1d template=followup position=2",
    ),
    one_of=CONTENTS,
)
class StepAdd(When, Content):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    position: int | None = option(
        kinds.NUMBERED,
        about="Its number; the steps from there on come after it.",
        default=None,
        otherwise="the last",
    )
    confirm: bool = option(kinds.YES_NO, about=_CONFIRM, default=False, otherwise=_UNCONFIRMED)

    def objection(self) -> str | None:
        """Return why they do not go together."""
        if self.after is None and self.before is None:
            return '"step add" needs after=<2d|3h|30m|1w>, or before=<7d:renewal>.'
        return When.objection(self)


@declare(
    "step edit",
    role=Role.OWNER,
    about="Change a step: only what is written changes, the rest stays.",
    examples=(
        "Welcome 2 after=3d",
        "Welcome 2 template=followup",
        'Welcome 3 text="Any questions?" if=not_replied confirm=yes',
        "Welcome 3 if=off fallback=off at=off",
    ),
)
class StepEdit(When, Content):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    step: int = argument(kinds.NUMBERED, about=_NUMBER)
    confirm: bool = option(kinds.YES_NO, about=_CONFIRM, default=False, otherwise=_UNCONFIRMED)

    def objection(self) -> str | None:
        """Return why they do not go together."""
        said = [each for each in (self.text, self.template, self.media) if each is not None]
        if len(said) > 1:
            return "A step says one of text=, template= and media=."
        unchanged = StepEdit(campaign=self.campaign, step=self.step, confirm=self.confirm)
        if self == unchanged:
            return "Nothing would change: write what should, like after=3d or template=<name>."
        return When.objection(self)


@declare(
    "step move",
    role=Role.OWNER,
    about="Put a step in another place; nobody is sent back to it, and nobody gets it twice.",
    examples=("Welcome 2 to=4",),
)
class StepMove(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    step: int = argument(kinds.NUMBERED, about=_NUMBER)
    to: int = option(kinds.NUMBERED, about="Its number afterwards.")
    confirm: int | None = option(
        kinds.CONFIRMED, about=_CONFIRM_STEP, default=None, otherwise=_UNCONFIRMED
    )


@declare(
    "step remove",
    role=Role.OWNER,
    about="Remove a step; whoever waits for it goes on to the next.",
    examples=("Welcome 2",),
)
class StepRemove(Command):
    campaign: str = argument(kinds.NAME, about=_DRIP)
    step: int = argument(kinds.NUMBERED, about=_NUMBER)
    confirm: int | None = option(
        kinds.CONFIRMED, about=_CONFIRM_STEP, default=None, otherwise=_UNCONFIRMED
    )


COMMANDS = (StepAdd, StepEdit, StepMove, StepRemove)

"""One contact's way through a campaign, steered by hand."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, option, shared
from engine.roles import Role

_DRIP = "The campaign; a unique beginning of its name is enough."
_CONTACT = "The contact: a phone, or the unique beginning of a name."


@shared
class Steering(Command):
    """Whose enrollment it is."""

    campaign: str = argument(kinds.NAME, about=_DRIP)
    contact: str = argument(kinds.PHONE, about=_CONTACT, rest=True)


@declare(
    "enrollment pause",
    role=Role.OWNER,
    about="Send a contact nothing more of a campaign until it is resumed.",
    examples=("Welcome +31612345678", "Welcome Ada Lovelace"),
)
class EnrollmentPause(Steering):
    pass


@declare(
    "enrollment resume",
    role=Role.OWNER,
    about="Let a paused contact go on; what came up meanwhile goes out now.",
    examples=("Welcome +31612345678",),
)
class EnrollmentResume(Steering):
    pass


@declare(
    "enrollment move",
    role=Role.OWNER,
    about="Put a contact before a step, which comes up after its delay from now.",
    examples=("Welcome +31612345678 to=3",),
)
class EnrollmentMove(Steering):
    to: int = option(kinds.NUMBERED, about='The step, as numbered in "campaign show".')


@declare(
    "enrollment end",
    role=Role.OWNER,
    about="End a contact's way through a campaign; what waits is not sent.",
    examples=("Welcome +31612345678",),
)
class EnrollmentEnd(Steering):
    pass


COMMANDS = (EnrollmentPause, EnrollmentResume, EnrollmentMove, EnrollmentEnd)

"""Countries WhatsApp does not let the account write to: trying them again."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare
from engine.countries import Country
from engine.roles import Role


@declare(
    "country open",
    role=Role.OWNER,
    about="Let campaigns write again to a country whose contacts are left out because WhatsApp did"
    " not let your account write to it.",
    examples=("BR", "Brazil"),
)
class CountryOpen(Command):
    country: Country = argument(
        kinds.COUNTRY, about="Its two letters or its English name; /drip status lists them."
    )


COMMANDS = (CountryOpen,)

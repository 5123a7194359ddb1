"""Countries WhatsApp does not let the account write to: told, shown, and tried again."""

from bot.slack.alerts import Alert, tells, warning
from bot.slack.blocks import message, section
from bot.slack.cards import actor
from bot.slack.desk import Desk
from bot.slack.language.countries import CountryOpen
from bot.slack.markup import Markup, code, date, literal, markup
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from engine.countries import name_of
from storage import audit, countries, reports
from storage.database import Unit
from storage.events import Event


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command."""

    @registry.command(CountryOpen)
    @refusing
    async def open_country(command: CountryOpen, context: Context) -> Reply:
        async def work(unit: Unit) -> bool:
            opened = await countries.open_country(unit, country=command.country)
            if opened:
                await audit.note(
                    unit,
                    actor=context.user_id,
                    action="country.open",
                    subject=f"country:{command.country}",
                )
            return opened

        name = name_of(command.country)
        if not await desk.database.run(context.organization, context.at, work):
            text = markup("Nobody is left out for being of {country}.", country=name)
            return Reply(message=message(text))
        text = markup(
            "{who} lets campaigns write to {country} again. Who was left out stays so; what comes"
            " next goes out, unless WhatsApp refuses it again.",
            who=actor(context.user_id),
            country=name,
        )
        return Reply(message=message(text, section(text)), in_channel=True)


async def lines(unit: Unit) -> list[Markup]:
    """Return for `status` which countries are left out."""
    return [
        markup(
            ":no_entry: {country}: WhatsApp does not let your account write to it since {at};"
            " its {n} contacts are left out. {it} tries again.",
            country=name_of(each.country),
            at=date(each.since),
            n=each.contacts,
            it=_command(each.country),
        )
        for each in await countries.bans(unit)
    ]


@tells("country_banned")
async def banned(event: Event, unit: Unit) -> tuple[Alert, ...]:
    country = str(event.content["country"])
    found = None
    if event.campaign_id is not None:
        found = await reports.campaign(unit, campaign=event.campaign_id)
    head = markup(
        "{country}{of}: {meaning} (error {code})",
        country=name_of(country),
        of=markup(", met by {name}", name=found.name) if found is not None else Markup(""),
        meaning=literal(str(event.content["meaning"])),
        code=str(event.content["code"]),
    )
    ban = next((each for each in await countries.bans(unit) if each.country == country), None)
    if ban is None:
        return (warning(markup("{head} By now it is written to again.", head=head)),)
    text = markup(
        "{head} Its {n} contacts are left out of every campaign from now on; once WhatsApp lets you"
        " write to them, {it} ends that.",
        head=head,
        n=ban.contacts,
        it=_command(country),
    )
    return (warning(text),)


def _command(country: str) -> Markup:
    return code(f"/drip country open {country}")

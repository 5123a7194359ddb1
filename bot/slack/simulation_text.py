"""What a simulation came to, as a table by day and step and in plain sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.slack import simulation_taps
from bot.slack.blocks import Block, Message, context, header, message, section, table
from bot.slack.contact_pages import counted
from bot.slack.markup import Markup, date, joined, markup, number
from bot.slack.simulation_taps import Held
from engine.campaign import Campaign, Kind, State, Step
from engine.crowd import Assumed, Plan
from engine.ids import ContactId
from engine.places import Cap
from engine.reasons import Reason
from engine.simulate import ONE_BY_ONE
from engine.simulated import Line, Outcome, Tally
from storage.contacts import ListedContact
from storage.enrollments import Outcome as Enrolling

_LINES: Final = 60
_NAME: Final = 40


@dataclass(slots=True, kw_only=True)
class Played:
    """A simulation and what it began with.

    Attributes:
        not_enrolled: Who would not get in, by why.
        inside: Whether it is those in it now, rather than those who would come in.
        held: What keeps it from sending now.
    """

    campaign: Campaign
    steps: tuple[Step, ...]
    plan: Plan
    tally: Tally
    assumed: Assumed
    not_enrolled: Counter[Enrolling]
    inside: bool
    held: tuple[Held, ...] = ()
    names: dict[ContactId, ListedContact] = field(default_factory=dict)


def shown(played: Played, *, listed: bool) -> Message:
    """Return a simulation as an answer.

    Args:
        listed: Whether the whole list comes as a file besides.
    """
    tally = played.tally
    lines = sorted(tally.lines.values(), key=lambda line: (line.day, line.step))
    title = markup(
        "*{name}*, played through for {who} from {at}",
        name=played.campaign.name,
        who=_whom(played),
        at=date(tally.began_at),
    )
    facts = [*simulation_taps.told(played.held), *_facts(played)]
    written = [_sentence(line, played) for line in lines[:_LINES]]
    more = max(0, len(lines) - _LINES)
    rest = [markup("and {n} more lines, which csv lists in full", n=more)] if more else []
    text = joined([title, *facts, *written, *rest])
    blocks: list[Block] = [header(played.campaign.name), section(joined([title, *facts]))]
    if lines:
        blocks += table(_HEADINGS, [_row(line, played) for line in lines[:_LINES]])
    blocks.append(context(*rest, *_small_print(played, listed=listed)))
    return message(joined([text, *_small_print(played, listed=listed)]), *blocks)


_HEADINGS: Final = ("Day", "Step", "Sent", "Left out", "Who")


def _whom(played: Played) -> str:
    people = len(played.tally.contacts)
    noun = "contact" if people == 1 else "contacts"
    return f"{people:,} {noun}{' now in it' if played.inside else ''}"


def _facts(played: Played) -> Iterator[Markup]:
    totals = played.tally.totals
    sent = totals[Outcome.sent()]
    left = totals.total() - sent
    yield markup("{sent} sent, {left} left out.", sent=counted(sent, "message"), left=left)
    if played.not_enrolled:
        listed = ", ".join(
            f"{n:,} {_WHY_NOT.get(why) or _consent(why)}"
            for why, n in sorted(played.not_enrolled.items())
        )
        yield markup("Not enrolled: {listed}.", listed=listed)
    reasons = {o.reason: n for o, n in totals.items() if o.reason is not None}
    if reasons:
        listed = ", ".join(f"{n:,} {why.sentence}" for why, n in sorted(reasons.items()))
        yield markup("Left out: {listed}.", listed=listed)
    if played.tally.ends_on is not None:
        yield markup("The last day is {day}.", day=played.tally.ends_on.isoformat())
    yield from _busiest(played)


def _consent(why: Enrolling) -> str:
    # The rest are the reasons of consent, word for word.
    return Reason(why.value).sentence


_WHY_NOT: Final = {
    Enrolling.ALREADY: "in it before",
    Enrolling.ELSEWHERE: "in another campaign (mode=skip)",
}


def _busiest(played: Played) -> Iterator[Markup]:
    days = played.tally.days
    if not days:
        return
    day, count = min(days.items(), key=lambda each: (-each[1], each[0]))
    plan = played.plan
    limits = []
    if plan.per_day is not None:
        limits.append(f"per_day allows {plan.per_day:,}")
    if plan.interval:
        limits.append(f"the rate {timedelta(days=1) // plan.interval:,} in a whole day")
    if plan.per_hour is not None:
        limits.append(f"messages_per_hour {plan.per_hour * 24:,} in a whole day")
    for each in plan.people:
        allowed = f"{each.cap} {each.limit:,} people"
        within = " within 24 hours" if each.cap is Cap.MESSAGING_LIMIT else ""
        limits.append(allowed + within)
    yield markup(
        "The busiest day is {day} with {n}{limits}.",
        day=day.isoformat(),
        n=counted(count, "message"),
        limits=Markup(f" ({', '.join(limits)})") if limits else Markup(""),
    )


def _sentence(line: Line, played: Played) -> Markup:
    return markup("{it}", it=" · ".join(filter(None, _row(line, played))))


def _row(line: Line, played: Played) -> tuple[str, ...]:
    left = {o: n for o, n in line.counts.items() if o.reason is not None}
    return (
        line.day.isoformat(),
        _step(line, played),
        f"{number(line.sent)} sent" if line.sent else "",
        "; ".join(f"{n:,} {o.reason.sentence}" for o, n in left.items() if o.reason),
        "; ".join(_named(who, line.counts[o], played.names) for o, who in line.first.items()),
    )


def _step(line: Line, played: Played) -> str:
    return "" if played.campaign.kind is Kind.BROADCAST else f"step {line.step}"


def _named(who: Sequence[ContactId], of: int, names: Mapping[ContactId, ListedContact]) -> str:
    shown_names = [_name(names[each]) for each in who if each in names]
    more = of - len(shown_names)
    return ", ".join([*shown_names, *([f"{more:,} more"] if more > 0 else [])])


def _name(contact: ListedContact) -> str:
    return (contact.name or contact.first_name or contact.phone or "(no name)")[:_NAME]


def _small_print(played: Played, *, listed: bool) -> Iterator[Markup]:
    assumed = played.assumed
    yield markup(
        "Assumed: everything arrives at once, {read} of a hundred read it and {replied} reply, a"
        " minute later; nobody opts in or out, and no other campaign sends meanwhile.",
        read=assumed.read,
        replied=assumed.replied,
    )
    if played.campaign.state in {State.DRAFT, State.PAUSED}:
        yield markup("It is taken to run from now on, although it is {s}.", s=played.campaign.state)
    if len(played.tally.contacts) > ONE_BY_ONE:
        yield markup("Times are to a quarter of an hour for more than {n} contacts.", n=ONE_BY_ONE)
    if played.tally.cut_short:
        yield Markup("It goes on for longer than is looked at.")
    if listed:
        yield Markup("The whole list comes to you alone, as a file.")
    yield Markup("Nothing was sent, nothing has changed.")

"""Campaigns in readable sentences: steps, settings, whom they reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, assert_never

from bot.slack.markup import Markup, code, joined, literal, markup, number
from bot.slack.words import as_word
from engine import duration
from engine import schedule as schedules
from engine.audience import Audience
from engine.campaign import Campaign, Mode, Reentry, Step, Type
from engine.campaign_ports import Reach
from engine.conditions import Condition, Conditions, Otherwise
from engine.config import Organization
from engine.content import Content, Media, TemplateMessage, Text
from engine.ids import CampaignId, ListId, SegmentId, StepId
from engine.overlap import Exclude
from engine.reasons import Reason
from engine.schedule import Schedule
from engine.size import Asked
from engine.templates import values_of
from engine.timing import DAYTIME

_UNITS: Final = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_WEEKDAYS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_SHOWN_TEXT: Final = 300
_SHOWN_VALUE: Final = 120


def span(length: timedelta) -> str:
    """Return a span of time in words.

    >>> span(timedelta(days=2)), span(timedelta(hours=1)), span(timedelta(minutes=90))
    ('2 days', '1 hour', '90 minutes')
    """
    seconds = int(length.total_seconds())
    for word, unit in _UNITS:
        if seconds and seconds % unit == 0:
            count = seconds // unit
            return f"{number(count)} {word}{'' if count == 1 else 's'}"
    return "0 seconds"


def roughly(length: timedelta) -> str:
    """Return a span in the unit somebody would say it in.

    >>> roughly(timedelta(seconds=7321)), roughly(timedelta(seconds=3))
    ('2 hours', '3 seconds')
    """
    seconds = length.total_seconds()
    for _, unit in _UNITS[1:-1]:
        if seconds >= 2 * unit:
            return span(timedelta(seconds=round(seconds / unit) * unit))
    return span(timedelta(seconds=max(1, round(seconds))))


def message_line(content: Content) -> Markup:
    """Return what a message says, in one line."""
    match content:
        case TemplateMessage():
            values = [
                f"{name}={as_word(value[:_SHOWN_VALUE])}"
                for name, value in values_of(content).items()
            ]
            named = markup(
                "template {name} ({language})", name=content.name, language=content.language
            )
            return joined([named, *map(code, values)], " ")
        case Text(body=body):
            return markup("text “{body}”", body=literal(body, limit=_SHOWN_TEXT))
        case Media(kind=kind, ref=ref, caption=caption):
            shown = markup("{kind} {ref}", kind=kind.value, ref=code(str(ref)))
            if not caption:
                return shown
            return markup("{m} “{c}”", m=shown, c=literal(caption, limit=_SHOWN_TEXT))
        case _:
            assert_never(content)


def step_line(step: Step, numbers: Mapping[StepId, int] = MappingProxyType({})) -> Markup:
    """Return when a step goes out, to whom, and what it says.

    Args:
        numbers: Of the steps its conditions may name.
    """
    said = [message_line(step.content)]
    if step.fallback is not None:
        said.append(markup("else {it}", it=message_line(step.fallback)))
    return markup(
        "*{n}.* {when}: {message}",
        n=step.number,
        when=_when(step, numbers),
        message=joined(said, ", outside of 24 hours after they wrote "),
    )


def _when(step: Step, numbers: Mapping[StepId, int]) -> Markup:
    return joined(
        [
            literal(_time(step)),
            *_conditions(step.conditions, numbers),
            *(
                code(f"{name}={value}")
                for name, value in (("hours", step.hours), ("days", step.days))
                if value is not None
            ),
        ],
        ", ",
    )


def _time(step: Step) -> str:
    timing, clock, anchor = step.timing, step.timing.clock, step.timing.anchor
    if anchor is None:
        since = "enrollment" if step.number == 1 else f"step {step.number - 1}"
        said = f"{span(step.after)} after {since}" if step.after else f"at once after {since}"
    else:
        clock = clock or DAYTIME
        date = f"{'every ' if anchor.yearly else ''}{anchor.attribute}"
        days = span(timedelta(days=abs(anchor.days)))
        said = f"on {date}"
        if anchor.days:
            said = f"{days} {'before' if anchor.days < 0 else 'after'} {date}"
    if timing.weekday is not None:
        said += f", the next {_WEEKDAYS[timing.weekday]}"
    return said if clock is None else f"{said} at {clock:%H:%M}"


def _conditions(conditions: Conditions, numbers: Mapping[StepId, int]) -> list[Markup]:
    said: list[Markup] = []
    if conditions.wait:
        said.append(Markup("once the step before is delivered"))
    if conditions.all_of:
        asked = " and ".join(_condition(each, numbers) for each in conditions.all_of)
        skips = conditions.otherwise is Otherwise.SKIP
        otherwise = Markup("" if skips else ", else the campaign ends")
        said.append(markup("if {asked}{otherwise}", asked=asked, otherwise=otherwise))
    return said


def _condition(condition: Condition, numbers: Mapping[StepId, int]) -> str:
    if condition.property is not None:
        return f"{condition.property} of the event is {condition.value}"
    if condition.fact is None:
        return f"tagged {condition.tag}"
    fact = condition.fact.value.replace("_", " ")
    if condition.step is None:
        return fact
    return f"step {numbers.get(condition.step, '?')} {fact}"


def steps_lines(steps: Sequence[Step]) -> Markup:
    numbers = {step.id: step.number for step in steps}
    return joined([step_line(step, numbers) for step in steps])


def settings_line(campaign: Campaign, organization: Organization) -> Markup | None:
    """Return what staff chose otherwise than it would be, as they would write it; None: nothing."""
    chosen = campaign.settings
    deadline = chosen.deadline_s
    span_or_off = None if not deadline else timedelta(seconds=deadline)
    phones = {str(each.id): str(each.phone) for each in organization.whatsapp.numbers}
    written: list[tuple[str, object, bool]] = [
        ("trigger", campaign.trigger, campaign.trigger != "manual"),
        ("stop_on_reply", "no", campaign.audience is None and not chosen.stop_on_reply),
        ("type", campaign.type.value, campaign.type is not Type.PROMOTIONAL),
        ("number", _phone(campaign, phones), campaign.number_id is not None),
        ("per_day", chosen.per_day, chosen.per_day is not None),
        ("hours", chosen.hours, chosen.hours is not None),
        ("days", chosen.days, chosen.days is not None),
        ("rate", chosen.rate, chosen.rate is not None),
        ("reentry", chosen.reentry.value, chosen.reentry is not Reentry.NEVER),
        ("mode", chosen.mode.value, chosen.mode is not Mode.PASSIVE),
        ("priority", campaign.priority, campaign.priority != _USUAL_PRIORITY),
        ("deadline", duration.show(span_or_off), deadline is not None),
        ("unknown", chosen.unknown, chosen.unknown is not None),
        ("exclude", campaign.excluded.value, campaign.excluded is not Exclude.NONE),
    ]
    shown = [code(f"{name}={as_word(str(value))}") for name, value, differs in written if differs]
    return joined(shown, " ") if shown else None


_USUAL_PRIORITY: Final = 5


def _phone(campaign: Campaign, phones: Mapping[str, str]) -> str:
    return phones.get(campaign.number_id or "", f"{campaign.number_id} (no longer configured)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceNames:
    """What the parts of audiences are called."""

    campaigns: Mapping[CampaignId, str]
    lists: Mapping[ListId, str]
    segments: Mapping[SegmentId, str]


def audience_line(audience: Audience, names: AudienceNames) -> Markup:
    """Return a broadcast's audience as staff would write it."""
    if audience.everyone:
        return code("all")
    named = [
        *(("tag", tag) for tag in audience.tags),
        *(("list", names.lists.get(each, str(each))) for each in audience.lists),
        *(("segment", names.segments.get(each, str(each))) for each in audience.segments),
        *(
            ("campaign", names.campaigns.get(each, str(each)))
            for each in (*audience.drips, *audience.broadcasts)
        ),
    ]
    written = [*audience.phones, *(f"{kind}:{as_word(name)}" for kind, name in named)]
    return code(",".join(written))


def described(schedule: Schedule) -> Markup:
    """Return a rule in words, or as written."""
    words = schedules.describe(schedule.rule or "")
    return Markup(words) if words.startswith("every ") else code(words)


def upcoming_line(schedule: Schedule, *, paused: bool) -> Markup:
    """Return when a scheduled broadcast starts, for what shows it."""
    local = schedule.upcoming
    whose = schedule.zone or "each contact's own time"
    rule = markup(", {rule}", rule=described(schedule)) if schedule.rule else Markup("")
    if local is None:
        return markup(
            "Schedule: was {at} ({whose})", at=f"{schedule.at:%Y-%m-%d %H:%M}", whose=whose
        )
    held = Markup(" (paused)") if paused else Markup("")
    return markup(
        "Schedule: {at} ({whose}){rule}{held}",
        at=f"{local:%a %Y-%m-%d %H:%M}",
        whose=whose,
        rule=rule,
        held=held,
    )


def reasons_line(counts: Iterable[tuple[Reason, int]]) -> Markup:
    """Return who is left out: "2 said STOP, 1 blocked by staff"."""
    return joined(
        [markup("{n} {why}", n=count, why=reason.sentence) for reason, count in counts], ", "
    )


def reach_lines(reach: Reach) -> list[Markup]:
    """Return whom an audience reaches, who is left out, and which phones are no contacts."""
    lines = [markup("{n} recipients", n=reach.recipients)]
    if reach.recipients == 1:
        lines = [Markup("1 recipient")]
    if reach.left_out:
        total = sum(reach.left_out.values())
        why = reasons_line(reach.left_out.items())
        lines.append(markup("{n} left out: {why}", n=total, why=why))
    if reach.strangers:
        lines.append(strangers_line(reach.strangers))
    return lines


def window_line(content: Content, *, later: bool = False) -> Markup:
    """Return what a free-form message asks of those it is for; empty: it is a template.

    Args:
        later: It goes out another time, so that somebody may write before.
    """
    if isinstance(content, TemplateMessage):
        return Markup("")
    more = Markup(", also those who write from now on" if later else "")
    return markup(
        "It is no template, so it reaches only those of them who wrote within 24 hours of it"
        "{more}.",
        more=more,
    )


def lacking_lines(lacking: Mapping[str, int]) -> list[Markup]:
    """Return who would be left out for want of a value, by token; nothing: nobody."""
    return [
        markup(
            "{who} no {token} and would be left out where it is needed; {fix} says something else.",
            who=f"{count:,} contact{' has' if count == 1 else 's have'}",
            token=token,
            fix=code(f"{{{token}|…}}"),
        )
        for token, count in sorted(lacking.items())
    ]


def strangers_line(strangers: Sequence[str]) -> Markup:
    return markup(
        "not among your contacts: {phones}; {add} adds one.",
        phones=", ".join(strangers[:5]) + (" …" if strangers[5:] else ""),
        add=code("/drip contact add <phone>"),
    )


def unconfirmed_lines(
    asked: Asked, *, command: str, length: timedelta, out: Markup
) -> list[Markup]:
    """Return what staff are asked for who must say how many recipients they mean.

    Args:
        command: What they wrote, without count=.
        out: Who is left out; empty: nobody.
    """
    lines = [
        markup(
            "That is for *{n} recipients* and takes about {length}. Nothing has been done.",
            n=asked.recipients,
            length=roughly(length),
        )
    ]
    if out:
        lines.append(markup("Left out: {out}.", out=out))
    if asked.given is not None:
        lines.append(markup("The count you gave, {given}, is another one.", given=str(asked.given)))
    lines.append(markup("To go on: {it}", it=code(f"{command} count={asked.recipients}")))
    return lines

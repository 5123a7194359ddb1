"""Who is in a campaign, page by page: how far, why no longer, and who or what put them there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from bot.slack.blocks import (
    Block,
    Element,
    Person,
    actions,
    button,
    header,
    message,
    section,
    table,
)
from bot.slack.blocks import context as small_print
from bot.slack.campaign_lists import next_line
from bot.slack.campaign_names import found
from bot.slack.changes import answered
from bot.slack.clicks import Value
from bot.slack.desk import Desk
from bot.slack.language.campaigns import Enrollments
from bot.slack.markup import Markup, code, cut, joined, literal, markup, user
from bot.slack.refusals import refusing
from bot.slack.registry import Context, Registry
from bot.slack.replies import Reply
from bot.slack.requests import Click
from bot.slack.words import as_word
from engine import enrollment
from engine.campaign import Kind, Step
from engine.enrollment import State
from engine.ids import CampaignId
from engine.roles import Role
from engine.usecases.move_campaign import NoSuchCampaign
from storage import campaigns, enrollments
from storage.campaigns import Named
from storage.database import Unit
from storage.enrollments import Enrollment

PAGE: Final = 25
_NAME: Final = 40
_OLDER: Final = "enrollments_older"
_NEWER: Final = "enrollments_newer"
_SUBJECT: Final = re.compile(r"([0-9]{1,18}):([a-z_]*):([0-9]{1,9})")
_USER: Final = re.compile(r"[UW][A-Z0-9]{1,40}")
_COLUMNS: Final = (
    "Contact",
    "State",
    "Step",
    "Next due",
    "Sent",
    "Delivered",
    "Read",
    "Replied",
    "Enrolled by",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Which page of whom.

    Attributes:
        state: None: all of them.
        offset: How many, the latest first, stand on pages before it.
    """

    campaign: Named
    state: str | None
    offset: int


def register(registry: Registry, desk: Desk) -> None:
    """Handle the command and the buttons that turn pages."""

    @registry.command(Enrollments)
    @refusing
    async def list_them(command: Enrollments, asked: Context) -> Reply:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            campaign = await found(unit, command.campaign, kind=Kind.DRIP, archived=True)
            page = _Page(campaign=campaign, state=command.state, offset=0)
            return await _shown(desk, asked, unit, page)

    @registry.click(_OLDER, role=Role.SUPERVISOR, once=False)
    @registry.click(_NEWER, role=Role.SUPERVISOR, once=False)
    @refusing
    async def turn(click: Click, asked: Context) -> Reply:
        value = Value.parse(click.value)
        wanted = None if value is None else _SUBJECT.fullmatch(value.subject)
        if wanted is None or (wanted[2] and wanted[2] not in set(State)):
            raise NoSuchCampaign
        async with desk.database.unit(asked.organization, asked.at) as unit:
            it = await campaigns.get(unit, campaign=CampaignId(int(wanted[1])))
            if it is None or it.kind is not Kind.DRIP:
                raise NoSuchCampaign
            named = Named(id=it.id, name=it.name, kind=it.kind, state=it.state)
            page = _Page(campaign=named, state=wanted[2] or None, offset=int(wanted[3]))
            return replace(await _shown(desk, asked, unit, page), replace=True)


async def _shown(desk: Desk, asked: Context, unit: Unit, page: _Page) -> Reply:
    campaign = page.campaign.id
    states = await enrollments.states(unit, campaign=campaign)
    rows = await enrollments.page(
        unit, campaign=campaign, state=page.state, limit=PAGE, offset=page.offset
    )
    steps = await campaigns.steps(unit, campaign=campaign)
    zone = desk.config.organizations[asked.organization].timezone
    return _listed(page, states, rows, steps, zone, asked.at)


def _listed(
    page: _Page,
    states: Mapping[str, int],
    rows: Sequence[Enrollment],
    steps: Sequence[Step],
    zone: tzinfo,
    at: datetime,
) -> Reply:
    counted = ", ".join(f"{n:,} {_state(each)}" for each, n in sorted(states.items()))
    name = as_word(page.campaign.name)
    title = markup(
        "{name}: {counted}", name=page.campaign.name, counted=counted or "nobody is enrolled"
    )
    if not rows:
        more = next_line(
            f"/drip enrollments {name}" if states else f"/drip enroll {name} tag:<tag>"
        )
        return answered(title, more)
    lines = [_row(each, steps, zone) for each in rows]
    there = states.get(page.state, 0) if page.state else sum(states.values())
    times = markup("Times are those of {zone}.", zone=str(zone))
    text = joined([title, *map(_line, lines), times])
    return Reply(
        message=message(
            text,
            header(f"Enrollments of {page.campaign.name}"),
            section(title),
            *table(_COLUMNS, lines),
            *_turning(page, len(rows), there, at),
            small_print(
                _hint(page, len(rows), there, name),
                times,
            ),
        )
    )


def _turning(page: _Page, shown: int, there: int, at: datetime) -> tuple[Block, ...]:
    """Return the buttons to the pages around; a value is new each time, so that it counts again."""
    version = int(at.timestamp() * 1000)

    def to(label: str, action: str, offset: int) -> Element:
        subject = f"{page.campaign.id}:{page.state or ''}:{offset}"
        return button(label, action_id=action, value=str(Value(subject=subject, version=version)))

    buttons: list[Element] = []
    if page.offset:
        buttons.append(to("Newer", _NEWER, max(0, page.offset - PAGE)))
    if page.offset + shown < there:
        buttons.append(to("Older", _OLDER, page.offset + PAGE))
    return (actions(*buttons),) if buttons else ()


def _hint(page: _Page, shown: int, there: int, name: str) -> Markup:
    return markup(
        "{place}{more} narrows it down; {steer} steers one.",
        place=markup(
            "{first} to {last} of {all}, the latest first; ",
            first=page.offset + 1,
            last=page.offset + shown,
            all=there,
        )
        if there > shown
        else Markup(""),
        more=code(f"/drip enrollments {name} active"),
        steer=code(f"/drip enrollment pause {name} <contact>"),
    )


def _line(row: Sequence[str | Person]) -> Markup:
    return joined(
        [user(cell.user_id) if isinstance(cell, Person) else literal(cell) for cell in row], " · "
    )


def _row(each: Enrollment, steps: Sequence[Step], zone: tzinfo) -> tuple[str | Person, ...]:
    name = each.name and cut(each.name, _NAME)
    who = " ".join(filter(None, (name, each.phone))) or f"contact {each.contact_id}"
    return (
        who,
        enrollment.why(each.state, each.reason),
        _step(each, steps),
        _due(each, zone),
        *(str(n) for n in (each.sent, each.delivered, each.read, each.replied)),
        by_whom(each.enrolled_by),
    )


def by_whom(enrolled_by: str) -> str | Person:
    """Return who or what enrolled: a Slack user, or a trigger as it is written."""
    kind, colon, rest = enrolled_by.partition(":")
    if not colon:
        return Person(enrolled_by) if _USER.fullmatch(enrolled_by) else enrolled_by
    return rest if kind == "trigger" else "an automation"


def _step(each: Enrollment, steps: Sequence[Step]) -> str:
    numbers = {step.id: step.number for step in steps}
    if each.step_id in numbers:
        return f"{numbers[each.step_id]} of {len(steps)}"
    reached = sum(step.position <= each.position for step in steps)
    return f"{reached} of {len(steps)}"


def _due(each: Enrollment, zone: tzinfo) -> str:
    if each.ended_at is not None:
        return f"ended {_local(each.ended_at, zone)}"
    if each.state == State.PAUSED:
        return "once resumed"
    return "under way" if each.due_at is None else _local(each.due_at, zone)


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _state(state: str) -> str:
    return state.replace("_", " ")

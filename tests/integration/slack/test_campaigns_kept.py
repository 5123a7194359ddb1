"""Campaigns with all their steps are kept as staff wrote them, and what is shown reads the same."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.declare import Command
from bot.slack.kinds import Off
from bot.slack.language import LANGUAGE
from bot.slack.language.broadcasts import BroadcastNew
from bot.slack.language.campaigns import CampaignNew
from bot.slack.language.steps import StepAdd
from bot.slack.words import as_word, plain
from bot.slack.writing import written
from engine import hours, names, templates
from engine.campaign import Campaign, Mode, Rate, Reentry, Step, Type, UnknownPolicy
from engine.conditions import Fact, Otherwise
from engine.content import Content, Media, MediaRef, TemplateMessage, Text
from engine.overlap import Exclude
from engine.phone import Phone
from engine.template_items import template
from engine.timing import Anchor
from engine.usecases.write_step import Asked
from storage import campaigns
from storage.database import Database
from storage.template_sync import save_templates
from tests.database import ACME, NOON
from tests.examples import ON_POSTGRES
from tests.integration.slack.campaign_room import ITEMS, NUMBER, CampaignRoom, item, opened

OUR_PHONE = Phone("+15550001111")
MORE = (
    item("spring", "It is here.", components=[
        {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "It is here."},
    ]),
    item("agenda", "On {{1}}.", components=[
        {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
        {"type": "BODY", "text": "On {{1}} and {{2}}."},
    ]),
)  # fmt: skip


def _is_name(text: str) -> bool:
    try:
        return names.campaign(text) == text
    except names.InvalidName:
        return False


CAMPAIGN_NAMES = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)
    .map(names.cleaned)
    .filter(_is_name)
)
HOURS = st.sampled_from(("08:00-20:00", "22:00-02:00", "off"))
DAYS = st.frozensets(st.integers(0, 6), min_size=1).map(hours.show_days)
SPANS = st.builds(
    lambda count, unit: count * unit,
    st.integers(0, 60),
    st.sampled_from((timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))),
)
SAID = st.lists(
    st.sampled_from(("Hi ", "{first_name|there}", "{company}", '"', "\\", "=", ",", "é", "😀 "))
    | st.sampled_from(("`x`", "<b>", "&", "50% off", "text=no", "|", "a_b*c", "'", "\u200bz")),
    min_size=1,
    max_size=8,
).map("".join)
TEXTS = SAID.filter(names.cleaned)
VALUES = st.sampled_from(("you", "{first_name|there}", 'a "b"', "x=y", "10%", "50 % off"))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """What a step says, as the fields of its command."""
    match draw(st.integers(0, 7)):
        case 0 | 1:
            return {"text": draw(TEXTS)}
        case 2:
            ending = draw(st.sampled_from(("jpg", "mp4", "pdf", "mp3", "webp")))
            caption = draw(_maybe(TEXTS)) if ending not in {"mp3", "webp"} else None
            link = f"https://shop.example/a/menu.{ending}"
            return {"media": MediaRef(link=link), "caption": caption}
        case _:
            return draw(_templates())


@st.composite
def _templates(draw: st.DrawFn) -> dict[str, Any]:
    name, wants = draw(
        st.sampled_from(
            (
                ("followup", ()),
                ("welcome", ("first_name",)),
                ("offer", ("1", "2", "url")),
                ("news", ()),
                ("spring", ("header",)),
                ("agenda", ("header", "1", "2")),
            )
        )
    )
    language = draw(
        st.sampled_from(("en", "nl")) if name == "news" else st.sampled_from((None, "en"))
    )
    given = {each: draw(VALUES) for each in wants}
    if name == "spring":
        given["header"] = "https://shop.example/spring.png"
    return {"template": name, "language": language, "parameters": tuple(given.items())}


@st.composite
def timings(draw: st.DrawFn) -> dict[str, Any]:
    """When a step goes out, as the fields of its command."""
    when: dict[str, Any]
    match draw(st.integers(0, 3)):
        case 0:
            when = {"before": Anchor(attribute="birthday", days=-draw(st.integers(1, 99)))}
        case 1:
            when = {"after": Anchor(attribute="birthday", days=draw(st.integers(0, 99)))}
        case _:
            when = {"after": draw(SPANS)}
    if not isinstance(when.get("after"), timedelta):
        when["yearly"] = draw(_maybe(st.booleans()))
    if draw(st.booleans()):
        when["clock"] = draw(
            _maybe(st.just(Off.OFF) | st.builds(time, st.integers(8, 19), st.integers(0, 59)))
        )
        when["weekday"] = draw(_maybe(st.just(Off.OFF) | st.integers(0, 6)))
    else:
        when["hours"] = draw(_maybe(st.just(Off.OFF) | HOURS))
        when["days"] = draw(_maybe(st.just(Off.OFF) | DAYS))
    return when


@st.composite
def audiences(draw: st.DrawFn, *, number: int) -> dict[str, Any]:
    """To whom the step of a number goes, as the fields of its command."""
    asked = st.sampled_from(("vip", "to call", "it's", "étoile")).map(
        lambda tag: Asked(tag=tag)
    ) | st.builds(
        Asked, property=st.sampled_from(("plan", "size")), value=st.sampled_from(("gold", "x, y"))
    )
    if number > 1:
        facts = st.sampled_from(tuple(Fact))
        asked |= st.builds(Asked, fact=facts, number=_maybe(st.integers(1, number - 1)))
    conditions = draw(
        _maybe(st.just(Off.OFF) | st.lists(asked, min_size=1, max_size=3, unique=True))
    )
    if not isinstance(conditions, list):
        return {"conditions": conditions, "wait": draw(st.sampled_from((None, False)))}
    return {
        "conditions": tuple(conditions),
        "otherwise": draw(_maybe(st.sampled_from(Otherwise))),
        "wait": draw(_maybe(st.booleans())) if number > 1 else None,
    }


@st.composite
def steps(draw: st.DrawFn, *, campaign: str) -> list[StepAdd]:
    made = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        says = draw(contents())
        fallback: dict[str, Any] = {}
        if "template" not in says and draw(st.booleans()):
            own = draw(_templates())
            language = (("language", own["language"]),) if own["language"] else ()
            fallback = {
                "fallback": own["template"],
                "fallback_parameters": (*language, *own["parameters"]),
            }
        to = draw(audiences(number=number))
        made.append(StepAdd(campaign=campaign, **draw(timings()), **to, **says, **fallback))
    return made


SENDING = {
    "type": st.sampled_from(Type),
    "number": _maybe(st.just(OUR_PHONE)),
    "per_day": _maybe(st.integers(1, 10_000_000)),
    "hours": _maybe(HOURS),
    "days": _maybe(DAYS),
    "rate": _maybe(st.sampled_from(("5/s", "300/min", "500/h")).map(Rate.parse)),
    "priority": st.integers(1, 9),
    "deadline": _maybe(st.just(Off.OFF) | SPANS.filter(bool)),
    "unknown": _maybe(st.sampled_from(UnknownPolicy)),
}
TRIGGERS = st.sampled_from(
    ("manual", "contact_created", "replied", "clicked", "resolved", "api")
) | (
    st.sampled_from(
        ("tag:lead", "tag:to call", "event:order_paid", "keyword:hi there", "date:birthday@08:30")
    )
)
DRIPS = st.builds(
    CampaignNew,
    name=CAMPAIGN_NAMES,
    trigger=TRIGGERS,
    stop_on_reply=st.booleans(),
    reentry=st.sampled_from(Reentry),
    mode=st.sampled_from(Mode),
    **SENDING,
)


@st.composite
def broadcasts(draw: st.DrawFn) -> BroadcastNew:
    scheduled: dict[str, Any] = {}
    if draw(st.booleans()):
        ahead = draw(st.integers(2, 10_000))
        scheduled = {
            "at": (NOON + timedelta(hours=ahead)).replace(tzinfo=None),
            "zone": draw(st.sampled_from(("contact", "Europe/Amsterdam", "Asia/Kolkata"))),
            "every": draw(_maybe(st.sampled_from(("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,FR")))),
        }
    return BroadcastNew(
        name=draw(CAMPAIGN_NAMES),
        to=draw(st.sampled_from(("all", "tag:lead", 'tag:"to call"', "tag:lead,+31610000001"))),
        exclude=draw(st.sampled_from(Exclude)),
        **{name: draw(strategy) for name, strategy in SENDING.items()},
        **draw(contents()),
        **scheduled,
    )


@pytest.fixture
async def room(database: Database) -> AsyncIterator[CampaignRoom]:
    async with opened(database) as room:
        async with database.owner_unit(ACME, NOON) as unit:
            listed = [(template(each), each) for each in (*ITEMS, *MORE)]
            await save_templates(unit, listed=listed)
        await room.contacts(2)
        await room.contacts(1, tag="to call", first=3)
        await room.say("contact edit +31610000001 birthday=1990-05-04 company=Acme")
        yield room


@ON_POSTGRES
@given(data=st.data(), new=DRIPS)
async def test_a_campaign_and_its_steps_are_read_as_they_were_written(
    room: CampaignRoom, data: st.DataObject, new: CampaignNew
) -> None:
    await _begin(room)
    await _say(room, new)
    kept: list[StepAdd] = []
    for wish in data.draw(steps(campaign=new.name)):
        before = await _stored(room, new.name)
        said = await _say(room, wish)
        it, after = await _stored(room, new.name)
        if len(after) == len(kept):  # refused: nothing of it is there
            assert (it, after) == before
            assert said.endswith((".", "?"))
            continue
        kept.append(wish)

    it, found = await _stored(room, new.name)
    assert _drip(it) == new
    assert [_step(new.name, each, found) for each in found] == list(map(_plain, kept))
    shown = await room.say(f"campaign show {as_word(new.name)}")
    assert LANGUAGE.parse(f"campaign new {as_word(new.name)} {_settings(shown)}") == new

    await room.say(f'campaign clone {as_word(new.name)} as="The copy"')
    copy, same = await _stored(room, "The copy")
    assert _drip(copy) == replace(new, name="The copy")
    assert [_step(new.name, each, same) for each in same] == list(map(_plain, kept))


@ON_POSTGRES
@given(new=broadcasts())
async def test_a_broadcast_is_read_as_it_was_written(room: CampaignRoom, new: BroadcastNew) -> None:
    await _begin(room)
    said = await _say(room, new)

    if not await room.value("select count(*) from campaigns"):  # refused
        assert said.endswith((".", "?"))
        return
    it, found = await _stored(room, new.name)
    assert _broadcast(it, found[0]) == _said_plainly(new)
    shown = await room.say(f"broadcast show {as_word(new.name)}")
    to = re.search(r"^To: `(.*)`$", shown, re.MULTILINE)
    assert to is not None, shown
    again = LANGUAGE.parse(
        f'broadcast new {as_word(new.name)} to={plain(to[1])} text="Hi" {_settings(shown)}'
    )
    wanted = {name: getattr(new, name) for name in (*SENDING, "name", "exclude")}
    assert isinstance(again, BroadcastNew)
    assert {name: getattr(again, name) for name in wanted} == wanted
    assert set(again.to.split(",")) == set(new.to.split(","))


# Saying it


async def _begin(room: CampaignRoom) -> None:
    for table in ("automations", "campaigns"):
        await room.value(f"delete from {table}")  # noqa: S608 — one of two


async def _say(room: CampaignRoom, command: Command) -> str:
    text = written(command)
    assert LANGUAGE.parse(text) == command
    return await room.say(text)


async def _stored(room: CampaignRoom, name: str) -> tuple[Campaign, tuple[Step, ...]]:
    async with room.database.unit(ACME, NOON) as unit:
        named = (await campaigns.named(unit, archived=False))[name]
        found = await campaigns.get(unit, campaign=named.id)
        assert found is not None
        return found, await campaigns.steps(unit, campaign=named.id)


def _settings(shown: str) -> str:
    """Return the settings that were shown, as somebody would copy them."""
    line = re.search(r"^Settings: (.*)$", shown, re.MULTILINE)
    return "" if line is None else plain(line[1].replace("`", ""))


# From what is stored back to what was written


def _sending(it: Campaign) -> dict[str, Any]:
    kept, late = it.settings, it.settings.deadline_s
    assert it.number_id in {None, NUMBER}
    return {
        "name": it.name,
        "type": it.type,
        "number": None if it.number_id is None else OUR_PHONE,
        "per_day": kept.per_day,
        "hours": kept.hours,
        "days": kept.days,
        "rate": kept.rate,
        "priority": it.priority,
        "deadline": None if late is None else timedelta(seconds=late) or Off.OFF,
        "unknown": kept.unknown,
    }


def _drip(it: Campaign) -> CampaignNew:
    kept = it.settings
    return CampaignNew(
        trigger=it.trigger,
        stop_on_reply=kept.stop_on_reply,
        reentry=kept.reentry,
        mode=kept.mode,
        **_sending(it),
    )


def _broadcast(it: Campaign, step: Step) -> BroadcastNew:
    audience = it.audience
    assert audience is not None
    quoted = {"to call": '"to call"'}
    tags = [f"tag:{quoted.get(each, each)}" for each in audience.tags]
    scheduled: dict[str, Any] = {}
    if it.schedule is not None:
        rule = it.schedule.rule
        scheduled = {"at": it.schedule.at, "zone": it.schedule.zone or "contact", "every": rule}
    return BroadcastNew(
        to="all" if audience.everyone else ",".join([*tags, *audience.phones]),
        exclude=it.excluded,
        **_sending(it),
        **_says(step.content),
        **scheduled,
    )


def _says(content: Content) -> dict[str, Any]:
    match content:
        case Text(body=body):
            return {"text": body}
        case Media(ref=ref, caption=caption):
            return {"media": ref, "caption": caption or None}
        case TemplateMessage(name=name, language=language):
            given = tuple(sorted(templates.values_of(content).items()))
            return {"template": name, "language": language, "parameters": given}


def _step(campaign: str, step: Step, all_steps: tuple[Step, ...]) -> StepAdd:
    numbers = {each.id: each.number for each in all_steps}
    timing, conditions = step.timing, step.conditions
    when: dict[str, Any] = {"after": step.after}
    if timing.anchor is not None:
        assert not step.after
        anchor = replace(timing.anchor, yearly=False)
        when = {"before" if anchor.days < 0 else "after": anchor, "yearly": timing.anchor.yearly}
    asked = tuple(
        Asked(
            fact=each.fact,
            number=None if each.step is None else numbers[each.step],
            tag=each.tag,
            property=each.property,
            value=each.value,
        )
        for each in conditions.all_of
    )
    fallback: dict[str, Any] = {}
    if step.fallback is not None:
        own = _says(step.fallback)
        given = (("language", own["language"]), *own["parameters"])
        fallback = {"fallback": own["template"], "fallback_parameters": given}
    return StepAdd(
        campaign=campaign,
        clock=timing.clock,
        weekday=timing.weekday,
        conditions=asked or None,
        otherwise=conditions.otherwise if asked else None,
        wait=conditions.wait,
        hours=step.hours,
        days=step.days,
        **when,
        **_says(step.content),
        **fallback,
    )


# What was written, with all that goes without saying


def _plain(wish: StepAdd) -> StepAdd:
    off: dict[str, Any] = {
        name: None
        for name in ("clock", "weekday", "conditions", "hours", "days")
        if getattr(wish, name) is Off.OFF
    }
    bare = replace(wish, **off)
    given = dict(bare.fallback_parameters)
    language = (("language", given.pop("language", "en")),) if bare.fallback else ()
    return replace(
        bare,
        yearly=bool(bare.yearly) if not isinstance(bare.before or bare.after, timedelta) else None,
        otherwise=(bare.otherwise or Otherwise.SKIP) if bare.conditions else None,
        wait=bool(bare.wait),
        fallback_parameters=(*language, *sorted(given.items())),
        language=(bare.language or "en") if bare.template else None,
        parameters=tuple(sorted(bare.parameters)),
    )


def _said_plainly(new: BroadcastNew) -> BroadcastNew:
    return replace(
        new,
        language=(new.language or "en") if new.template else None,
        parameters=tuple(sorted(new.parameters)),
    )

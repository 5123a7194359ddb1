"""What staff choose about a campaign, and how it lives."""

from datetime import timedelta

import pytest

from engine.audience import Audience
from engine.campaign import (
    SENDING,
    TRANSITIONS,
    InvalidRate,
    Kind,
    Mode,
    Rate,
    Reentry,
    Settings,
    State,
    UnknownPolicy,
)
from engine.content import HeaderText, TemplateMessage, Text
from engine.ids import CampaignId
from engine.personalise import Missing
from engine.phone import Phone
from engine.rendering import Rendering, values_of


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        pytest.param("5/s", timedelta(milliseconds=200), id="per second"),
        pytest.param("300/min", timedelta(milliseconds=200), id="per minute"),
        pytest.param(" 500 / h ", timedelta(seconds=7.2), id="per hour, with spaces"),
    ],
)
def test_a_rate_is_spread_evenly(text: str, interval: timedelta) -> None:
    assert Rate.parse(text).interval == interval


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/d", "-5/s", "5.5/s", "99999999/s", "\u0665/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidRate):
        Rate.parse(text)


def test_settings_survive_the_database() -> None:
    settings = Settings(
        stop_on_reply=False,
        per_day=100,
        hours="08:00-20:00",
        days="mon-fri",
        rate=Rate.parse("300/min"),
        reentry=Reentry.AFTER,
        mode=Mode.INTERRUPT,
        deadline_s=0,
        unknown=UnknownPolicy.ASK,
    )

    assert Settings.from_json(settings.to_json()) == settings


def test_settings_keep_only_what_staff_chose() -> None:
    assert Settings().to_json() == {"stop_on_reply": True}
    assert Settings.from_json({}) == Settings()


def test_an_audience_survives_the_database() -> None:
    audience = Audience(
        tags=("vip",), phones=(Phone("+31612345678"),), drips=(CampaignId(1),), broadcasts=()
    )

    assert Audience.from_json(audience.to_json()) == audience


@pytest.mark.parametrize("kind", Kind)
def test_every_way_ends_in_the_archive(kind: Kind) -> None:
    reached = {State.DRAFT}
    while more := {to for state in reached for to in TRANSITIONS[kind][state]} - reached:
        reached |= more

    assert reached == set(TRANSITIONS[kind])
    assert TRANSITIONS[kind][State.ARCHIVED] == frozenset()
    assert SENDING[kind] in reached


@pytest.mark.parametrize("kind", Kind)
def test_what_sends_can_be_paused_and_resumed(kind: Kind) -> None:
    assert State.PAUSED in TRANSITIONS[kind][SENDING[kind]]
    assert SENDING[kind] in TRANSITIONS[kind][State.PAUSED]


def test_a_text_is_filled_for_one_contact() -> None:
    rendering = Rendering.of(Text(body="Hi {first_name|there}, {city}!"))

    assert rendering.free_form
    assert rendering.filled({"first_name": "Ada", "city": "Oslo"}) == Text(body="Hi Ada, Oslo!")
    assert rendering.filled({"city": "Oslo"}) == Text(body="Hi there, Oslo!")
    assert rendering.filled({}) == Missing(names=("city",))


def test_a_template_is_filled_and_needs_no_window() -> None:
    template = TemplateMessage(
        name="offer",
        language="en",
        parameters=(("1", "{name}"),),
        header=HeaderText(name=None, value="{company}"),
    )

    filled = Rendering.of(template).filled({"name": "Ada", "company": "Acme"})

    assert not Rendering.of(template).free_form
    assert isinstance(filled, TemplateMessage)
    assert filled.parameters == (("1", "Ada"),)
    assert filled.header == HeaderText(name=None, value="Acme")


def test_attributes_never_hide_what_is_built_in() -> None:
    values = values_of(
        name=None,
        first_name="Ada",
        company=None,
        email=None,
        phone="+31612345678",
        attributes={"phone": "none", "city": "Oslo", "age": 36, "gone": None, "company": "Acme"},
    )

    assert values == {
        "name": "Ada",
        "first_name": "Ada",
        "phone": "+31612345678",
        "city": "Oslo",
        "age": "36",
        "company": "Acme",
    }

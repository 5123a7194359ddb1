"""What live cards, completion alerts and reports show."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.slack.campaign_alerts import completion
from bot.slack.cards import Card, draw
from bot.slack.clicks import Value
from bot.slack.limiter import EDITS_PER_MINUTE, Limiter, card_interval
from bot.slack.reports import shown
from engine.campaign import Kind, State
from engine.ids import CampaignId
from engine.reasons import Reason
from engine.report import Counts, Enrollments, Report, Step
from sandbox.slack.blocks import blocks_problem
from storage.reports import Campaign, Tap

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = "<!channel> *_~` <https://evil|bank> :tada: @here"


def campaign(**changes: Any) -> Campaign:  # noqa: ANN401 — any field
    values: dict[str, Any] = {
        "id": CampaignId(7),
        "kind": Kind.BROADCAST,
        "name": "Sale",
        "state": State.RUNNING,
        "version": 3,
        "trigger": "manual",
        "closed": None,
        "looked_at": None,
        "started_at": NOON,
        "started_by": "U0OWNER",
        "paused_by": None,
        "ended_at": None,
        "ended_by": None,
    }
    return Campaign(**values | changes)


def drip(**changes: Any) -> Campaign:  # noqa: ANN401 — any field
    return campaign(**{"kind": Kind.DRIP, "name": "Welcome", "state": State.ACTIVE} | changes)


def broadcast_report(**counts: Any) -> Report:  # noqa: ANN401 — any field
    return Report(enrollments=None, steps=(Step(number=1, counts=Counts(**counts)),))


HALF = broadcast_report(
    planned=2000, sent=900, delivered=800, read=400, failed=50, left_out=((Reason.OPTED_OUT, 50),)
)
WELCOME = Report(
    enrollments=Enrollments(completed=193, replied=1, opted_out=1),
    steps=(
        Step(number=1, counts=Counts(planned=195, sent=195, delivered=195, read=117, replied=1)),
        Step(number=2, counts=Counts(planned=195, sent=195, delivered=195, read=120)),
        Step(number=3, counts=Counts(planned=193, sent=193, delivered=193, read=110)),
    ),
)


def card(of: Campaign, report: Report = HALF, rate: float | None = None) -> Card:
    return draw(of, report, at=NOON, rate=rate)


def words(shown_card: Card) -> str:
    return "\n".join(
        str(block["text"]["text"]) for block in shown_card.message.blocks if "text" in block
    )


def button_ids(shown_card: Card) -> list[str]:
    return [
        element["action_id"]
        for block in shown_card.message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def test_a_card_shows_how_far_a_broadcast_is_and_how_fast() -> None:
    drawn = words(card(campaign(), rate=20.0))

    assert "*Sale* (broadcast) is running" in drawn
    assert "50 % (1,000 of 2,000)" in drawn
    assert "sent 900 · delivered 800 · read 400 · replied 0 · failed 50 · left out 50" in drawn
    assert "waiting 1,000" in drawn
    assert "20 a second, about 50s left" in drawn


def test_a_card_of_a_drip_counts_people() -> None:
    report = Report(enrollments=Enrollments(active=3, completed=1), steps=())

    assert "25 % (1 of 4) contacts through" in words(card(drip(), report))
    assert "Nobody is enrolled yet" in words(
        card(drip(), Report(enrollments=Enrollments(), steps=()))
    )


def test_a_card_shows_how_far_planning_is() -> None:
    assert "Planning: 42 % of the audience looked at, 2,000 planned" in words(
        card(campaign(looked_at=0.429))
    )


@pytest.mark.parametrize(
    ("of", "offered"),
    [
        pytest.param(
            campaign(), ["campaign_pause", "campaign_cancel", "campaign_report"], id="running"
        ),
        pytest.param(
            campaign(state=State.PAUSED),
            ["campaign_resume", "campaign_cancel", "campaign_report"],
            id="paused",
        ),
        pytest.param(
            campaign(closed=Tap(why="Too many complaints.", until=None)),
            ["campaign_resume", "campaign_pause", "campaign_cancel", "campaign_report"],
            id="stopped",
        ),
        pytest.param(drip(), ["campaign_pause", "campaign_report"], id="drip"),
        pytest.param(campaign(state=State.COMPLETED), [], id="completed"),
        pytest.param(campaign(state=State.CANCELLED), [], id="cancelled"),
    ],
)
def test_only_buttons_that_make_sense_are_offered(of: Campaign, offered: list[str]) -> None:
    drawn = card(of)

    assert button_ids(drawn) == offered
    assert drawn.final == (not offered)


def test_a_button_carries_campaign_and_version_and_cancel_asks_with_numbers() -> None:
    (actions,) = (block for block in card(campaign()).message.blocks if block["type"] == "actions")

    assert {each["value"] for each in actions["elements"]} == {str(Value(subject="7", version=3))}
    (cancel,) = (each for each in actions["elements"] if each["action_id"] == "campaign_cancel")
    assert cancel["confirm"]["text"]["text"].startswith(
        "900 of 2,000 messages have been sent; 1,000 will not be."
    )


def test_a_stopped_campaign_says_why_and_until_when() -> None:
    until = NOON + timedelta(hours=1)
    drawn = words(card(campaign(closed=Tap(why="WhatsApp holds it <!here>.", until=until))))

    assert "is stopped" in drawn
    assert f"<!date^{int(until.timestamp())}^" in drawn
    assert "WhatsApp holds it &lt;!here&gt;." in drawn


def test_only_the_time_of_drawing_leaves_the_digest_alone() -> None:
    later = draw(campaign(), HALF, at=NOON + timedelta(minutes=1), rate=None)

    assert later.digest == card(campaign()).digest
    assert later.message != card(campaign()).message
    assert card(campaign(version=4)).digest != card(campaign()).digest


def test_a_hostile_name_is_inert_wherever_it_is_shown() -> None:
    hostile = campaign(name=HOSTILE)
    texts = [
        card(hostile).message.text,
        words(card(hostile)),
        words(card(campaign(name=HOSTILE, state=State.COMPLETED))),
        completion(hostile, HALF, show=str),
        shown(hostile, HALF).text,
    ]

    for text in texts:
        assert "&lt;!channel&gt;" in text
        assert "<!channel>" not in text
        assert "<https" not in text
        # In code neither emoji nor formatting means anything.
        assert ":tada:" not in re.sub("`[^`]*`", "", text)


def test_completion_of_a_drip_says_how_people_ended() -> None:
    text = completion(drip(), WELCOME, show=str)

    assert text.startswith(
        "Welcome: all 195 enrolled are through: 193 finished, 1 replied, 1 opted out."
        " 583 messages sent, 0 failed, 0 left out."
    )


def test_completion_of_a_broadcast_says_why_people_were_left_out() -> None:
    text = completion(campaign(state=State.COMPLETED), HALF, show=str)

    assert text == (
        "Sale is completed. 900 of 2000 messages sent, 50 failed, 50 left out (50 said STOP)."
    )


def test_a_report_has_every_number_in_its_text() -> None:
    text = shown(drip(), WELCOME).text

    assert (
        text
        == """\
Report on Welcome (drip, active)
Enrolled 195: active 0, paused 0, completed 193, replied 1, opted out 1, dropped 0
Step 1: planned 195, sent 195, delivered 195, read 117, replied 1, failed 0, left out 0, open 0
Step 2: planned 195, sent 195, delivered 195, read 120, replied 0, failed 0, left out 0, open 0
Step 3: planned 193, sent 193, delivered 193, read 110, replied 0, failed 0, left out 0, open 0
All steps: planned 583, sent 583, delivered 583, read 347, replied 1, failed 0, left out 0, open 0
Rates: delivered 100 % of sent, read 60 % of delivered, replied &lt;1 % of sent"""
    )


def test_a_report_of_a_broadcast_says_who_was_left_out() -> None:
    report = shown(campaign(), HALF)

    assert "Left out of step 1: 50 said STOP" in report.text.splitlines()
    (table,) = (block for block in report.blocks if block["type"] == "table")
    assert [cell["text"] for cell in table["rows"][1]] == [
        "1", "2,000", "900", "800 · 89 %", "400 · 50 %", "0", "50", "50", "1,000"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Sale", HOSTILE, "W" * 80, "&" * 80])
def test_slack_takes_what_is_drawn(name: str) -> None:
    left_out = tuple((reason, 10**9) for reason in Reason)
    full = Counts(planned=10**9, sent=10**9, left_out=left_out)
    long = Report(
        enrollments=Enrollments(active=10**9),
        steps=tuple(Step(number=n, counts=full) for n in range(1, 200)),
    )
    tap = Tap(why="&" * 900, until=None)
    messages = [
        card(campaign(name=name, closed=tap), long, rate=0.5).message,
        card(campaign(name=name, state=State.CANCELLED, ended_by="U0OWNER"), long).message,
        shown(drip(name=name), long),
        shown(campaign(name=name), HALF),
    ]

    for message in messages:
        problem = blocks_problem(list(message.blocks), surface="message", ready=lambda _file: True)
        assert problem is None
        assert len(message.text.encode()) <= 4000


def posts(limiter: Limiter, channel: str, count: int, *, now: float) -> list[float]:
    """Return when posts are made that wait for each other."""
    made = []
    for _ in range(count):
        while (wait := limiter.post_wait(channel, now=now)) > 0:
            now += max(wait, 0.001)
        made.append(now)
    return made


def test_a_quiet_channel_takes_three_posts_at_once_then_hardly_one_a_second() -> None:
    limiter = Limiter()

    first = posts(limiter, "C1", 60, now=10)
    again = posts(limiter, "C1", 4, now=100)

    assert first[:3] == [10, 10, 10]
    assert all(1 <= later - earlier <= 1.2 for earlier, later in pairwise(first[2:]))
    assert again[:3] == [100, 100, 100]
    assert again[3] > 101


def test_no_channel_waits_for_another() -> None:
    limiter = Limiter()
    posts(limiter, "C1", 30, now=0)

    assert posts(limiter, "D1", 3, now=0) == [0, 0, 0]


def test_edits_of_all_cards_stay_below_the_limit_in_every_minute() -> None:
    limiter = Limiter()
    made = [at / 10 for at in range(3000) if limiter.edit_wait(now=at / 10) == 0]

    for start in made:
        assert sum(start <= at < start + 60 for at in made) <= EDITS_PER_MINUTE


def test_a_rest_that_slack_asked_for_is_kept() -> None:
    limiter = Limiter()
    limiter.rest_channel("C1", until=30)
    limiter.rest_edits(until=10)

    assert limiter.post_wait("C1", now=0) == 30
    assert limiter.post_wait("C1", now=30) == 0
    assert limiter.post_wait("C2", now=0) == 0
    assert limiter.edit_wait(now=0) == 10


@pytest.mark.parametrize("cards", [1, 2, 5, 20, 100])
def test_more_cards_move_more_slowly(cards: int) -> None:
    assert card_interval(cards) >= 3
    assert cards * 60 / card_interval(cards) <= EDITS_PER_MINUTE

"""Every reason can be said to staff, and no two alike."""

import re

import pytest

from engine.enrollment import EndReason, State, why
from engine.reasons import Reason, tap_sentence


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    sentence = reason.sentence

    assert re.fullmatch(r"[a-z0-9W].*[^.]", sentence)
    assert "_" not in sentence.replace("else=end", "")
    assert [each for each in Reason if each.sentence == sentence] == [reason]


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_of_an_enrollment_has_a_sentence(reason: EndReason) -> None:
    assert why(State.DROPPED, reason).startswith("dropped: ")
    assert reason.sentence


@pytest.mark.parametrize("cap", ["per_day", "messages_per_hour", "contacts_per_day"])
def test_the_caps_that_close_taps_are_said_in_words(cap: str) -> None:
    assert tap_sentence(cap) != cap
    assert cap in tap_sentence(cap)


def test_what_the_platform_said_of_a_tap_stays_as_it_is() -> None:
    assert tap_sentence("Pay the bill.") == "Pay the bill."
    assert tap_sentence(None)

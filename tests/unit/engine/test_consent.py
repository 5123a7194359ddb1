"""Who may be written to."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.consent import FIELD, Act, Consent
from engine.reasons import Reason

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)
AGAINST = {
    Act.OPT_OUT: (Act.OPT_IN, Reason.OPTED_OUT),
    Act.BLOCK: (Act.UNBLOCK, Reason.BLOCKED),
    Act.UNREACHABLE: (Act.REACHED, Reason.UNREACHABLE),
    Act.PLATFORM_STOP: (Act.PLATFORM_RESUME, Reason.PLATFORM_STOPPED),
}


def test_nothing_is_against_writing_to_a_new_contact() -> None:
    assert Consent().against(promotional=True) is None


def test_every_act_has_its_field() -> None:
    assert set(FIELD) == set(Act)


@pytest.mark.parametrize("act", AGAINST)
def test_a_reason_holds_until_it_is_taken_back(act: Act) -> None:
    back, reason = AGAINST[act]

    held = Consent().after(act, NOON)

    assert held.against(promotional=True) is reason
    assert held.after(back, LATER).against(promotional=True) is None
    assert held.after(back, LATER).after(act, LATER).against(promotional=True) is reason


@pytest.mark.parametrize("act", AGAINST)
def test_on_a_tie_the_stricter_one_wins(act: Act) -> None:
    """WhatsApp stamps whole seconds, so START and STOP of one second cannot be told apart."""
    back, reason = AGAINST[act]

    assert Consent().after(act, NOON).after(back, NOON).against(promotional=True) is reason


def test_a_platform_resume_never_lifts_a_stop() -> None:
    stopped = Consent().after(Act.OPT_OUT, NOON)

    assert stopped.after(Act.PLATFORM_RESUME, LATER).against(promotional=True) is Reason.OPTED_OUT


def test_only_promotional_messages_heed_the_platform() -> None:
    stopped = Consent().after(Act.PLATFORM_STOP, NOON)

    assert stopped.against(promotional=False) is None
    assert stopped.against(promotional=True) is Reason.PLATFORM_STOPPED


def test_a_stop_ends_messages_of_every_type() -> None:
    assert Consent().after(Act.OPT_OUT, NOON).against(promotional=False) is Reason.OPTED_OUT


def test_nothing_brings_an_erased_contact_back() -> None:
    erased = Consent().after(Act.ERASED, NOON)

    for back in (Act.OPT_IN, Act.UNBLOCK, Act.REACHED, Act.PLATFORM_RESUME):
        assert erased.after(back, LATER).against(promotional=False) is Reason.ERASED


def test_an_older_act_that_comes_later_changes_nothing() -> None:
    stopped = Consent().after(Act.OPT_OUT, LATER)

    assert stopped.after(Act.OPT_OUT, NOON) == stopped
    assert stopped.after(Act.OPT_IN, NOON).opted_out

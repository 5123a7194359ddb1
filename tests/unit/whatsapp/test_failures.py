"""What becomes of a message that WhatsApp refused or failed."""

from datetime import timedelta

import pytest

from engine.failure_codes import FAILURES, Action, Scope, Suppression, Tell
from engine.failures import (
    BanCountry,
    CloseWindow,
    DeferFor,
    GiveUp,
    RetryIn,
    Stop,
    Suppress,
    TellStaff,
    decide,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# The table of the reference: whoever changes a class must change it here too.
RETRIED = {1, 2, 131000, 131016, 131049, 133004, 135000, 139102, 139103}
DEFERRED = {4, 80007, 130429, 131056, 131057, 2494100, 131048, 134101}
ACCOUNT = {0, 3, 10, 104, 190, 200, 250, 299, 368, 131005, 131031, 131042, 131044, 131064, 134011}
NUMBER = {33, 131037, 131045, 133010}
CAMPAIGN = {
    131053, 132000, 132001, 132007, 132012, 132015, 132016, 132018, 132068, 132069,
    131055, 131061, 131063, 134100, 134102,
}  # fmt: skip
IF_REPEATED = {100, 131008, 131009, 132005, 132008}


@pytest.mark.parametrize("code", [131016, 424242, None], ids=["known", "unknown", "unnamed"])
def test_a_first_try_and_three_retries_after_1_2_and_4_minutes(code: int | None) -> None:
    decisions = [decide(code, attempt=attempt) for attempt in (1, 2, 3, 4)]

    waits = [d.after for d in decisions if isinstance(d, RetryIn)]
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert isinstance(decisions[3], GiveUp)
    assert decisions[3].effects == (TellStaff(),)


def test_an_overloaded_platform_is_left_alone_for_five_minutes() -> None:
    decision = decide(2, attempt=1)

    assert isinstance(decision, RetryIn)
    assert decision.after == 5 * MINUTE


@pytest.mark.parametrize("code", sorted(RETRIED))
def test_what_may_pass_is_retried_and_then_given_up(code: int) -> None:
    assert isinstance(decide(code, attempt=1), RetryIn)
    assert isinstance(decide(code, attempt=5), GiveUp)


@pytest.mark.parametrize("code", sorted(DEFERRED | ACCOUNT | NUMBER))
def test_a_deferral_burns_no_attempt(code: int) -> None:
    decision = decide(code, attempt=99, deferrals=99)

    assert isinstance(decision, DeferFor)
    assert decision.after > timedelta(0)


@pytest.mark.parametrize(
    ("code", "scope"),
    [(c, Scope.ACCOUNT) for c in sorted(ACCOUNT)] + [(c, Scope.NUMBER) for c in sorted(NUMBER)],
)
def test_what_blocks_a_number_or_account_stops_it_until_staff_act(code: int, scope: Scope) -> None:
    assert decide(code, attempt=1).effects == (
        Stop(scope=scope, closed_for=None, if_repeated=False),
        TellStaff(),
    )


@pytest.mark.parametrize("code", sorted(CAMPAIGN))
def test_what_every_message_would_meet_stops_the_campaign(code: int) -> None:
    decision = decide(code, attempt=1)

    assert isinstance(decision, GiveUp)
    assert decision.effects == (
        Stop(scope=Scope.CAMPAIGN, closed_for=None, if_repeated=False),
        TellStaff(),
    )


@pytest.mark.parametrize("code", sorted(IF_REPEATED))
def test_one_bad_value_stops_a_campaign_only_when_it_repeats(code: int) -> None:
    decision = decide(code, attempt=1)

    assert isinstance(decision, GiveUp)
    assert decision.effects == (Stop(scope=Scope.CAMPAIGN, closed_for=None, if_repeated=True),)


@pytest.mark.parametrize(
    ("code", "kind", "hits"),
    [
        (131026, Suppression.UNREACHABLE, 2),
        (131021, Suppression.UNREACHABLE, 1),
        (131050, Suppression.MARKETING_STOPPED, 1),
        (130403, Suppression.BLOCKED, 1),
    ],
)
def test_what_a_contact_cannot_get_is_not_tried_again(
    code: int, kind: Suppression, hits: int
) -> None:
    decision = decide(code, attempt=1)

    assert isinstance(decision, GiveUp)
    assert decision.effects == (Suppress(kind=kind, hits=hits),)


def test_the_experiment_is_no_defect_of_the_contact() -> None:
    decision = decide(130472, attempt=1)

    assert isinstance(decision, GiveUp)
    assert decision.effects == ()


def test_a_closed_window_closes_ours_too() -> None:
    decision = decide(131047, attempt=1)

    assert isinstance(decision, GiveUp)
    assert decision.effects == (CloseWindow(),)


@pytest.mark.parametrize("country", ["BR", None])
def test_a_country_that_may_not_be_written_to_is_left_out(country: str | None) -> None:
    decision = decide(130497, attempt=1, country=country)

    assert isinstance(decision, GiveUp)
    assert decision.effects == (BanCountry(country=country),)


def test_the_pair_rate_waits_as_meta_advises() -> None:
    waits = [decide(131056, attempt=1, deferrals=x) for x in (0, 1, 2, 3, 50)]

    assert [w.after.total_seconds() for w in waits if isinstance(w, DeferFor)] == [
        1, 4, 16, 64, 1024,
    ]  # fmt: skip


def test_too_fast_a_number_is_slowed_down() -> None:
    assert [code for code, known in FAILURES.items() if known.slows_down] == [130429]


def test_too_many_calls_wait_for_as_long_as_meta_says() -> None:
    told = decide(4, attempt=1, regain=17 * MINUTE)
    untold = decide(4, attempt=1)

    assert isinstance(told, DeferFor)
    assert told.after == 17 * MINUTE
    assert told.effects == (Stop(scope=Scope.ACCOUNT, closed_for=17 * MINUTE, if_repeated=False),)
    assert isinstance(untold, DeferFor)
    assert untold.after == 5 * MINUTE


def test_a_person_with_enough_marketing_is_left_alone_for_a_day_and_never_suppressed() -> None:
    decisions = [decide(131049, attempt=attempt, country="NL") for attempt in (1, 2, 3)]

    assert [type(d) for d in decisions] == [RetryIn, RetryIn, GiveUp]
    assert all(d.after > 24 * HOUR for d in decisions if isinstance(d, RetryIn))
    assert all(d.effects == () for d in decisions)


def test_marketing_to_the_united_states_is_not_tried_again() -> None:
    assert isinstance(decide(131049, attempt=1, country="US"), GiveUp)
    assert isinstance(decide(131016, attempt=1, country="US"), RetryIn)


def test_reports_of_people_stop_the_number_for_hours() -> None:
    decision = decide(131048, attempt=1)

    assert isinstance(decision, DeferFor)
    assert decision.effects == (
        Stop(scope=Scope.NUMBER, closed_for=6 * HOUR, if_repeated=False),
        TellStaff(),
    )


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_every_code_is_whole(code: int) -> None:
    known = FAILURES[code]

    assert known.code == code
    assert known.meaning[0].isupper()
    assert known.meaning.endswith(".")
    assert bool(known.delays) is (known.action is not Action.GIVE_UP)
    assert (known.closed_for is None) or known.stops
    assert known.stops is None or known.tell is Tell.ALWAYS or known.closed_for or known.if_repeated

"""When a campaign is stopped by itself."""

import pytest

from engine.brake import NO_BRAKE, Brake, Driven, InvalidShare, Share, why_stopped

BRAKE = Brake(failures=Share(tenths=200), opt_outs=Share(tenths=50), after=50)


@pytest.mark.parametrize(
    ("driven", "names"),
    [
        pytest.param(Driven(went=40, failed=10, opted_out=0), None, id="as many as allowed"),
        pytest.param(Driven(went=39, failed=11, opted_out=0), "brake_failures", id="one more"),
        pytest.param(Driven(went=0, failed=49, opted_out=0), None, id="too few to say"),
        pytest.param(Driven(went=100, failed=0, opted_out=5), None, id="few STOPs"),
        pytest.param(Driven(went=100, failed=0, opted_out=6), "brake_opt_outs", id="many STOPs"),
        pytest.param(Driven(went=49, failed=0, opted_out=49), None, id="too few reached"),
        pytest.param(Driven(went=50, failed=50, opted_out=50), "brake_failures", id="both"),
    ],
)
def test_a_campaign_is_stopped_for_more_than_its_share(driven: Driven, names: str | None) -> None:
    why = why_stopped(driven, BRAKE)

    assert (why is None) is (names is None)
    assert names is None or (why is not None and names in why)


def test_what_is_off_stops_nothing() -> None:
    assert not NO_BRAKE.on
    assert why_stopped(Driven(went=0, failed=1000, opted_out=1000), NO_BRAKE) is None


@pytest.mark.parametrize(("text", "shown"), [("20%", "20%"), (" 2.5 %", "2.5%"), ("100%", "100%")])
def test_a_share_is_read_as_it_is_written(text: str, shown: str) -> None:
    assert str(Share.parse(text)) == shown


def test_off_is_no_share() -> None:
    assert Share.parse("OFF") is None


@pytest.mark.parametrize("text", ["", "20", "0%", "101%", "1.25%", "-1%", "many", "٢٠%"])
def test_anything_else_says_what_to_write(text: str) -> None:
    with pytest.raises(InvalidShare, match="write"):
        Share.parse(text)

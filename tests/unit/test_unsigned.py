"""Requests nobody signed are logged, however many there are, at most once a minute and door."""

from datetime import UTC, datetime

from structlog.testing import capture_logs

from bot.unsigned import Unsigned


class Stopped:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.now()

    def monotonic(self) -> float:
        return self.seconds


def test_a_flood_is_one_line_a_minute_that_counts_it() -> None:
    clock = Stopped()
    door, other = Unsigned("/slack/events", clock), Unsigned("/webhooks/whatsapp", clock)

    with capture_logs() as lines:
        for _ in range(1000):
            door.turned_away()
        other.turned_away()
        clock.seconds += 59.9
        door.turned_away()
        clock.seconds += 0.2
        door.turned_away()

    assert [(line["door"], line["count"]) for line in lines] == [
        ("/slack/events", 1),
        ("/webhooks/whatsapp", 1),
        ("/slack/events", 1001),
    ]
    assert {(line["event"], line["log_level"]) for line in lines} == {
        ("webhook.unsigned", "warning")
    }

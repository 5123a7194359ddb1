"""The life of campaigns as staff live it: changed, copied, deleted, scheduled, recurring."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.acceptance.steps import bring, phones, sent_to
from tests.system import OWNER2, System, button

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def _now(system: System) -> datetime:
    return datetime.fromisoformat((await system.get("clock"))["now"]).astimezone(UTC)


def _next_change(after: datetime) -> datetime:
    """Return the noon (UTC) before the next change of Amsterdam's clocks that is a month away."""
    noon = (after + timedelta(days=20)).replace(hour=12, minute=0, second=0, microsecond=0)
    while (noon + timedelta(days=1)).astimezone(AMSTERDAM).utcoffset() == noon.astimezone(
        AMSTERDAM
    ).utcoffset():
        noon += timedelta(days=1)
    return noon


async def _until(system: System, moment: datetime) -> None:
    await system.advance(seconds=max(0.0, (moment - await _now(system)).total_seconds()))


async def test_a_campaign_is_changed_while_it_runs_copied_and_put_away(system: System) -> None:
    numbers = phones(180, 2)
    await bring(system, numbers, "life180")
    for text in (
        "campaign new Life180 type=promotional",
        "step add Life180 after=0m template=followup",
        "step add Life180 after=1d template=feedback",
        "campaign activate Life180",
        "enroll Life180 tag:life180",
    ):
        await system.ask(text)
    await system.advance(hours=1)

    assert "It takes effect at once" in await system.ask(
        "campaign edit Life180 priority=9 rate=5/s"
    )
    renamed = await system.command('campaign edit Life180 name="Living 180"', user=OWNER2)
    assert "renamed" in str(renamed["replies"])
    assert "made" in await system.ask('campaign clone "Living 180"')
    await system.advance(days=2)

    sent = [(m["to"], m["template"]["name"]) for m in await sent_to(system, numbers)]
    assert sorted(sent) == sorted((n, t) for n in numbers for t in ("followup", "feedback"))
    shown = await system.ask('campaign show "Living 180"')
    assert "rate=5/s" in shown
    assert f"<@{OWNER2}>" in shown.split("Lately:")[1]
    assert "not deleted" in await system.ask('campaign delete "Living 180"')
    assert "deleted" in await system.ask('campaign delete "Living 180 copy"')
    assert "archived" in await system.ask('campaign archive "Living 180"')


async def test_a_scheduled_broadcast_starts_once_and_a_called_off_one_never(
    system: System,
) -> None:
    kept, dropped = phones(181, 2)
    await bring(system, [kept], "kept181")
    await bring(system, [dropped], "dropped181")
    start = (await _now(system) + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    local = start.astimezone(AMSTERDAM)
    at = f'at="{local:%Y-%m-%d %H:%M}"'

    said = await system.ask(f"broadcast new Kept181 to=tag:kept181 template=followup {at}")
    assert "your organization's time zone" in said
    await system.ask(f"broadcast new Dropped181 to=tag:dropped181 template=followup {at}")
    await _until(system, start - timedelta(minutes=1))
    assert await sent_to(system, [kept, dropped]) == []
    assert "cancelled" in await system.ask("broadcast cancel Dropped181")
    await _until(system, start + timedelta(days=1))

    (message,) = await sent_to(system, [kept, dropped])
    assert message["to"] == kept
    accepted = datetime.fromisoformat(message["accepted_at"])
    assert start <= accepted <= start + timedelta(minutes=2)
    assert "has passed" in await system.ask(f"broadcast new Past181 to=all template=followup {at}")


async def test_a_recurring_broadcast_keeps_contacts_local_time_over_a_change_of_clocks(
    system: System,
) -> None:
    dutch, indian = phones(182, 1)[0], "+919812301820"
    await bring(system, [dutch], "zones182")
    await bring(system, [indian], "zones182")
    change = _next_change(await _now(system))
    # The first on the day before the clocks change, the second on the day after.
    first = change.replace(tzinfo=None).replace(hour=10)

    said = await system.ask(
        f'broadcast new News182 to=tag:zones182 template=followup at="{first:%Y-%m-%d %H:%M}"'
        ' zone=contact every="FREQ=DAILY;INTERVAL=2;COUNT=2"'
    )
    assert "by each contact's own clock" in said
    assert "Asia/Kolkata" in said
    await _until(system, first.replace(tzinfo=UTC) + timedelta(days=3))

    clocks: dict[str, list[str]] = defaultdict(list)
    zones = {dutch: AMSTERDAM, indian: ZoneInfo("Asia/Kolkata")}
    offsets = set()
    for message in await sent_to(system, [dutch, indian]):
        accepted = datetime.fromisoformat(message["accepted_at"]).astimezone(zones[message["to"]])
        clocks[message["to"]].append(f"{accepted:%m-%d %H:%M}")
        offsets.add(accepted.utcoffset())
    days = [f"{first:%m-%d} 10:00", f"{first + timedelta(days=2):%m-%d} 10:00"]
    assert dict(clocks) == {dutch: days, indian: days}
    assert len(offsets) == 3  # Amsterdam's clocks did change in between
    listed = await system.ask("broadcast list")
    assert f"News182 {first:%Y-%m-%d}" in listed
    assert f"News182 {first + timedelta(days=2):%Y-%m-%d}" in listed
    assert "is completed" in await system.ask("broadcast show News182")


async def test_who_is_in_another_campaign_is_seen_before_and_left_out_by_a_button(
    system: System,
) -> None:
    numbers = phones(183, 3)
    await bring(system, numbers, "busy183")
    for text in (
        "campaign new Busy183",
        "step add Busy183 after=9d template=followup",
        "campaign activate Busy183",
        f"enroll Busy183 {numbers[0]}",
    ):
        await system.ask(text)

    looked = await system.ask("enroll Busy183 tag:busy183 check")
    assert "would enroll 2 contacts" in looked
    answer = await system.command("broadcast new Free183 to=tag:busy183 template=followup")
    message = answer["replies"][-1]
    assert "In another campaign: 1 (Busy183 1)" in str(message)
    pressed = await system.click(message, button(message, "Leave out 1")["action_id"])
    assert "2 recipients" in str(pressed["replies"])
    await system.ask("broadcast send Free183")
    await system.advance(minutes=5)

    sent = [each["to"] for each in await sent_to(system, numbers)]
    assert sorted(sent) == numbers[1:]
    assert "is in another campaign" in await system.ask("report Free183")
    await system.ask("campaign archive Busy183")

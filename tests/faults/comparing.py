"""Ledger, rows, statistics and Slack compared: nobody twice, nobody lost, everything told right."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tests.acceptance.steps import figures
from tests.faults.campaigns import Campaigns
from tests.faults.drawing import Storm
from tests.faults.truth import Row, Truth
from tests.system import Json, System, words

_REACHED = frozenset({"accepted", "sent", "delivered", "read"})
_LEFT_OUT = frozenset({"skipped", "cancelled", "dead"})
_CALLBACK = re.compile(r"d:(\d+):(\d+)")
_PAUSE_MS = 1000
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the platform accepted of the campaigns' messages, by message, in order."""

    calls: dict[int, list[Json]]

    @classmethod
    def of(cls, entries: Sequence[Json], rows: Sequence[Row]) -> "Ledger":
        calls: dict[int, list[Json]] = defaultdict(list)
        for row in rows:
            calls[row.id] = []
        for entry in entries:
            found = _CALLBACK.fullmatch(entry["callback_data"] or "")
            if found is not None and int(found[1]) in calls:
                calls[int(found[1])].append(entry)
        return cls(dict(calls))


def nobody_twice(rows: Sequence[Row], ledger: Ledger) -> list[str]:
    """Return who has a message twice without a reason, and never the same attempt twice.

    A reason is that the platform said the earlier one failed, or silence after a control.
    """
    wrong = []
    for row in rows:
        calls = ledger.calls[row.id]
        attempts = [_attempt(call) for call in calls]
        if len(set(attempts)) < len(attempts):
            wrong.append(f"{row} was called with one attempt twice: {attempts}")
        unexplained = sum(not _failed(call) for call in calls[:-1])
        if unexplained > row.resent:
            wrong.append(f"{row} was accepted {len(calls)} times: {_seen(calls)}")
    places = Counter((row.campaign, row.step, row.phone) for row in rows)
    return wrong + [f"{place}: {count} rows" for place, count in places.items() if count > 1]


def nobody_lost(rows: Sequence[Row], ledger: Ledger, campaigns: Campaigns) -> list[str]:
    """Return who was to get something and neither got it nor was left out for a reason."""
    wrong = []
    for row in rows:
        calls = ledger.calls[row.id]
        if row.state in _REACHED:
            if not calls:
                wrong.append(f"{row} counts as sent, and the platform knows nothing of it")
        elif row.state not in _LEFT_OUT:
            wrong.append(f"{row} is still open")
    have = defaultdict(set)
    for row in rows:
        have[row.campaign, row.step].add(row.phone)
    for name, audience in campaigns.audiences.items():
        missing = set(audience) - have[name, 1]
        if missing:
            wrong.append(f"{name}: {len(missing)} without a row, such as {sorted(missing)[:_TOLD]}")
    return wrong


def nothing_unheard(rows: Sequence[Row], ledger: Ledger) -> list[str]:
    """Return messages that went well on the platform and did not here, though it told us so."""
    return [
        f"{row} went through: {_seen(ledger.calls[row.id])}"
        for row in rows
        if row.state not in _REACHED
        and any(
            status["status"] in {"sent", "delivered"}
            for call in ledger.calls[row.id]
            for status in call["statuses"]
        )
    ]


def left_out_without_cause(rows: Sequence[Row], drawn: Storm, stopped: set[str]) -> list[str]:
    """Return who was left out though nothing that happened leaves anybody out."""
    wrong = []
    for row in rows:
        if row.state not in _LEFT_OUT or row.phone in stopped:
            continue
        by_error = drawn.names & {"throttled", "failed by webhook"}
        in_doubt = row.state == "dead" and row.reason == "unanswered"
        if not (by_error and row.state == "dead") and not in_doubt:
            wrong.append(f"{row} was left out")
    return wrong


def nothing_after_stop(
    rows: Sequence[Row], ledger: Ledger, stopped: dict[str, float | None]
) -> list[str]:
    """Return campaign calls that started after the STOP of whom they are for was answered 200."""
    wrong = []
    for row in rows:
        since = stopped.get(row.phone)
        late = [call for call in ledger.calls[row.id] if since and call["ms"] > since]
        if late:
            wrong.append(f"{row} after STOP at {since:.0f}: {_seen(late)}")
    return wrong


def nothing_while_paused(
    rows: Sequence[Row],
    ledger: Ledger,
    held: Sequence[tuple[str, float, float]],
    frozen: Sequence[tuple[float, float]],
) -> list[str]:
    """Return calls of a campaign a second after staff were told that it is paused.

    A process that stands still cannot hear of it; when lanes did, the second is not counted.
    """
    wrong = []
    for name, since, until in held:
        if any(begun < until and ended > since - _PAUSE_MS for begun, ended in frozen):
            continue
        for row in rows:
            if row.campaign != name:
                continue
            wrong += [
                f"{row} while paused since {since:.0f}: {_seen([call])}"
                for call in ledger.calls[row.id]
                if since + _PAUSE_MS < call["ms"] < until
            ]
    return wrong


async def slack_differs(
    system: System, truth: Truth, rows: Sequence[Row], campaigns: Campaigns
) -> list[str]:
    """Return where a report or a card says other numbers than the rows have."""
    wrong = []
    states = await truth.campaign_states(list(campaigns.kinds))
    for name, kind in campaigns.kinds.items():
        own = [row for row in rows if row.campaign == name]
        report = figures(await system.ask(f'report "{name}"'))
        for step in {row.step for row in own}:
            there = [row for row in own if row.step == step]
            counted = {
                "planned": len(there),
                "sent": sum(row.accepted for row in there),
                "left out": sum(row.state in {"skipped", "cancelled"} for row in there),
            }
            told = report[f"Step {step}"]
            if {key: told[key] for key in counted} != counted:
                wrong.append(f"{name}, step {step}: told {told}, counted {counted}")
        if kind == "broadcast":
            if states[name] != "completed":
                wrong.append(f"{name} is {states[name]}")
            card = await system.says(f"{name} (", "is completed", within=10)
            sent = sum(row.accepted for row in own)
            if f"sent {sent} of {len(own)}" not in words(card):
                wrong.append(f"{name}: {sent} of {len(own)} were sent, the card: {words(card)}")
    return wrong


def over_the_limit(refusals: Sequence[Json]) -> list[Json]:
    """Return the platform's refusals because a number sent faster than it may."""
    return [each for each in refusals if "throughput has been reached" in (each["error"] or "")]


def _attempt(call: Json) -> int:
    found = _CALLBACK.fullmatch(call["callback_data"])
    assert found is not None
    return int(found[2])


def _failed(call: Json) -> bool:
    return any(status["status"] == "failed" for status in call["statuses"])


def _seen(calls: Sequence[Json]) -> list[tuple[object, ...]]:
    return [
        (
            call["callback_data"],
            call["ms"],
            "lost" if call["answer_lost"] else "answered",
            *(status["status"] for status in call["statuses"]),
        )
        for call in calls
    ]

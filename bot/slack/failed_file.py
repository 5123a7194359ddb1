"""What failed for good as a file, for an owner: a slice at a time, so that nothing waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Final

from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import message
from bot.slack.changes import answered
from bot.slack.contact_pages import counted
from bot.slack.conversation import alone_with
from bot.slack.desk import Desk
from bot.slack.markup import markup
from bot.slack.registry import Context
from bot.slack.replies import Reply
from engine.campaign import Campaign
from engine.failure_codes import failure
from engine.ids import BlobId, MessageId, StepId
from engine.reasons import Reason
from engine.refusal import Refusal
from engine.roles import Role
from engine.spreadsheet_safe import lines
from storage import audit, blobs, campaigns, effects, redriving
from storage.database import Unit
from storage.events import Event
from storage.redriving import Dead

SLICE: Final = 2_000
_HEADINGS: Final = (
    "phone",
    "name",
    "step",
    "given up",
    "calls",
    "error",
    "reason",
    "WhatsApp says",
)


class FileForOwners(Refusal):
    """The file is a piece of the address book."""

    def __init__(self) -> None:
        super().__init__(
            "csv writes phones and names into a file, and that is for owners, as /drip contact"
            " export is: without csv what failed is shown. Nothing was exported."
        )


async def posted(desk: Desk, asked: Context, campaign: Campaign) -> Reply:
    """Have all that failed of *campaign* posted to who asked alone.

    Raises:
        FileForOwners, NotOpened: It is not.
    """
    if asked.role is None or not asked.role.covers(Role.OWNER):
        raise FileForOwners
    channel = await alone_with(asked)
    async with desk.database.unit(asked.organization, asked.at) as unit:
        found = await campaigns.steps(unit, campaign=campaign.id)
        count = sum(each.count for each in await redriving.reasons(unit, campaign=campaign.id))
    steps = {step.id: step.number for step in found}
    zone = desk.config.organizations[asked.organization].timezone
    plain = "".join(c if c.isalnum() else "-" for c in campaign.name.lower())[:60].strip("-")
    blob = await blobs.write(
        desk.database,
        asked.organization,
        asked.at,
        name=f"failed-{plain or 'campaign'}.csv",
        mimetype="text/csv",
        content=_pieces(desk, asked, campaign, steps, zone),
    )

    async def tell(unit: Unit) -> None:
        told = {"blob": blob.id, "channel": channel, "name": campaign.name}
        await effects.tell_staff(unit, kind="failed_list", campaign=campaign.id, content=told)
        await audit.note(
            unit,
            actor=asked.user_id,
            action="failed.export",
            subject=f"{campaign.kind}:{campaign.id}",
            content={"messages": count},
        )

    await desk.database.run(asked.organization, asked.at, tell)
    return answered(
        markup(
            "The list of {n} of *{name}* that failed comes to you alone, here in Slack.",
            n=counted(count, "message"),
            name=campaign.name,
        )
    )


@tells("failed_list")
async def list_ready(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    """Deliver the file to who asked for it."""
    text = markup(
        "What failed of {name}, message by message. The file names people: keep it safe.",
        name=str(event.content["name"]),
    )
    place = Elsewhere(channel=str(event.content["channel"]))
    return (Alert(place=place, message=message(text), file=BlobId(int(event.content["blob"]))),)


async def _pieces(
    desk: Desk,
    asked: Context,
    campaign: Campaign,
    steps: Mapping[StepId, int],
    zone: tzinfo,
) -> AsyncIterator[bytes]:
    yield lines((_HEADINGS,)).encode("utf-8-sig")
    before: MessageId | None = None
    while True:
        async with desk.database.unit(asked.organization, asked.at) as unit:
            rows = await redriving.page(unit, campaign=campaign.id, limit=SLICE, before=before)
        if rows:
            # Not in the loop: others are answered meanwhile.
            yield await asyncio.to_thread(_written, rows, steps, zone)
        if len(rows) < SLICE:
            return
        before = rows[-1].id


def _written(rows: Sequence[Dead], steps: Mapping[StepId, int], zone: tzinfo) -> bytes:
    return lines(_cells(rows, steps, zone)).encode()


def _cells(
    rows: Sequence[Dead], steps: Mapping[StepId, int], zone: tzinfo
) -> Iterator[tuple[str | int | None, ...]]:
    for each in rows:
        refused = each.reason is Reason.FAILED and each.code is not None
        yield (
            each.phone,
            each.name,
            steps.get(each.step_id),
            each.settled_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            each.attempt,
            each.code,
            failure(each.code).meaning if refused else each.reason.sentence,
            each.error,
        )

"""What is said to events: Slack gives them no address for answers, so they are posted.

Posts of a channel are counted, and one above the limit is lost; so the relay posts them, in turn
with everything else, until Slack has taken them.
"""

from typing import Protocol

from bot.slack.alerts import Alert, Elsewhere, tells
from bot.slack.blocks import Message
from bot.slack.markup import Markup
from bot.slack.replies import Reply
from engine.clock import Clock
from engine.ids import OrganizationId
from storage import effects
from storage.database import Database, Unit
from storage.events import Event

KIND = "answer"


class Answers(Protocol):
    """Where answers wait for the relay."""

    async def keep(self, organization: OrganizationId, *, channel: str, reply: Reply) -> None:
        """Have *reply* posted, once."""
        ...


class StoredAnswers:
    """`Answers` in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, organization: OrganizationId, *, channel: str, reply: Reply) -> None:
        content = {
            "channel": channel,
            "thread_ts": reply.thread_ts,
            "text": str(reply.message.text),
            "blocks": list(reply.message.blocks),
        }

        async def work(unit: Unit) -> None:
            # An event that was half heard when its process died is heard again, and told once.
            await effects.tell_staff(unit, kind=KIND, campaign=None, content=content)

        await self._database.run(organization, self._clock.now(), work)


@tells(KIND)
async def answered(event: Event, _unit: Unit) -> tuple[Alert, ...]:
    """Say it where it was asked."""
    content = event.content
    return (
        Alert(
            place=Elsewhere(channel=content["channel"], thread_ts=content["thread_ts"]),
            message=Message(text=Markup(content["text"]), blocks=tuple(content["blocks"])),
        ),
    )

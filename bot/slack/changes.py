"""How a change is told to all who are there, and what is woken by it."""

from bot.slack.blocks import Block, message, section
from bot.slack.desk import Desk
from bot.slack.markup import Markup, joined, markup, user
from bot.slack.registry import Context
from bot.slack.replies import Reply
from engine.ids import OrganizationId


def told(context: Context, done: Markup, *more: Markup, blocks: tuple[Block, ...] = ()) -> Reply:
    """Return who did what, for all in the channel, and lines about it; empty lines go.

    Args:
        done: What follows the name: "activated Welcome."
    """
    said = markup("{who} {done}", who=user(context.user_id), done=done)
    text = joined([said, *(line for line in more if line)])
    return Reply(message=message(text, section(text), *blocks), in_channel=True)


def answered(*lines: Markup) -> Reply:
    """Return lines for who asked alone; empty lines go."""
    text = joined([line for line in lines if line])
    return Reply(message=message(text, section(text)))


def in_thread(text: Markup, thread_ts: str) -> Reply:
    """Return what all see in a thread."""
    return Reply(message=message(text), in_channel=True, thread_ts=thread_ts)


async def wake(desk: Desk, organization: OrganizationId) -> None:
    """Have the worker plan and send at once instead of at its next tick."""
    await desk.queue.wake_job("plan", organization)
    for number in desk.config.organizations[organization].whatsapp.numbers:
        await desk.queue.wake_lane(organization, number.id)

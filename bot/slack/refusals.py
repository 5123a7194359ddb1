"""What the engine refuses, as an answer."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from bot.slack.blocks import message, section
from bot.slack.markup import Markup, literal, markup
from bot.slack.registry import Context
from bot.slack.replies import Reply
from engine.refusal import Refusal

T = TypeVar("T", bound=Reply | None)

_LONGEST = 1500


def refusing(
    handler: Callable[[Any, Context], Awaitable[T]],
) -> Callable[[Any, Context], Awaitable[T | Reply]]:
    """Answer with the sentence of a refusal; only who asked sees it."""

    @wraps(handler)
    async def answered(asked: Any, context: Context) -> T | Reply:  # noqa: ANN401 — a command or click
        try:
            return await handler(asked, context)
        except Refusal as refusal:
            return refused(literal(str(refusal), limit=_LONGEST))

    return answered


def refused(sentence: Markup) -> Reply:
    """Return an answer that says why nothing was done."""
    shown = message(sentence, section(markup(":warning: {it}", it=sentence)))
    return Reply(message=shown, undone=True)

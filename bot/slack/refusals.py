"""What the engine refuses, as an answer."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from bot.slack.blocks import message, section
from bot.slack.closest import closest
from bot.slack.declare import Command
from bot.slack.markup import Markup, literal, markup
from bot.slack.registry import Context
from bot.slack.replies import Reply
from engine.refusal import Refusal
from engine.usecases.compose import DoesNotFit

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
            meant = _meant(asked, refusal)
            return refused(literal(f"{refusal}{meant}", limit=_LONGEST))

    return answered


def _meant(asked: object, refusal: Refusal) -> str:
    """Say which options may have been meant by what the template does not know.

    The grammar takes any name for a parameter's, so only here it shows that one was a slip.
    """
    if not (isinstance(asked, Command) and isinstance(refusal, DoesNotFit)):
        return ""
    known = [option.name for option in asked.spec.options]
    found = {each: closest(each, known) for each in refusal.unknown}
    return "".join(f" Or did you mean {near}=?" for near in found.values() if near is not None)


def refused(sentence: Markup) -> Reply:
    """Return an answer that says why nothing was done."""
    shown = message(sentence, section(markup(":warning: {it}", it=sentence)))
    return Reply(message=shown, undone=True)

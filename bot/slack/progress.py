"""How far large imports have come: one message in the thread of each, edited in place."""

from typing import Final

import structlog

from bot.slack.blocks import Message, message, section
from bot.slack.limiter import card_interval
from bot.slack.markup import markup, number
from bot.slack.markup import progress as bar
from bot.slack.poster import Gone, Poster, Refused
from engine.ids import ImportId
from storage import imports, slack_posts
from storage.imports import Moving, State

MANY: Final = 5_000
"""Rows of an import whose progress is shown; a smaller one is done before anybody looks."""

log = structlog.get_logger(__name__)


class ImportProgress:
    """The progress of the imports of one organization."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._shown_at: dict[ImportId, float] = {}

    async def refresh(self) -> None:
        """Draw what has moved, each import as often as a card.

        Raises:
            SlackAway, Stopped: What is left is drawn another time.
        """
        moving = await self._poster.run(lambda unit: imports.moving(unit, many=MANY))
        for gone in self._shown_at.keys() - {each.id for each in moving}:
            del self._shown_at[gone]
        now = self._poster.clock.monotonic()
        interval = card_interval(len(moving))
        for each in moving:
            if _ended(each) or now >= self._shown_at.get(each.id, float("-inf")) + interval:
                self._shown_at[each.id] = now
                await self._show(each)

    async def _show(self, moving: Moving) -> None:
        key = f"import:{moving.id}"
        drawn = draw(moving)
        digest = f"{moving.state}:{moving.done}"
        post = await self._poster.run(lambda unit: slack_posts.find(unit, key=key))
        try:
            if post is None or post.ts is None:
                await self._poster.post(
                    key=key,
                    channel=moving.channel,
                    thread_ts=moving.thread_ts,
                    message=drawn,
                    digest=digest,
                    final=_ended(moving),
                )
            elif post.digest != digest or post.final is not _ended(moving):
                await self._poster.edit(post, drawn, digest=digest, final=_ended(moving))
        except Gone:
            await self._poster.run(lambda unit: slack_posts.forget(unit, key=key))
        except Refused as refused:
            # The verdicts say the same at last; progress is no reason to hold up the rest.
            log.warning("slack.progress_refused", import_id=moving.id, error=refused.error)


def draw(moving: Moving) -> Message:
    """Return the message that shows how far an import has come."""
    what = _DOING.get(moving.state)
    if what is None:
        text = markup("{name}: {how}.", name=moving.name, how=_DONE.get(moving.state, "through"))
        return message(text, section(text))
    # A file may have fewer rows than it has line ends, and a workbook need not say how many.
    if moving.rows > moving.done:
        text = markup(
            "{what} {name}: {bar}", what=what, name=moving.name, bar=bar(moving.done, moving.rows)
        )
    else:
        text = markup(
            "{what} {name}: row {done}.", what=what, name=moving.name, done=number(moving.done)
        )
    return message(text, section(text))


def _ended(moving: Moving) -> bool:
    return moving.state not in _DOING


_DOING: Final = {State.JUDGING: "Reading", State.IMPORTING: "Importing", State.UNDOING: "Undoing"}
_DONE: Final = {
    State.JUDGED: "every row is read",
    State.IMPORTED: "every row is imported",
    State.UNDONE: "the import is undone",
    State.DISCARDED: "discarded",
    State.REFUSED: "it cannot be used",
}

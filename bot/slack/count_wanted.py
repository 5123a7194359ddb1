"""What staff are asked whose change is for many: the same command with how many they mean."""

from dataclasses import replace

from bot.slack.changes import answered
from bot.slack.markup import Markup, code, joined, markup
from bot.slack.replies import Reply
from engine.size import Asked


def count_wanted(asked: Asked, would: str, *where: Markup, command: str) -> Reply:
    """Return what is said instead of doing it.

    Args:
        would: What would be done to them: "That would put".
        where: And where: "on Beta"; nothing where that is clear.
        command: What they wrote, without count=.
    """
    done = markup("{would} *{n} contacts*", would=would, n=asked.recipients)
    given = (
        Markup("")
        if asked.given is None
        else markup("The count you gave, {given}, is another one.", given=asked.given)
    )
    said = answered(
        markup("{what}. Nothing has been done.", what=joined([done, *where], " ")),
        given,
        markup("To go on: {it}", it=code(f"{command} count={asked.recipients}")),
    )
    return replace(said, undone=True)

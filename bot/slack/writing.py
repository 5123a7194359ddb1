"""A command written out again, so that a button can carry it."""

from collections.abc import Iterator

from bot.slack.declare import Argument, Command, Flag, Free, Option
from bot.slack.words import as_word, quoted


def written(command: Command) -> str:
    """Return the command as staff would write it, without ``/drip``; read, it is the same again."""
    return " ".join((command.spec.name, *_parts(command)))


def _parts(command: Command) -> Iterator[str]:
    for part in command.spec.parts:
        value = getattr(command, part.field)
        match part:
            case Argument(kind=kind, required=required):
                if required or value is not None:
                    yield as_word(kind.show(value))
            case Option(kind=kind, name=name, default=default):
                if value != default:
                    # What is raw, or quotes by itself, is written as it is read.
                    shown = kind.show(value)
                    bare = kind.raw or kind.show is quoted
                    yield f"{name}={shown if bare else as_word(shown)}"
            case Flag(word=word):
                if value:
                    yield word
            case Free(prefix=prefix):
                yield from (f"{prefix}{name}={quoted(given)}" for name, given in value)

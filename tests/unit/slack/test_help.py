"""Help: one short line for everything that begins with a word, and a page for each command."""

import pytest

from bot.slack.blocks import Message
from bot.slack.declare import Command
from bot.slack.help import page
from bot.slack.language import COMMANDS, LANGUAGE
from sandbox.slack.blocks import blocks_problem

WORDS = tuple(dict.fromkeys(command.spec.path[0] for command in COMMANDS))


def lines(message: Message) -> list[str]:
    """Return what the paragraphs of a message say, by line."""
    shown = [each["text"]["text"] for each in message.blocks if each["type"] == "section"]
    return "\n".join(shown).splitlines()


def test_help_has_one_short_line_for_every_first_word() -> None:
    shown = lines(page(LANGUAGE, ()))

    assert [line.split("`")[1] for line in shown] == list(WORDS)
    assert max(map(len, shown)) < 160


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.spec.name)
def test_help_names_every_command(command: type[Command]) -> None:
    first, *rest = command.spec.path
    (line,) = [each for each in lines(page(LANGUAGE, ())) if each.startswith(f"`{first}`")]

    assert " ".join(rest) in line
    assert rest or command.spec.about in line


def test_help_says_how_to_get_one_commands_page() -> None:
    said = str(page(LANGUAGE, ()).blocks[-1])

    assert "/drip help campaign`" in said
    assert "/drip help campaign new`" in said


def test_the_page_of_a_command_names_those_that_begin_like_it() -> None:
    assert "/drip import undo" in str(page(LANGUAGE, ("import",)).blocks[-1])


@pytest.mark.parametrize("topic", [(), *((word,) for word in WORDS)], ids=" ".join)
def test_slack_takes_every_page_whole(topic: tuple[str, ...]) -> None:
    shown = page(LANGUAGE, topic)

    problem = blocks_problem(list(shown.blocks), surface="message", ready=lambda _file: True)
    assert problem is None
    assert len(shown.text.encode()) < 4000
    assert not shown.text.endswith("…")

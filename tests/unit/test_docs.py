"""What the documentation says is so: links, commands, recipes, states, the Slack app's manifest."""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import click
import pytest

from bot.__main__ import cli
from bot.checks import SCOPES, addresses
from bot.slack import door
from bot.slack.declare import Command
from bot.slack.grammar import HelpWanted, NotUnderstood
from bot.slack.language import LANGUAGE
from engine import campaign, message
from engine.config import load
from storage.migrations import NAMES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
GENERATED = ROOT / "docs" / "commands.md"  # has a test of its own
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
MANIFEST: dict[str, Any] = json.loads((ROOT / "docs" / "slack-manifest.json").read_text())

_FENCE: Final = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_ARROW: Final = re.compile(r"^ *(\w+|\[\*\]) --> (\w+)", re.MULTILINE)
_FOLDERS: Final = ("bot", "engine", "storage", "worker", "sandbox", "tests", "docs", "benchmarks")
_PATH: Final = re.compile(rf"(?:{'|'.join(_FOLDERS)})/[\w./<>*-]*")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def quoted(text: str) -> Iterator[str]:
    """Yield what a page shows as code: inline pieces, and the lines of its blocks."""
    for _, block in _FENCE.findall(text):
        yield from (line.strip() for line in block.splitlines())
    yield from (" ".join(piece.split()) for piece in _INLINE.findall(_FENCE.sub("", text)))


def beginning(word: str) -> list[tuple[str, str]]:
    """Return what pages quote that begins with *word*, each with its page."""
    return [
        (name(page), code)
        for page in PAGES
        if page != GENERATED
        for code in quoted(page.read_text())
        if code == word or code.startswith(f"{word} ")
    ]


def anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as they are made of their words."""
    text = _FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


# Links and paths.


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    missing = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not file.exists() or (parts.fragment and parts.fragment not in anchors(file)):
            missing.append(target)

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {
        found.group().rstrip(".")
        for code in _INLINE.findall(_FENCE.sub("", page.read_text()))
        if (found := _PATH.match(code))
    }

    absent = [each for each in named if not list(ROOT.glob(re.sub("<[^>]*>", "*", each)))]

    assert absent == []


def test_pictures_are_small() -> None:
    pictures = [path for path in (ROOT / "docs" / "images").iterdir() if path.suffix == ".png"]

    assert pictures
    assert [path for path in pictures if path.stat().st_size > 400_000] == []


def test_the_manual_shows_what_the_readme_leads_to() -> None:
    readme = (ROOT / "README.md").read_text()
    linked = {unquote(target) for target in _LINK.findall(readme)}
    pages = {name(page) for page in PAGES if page.parent in (ROOT, ROOT / "docs")} - {"README.md"}

    assert pages - linked == set()


# Commands.


@pytest.mark.parametrize(("page", "line"), beginning("dripline"))
def test_a_command_line_is_understood(page: str, line: str) -> None:
    for words in _alternatives(shlex.split(line, comments=True)[1:]):
        if not words:
            continue
        command = cli.commands[words[0]]
        try:
            command.make_context(words[0], words[1:])
        except click.exceptions.Exit:
            assert "--help" in words, page


def _alternatives(words: list[str]) -> Iterator[list[str]]:
    """Yield each of several commands that are listed with bars between them."""
    start = 0
    for place in [*(at for at, word in enumerate(words) if word == "|"), len(words)]:
        yield words[start:place]
        start = place + 1


@pytest.mark.parametrize(("page", "line"), beginning("/drip"))
def test_a_slack_command_is_understood(page: str, line: str) -> None:
    read = LANGUAGE.parse(line.removeprefix("/drip"))

    assert not isinstance(read, NotUnderstood), f"{page}: {read}"
    assert isinstance(read, Command | HelpWanted)


@pytest.mark.parametrize(("page", "line"), beginning("make"))
def test_a_recipe_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    given = [word.partition("=")[0] for word in words if "=" in word]

    assert {word for word in words if "=" not in word} <= TARGETS, page
    assert [each for each in given if f"$({each})" not in MAKEFILE] == [], page


def test_contributing_lists_every_recipe() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()

    assert [target for target in TARGETS if f"`make {target}`" not in text] == []


def test_the_changelog_lists_every_command_of_the_command_line() -> None:
    said = (ROOT / "CHANGELOG.md").read_text()
    listed = re.search(r"`dripline (bot \|[^`]*)`", said)

    assert listed is not None
    shown = {each for each, command in cli.commands.items() if not command.hidden}
    assert set(listed[1].split(" | ")) == shown


def test_the_way_back_names_a_migration() -> None:
    named = re.findall(r"dripline migrate --to (\w+)", (ROOT / "docs/runbook.md").read_text())

    assert named
    assert set(named) <= {*NAMES, "zero"}


# States.


def arrows(heading: str) -> dict[str, set[str]]:
    """Return the arrows of all diagrams under *heading*, by where they begin; `[*]` left out."""
    text = (ROOT / "docs" / "states.md").read_text()
    section = re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    drawn = [pair for kind, block in _FENCE.findall(section) for pair in _ARROW.findall(block)]
    assert len(drawn) == len(set(drawn)), "an arrow is drawn twice"
    by_start: dict[str, set[str]] = defaultdict(set)
    for start, end in drawn:
        if start != "[*]":
            by_start[start].add(end)
    return dict(by_start)


def table(transitions: Mapping[Any, frozenset[Any]]) -> dict[str, set[str]]:
    return {
        str(start.value): {str(end.value) for end in ends}
        for start, ends in transitions.items()
        if ends
    }


@pytest.mark.parametrize(
    ("heading", "transitions"),
    [
        pytest.param("Drip", campaign.TRANSITIONS[campaign.Kind.DRIP], id="drip"),
        pytest.param("Broadcast", campaign.TRANSITIONS[campaign.Kind.BROADCAST], id="broadcast"),
        pytest.param("Message", message.TRANSITIONS, id="message"),
    ],
)
def test_the_diagram_is_the_table(heading: str, transitions: Mapping[Any, frozenset[Any]]) -> None:
    assert arrows(heading) == table(transitions)


def test_enrollments_have_the_states_the_database_allows() -> None:
    schema = (ROOT / "storage" / "migrations" / "0001_foundation.up.sql").read_text()
    enrollments = schema.split("create table enrollments (", 1)[1]
    allowed = re.search(r"check \(state in \(([^)]*)\)\)", enrollments)
    drawn = arrows("Enrollment")

    assert allowed is not None
    assert set(re.findall(r"'(\w+)'", allowed[1])) == {*drawn, *set().union(*drawn.values())}


# The decisions.


def test_decisions_are_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]

    assert numbers[0] == 1
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
    for number, page in zip(numbers, pages, strict=True):
        text = page.read_text()
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "Consequence"]


# The Slack app.


def test_the_manifest_asks_for_the_scopes_the_bot_needs() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]["bot"]

    assert set(scopes) == SCOPES
    assert len(scopes) == len(SCOPES)


def test_the_manifest_sends_everything_to_the_bots_one_address() -> None:
    settings = MANIFEST["settings"]
    urls = [
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        settings["interactivity"]["message_menu_options_url"],
        *(command["url"] for command in MANIFEST["features"]["slash_commands"]),
    ]
    example = (ROOT / "dripline.example.toml").read_text()
    names = set(re.findall(r"env:(\w+)", example)) - {"NAME"}
    config = load(example, environment={each: f"{_scheme(each)}://it" for each in names})

    assert {urlsplit(url).path for url in urls} == {door.PATH}
    told = " ".join(addresses(config))
    assert {url for url in urls if url not in told} == set()


def _scheme(variable: str) -> str:
    return "redis" if variable == "REDIS_URL" else "postgres"


def test_the_manifest_has_the_command_and_the_events_with_their_scopes() -> None:
    history = {"message.channels": "channels", "message.groups": "groups", "message.im": "im"}
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]

    assert [each["command"] for each in MANIFEST["features"]["slash_commands"]] == ["/drip"]
    assert set(events) == set(history)
    assert {f"{each}:history" for each in history.values()} <= SCOPES
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert MANIFEST["settings"]["socket_mode_enabled"] is False
    assert MANIFEST["features"]["app_home"]["messages_tab_read_only_enabled"] is False


def test_the_manifest_keeps_slacks_limits() -> None:
    """Source: slackapi/manifest-schema, manifest.schema.1.0.0.json."""
    about = MANIFEST["display_information"]

    assert about["name"] == "Dripline"
    assert len(about["description"]) <= 140
    for command in MANIFEST["features"]["slash_commands"]:
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    assert set(MANIFEST) == {"display_information", "features", "oauth_config", "settings"}


# What is kept how long.


def test_the_runbook_says_of_every_table_how_long_it_keeps_what_is_in_it() -> None:
    migrations = (ROOT / "storage" / "migrations").glob("*.up.sql")
    made = [
        re.findall(r"^create table (\w+)", each.read_text(), re.MULTILINE) for each in migrations
    ]
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    section = runbook.split("## The database grows")[1].split("\n## ")[0]
    listed = [
        table
        for line in section.splitlines()
        if line.startswith("| `")
        for table in re.findall(r"`(\w+)`", line.split("|")[1])
    ]

    assert sorted(listed) == sorted(table for tables in made for table in tables)

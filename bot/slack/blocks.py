"""Block Kit, built within its limits; every builder cuts rather than lets Slack refuse a message.

Source: Slack, "Reference: blocks" and "Reference: block elements", the limits of each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.slack.markup import EMPTY, Markup, clean, cut, cut_markup, cut_markup_to_bytes, markup

Block = dict[str, Any]
Element = dict[str, Any]

_BLOCKS: Final = 50
_SECTION: Final = 3000
_FIELDS: Final = 10
_FIELD: Final = 2000
_HEADER: Final = 150
_CONTEXT: Final = 10
_ACTIONS: Final = 25
_BUTTON: Final = 75
_VALUE: Final = 2000
_CONFIRM_TITLE: Final = 100
_CONFIRM_TEXT: Final = 300
_CONFIRM_BUTTON: Final = 30
_TABLE_ROWS: Final = 100
_TABLE_CELLS: Final = 20
_TABLE_CHARACTERS: Final = 10_000
_RICH_TEXT: Final = 3000
# chat.update counts bytes and refuses more, and any message may be edited later.
_MESSAGE_TEXT: Final = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a message shows.

    Attributes:
        text: Full sentences that stand for the whole: notifications, search and screen
            readers get nothing else. At most 4,000 bytes.
        blocks: At most 50; empty: the text is all there is.
    """

    text: Markup
    blocks: tuple[Block, ...] = ()


def message(text: Markup, *blocks: Block) -> Message:
    """Make a message; of more than 50 blocks the first 49 and a line that says so."""
    kept = blocks
    if len(blocks) > _BLOCKS:
        left_out = len(blocks) - _BLOCKS + 1
        kept = (*blocks[: _BLOCKS - 1], context(markup("{n} more parts left out", n=left_out)))
    whole = Markup(text) if text.strip() else Markup(EMPTY)
    return Message(text=cut_markup_to_bytes(whole, _MESSAGE_TEXT), blocks=kept)


def plain_text(text: str, limit: int) -> Element:
    """Return a text object in which nothing is markup, on one line."""
    return {"type": "plain_text", "text": cut(clean(text, lines=False), limit), "emoji": False}


def mrkdwn(text: Markup, limit: int) -> Element:
    """Return a text object of markup; addresses in it do not become links by themselves."""
    shown = text if text.strip() else Markup(EMPTY)
    return {"type": "mrkdwn", "text": cut_markup(shown, limit), "verbatim": True}


def section(
    text: Markup, *, accessory: Element | None = None, block_id: str | None = None
) -> Block:
    """Return a paragraph; cut at 3,000 characters, unlike :func:`sections`."""
    block: Block = {"type": "section", "text": mrkdwn(text, _SECTION)}
    if accessory is not None:
        block["accessory"] = accessory
    if block_id is not None:
        block["block_id"] = block_id
    return block


def sections(text: Markup) -> tuple[Block, ...]:
    """Return a text of any length as paragraphs, parted between lines."""
    return tuple(section(page) for page in _pages(text))


def fields(pairs: Iterable[tuple[str, Markup]]) -> tuple[Block, ...]:
    """Return labels with values in two columns, ten to a block."""
    cells = [mrkdwn(markup("*{label}*\n{value}", label=k, value=v), _FIELD) for k, v in pairs]
    return tuple(
        {"type": "section", "fields": cells[start : start + _FIELDS]}
        for start in range(0, len(cells), _FIELDS)
    )


def header(text: str) -> Block:
    """Return a heading; nothing in it is markup."""
    return {"type": "header", "text": plain_text(text, _HEADER)}


def context(*texts: Markup) -> Block:
    """Return small print, at most ten pieces."""
    return {"type": "context", "elements": [mrkdwn(each, _SECTION) for each in texts[:_CONTEXT]]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Element, block_id: str | None = None) -> Block:
    """Return a row of buttons and selects, at most 25."""
    block: Block = {"type": "actions", "elements": list(elements[:_ACTIONS])}
    if block_id is not None:
        block["block_id"] = block_id
    return block


def button(
    label: str,
    *,
    action_id: str,
    value: str,
    style: Literal["primary", "danger"] | None = None,
    confirm: Element | None = None,
) -> Element:
    """Return a button.

    Args:
        label: Nothing in it is markup; phones cut it after some 30 characters.
        action_id: The name its handler is registered under.
        value: See :class:`bot.slack.clicks.Value`; an id and a version, never a right.
        style: None for an ordinary one.
        confirm: See :func:`confirmation`.
    """
    if len(value) > _VALUE:
        raise ValueError(f"the value of button {action_id} is longer than {_VALUE} characters")
    element: Element = {
        "type": "button",
        "text": plain_text(label, _BUTTON),
        "action_id": action_id,
        "value": value,
    }
    if style is not None:
        element["style"] = style
    if confirm is not None:
        element["confirm"] = confirm
    return element


def link_button(label: str, *, action_id: str, url: str) -> Element:
    """Return a button that opens an address; Slack still reports the click."""
    return {
        "type": "button",
        "text": plain_text(label, _BUTTON),
        "action_id": action_id,
        "url": url,
    }


def confirmation(
    *, title: str, text: str, confirm: str, deny: str = "Cancel", danger: bool = False
) -> Element:
    """Return the question asked before a click counts; nothing in it is markup."""
    asked: Element = {
        "title": plain_text(title, _CONFIRM_TITLE),
        "text": plain_text(text, _CONFIRM_TEXT),
        "confirm": plain_text(confirm, _CONFIRM_BUTTON),
        "deny": plain_text(deny, _CONFIRM_BUTTON),
    }
    if danger:
        asked["style"] = "danger"
    return asked


@dataclass(frozen=True, slots=True)
class Person:
    """A cell of a table that shows a Slack user by name."""

    user_id: str


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Person]]) -> tuple[Block, ...]:
    """Return a table and, where rows did not fit, a line that says how many.

    Only one fits in a message. A short row is filled with "—"; at most 20 columns,
    100 lines with the heading, and 10,000 characters.
    """
    width = min(len(columns), _TABLE_CELLS)
    lines: list[list[Element]] = []
    used = 0
    for row in (columns, *rows):
        cells = [_cell(cell, _TABLE_CHARACTERS // (2 * width)) for cell in row[:width]]
        cells += [_cell(EMPTY, 1)] * (width - len(cells))
        used += sum(len(cell.get("text", "")) for cell in cells)
        if len(lines) == _TABLE_ROWS or used > _TABLE_CHARACTERS:
            break
        lines.append(cells)
    left_out = len(rows) + 1 - len(lines)
    block: Block = {"type": "table", "rows": lines}
    return (block, context(markup("and {n} more", n=left_out))) if left_out else (block,)


def _cell(cell: str | Person, limit: int) -> Element:
    match cell:
        case Person(user_id=user_id):
            mention = {"type": "user", "user_id": user_id}
            section = {"type": "rich_text_section", "elements": [mention]}
            return {"type": "rich_text", "elements": [section]}
        case str() as text:
            return {"type": "raw_text", "text": cut(clean(text, lines=False), limit)}


def quote(text: str) -> Block:
    """Return somebody else's words, exactly, as a quotation."""
    return _rich("rich_text_quote", text)


def preformatted(text: str) -> Block:
    """Return text exactly, in type of one width."""
    return _rich("rich_text_preformatted", text)


def _rich(kind: str, text: str) -> Block:
    # Leaves of rich text are never parsed, so nothing needs to be escaped in them.
    leaf = {"type": "text", "text": cut(clean(text), _RICH_TEXT)}
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [leaf]}]}


def _pages(text: Markup) -> Iterator[Markup]:
    page = ""
    for line in text.splitlines(keepends=True):
        rest = Markup(line)
        while len(page) + len(rest) > _SECTION:
            if page:
                yield Markup(page)
                page = ""
                continue
            # One line longer than a page: cut where cut_markup would, without its ellipsis.
            head = cut_markup(rest, _SECTION)[:-1] or rest[:_SECTION]
            yield Markup(head)
            rest = Markup(rest[len(head) :])
        page += rest
    if page.strip():
        yield Markup(page)

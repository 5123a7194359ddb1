"""Slack's text markup, in which text from outside is never markup.

Only :class:`Markup` goes into a block; only this module makes it, and everything it did not
write itself passes through :func:`literal` on its way in.
"""

import re
from collections.abc import Callable
from datetime import datetime
from string import Formatter
from typing import Final

EMPTY: Final = "—"  # Slack refuses a text of no length

_ELLIPSIS: Final = "…"
# Everything below space but tab and new line, then what reorders the text around it.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Slack has no escape for these; each has a twin that looks alike and means nothing to it.
_TWINS: Final = {
    "*": "\N{ASTERISK OPERATOR}",
    "_": "\N{MODIFIER LETTER LOW MACRON}",
    "~": "\N{TILDE OPERATOR}",
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    ":": "\N{MODIFIER LETTER COLON}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
}
# Formatting begins and ends at the edge of a word; ada_lovelace@example.com stays as it is.
_FORMATTING: Final = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")
# The hours 08:00-20:00 hold no emoji, and must be typed again as they are.
_EMOJI: Final = re.compile(r":(?![0-9]{2}-[0-9]{2}:)(?=[\w+'-]+:)")
_QUOTING: Final = re.compile(r"^(\s*)>", re.MULTILINE)


class Markup(str):
    """Text in Slack's markup; whatever came from outside has been made literal."""

    __slots__ = ()


def clean(text: str, *, lines: bool = True) -> str:
    r"""Return *text* without characters that are unseen or move others; "—" when none is left.

    >>> clean("A\u202eda\x00\r\nLovelace", lines=False)
    'Ada Lovelace'

    Args:
        text: Anything.
        lines: Whether new lines stay; else all white space becomes single spaces.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    shown = _HARMFUL.sub("", unified.replace("\u2029", "\n"))
    if not lines:
        shown = " ".join(shown.split())
    return shown.strip() or EMPTY


def cut(text: str, limit: int) -> str:
    """Return *text* in at most *limit* characters, with "…" where something was left out."""
    return _cut(text, limit, len)


def cut_to_bytes(text: str, limit: int) -> str:
    """Return *text* in at most *limit* bytes of UTF-8, with "…" where something was left out."""
    return _cut(text, limit, lambda piece: len(piece.encode()))


def escape(text: str, *, limit: int = 3000) -> Markup:
    """Return *text* with what Slack calls control characters escaped: ``&``, ``<`` and ``>``.

    Cut before it is escaped, so that no entity is cut and *limit* holds for the outcome.

    Source: Slack, "Formatting text for app surfaces", "Escaping text".
    """
    kept = _cut(clean(text), limit, _escaped_length)
    return Markup(_escaped(kept))


def literal(text: str, *, limit: int = 300) -> Markup:
    """Return *text* such that it reads as written: no mention, link, formatting, emoji or quote.

    >>> literal("<!channel> ada_l :tada:").replace("\N{MODIFIER LETTER COLON}", "(twin)")
    '&lt;!channel&gt; ada_l (twin)tada:'
    """
    kept = _QUOTING.sub(rf"\1{_TWINS['>']}", clean(text))
    kept = _FORMATTING.sub(_twin, kept)
    kept = _EMOJI.sub(_twin, kept)
    return escape(kept, limit=limit)


def markup(template: str, **values: str | int) -> Markup:
    """Fill ``{name}`` places of our own *template*; what is no Markup is made literal.

    >>> markup("*{name}* has {count} contacts", name="<b>", count=1234)
    '*&lt;b&gt;* has 1,234 contacts'
    """
    parts: list[str] = []
    for written, name, _, _ in Formatter().parse(template):
        parts.append(written)
        if name is not None:
            parts.append(_value(values[name]))
    return Markup("".join(parts))


def and_more(count: int) -> Markup:
    """Return what ends a list that leaves out *count* more; nothing when it is whole.

    >>> and_more(3), and_more(0)
    (' and 3 more', '')
    """
    return Markup(f" and {count:,} more" if count > 0 else "")


def joined(parts: "tuple[Markup, ...] | list[Markup]", separator: str = "\n") -> Markup:
    """Join markup; *separator* is ours."""
    return Markup(separator.join(parts))


def code(text: str) -> Markup:
    """Return *text* as code, on one line."""
    return Markup(f"`{escape(clean(text, lines=False).replace('`', _TWINS['`']))}`")


def user(user_id: str) -> Markup:
    """Return a mention of a Slack user (``U…``, ``W…``) or user group (``S…``)."""
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,40}", user_id):
        return literal(user_id)
    return Markup(f"<!subteam^{user_id}>" if user_id.startswith("S") else f"<@{user_id}>")


def channel(channel_id: str) -> Markup:
    """Return a link to a channel (``C…``, ``G…``)."""
    return (
        Markup(f"<#{channel_id}>")
        if re.fullmatch(r"[CGD][A-Z0-9]+", channel_id)
        else literal(channel_id)
    )


def link(url: str, label: str) -> Markup:
    """Return a link to one of our own pages."""
    address = escape(url).replace("|", "%7C")
    return Markup(f"<{address}|{literal(label).replace('|', '/')}>")


def date(at: datetime, style: str = "{date_short_pretty} {time}") -> Markup:
    """Return an instant as each reader's Slack shows it, in their own zone.

    Source: Slack, "Formatting text for app surfaces", "Date formatting".
    """
    fallback = at.strftime("%Y-%m-%d %H:%M UTC")
    return Markup(f"<!date^{int(at.timestamp())}^{style}|{fallback}>")


def number(count: int) -> str:
    """Write a count for people.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def percent(part: int, whole: int) -> str:
    """Write a share for people; a dash where there is no whole.

    >>> percent(1, 3), percent(1, 1000), percent(999, 1000)
    ('33 %', '<1 %', '99 %')
    """
    if whole <= 0:
        return "\N{EN DASH}"
    if 0 < part * 100 < whole:
        return "<1 %"
    # Never rounded up to a hundred while something is missing.
    return f"{min(round(100 * part / whole), 99) if part < whole else 100} %"


def progress(done: int, total: int, *, width: int = 20) -> Markup:
    """Draw a bar with its figures; nothing to do counts as done.

    >>> progress(5, 10, width=4)
    '▰▰▱▱ 50 % (5 of 10)'
    """
    share = 1.0 if total <= 0 else min(max(done / total, 0.0), 1.0)
    filled = int(share * width)
    bar = "▰" * filled + "▱" * (width - filled)
    shown = percent(done, total) if total > 0 else "100 %"
    return Markup(f"{bar} {_escaped(shown)} ({number(done)} of {number(total)})")


def cut_markup(text: Markup, limit: int) -> Markup:
    """Return *text* in at most *limit* characters; never half an entity or half a mention."""
    return Markup(text if len(text) <= limit else _whole(text[: limit - 1]) + _ELLIPSIS)


def cut_markup_to_bytes(text: Markup, limit: int) -> Markup:
    """Return *text* in at most *limit* bytes of UTF-8; never half an entity or half a mention."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: limit - len(_ELLIPSIS.encode())].decode(errors="ignore")
    return Markup(_whole(kept) + _ELLIPSIS)


def _whole(text: str) -> str:
    """Drop an entity or control sequence that was cut in two at the end of *text*."""
    opened = text.rfind("<")
    if opened > text.rfind(">"):
        text = text[:opened]
    entity = text.rfind("&")
    return text[:entity] if entity > text.rfind(";") else text


def _value(value: str | int) -> str:
    match value:
        case Markup():
            return value
        case int():
            return number(value)
        case _:
            return literal(value)


def _twin(match: re.Match[str]) -> str:
    return _TWINS[match.group()]


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in text)


def _escaped_length(text: str) -> int:
    return len(_escaped(text))


def _cut(text: str, limit: int, length: Callable[[str], int]) -> str:
    if length(text) <= limit:
        return text
    room = limit - length(_ELLIPSIS)
    kept = 0
    for character in text:
        room -= length(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + _ELLIPSIS

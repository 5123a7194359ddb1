"""Text as Slack and phones deliver it, cut into words; no I/O.

Slack writes what it recognised in angle brackets (``<@U1|ada>``, ``<tel:+316|+31 6>``,
``<http://acme.com|acme.com>``) and ``&``, ``<``, ``>`` as entities; phones turn quotes into
typographic ones and put invisible characters beside them. All that is undone here, once.
"""

import re
from dataclasses import dataclass

from engine import names

_MARKUP = re.compile(r"<([@#!]|[A-Za-z][A-Za-z0-9+.-]*:)([^<>|]*)(?:\|([^<>]*))?>")
_STRAIGHT = '"'
_SMART = "“”„‟«»″"
_QUOTES = _STRAIGHT + _SMART
# A quote opens a value only where a value can begin; in 6" or O"Brien it is a character.
_OPENS_AFTER = "=:,("
# What may stand right behind a closing quote.
_FOLLOWS = ",)"
_KEY = re.compile(r"[^\W_][\w.-]*\Z")
_BRACES = re.compile(r"\{[^{}\n]*\}")
# Soft hyphen, zero-width space, marks and overrides of direction, word joiner, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Nobody types these, and Postgres refuses the first, and half a character, in any text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Joiners hold emoji and words of some scripts together, and mean nothing beside ASCII.
_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a command.

    Attributes:
        key: The part before ``=``, as written; None for a word without one.
        text: The word, or the value after ``=``, without its quotes.
        raw: The same with straight quotes still around what was quoted, for values that
            have a grammar of their own (``tag:"very important",list:beta``).
        quoted: Whether it is all in quotes, and so never a keyword.
    """

    key: str | None
    text: str
    raw: str
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why text cannot be cut into words; a sentence that says how to mend it."""

    sentence: str


def plain(text: str) -> str:
    """Return what the person typed, from what Slack made of it, less control characters.

    Mentions become their id (``@U1``, ``#C1``), links their address unless the label is how
    the address was typed; telephone and mail links lose their scheme.

    >>> plain("&lt;hi&gt; <@U1|ada> <tel:+31612345678|+31 6> <http://acme.com|acme.com> A&amp;B")
    '<hi> @U1 +31612345678 acme.com A&B'

    Source: Slack, "Formatting text for app surfaces" and "Implementing slash commands" (escaping).
    """
    typed = _MARKUP.sub(_typed, text)
    # The ampersand last, or "&amp;lt;" would be undone twice.
    typed = _CONTROL.sub("", typed)
    return typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def without_invisible(text: str) -> str:
    """Return *text* without characters that take no room and only break comparisons."""
    return _JOINER.sub("", _INVISIBLE.sub("", text))


def words(text: str) -> tuple[Word, ...] | Unreadable:
    r"""Cut *text* into words at white space of any kind.

    Quotes hold a word together, straight or typographic; in them ``\"``, ``\\`` and ``\n``
    mean a quote, a backslash and a new line. Outside of quotes, and before any other
    character, a backslash stays, because ``\{`` is the business of who reads the text.
    A pair of braces holds together too: ``{first_name|dear friend}``.

    >>> [(word.key, word.text) for word in words('add “Big Sale” text="Hi \\"you\\"" 1={a|b c}')]
    [(None, 'add'), (None, 'Big Sale'), ('text', 'Hi "you"'), ('1', '{a|b c}')]
    """
    found: list[Word] = []
    position = 0
    while True:
        while position < len(text) and (
            text[position].isspace() or _INVISIBLE.match(text[position])
        ):
            position += 1
        if position == len(text):
            return tuple(found)
        scanned = _word(text, position)
        if isinstance(scanned, Unreadable):
            return scanned
        word, position = scanned
        if word is not None:
            found.append(word)


def quoted(value: str) -> str:
    r"""Return *value* in quotes, so that :func:`words` gives it back.

    >>> quoted('a "b"')
    '"a \\"b\\""'
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def echoed(value: str) -> str:
    """Return the beginning of what somebody wrote as one word, for saying that it will not do."""
    return as_word(names.echoed(value))


def as_word(value: str) -> str:
    """Return *value* as one word, in quotes only where it needs them."""
    read = words(value)
    if isinstance(read, tuple) and len(read) == 1 and read[0].key is None:
        (word,) = read
        if word.text == value and not word.quoted:
            return value
    return quoted(value)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    quoted: bool


def _word(text: str, start: int) -> tuple[Word | None, int] | Unreadable:
    """Read the word at *start*; also where it ends, and None for one of nothing visible."""
    pieces: list[_Piece] = []
    bare = ""
    position = start
    while position < len(text) and not text[position].isspace():
        character = text[position]
        if character in _QUOTES and (not without_invisible(bare) or bare[-1] in _OPENS_AFTER):
            closed = _quote(text, position)
            if closed is None:
                return Unreadable(
                    sentence="A quote is opened and not closed; put one after the last word."
                )
            inside, position = closed
            pieces += [_Piece(bare, quoted=False), _Piece(inside, quoted=True)]
            bare = ""
            if position < len(text) and not (
                text[position].isspace()
                or text[position] in _FOLLOWS
                or _INVISIBLE.match(text[position])
            ):
                return Unreadable(
                    sentence='A quote ends in the middle of a word; write \\" for a quote inside'
                    " quotes, and put a space after the closing one."
                )
            continue
        if character == "\\" and position + 1 < len(text) and not text[position + 1].isspace():
            bare += text[position : position + 2]
            position += 2
        elif character == "{" and (held := _BRACES.match(text, position)):
            bare += held.group()
            position = held.end()
        else:
            bare += character
            position += 1
    pieces.append(_Piece(bare, quoted=False))
    return _assembled(pieces), position


def _quote(text: str, start: int) -> tuple[str, int] | None:
    """Read the quoted text at *start*; also the position after it. None when it never ends."""
    # What a keyboard opened straight ends straight; phones pair theirs in any combination.
    closers = _QUOTES
    if text[start] == _STRAIGHT and _closing(text, start + 1, _STRAIGHT) is not None:
        closers = _STRAIGHT
    end = _closing(text, start + 1, closers)
    if end is None:
        return None
    return re.sub(r"\\([\\n" + _QUOTES + "])", _unescaped, text[start + 1 : end]), end + 1


def _closing(text: str, start: int, closers: str) -> int | None:
    position = start
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] in closers:
            return position
        position += 1
    return None


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match.group(1) == "n" else match.group(1)


def _assembled(pieces: list[_Piece]) -> Word | None:
    clean = [
        piece if piece.quoted else _Piece(without_invisible(piece.text), quoted=False)
        for piece in pieces
    ]
    key = None
    name, equals, rest = clean[0].text.partition("=")
    if not clean[0].quoted and equals and _KEY.match(name):
        key = name
        clean[0] = _Piece(rest, quoted=False)
    written = [piece for piece in clean if piece.text or piece.quoted]
    if not written and key is None:
        return None
    return Word(
        key=key,
        text="".join(piece.text for piece in written),
        raw="".join(quoted(piece.text) if piece.quoted else piece.text for piece in written),
        quoted=bool(written) and all(piece.quoted for piece in written),
    )


def _typed(match: re.Match[str]) -> str:
    scheme, target, label = match.groups()
    match scheme:
        case "@" | "#":
            return f"{scheme}{target}"
        case "!" if target.startswith("subteam^"):
            return "@" + target.removeprefix("subteam^")
        case "!" if target.startswith("date^"):
            return label or ""
        case "!":
            return f"@{target}"
        case "tel:" | "mailto:":
            return str(target)
        case _:
            address = f"{scheme}{target}"
            # "acme.com" was typed and Slack put "http://" before it; any other label is a mask.
            shown = {address, target.lstrip("/"), address.rstrip("/"), target.strip("/")}
            return label if label in shown else address

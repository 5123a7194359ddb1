"""What calls say, apart from to whom: made once for all contacts who share the values it names."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from engine.content import Content, Media, TemplateMessage, library_file, with_file_id
from engine.payloads import said
from engine.personalise import Missing
from engine.rendering import Rendering

_KEPT: Final = 2_000
"""Of one rendering, about a kilobyte each. First names and cities are few; codes are not."""


class Wording(NamedTuple):
    """What a call says.

    Attributes:
        members: Those of its JSON object, `engine.payloads.said`.
        template: Name and language, if it is one.
        file_id: The platform's, of a file it sends; None: it sends none, or a link.
    """

    members: bytes
    template: tuple[str, str] | None
    file_id: str | None


def wording(content: Content) -> Wording:
    """Return what says *content*, which has its values and the id of its file.

    Raises:
        Unsendable: WhatsApp would refuse it.
    """
    members = orjson.dumps(said(content))[1:-1]
    match content:
        case TemplateMessage(name=name, language=language, header=header):
            return Wording(members, (name, language), _file_id(header))
        case _:
            return Wording(members, None, _file_id(content))


def _file_id(sent: object) -> str | None:
    return sent.ref.id if isinstance(sent, Media) else None


class Phrase:
    """A content with its values, worded when it is first sent.

    Attributes:
        file: The name of the library's file in it; None: there is none.
    """

    __slots__ = ("_content", "_worded", "file")

    def __init__(self, content: Content) -> None:
        self.file = library_file(content)
        self._content = content
        self._worded: dict[str | None, Wording] = {}

    def worded(self, file_id: str | None = None) -> Wording:
        """Return the wording.

        Args:
            file_id: The number's id for the library's file, where there is one.

        Raises:
            Unsendable: WhatsApp would refuse it.
        """
        known = self._worded.get(file_id)
        if known is None:
            content = self._content
            if file_id is not None:
                content = with_file_id(content, file_id)
            # Ids change as files are uploaded again; the last one is enough.
            self._worded = {file_id: (known := wording(content))}
        return known


class Phrases:
    """What one rendering says to each of many contacts."""

    __slots__ = ("_known", "_rendering", "names")

    def __init__(self, rendering: Rendering) -> None:
        self.names = tuple(sorted(rendering.names))
        self._rendering = rendering
        self._known: dict[tuple[str | None, ...], Phrase | Missing] = {}

    @property
    def free_form(self) -> bool:
        return self._rendering.free_form

    def to(self, values: Mapping[str, str]) -> Phrase | Missing:
        """Return what is said to a contact with *values*, or which of them it lacks."""
        key = tuple([values.get(name) for name in self.names])
        phrase = self._known.get(key)
        if phrase is None:
            filled = self._rendering.filled(values)
            phrase = filled if isinstance(filled, Missing) else Phrase(filled)
            if len(self._known) >= _KEPT:
                self._known.clear()  # what many share is soon back
            self._known[key] = phrase
        return phrase

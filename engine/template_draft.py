"""A template as staff draft it: its parts, its samples, and how Meta wants to be given both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, assert_never

from engine.content import MediaKind
from engine.templates import URL, ButtonKind, Category, variables

HEADER_SAMPLE: Final = "header_sample"
"""The sample of a numbered header, whose ``{{1}}`` is another one than the body's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftButton:
    """A quick reply, a link or a phone number to call; *target* is None for a quick reply."""

    kind: ButtonKind
    label: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFile:
    """A file of the media library that shows reviewers what a header will hold."""

    name: str
    kind: MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One template in one language, as it would be submitted.

    Attributes:
        header: A text, may hold one variable; a file; None: none.
        samples: What stands for each variable while Meta reviews, by option: the variable's name or
            number, ``url`` for the end of a link, ``header_sample`` for a numbered header.
    """

    name: str
    language: str
    category: Category
    body: str
    header: str | HeaderFile | None = None
    footer: str = ""
    buttons: tuple[DraftButton, ...] = ()
    samples: tuple[tuple[str, str], ...] = ()

    @property
    def header_variables(self) -> tuple[str, ...]:
        return variables(self.header) if isinstance(self.header, str) else ()

    @property
    def body_variables(self) -> tuple[str, ...]:
        return variables(self.body)

    @property
    def named(self) -> bool:
        """Whether variables have names; numbers are the rule where there are none."""
        found = self.header_variables + self.body_variables
        return bool(found) and not any(name.isdigit() for name in found)

    @property
    def wanted_samples(self) -> tuple[str, ...]:
        """The options of all samples the reviewers need, in the order they read them."""
        header = [name if self.named else HEADER_SAMPLE for name in self.header_variables]
        links = [URL for button in self.buttons if button.target and variables(button.target)]
        return tuple(dict.fromkeys([*header, *self.body_variables, *links]))

    def without_spare_samples(self) -> "Draft":
        """Return the draft with only the samples that have a place in it."""
        kept = tuple(pair for pair in self.samples if pair[0] in self.wanted_samples)
        return replace(self, samples=kept)


def components(draft: Draft, *, handle: str | None = None) -> list[dict[str, object]]:
    """Return the parts as ``POST /<account>/message_templates`` takes them.

    Args:
        handle: Of the header's file, as the platform gave it when the sample was uploaded.

    Source: Meta, "Template components".
    """
    samples = dict(draft.samples)
    parts: list[dict[str, object]] = []
    if draft.header is not None:
        parts.append(_header(draft, draft.header, samples, handle))
    body: dict[str, object] = {"type": "BODY", "text": draft.body}
    if draft.body_variables:
        body["example"] = _examples(draft, draft.body_variables, samples, key="body_text")
    parts.append(body)
    if draft.footer:
        parts.append({"type": "FOOTER", "text": draft.footer})
    if draft.buttons:
        buttons = [_button(button, samples) for button in draft.buttons]
        parts.append({"type": "BUTTONS", "buttons": buttons})
    return parts


def parameter_format(draft: Draft) -> str:
    return "NAMED" if draft.named else "POSITIONAL"


def item(draft: Draft, *, template_id: str, status: str) -> dict[str, object]:
    """Return the draft as the platform would list it."""
    return {
        "id": template_id,
        "name": draft.name,
        "language": draft.language,
        "category": draft.category.value,
        "status": status,
        "parameter_format": parameter_format(draft),
        "components": components(draft),
    }


def _header(
    draft: Draft, header: str | HeaderFile, samples: Mapping[str, str], handle: str | None
) -> dict[str, object]:
    match header:
        case HeaderFile(kind=kind):
            part: dict[str, object] = {"type": "HEADER", "format": kind.value.upper()}
            return part if handle is None else part | {"example": {"header_handle": [handle]}}
        case str(text):
            part = {"type": "HEADER", "format": "TEXT", "text": text}
            if not draft.header_variables:
                return part
            if draft.named:
                example = _examples(draft, draft.header_variables, samples, key="header_text")
            else:
                example = {"header_text": [samples.get(HEADER_SAMPLE, "")]}
            return part | {"example": example}
        case _:
            assert_never(header)


def _examples(
    draft: Draft, names: tuple[str, ...], samples: Mapping[str, str], *, key: str
) -> dict[str, object]:
    if draft.named:
        named = [{"param_name": name, "example": samples.get(name, "")} for name in names]
        return {f"{key}_named_params": named}
    # Mixed with names they break a rule, and are shown all the same.
    counted = sorted(names, key=lambda name: int(name) if name.isdecimal() else 0)
    return {key: [[samples.get(name, "") for name in counted]]}


def _button(button: DraftButton, samples: Mapping[str, str]) -> dict[str, object]:
    part: dict[str, object] = {"type": button.kind.value, "text": button.label}
    if button.kind is ButtonKind.PHONE_NUMBER:
        part["phone_number"] = button.target
    elif button.kind is ButtonKind.URL:
        part["url"] = button.target
        found = variables(button.target or "")
        sample = samples.get(URL, "").strip()
        if found and sample:
            # Meta wants to see the whole link.
            whole = (button.target or "").replace(f"{{{{{found[0]}}}}}", sample)
            part["example"] = [whole]
    return part


class UnreadableDraft(ValueError):
    """The JSON is no draft; it was not written by :func:`to_json`."""


def to_json(draft: Draft) -> dict[str, object]:
    header: object = draft.header
    if isinstance(draft.header, HeaderFile):
        header = {"media": draft.header.name, "kind": draft.header.kind.value}
    return {
        "name": draft.name,
        "language": draft.language,
        "category": draft.category.value,
        "header": header,
        "body": draft.body,
        "footer": draft.footer,
        "buttons": [[each.kind.value, each.label, each.target] for each in draft.buttons],
        "samples": [list(pair) for pair in draft.samples],
    }


def from_json(written: Mapping[str, object]) -> Draft:
    """Return what :func:`to_json` wrote.

    Raises:
        UnreadableDraft: It was not.
    """
    try:
        return Draft(
            name=_text(written["name"]),
            language=_text(written["language"]),
            category=Category(_text(written["category"])),
            header=_read_header(written["header"]),
            body=_text(written["body"]),
            footer=_text(written["footer"]),
            buttons=tuple(map(_read_button, _list(written["buttons"]))),
            samples=tuple(map(_pair, _list(written["samples"]))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableDraft(f"no draft: {error}") from error


def _read_header(value: object) -> str | HeaderFile | None:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise TypeError("a header was expected")
    return HeaderFile(name=_text(value["media"]), kind=MediaKind(value["kind"]))


def _read_button(value: object) -> DraftButton:
    kind, label, target = _list(value)
    return DraftButton(
        kind=ButtonKind(kind),
        label=_text(label),
        target=None if target is None else _text(target),
    )


def _pair(value: object) -> tuple[str, str]:
    key, sample = _list(value)
    return _text(key), _text(sample)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value

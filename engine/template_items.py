"""An item of Meta's template list, or the JSON kept of it, as a Template."""

import json
from collections.abc import Mapping
from typing import Final

from engine.templates import (
    Button,
    ButtonKind,
    Category,
    Header,
    HeaderFormat,
    Status,
    Template,
    variables,
)

_CATEGORIES: Final = {category.value: category for category in Category}
_STATUSES: Final = {status.value: status for status in Status}
_FORMATS: Final = {form.value: form for form in HeaderFormat}
_BUTTONS: Final = {kind.value: kind for kind in ButtonKind}
_SCORES: Final = frozenset({"GREEN", "YELLOW", "RED"})
_KNOWN: Final = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS"})


class UnreadableTemplate(ValueError):
    """The item lacks an id, a name or a language, without which it is no template."""


def template(item: Mapping[str, object]) -> Template:
    """Return the template; what is unknown in it becomes ``UNKNOWN``, what is missing empty.

    Raises:
        UnreadableTemplate: It has no id, name or language.

    Source: Meta, "Template management"; fields as asked for in ``worker.whatsapp.client``.
    """
    id_, name, language = (_text(item, key) for key in ("id", "name", "language"))
    if not (id_ and name and language):
        raise UnreadableTemplate("a template without id, name or language")
    components = {_text(part, "type").upper(): part for part in _objects(item, "components")}
    header, body = components.get("HEADER"), components.get("BODY", {})
    status, score = _text(item, "status"), _text(_object(item, "quality_score"), "score")
    buttons = tuple(_button(part) for part in _objects(components.get("BUTTONS", {}), "buttons"))
    read_header = None if header is None else _header(header)
    parameters = variables(_text(body, "text"))
    all_variables = parameters + (read_header.parameters if read_header else ())
    return Template(
        id=id_,
        name=name,
        language=language,
        category=_CATEGORIES.get(_text(item, "category"), Category.UNKNOWN),
        status=_STATUSES.get(status, Status.UNKNOWN),
        status_name=status,
        quality=score if score in _SCORES else "UNKNOWN",
        # Old templates come without a format; a variable that is no number settles it.
        named=_text(item, "parameter_format").upper() == "NAMED"
        or not all(variable.isdigit() for variable in all_variables),
        header=read_header,
        body=_text(body, "text"),
        parameters=parameters,
        footer=_text(components.get("FOOTER", {}), "text"),
        buttons=buttons,
        others=tuple(kind for kind in components if kind not in _KNOWN),
        raw=json.dumps(item, ensure_ascii=False, separators=(",", ":")),
    )


def _header(part: Mapping[str, object]) -> Header:
    text = _text(part, "text")
    form = _FORMATS.get(_text(part, "format").upper(), HeaderFormat.UNKNOWN)
    return Header(
        format=form,
        text=text,
        parameters=variables(text) if form is HeaderFormat.TEXT else (),
    )


def _button(part: Mapping[str, object]) -> Button:
    return Button(
        kind=_BUTTONS.get(_text(part, "type").upper(), ButtonKind.UNKNOWN),
        label=_text(part, "text"),
        url=_text(part, "url") or None,
    )


def _text(part: Mapping[str, object], key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) else ""


def _object(part: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = part.get(key)
    return value if isinstance(value, dict) else {}


def _objects(part: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    value = part.get(key)
    return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()

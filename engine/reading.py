"""What a person reads of a message on the phone: text, file and buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from engine import templates
from engine.content import Content, Media, MediaKind, TemplateMessage, Text
from engine.personalise import clean_parameter
from engine.templates import Button, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A message as it arrives.

    Attributes:
        text: Header, text and footer of a template; empty where a file is all there is.
        file: Its kind, and where it is; None: there is none.
        buttons: Their labels, with the address where they open one.
    """

    text: str
    file: tuple[MediaKind, str] | None = None
    buttons: tuple[str, ...] = ()


def of_template(template: Template, values: Mapping[str, str]) -> Reading:
    """Return what a person reads of *template* with *values*, as :func:`templates.read` takes them.

    A value that is missing leaves its variable visible.
    """
    kind = template.header_media
    return Reading(
        text=templates.read(template, values),
        file=None if kind is None else (kind, values.get(templates.HEADER, "")),
        buttons=tuple(_button(button, values) for button in template.buttons),
    )


def of(content: Content, template: Template | None) -> Reading:
    """Return what a person reads of *content*, whose tokens are filled in.

    Args:
        template: The one a template message names; None: WhatsApp does not list it, and then
            nobody knows its words.
    """
    match content:
        case Text(body=body):
            return Reading(text=body)
        case Media(kind=kind, ref=ref, caption=caption):
            return Reading(text=caption, file=(kind, str(ref)))
        case TemplateMessage() if template is None:
            return Reading(text="")
        case TemplateMessage():
            values = templates.values_of(content)
            return of_template(template, {k: clean_parameter(v) or "" for k, v in values.items()})
        case _:
            assert_never(content)


def _button(button: Button, values: Mapping[str, str]) -> str:
    if button.url is None:
        return f"“{button.label}”"
    url = button.url
    if button.takes_suffix and templates.URL in values:
        for name in templates.variables(url):
            url = url.replace(f"{{{{{name}}}}}", values[templates.URL])
    return f"“{button.label}” ({url})"

"""Templates given to the platform for review: what it refuses at once, and what it makes of them.

Source: Meta, "Template management", "Template components" and the template codes of "Error codes".
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from sandbox.whatsapp.errors import GraphRefusal
from sandbox.whatsapp.templates import Template
from sandbox.wire import Json

REASONS = (
    "ABUSIVE_CONTENT",
    "INCORRECT_CATEGORY",
    "INVALID_FORMAT",
    "PROMOTIONAL",
    "SCAM",
    "TAG_CONTENT_MISMATCH",
    "NONE",
)
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_DAY_US = 24 * 3600 * 1_000_000
_LIMITS = {"BODY": 1024, "HEADER": 60, "FOOTER": 60}
_FORMAT, _LANGUAGE_TAKEN, _NOT_EDITABLE, _TOO_LONG = 2388072, 2388024, 2388039, 2388040
_HEADER, _FOOTER, _TOO_MANY_VARIABLES, _AT_THE_ENDS = 2388047, 2388073, 2388293, 2388299
_CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
_MOST_BUTTONS, _MOST_LINKS, _LABEL, _URL, _PHONE = 10, 2, 25, 2000, 20
_WORDS_A_VARIABLE = 2


def created(body: Json, *, templates: dict[tuple[str, str], Template]) -> None:
    """Judge a new template.

    Raises:
        GraphRefusal: As the platform words it.
    """
    known = {"name", "category", "language", "parameter_format", "components"}
    known |= {"message_send_ttl_seconds"}
    if unknown := body.keys() - known:
        raise GraphRefusal(100, f"Invalid parameter: unexpected key {min(unknown)!r}")
    name, language = body.get("name"), body.get("language")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise GraphRefusal(100, "name: lower case letters, digits and _ only")
    if body.get("category") not in _CATEGORIES:
        raise GraphRefusal(100, f"category: one of {', '.join(_CATEGORIES)}")
    if not isinstance(language, str) or "components" not in body:
        raise GraphRefusal(100, "language and components are needed")
    if str(body.get("parameter_format", "POSITIONAL")).upper() not in ("POSITIONAL", "NAMED"):
        raise GraphRefusal(100, "parameter_format: POSITIONAL or NAMED")
    judge(body["components"], named=str(body.get("parameter_format")).upper() == "NAMED")
    if (name, language) in templates:
        raise GraphRefusal(
            100,
            "There is already content in this language for this template.",
            subcode=_LANGUAGE_TAKEN,
        )


def edited(template: Template, body: Json, *, at_us: int) -> Template:
    """Return *template* with a change, which is reviewed again.

    Raises:
        GraphRefusal: As the platform words it.
    """
    if unknown := body.keys() - {"category", "components", "message_send_ttl_seconds"}:
        raise GraphRefusal(100, f"Invalid parameter: unexpected key {min(unknown)!r}")
    if template.status not in ("APPROVED", "REJECTED", "PAUSED"):
        raise GraphRefusal(
            100,
            f"A template that is {template.status} cannot be edited.",
            subcode=_NOT_EDITABLE,
        )
    category = body.get("category", template.category)
    if category != template.category and template.status != "REJECTED":
        raise GraphRefusal(
            100, "The category of an approved template cannot change.", subcode=_NOT_EDITABLE
        )
    edits = template.edited_us
    if template.status == "APPROVED":
        if edits and at_us - edits[-1] < _DAY_US:
            raise GraphRefusal(
                100,
                "An approved template can be edited once in 24 hours.",
                subcode=_NOT_EDITABLE,
            )
        if sum(at_us - each < 30 * _DAY_US for each in edits) >= 10:  # noqa: PLR2004 — Meta's limit
            raise GraphRefusal(
                100,
                "An approved template can be edited 10 times in 30 days.",
                subcode=_NOT_EDITABLE,
            )
        edits = (*edits, at_us)
    components = body.get("components", list(template.components))
    judge(components, named=template.parameter_format.upper() == "NAMED")
    return replace(
        template,
        components=tuple(components),
        category=category,
        status="PENDING",
        edited_us=edits,
        rejected_reason="NONE",
    )


def judge(components: object, *, named: bool) -> None:
    """Refuse components that break a rule.

    Raises:
        GraphRefusal: As the platform words it.
    """
    if not isinstance(components, list) or not components:
        raise GraphRefusal(100, "components: must be an array")
    seen: list[str] = []
    for part in components:
        kind = part.get("type") if isinstance(part, dict) else None
        match kind:
            case "HEADER":
                _header(part, named=named)
            case "BODY":
                _body(part, named=named)
            case "FOOTER":
                _footer(part)
            case "BUTTONS":
                _buttons(part)
            case _:
                raise GraphRefusal(100, f"components: unexpected type {kind!r}")
        seen.append(str(kind))
    if len(set(seen)) < len(seen) or "BODY" not in seen:
        raise GraphRefusal(100, "components: one BODY, and no type twice")


def _header(part: Json, *, named: bool) -> None:
    form, example = part.get("format"), _object(part.get("example"))
    if form in ("IMAGE", "VIDEO", "DOCUMENT"):
        handles = example.get("header_handle")
        if (
            not isinstance(handles, list)
            or len(handles) != 1
            or not str(handles[0]).startswith("4:")
        ):
            raise GraphRefusal(100, "header: a sample file is needed", subcode=_HEADER)
        return
    if form == "LOCATION":
        return
    if form != "TEXT":
        raise GraphRefusal(100, f"header: no format {form!r}", subcode=_HEADER)
    text = _text(part, "HEADER", _HEADER)
    if re.search(r"[\r\n]", text) or re.search(r"[*~`]", _VARIABLE.sub("", text)):
        raise GraphRefusal(100, "The header has a line break or formatting.", subcode=_HEADER)
    if _EMOJI.search(text):
        raise GraphRefusal(100, "The header has an emoji.", subcode=_HEADER)
    found = _variables(text, named=named)
    if len(found) > 1:
        raise GraphRefusal(100, "A header has one variable at most.", subcode=_HEADER)
    if found:
        given = _examples(example, "header_text", named=named, nested=False)
        _sampled(found, given, named=named)


def _body(part: Json, *, named: bool) -> None:
    text = _text(part, "BODY", _TOO_LONG)
    found = _variables(text, named=named)
    if found:
        shown = text.strip()
        if _VARIABLE.match(shown) or any(m.end() == len(shown) for m in _VARIABLE.finditer(shown)):
            raise GraphRefusal(
                100,
                "Variables can't be at the start or end of the template.",
                subcode=_AT_THE_ENDS,
            )
        if re.search(r"\}\}\s*\{\{", shown):
            raise GraphRefusal(100, "Variables stand side by side.", subcode=_FORMAT)
        places = len(_VARIABLE.findall(shown))
        words = len(re.findall(r"\w+", _VARIABLE.sub(" ", shown)))
        if words < _WORDS_A_VARIABLE * places + 1:
            raise GraphRefusal(
                100,
                "This template has too many variables for its length.",
                subcode=_TOO_MANY_VARIABLES,
            )
        given = _examples(_object(part.get("example")), "body_text", named=named, nested=True)
        _sampled(found, given, named=named)
    if re.search(r"(?:\r?\n){3,}| {5,}|\t", text):
        raise GraphRefusal(100, "The body has too much white space.", subcode=_FORMAT)


def _footer(part: Json) -> None:
    text = _text(part, "FOOTER", _FOOTER)
    if _VARIABLE.search(text) or re.search(r"[\r\n]", text):
        raise GraphRefusal(100, "The footer has a variable or a line break.", subcode=_FOOTER)


def _text(part: Json, kind: str, subcode: int) -> str:
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        raise GraphRefusal(100, f"{kind.lower()}: text is missing", subcode=subcode)
    if len(text) > _LIMITS[kind]:
        raise GraphRefusal(
            100,
            f"The {kind.lower()} has {len(text)} characters, at most {_LIMITS[kind]}.",
            subcode=subcode,
        )
    if re.search(r"[{}]", _VARIABLE.sub("", text)):
        raise GraphRefusal(100, f"The {kind.lower()} has a stray brace.", subcode=_FORMAT)
    return text


def _variables(text: str, *, named: bool) -> list[str]:
    found = list(dict.fromkeys(_VARIABLE.findall(text)))
    wrong = (
        [name for name in found if not _PARAMETER.fullmatch(name)]
        if named
        else []
        if sorted(found) == sorted(str(n + 1) for n in range(len(found)))
        else found
    )
    if wrong:
        raise GraphRefusal(100, f"Variables {wrong} are not as they must be.", subcode=_FORMAT)
    return found


def _examples(example: Json, key: str, *, named: bool, nested: bool) -> list[Any]:
    given = example.get(f"{key}_named_params" if named else key)
    if not named and nested and isinstance(given, list) and given:
        given = given[0]
    return given if isinstance(given, list) else []


def _sampled(found: list[str], given: list[Any], *, named: bool) -> None:
    samples = (
        {str(_object(each).get("param_name")): _object(each).get("example") for each in given}
        if named
        else dict(zip(sorted(found, key=int), given, strict=False))
    )
    shown = [str(samples.get(name) or "").strip() for name in found]
    if len(given) != len(found) or not all(shown):
        raise GraphRefusal(100, "Every variable needs a sample.", subcode=_FORMAT)


def _buttons(part: Json) -> None:
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= _MOST_BUTTONS:
        raise GraphRefusal(100, "buttons: from 1 to 10")
    kinds = [str(_object(each).get("type")) for each in buttons]
    if kinds.count("URL") > _MOST_LINKS or kinds.count("PHONE_NUMBER") > 1:
        raise GraphRefusal(100, "buttons: at most 2 links and 1 number")
    if [key for key, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)].count(True) > 1:
        raise GraphRefusal(100, "buttons: quick replies must stand together")
    labels = [_object(each).get("text") for each in buttons]
    if len({str(label).lower() for label in labels}) < len(labels):
        raise GraphRefusal(100, "buttons: labels must differ")
    for problem in (each for button in buttons for each in _button_problems(_object(button))):
        raise GraphRefusal(100, f"buttons: {problem}")


def _button_problems(button: Json) -> Iterator[str]:
    label = button.get("text")
    if not isinstance(label, str) or not label.strip() or len(label) > _LABEL:
        yield f"a label has 1 to {_LABEL} characters"
    elif re.search(r"[{}\r\n]", label):
        yield "a label has no variables and no line breaks"
    match button.get("type"):
        case "QUICK_REPLY":
            pass
        case "PHONE_NUMBER":
            phone = str(button.get("phone_number"))
            if not re.fullmatch(r"\+?[0-9]{7,19}", phone) or len(phone) > _PHONE:
                yield "phone_number: digits with their country"
        case "URL":
            yield from _url_problems(button)
        case other:
            yield f"no type {other!r}"


def _url_problems(button: Json) -> Iterator[str]:
    url = button.get("url")
    if not isinstance(url, str) or len(url) > _URL or urlsplit(url).scheme not in ("http", "https"):
        yield f"url: a web address of at most {_URL} characters"
        return
    found = _VARIABLE.findall(url)
    if found and (found != ["1"] or not url.endswith("{{1}}")):
        yield "url: one variable, {{1}}, at its end"
    example = button.get("example")
    if found and (not isinstance(example, list) or len(example) != 1 or "{" in str(example[0])):
        yield "url: an example is needed"


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}

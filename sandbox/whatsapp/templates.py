"""Templates as the platform keeps them, and how it fills them in.

Source: Meta, "Message templates", "Template components"; limits of "Error codes" 132xxx.
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.whatsapp.errors import GraphRefusal
from sandbox.wire import Json

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_BAD_TEXT = re.compile(r"[\n\r\t]| {5,}")
_MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
BODY_LIMIT = 1024  # characters of a template's body with its parameters
HEADER_LIMIT, URL_LIMIT = 60, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A template with its parameters.

    Attributes:
        text: The body as the person reads it.
        parameters: What was filled in: named ones by name, positional ones by number, the
            suffix of a URL button as ``url``, the header's variable or media as ``header``.
        buttons: What the person can tap: ``{type, text, payload or url}``.
        header: What stands above the body: ``{type, text or id or link}``, or None.
    """

    text: str
    parameters: dict[str, str]
    buttons: tuple[Json, ...]
    header: Json | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language; *components* have the form of the Graph API.

    *edited_us*: when changes of it were taken while it was approved.
    """

    id: str
    name: str
    language: str
    category: str
    status: str
    parameter_format: str
    components: tuple[Json, ...]
    quality: str = "GREEN"
    rejected_reason: str = "NONE"
    edited_us: tuple[int, ...] = ()

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "status": self.status,
            "parameter_format": self.parameter_format,
            "components": list(self.components),
            "quality_score": {"score": self.quality, "date": 0},
            "rejected_reason": self.rejected_reason,
        }

    def component(self, kind: str) -> Json | None:
        return next((part for part in self.components if part["type"] == kind), None)

    def filled(self, components: object) -> Filled:
        """Return this template filled in with the components of a call.

        Raises:
            GraphRefusal: 132000, 132005, 132012, 132018, 131008 or 100, as the platform judges.
        """
        given = _by_kind(components)
        parameters: dict[str, str] = {}
        header = self._header(given.pop("header", None), parameters)
        body = self.component("BODY") or {"text": ""}
        texts = self._texts("body", body["text"], given.pop("body", None))
        parameters.update(texts)
        text = _fill(body["text"], texts)
        if len(text) > BODY_LIMIT:
            raise GraphRefusal(132005, f"body: {len(text)} characters, at most {BODY_LIMIT}")
        buttons = self._buttons(given, parameters)
        if given:
            raise GraphRefusal(132012, f"components without a place: {sorted(given)}")
        return Filled(text=text, parameters=parameters, buttons=buttons, header=header)

    def _texts(self, where: str, pattern: str, given: list[Json] | None) -> dict[str, str]:
        wanted = list(dict.fromkeys(_VARIABLE.findall(pattern)))
        given = given or []
        if len(given) != len(wanted):
            raise GraphRefusal(
                132000,
                f"{where}: number of localizable_params ({len(given)}) does not match "
                f"the expected number of params ({len(wanted)})",
            )
        named = self.parameter_format.upper() == "NAMED"
        texts: dict[str, str] = {}
        for position, parameter in enumerate(given, 1):
            name = str(position)
            if named:
                name = parameter.get("parameter_name")  # type: ignore[assignment]  # judged next
                if name not in wanted:
                    raise GraphRefusal(132012, f"{where}: no parameter named {name!r}")
            elif "parameter_name" in parameter:
                raise GraphRefusal(132012, f"{where}: this template's parameters are positional")
            texts[name] = _text_of(where, parameter)
        if len(texts) != len(wanted):
            raise GraphRefusal(132000, f"{where}: a parameter is given twice")
        return texts

    def _header(self, given: list[Json] | None, parameters: dict[str, str]) -> Json | None:
        header = self.component("HEADER")
        if header is None:
            if given:
                raise GraphRefusal(132000, "header: this template has none")
            return None
        if header["format"] == "TEXT":
            texts = self._texts("header", header["text"], given)
            for value in texts.values():
                parameters["header"] = value
            shown = _fill(header["text"], texts)
            if len(shown) > HEADER_LIMIT:
                raise GraphRefusal(
                    132005, f"header: {len(shown)} characters, at most {HEADER_LIMIT}"
                )
            return {"type": "text", "text": shown}
        if header["format"] not in _MEDIA:
            return {"type": header["format"].lower()}
        if not given or len(given) != 1:
            raise GraphRefusal(
                132012, f"header: Format mismatch, expected {header['format']}, received UNKNOWN"
            )
        kind = str(given[0].get("type"))
        if kind.upper() != header["format"]:
            raise GraphRefusal(
                132012,
                f"header: Format mismatch, expected {header['format']}, received {kind.upper()}",
            )
        media = media_of(kind, given[0].get(kind))
        parameters["header"] = str(media.get("id") or media.get("link"))
        return {"type": kind, **media}

    def _buttons(
        self, given: dict[str, list[Json]], parameters: dict[str, str]
    ) -> tuple[Json, ...]:
        component = self.component("BUTTONS") or {"buttons": []}
        shown: list[Json] = []
        for index, button in enumerate(component["buttons"]):
            values = given.pop(f"button {button['type'].lower()} {index}", None)
            match button["type"]:
                case "URL":
                    texts = self._suffix(index, button["url"], values)
                    url = button["url"]
                    for suffix in texts:
                        parameters["url"] = suffix
                        url = _VARIABLE.sub(suffix.replace("\\", r"\\"), url)
                        if len(url) > URL_LIMIT:
                            raise GraphRefusal(
                                132005, f"button {index}: a link of {len(url)} characters"
                            )
                    shown.append({"type": "url", "text": button["text"], "url": url})
                case "QUICK_REPLY":
                    payload = button["text"]
                    if values:
                        payload = _payload(index, values)
                    shown.append(
                        {"type": "quick_reply", "text": button["text"], "payload": payload}
                    )
                case other:
                    shown.append({"type": other.lower(), "text": button.get("text", "")})
        return tuple(shown)

    def _suffix(self, index: int, url: str, given: list[Json] | None) -> list[str]:
        wanted = len(_VARIABLE.findall(url))
        given = given or []
        if len(given) != wanted:
            raise GraphRefusal(
                132000,
                f"buttons: button at index {index} of type URL: {len(given)} parameters, "
                f"expected {wanted}",
            )
        return [_text_of(f"button {index}", parameter) for parameter in given]


def media_of(kind: str, value: object) -> Json:
    """Return the ``{id}`` or ``{link}`` (and a document's filename) of a media object.

    Raises:
        GraphRefusal: 131008 or 100; it has neither, both, or a field unknown.
    """
    if not isinstance(value, dict):
        raise GraphRefusal(131008, f"{kind}: missing")
    known = {"id", "link"} | ({"filename"} if kind == "document" else set())
    if unknown := value.keys() - known:
        raise GraphRefusal(100, f"{kind}: unexpected key {min(unknown)!r}")
    if ("id" in value) == ("link" in value):
        raise GraphRefusal(131008, f"{kind}: exactly one of id and link")
    for field, content in value.items():
        if not isinstance(content, str) or not content:
            raise GraphRefusal(100, f"{kind}.{field}: must be text")
    if not str(value.get("link", "https://")).startswith(("https://", "http://")):
        raise GraphRefusal(100, f"{kind}.link: not a web address")
    return value


def _by_kind(components: object) -> dict[str, list[Json]]:
    """Return parameters by "header", "body" or "button <sub_type> <index>"."""
    if components is None:
        return {}
    if not isinstance(components, list):
        raise GraphRefusal(100, "template.components: must be an array")
    found: dict[str, list[Json]] = {}
    for component in components:
        key = _kind(component)
        parameters = component.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(p, dict) for p in parameters):
            raise GraphRefusal(100, "template.components: parameters must be an array of objects")
        for parameter in parameters:
            known = {"type", "parameter_name", str(parameter.get("type"))}
            if parameter.get("type") == "coupon_code":
                known.add("coupon_code")
            if unknown := parameter.keys() - known:
                raise GraphRefusal(100, f"parameters: unexpected key {min(unknown)!r}")
        if key in found:
            raise GraphRefusal(132012, f"{key}: given twice")
        found[key] = parameters
    return found


def _kind(component: Any) -> str:  # noqa: ANN401 — whatever was sent
    if not isinstance(component, dict):
        raise GraphRefusal(100, "template.components: must hold objects")
    kind = component.get("type")
    known = {"type", "parameters"}
    if kind == "button":
        known |= {"sub_type", "index"}
    if unknown := component.keys() - known:
        raise GraphRefusal(100, f"template.components: unexpected key {min(unknown)!r}")
    match kind:
        case "header" | "body":
            return str(kind)
        case "button":
            index = str(component.get("index"))
            if not index.isdecimal():
                raise GraphRefusal(100, "button: index must be a number")
            return f"button {component.get('sub_type')} {int(index)}"
        case _:
            raise GraphRefusal(100, f"template.components: unexpected type {kind!r}")


def _text_of(where: str, parameter: Json) -> str:
    kind = parameter.get("type")
    if kind != "text":
        raise GraphRefusal(132012, f"{where}: expected a parameter of type text, received {kind}")
    value = parameter.get("text")
    if not isinstance(value, str):
        raise GraphRefusal(100, f"{where}: text must be a string")
    if not value.strip():
        raise GraphRefusal(131008, f"{where}: Parameter of type text is missing text value")
    if _BAD_TEXT.search(value):
        raise GraphRefusal(
            132018,
            f"{where}: Param text cannot have new-line/tab characters "
            "or more than 4 consecutive spaces",
        )
    return value


def _payload(index: int, values: list[Json]) -> str:
    if len(values) != 1 or values[0].get("type") != "payload":
        raise GraphRefusal(132012, f"button {index}: expected one parameter of type payload")
    payload = values[0].get("payload")
    if not isinstance(payload, str) or not payload:
        raise GraphRefusal(131008, f"button {index}: payload is missing")
    return payload


def _fill(pattern: str, texts: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: texts[found[1]], pattern)

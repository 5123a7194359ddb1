"""What a person picks or types in an element, as Slack puts it into actions and state.

Source: docs.slack.dev, "block_actions payload", "Block elements".
"""

from sandbox.slack.shapes import objects
from sandbox.slack.workspace import STATE_KEYS
from sandbox.wire import Json, Refused

_OPTIONS = ("selected_option", "selected_options")


def offered(element: Json) -> list[Json]:
    """The options an element shows."""
    options = objects(element.get("options"))
    for group in objects(element.get("option_groups")):
        options += objects(group.get("options"))
    return options


def entered(element: Json, value: object, *, options: list[Json] | None = None) -> Json:
    """Return ``{type, <key>: …}`` for *value*: an option's value, an id, a date, a text.

    Args:
        element: Of any type that keeps a value.
        value: A list where several can be chosen; None clears.
        options: What an external select has offered.

    Raises:
        Refused: It is not something that could be entered there.
    """
    kind = element["type"]
    if kind not in STATE_KEYS:
        raise Refused(f"nothing can be entered in a {kind}")
    key = STATE_KEYS[kind][0]
    if key == "files":
        return {"type": kind, key: value if isinstance(value, list) else []}
    if key in _OPTIONS:
        choices = offered(element) if options is None else options
        if key == "selected_option":
            chosen: object = None if value is None else _option(choices, value)
        else:
            chosen = [_option(choices, part) for part in _several(value)]
        return {"type": kind, key: chosen}
    if key.endswith("s"):
        return {"type": kind, key: [str(part) for part in _several(value)]}
    if kind == "datetimepicker" and value is not None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused("a datetimepicker takes Unix seconds")
        return {"type": kind, key: value}
    if kind == "rich_text_input":
        return {"type": kind, key: value}
    if value is not None and not isinstance(value, str):
        raise Refused(f"a {kind} takes text")
    return {"type": kind, key: value or None}


def action(element: Json, block_id: str, value: object, *, options: list[Json] | None) -> Json:
    """Return the action of using an element once, without its ``action_ts``.

    Raises:
        Refused: The value is none of the element's.
    """
    kind = element["type"]
    body: Json = {"type": kind, "action_id": element["action_id"], "block_id": block_id}
    match kind:
        case "button" | "workflow_button" | "icon_button":
            if value is not None and value != element.get("value"):
                raise Refused(f"the button's value is {element.get('value')!r}", status=404)
            for key in ("text", "value", "style", "url"):
                if key in element:
                    body[key] = element[key]
            return body
        case "overflow":
            return {**body, "selected_option": _option(offered(element), value)}
        case "feedback_buttons":
            chosen = [element["positive_button"], element["negative_button"]]
            return {**body, "value": _option(chosen, value)["value"]}
        case _:
            return {**body, **entered(element, value, options=options)}


def empty(value: Json | None) -> bool:
    """Whether a state's value holds nothing."""
    return value is None or not any(content for key, content in value.items() if key != "type")


def too_long_or_short(element: Json, value: Json) -> str | None:
    """Return what Slack's client says of a text it does not let through, or None."""
    text = value.get("value")
    if not isinstance(text, str):
        return None
    if len(text) < element.get("min_length", 0):
        return f"Enter at least {element['min_length']} characters."
    if len(text) > element.get("max_length", 3000):
        return f"Enter at most {element.get('max_length', 3000)} characters."
    if element["type"] == "number_input":
        try:
            number = float(text)
        except ValueError:
            return "Enter a number."
        if number < float(element.get("min_value", "-inf")):
            return f"Enter at least {element['min_value']}."
        if number > float(element.get("max_value", "inf")):
            return f"Enter at most {element['max_value']}."
    if element["type"] == "email_text_input" and "@" not in text:
        return "Enter an e-mail address."
    if element["type"] == "url_text_input" and "://" not in text:
        return "Enter a link."
    return None


def _option(choices: list[Json], value: object) -> Json:
    wanted = value.get("value") if isinstance(value, dict) else value
    for option in choices:
        if option.get("value") == wanted:
            return option
    raise Refused(f"no option {wanted!r} there", status=404)


def _several(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

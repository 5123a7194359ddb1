"""Which elements Block Kit has, and their limits.

Source: docs.slack.dev, Block Kit reference, "Block elements" and "Composition objects".
"""

import re

from sandbox.slack.shapes import (
    Shape,
    Verdict,
    address,
    anything,
    boolean,
    fields,
    integer,
    items,
    matching,
    objects,
    one_of,
    string,
    typed,
    words,
)

_IDENTIFIER = string(255)
_DATE = matching(re.compile(r"\d{4}-\d{2}-\d{2}").fullmatch, "a date")
_TIME = matching(re.compile(r"([01]\d|2[0-3]):[0-5]\d").fullmatch, "a time")
_USER = matching(re.compile(r"[UW][A-Z0-9]+").fullmatch, "a user id")
_CHANNEL = matching(re.compile(r"[CGD][A-Z0-9]+").fullmatch, "a channel id")
_SOMETHING = string(3000)

CONFIRM = fields(
    {
        "title": words(100, plain=True),
        "text": words(300),
        "confirm": words(30, plain=True),
        "deny": words(30, plain=True),
        "style": one_of("primary", "danger"),
    },
    ("title", "text", "confirm", "deny"),
)
_OPTION_FIELDS: dict[str, Shape] = {
    "text": words(75, plain=True),
    "value": string(150),
    "description": words(75, plain=True),
}
OPTION = fields(_OPTION_FIELDS, ("text", "value"))
_RICH_OPTION = fields(
    {"text": words(75), "value": string(150), "description": words(75)}, ("text", "value")
)
_OVERFLOW_OPTION = fields({**_OPTION_FIELDS, "url": address()}, ("text", "value"))
OPTION_GROUP = fields(
    {"label": words(75, plain=True), "options": items(OPTION, 100)}, ("label", "options")
)
_DISPATCH = fields(
    {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)}
)
_FILTER = fields(
    {
        "include": items(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)
_COMMON: dict[str, Shape] = {
    "type": anything,
    "action_id": _IDENTIFIER,
    "confirm": CONFIRM,
    "focus_on_load": boolean,
}
_HINTED: dict[str, Shape] = {**_COMMON, "placeholder": words(150, plain=True)}


def _slack_file(verdict: Verdict, value: object, at: str) -> None:
    fields({"id": string(255), "url": address()})(verdict, value, at)
    if isinstance(value, dict):
        file = value.get("id") or str(value.get("url", "")).rstrip("/").rpartition("/")[2]
        if ("id" in value) == ("url" in value) or not verdict.ready(str(file)):
            verdict.wrong(at, "invalid slack file")


IMAGE_FIELDS: dict[str, Shape] = {
    "type": anything,
    "image_url": address(),
    "slack_file": _slack_file,
    "alt_text": string(2000),
}


def image(verdict: Verdict, value: object, at: str) -> None:
    """An image element: one source, and a text for those who do not see it."""
    fields(IMAGE_FIELDS, ("alt_text",))(verdict, value, at)
    one_source(verdict, value, at)


def one_source(verdict: Verdict, value: object, at: str) -> None:
    if isinstance(value, dict) and ("image_url" in value) == ("slack_file" in value):
        verdict.wrong(at, "exactly one of image_url and slack_file is needed")


_BUTTON = fields(
    {
        **_COMMON,
        "text": words(75, plain=True),
        "value": string(2000),
        "url": address(),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
        "visible_to_user_ids": items(_USER, 10),
        "agent_prompt": string(4000),
        "agent_prompt_display": anything,
    },
    ("text",),
)


def _choice(extra: dict[str, Shape]) -> Shape:
    shape = fields({**_HINTED, **extra})

    def judge(verdict: Verdict, value: object, at: str) -> None:
        shape(verdict, value, at)
        if isinstance(value, dict):
            if ("options" in value) == ("option_groups" in value):
                verdict.wrong(at, "exactly one of options and option_groups is needed")
            _initial(verdict, value, at)

    return judge


def _initial(verdict: Verdict, value: dict[str, object], at: str) -> None:
    offered = objects(value.get("options"))
    for group in objects(value.get("option_groups")):
        offered += objects(group.get("options"))
    values = [option.get("value") for option in offered]
    if len(set(map(str, values))) < len(values):
        verdict.wrong(f"{at}/options", "duplicate option value")
    chosen = objects(value.get("initial_options"))
    if isinstance(value.get("initial_option"), dict):
        chosen.append(value["initial_option"])  # type: ignore[arg-type]  # a dict, as just asked
    for option in chosen:
        if option not in offered:
            verdict.wrong(at, "initial option must be one of the options")


_OPTIONS: dict[str, Shape] = {
    "options": items(OPTION, 100),
    "option_groups": items(OPTION_GROUP, 100),
}
_MANY = {"max_selected_items": integer(1, 100)}


def _boxes(extra: dict[str, Shape]) -> Shape:
    shape = fields({**_COMMON, "options": items(_RICH_OPTION, 10), **extra}, ("options",))

    def judge(verdict: Verdict, value: object, at: str) -> None:
        shape(verdict, value, at)
        if isinstance(value, dict):
            _initial(verdict, value, at)

    return judge


def _line(extra: dict[str, Shape], required: tuple[str, ...] = ()) -> Shape:
    return fields({**_HINTED, "dispatch_action_config": _DISPATCH, **extra}, required)


_ELEMENTS: dict[str, Shape] = {
    "button": _BUTTON,
    "image": image,
    "static_select": _choice({**_OPTIONS, "initial_option": OPTION}),
    "multi_static_select": _choice({**_OPTIONS, "initial_options": items(OPTION, 100), **_MANY}),
    "external_select": fields(
        {**_HINTED, "initial_option": OPTION, "min_query_length": integer(0, 100)}
    ),
    "multi_external_select": fields(
        {
            **_HINTED,
            "initial_options": items(OPTION, 100),
            "min_query_length": integer(0, 100),
            **_MANY,
        }
    ),
    "users_select": fields({**_HINTED, "initial_user": _USER}),
    "multi_users_select": fields({**_HINTED, "initial_users": items(_USER, 100), **_MANY}),
    "channels_select": fields(
        {**_HINTED, "initial_channel": _CHANNEL, "response_url_enabled": boolean}
    ),
    "multi_channels_select": fields({**_HINTED, "initial_channels": items(_CHANNEL, 100), **_MANY}),
    "conversations_select": fields(
        {
            **_HINTED,
            "initial_conversation": _SOMETHING,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": _FILTER,
        }
    ),
    "multi_conversations_select": fields(
        {
            **_HINTED,
            "initial_conversations": items(_SOMETHING, 100),
            "default_to_current_conversation": boolean,
            "filter": _FILTER,
            **_MANY,
        }
    ),
    "overflow": fields(
        {
            "type": anything,
            "action_id": _IDENTIFIER,
            "confirm": CONFIRM,
            "options": items(_OVERFLOW_OPTION, 5),
        },
        ("options",),
    ),
    "checkboxes": _boxes({"initial_options": items(_RICH_OPTION, 10)}),
    "radio_buttons": _boxes({"initial_option": _RICH_OPTION}),
    "datepicker": fields({**_HINTED, "initial_date": _DATE}),
    "timepicker": fields({**_HINTED, "initial_time": _TIME, "timezone": string(100)}),
    "datetimepicker": fields({**_COMMON, "initial_date_time": integer(10**9, 10**10 - 1)}),
    "plain_text_input": _line(
        {
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    "email_text_input": _line({"initial_value": string(3000)}),
    "url_text_input": _line({"initial_value": address()}),
    "number_input": _line(
        {
            "is_decimal_allowed": boolean,
            "initial_value": string(100),
            "min_value": string(100),
            "max_value": string(100),
        },
        ("is_decimal_allowed",),
    ),
    "rich_text_input": _line(
        {"initial_value": anything, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}
    ),
    "file_input": fields(
        {
            "type": anything,
            "action_id": _IDENTIFIER,
            "filetypes": items(string(50), 100),
            "max_files": integer(1, 10),
        }
    ),
    "workflow_button": fields(
        {
            **_COMMON,
            "text": words(75, plain=True),
            "workflow": anything,
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
        ("text", "workflow"),
    ),
    "icon_button": fields(
        {
            **_COMMON,
            "icon": one_of("trash"),
            "text": words(75, plain=True),
            "value": string(2000),
            "accessibility_label": string(75),
            "visible_to_user_ids": items(_USER, 10),
        },
        ("icon", "text"),
    ),
    "feedback_buttons": fields(
        {
            "type": anything,
            "action_id": _IDENTIFIER,
            "positive_button": anything,
            "negative_button": anything,
        },
        ("positive_button", "negative_button"),
    ),
}
_SELECTS = {kind for kind in _ELEMENTS if kind.endswith("_select")}
_PICKS = {"datepicker", "timepicker", "checkboxes", "radio_buttons"} | _SELECTS


def _only(kinds: set[str]) -> Shape:
    return typed({kind: _ELEMENTS[kind] for kind in kinds}, what="element")


IN_ACTIONS = _only(
    {"button", "overflow", "datetimepicker", "rich_text_input", "workflow_button"} | _PICKS
)
IN_SECTION = _only({"button", "overflow", "image", "workflow_button"} | _PICKS)
IN_INPUT = _only(
    {
        "datetimepicker",
        "rich_text_input",
        "file_input",
        "plain_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
    }
    | _PICKS
)
IN_CONTEXT_ACTIONS = _only({"icon_button", "feedback_buttons"})
BUTTON = _ELEMENTS["button"]

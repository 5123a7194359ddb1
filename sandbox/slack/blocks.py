"""Whether Slack would take these blocks, attachments and views.

Source: docs.slack.dev, Block Kit reference; `blocks.validate` is Slack's own judge.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from sandbox.slack.elements import (
    BUTTON,
    IMAGE_FIELDS,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    image,
    one_source,
)
from sandbox.slack.rich import RICH_TEXT, data_table, table, visualization
from sandbox.slack.shapes import (
    Shape,
    Surface,
    Verdict,
    address,
    anything,
    boolean,
    fields,
    integer,
    items,
    objects,
    one_of,
    string,
    typed,
    words,
)
from sandbox.wire import Json

_MOST: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
_MARKDOWN = 12_000  # characters over all markdown blocks of one payload
_COUNTED = 13_200  # characters of all text objects of one message
_VIEW_BYTES = 250_000
_CHARTS = 2
_BLOCK: dict[str, Shape] = {"type": anything, "block_id": string(255)}


def _section(verdict: Verdict, value: object, at: str) -> None:
    fields(
        {
            **_BLOCK,
            "text": words(3000),
            "fields": items(words(2000), 10),
            "accessory": IN_SECTION,
            "expand": boolean,
        }
    )(verdict, value, at)
    if isinstance(value, dict) and not value.keys() & {"text", "fields"}:
        verdict.wrong(at, "missing required field: text or fields")


def _image(verdict: Verdict, value: object, at: str) -> None:
    fields({**IMAGE_FIELDS, **_BLOCK, "title": words(2000, plain=True)}, ("alt_text",))(
        verdict, value, at
    )
    one_source(verdict, value, at)


def _context_element(verdict: Verdict, value: object, at: str) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        image(verdict, value, at)
    else:
        words(3000)(verdict, value, at)


def _input(verdict: Verdict, value: object, at: str) -> None:
    fields(
        {
            **_BLOCK,
            "label": words(2000, plain=True),
            "element": IN_INPUT,
            "dispatch_action": boolean,
            "hint": words(2000, plain=True),
            "optional": boolean,
        },
        ("label", "element"),
    )(verdict, value, at)
    element = value.get("element") if isinstance(value, dict) else None
    if isinstance(element, dict) and element.get("type") == "file_input":
        _only_on(verdict, at, "modal")


def _only_on(verdict: Verdict, at: str, *surfaces: Surface) -> None:
    if verdict.surface not in surfaces:
        verdict.wrong(at, f"not available on this surface: {verdict.surface}")


def _on(shape: Shape, *surfaces: Surface) -> Shape:
    def judge(verdict: Verdict, value: object, at: str) -> None:
        _only_on(verdict, at, *surfaces)
        shape(verdict, value, at)

    return judge


_CARD = fields(
    {
        **_BLOCK,
        "hero_image": image,
        "icon": image,
        "title": words(150),
        "subtitle": words(150),
        "body": words(200),
        "subtext": words(200),
        "actions": items(BUTTON, 2),
    }
)
_KINDS: dict[str, Shape] = {
    "section": _section,
    "divider": fields(_BLOCK),
    "header": fields({**_BLOCK, "text": words(150, plain=True), "level": integer(1, 4)}, ("text",)),
    "image": _image,
    "context": fields({**_BLOCK, "elements": items(_context_element, 10)}, ("elements",)),
    "actions": fields({**_BLOCK, "elements": items(IN_ACTIONS, 25)}, ("elements",)),
    "input": _input,
    "rich_text": RICH_TEXT,
    "video": fields(
        {
            **_BLOCK,
            "alt_text": string(2000),
            "author_name": string(50),
            "description": words(200, plain=True),
            "provider_icon_url": address(),
            "provider_name": string(50),
            "title": words(200, plain=True),
            "title_url": address(),
            "thumbnail_url": address(),
            "video_url": address(),
        },
        ("alt_text", "title", "thumbnail_url", "video_url"),
    ),
    "context_actions": _on(
        fields({**_BLOCK, "elements": items(IN_CONTEXT_ACTIONS, 5)}, ("elements",)), "message"
    ),
    "markdown": _on(fields({**_BLOCK, "text": string(_MARKDOWN)}, ("text",)), "message"),
    "table": _on(table, "message"),
    "data_table": _on(data_table, "message"),
    "data_visualization": _on(visualization, "message"),
    "card": _on(_CARD, "message", "home"),
    "carousel": _on(
        fields({**_BLOCK, "elements": items(typed({"card": _CARD}, what="card"), 10)}),
        "message",
        "home",
    ),
    "alert": _on(
        fields(
            {
                **_BLOCK,
                "text": words(200),
                "level": one_of("default", "info", "warning", "error", "success"),
            },
            ("text",),
        ),
        "modal",
    ),
}


def _contained(verdict: Verdict, value: object, at: str) -> None:
    if isinstance(value, dict) and value.get("type") == "container":
        verdict.wrong(at, "a container cannot hold a container")
    else:
        _block(verdict, value, at)


_KINDS["container"] = _on(
    fields(
        {
            **_BLOCK,
            "title": words(150, plain=True),
            "subtitle": words(150),
            "child_blocks": items(_contained, 10),
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "width": one_of("narrow", "standard", "wide", "full"),
        },
        ("title", "child_blocks"),
    ),
    "message",
)
_block = typed(_KINDS, what="block")


def blocks_problem(
    blocks: object, *, surface: Surface, ready: Callable[[str], bool], at: str = "/blocks"
) -> tuple[str, list[str]] | None:
    """Return Slack's error and its messages, or None where it would take *blocks*.

    Args:
        blocks: What was sent as blocks.
        surface: Where they are to be shown.
        ready: Whether a file id can be shown already.
        at: JSON pointer of the blocks.
    """
    verdict = Verdict(surface, ready)
    items(_block, _MOST[surface], least=0)(verdict, blocks, at)
    _judge_together(verdict, objects(blocks), at)
    if verdict.problems:
        return "invalid_blocks", [f"[ERROR] {problem}" for problem in verdict.problems]
    if surface == "message":
        kinds = Counter(block["type"] for block in objects(blocks))
        if kinds["table"] + kinds["data_table"] > 1:
            return "invalid_attachments", ["[ERROR] only_one_table_allowed"]
        if verdict.counted > _COUNTED:
            return "msg_blocks_too_long", [f"[ERROR] {verdict.counted} characters"]
    return None


def _judge_together(verdict: Verdict, blocks: list[Json], at: str) -> None:
    ids = Counter(block["block_id"] for block in blocks if isinstance(block.get("block_id"), str))
    for block_id, times in ids.items():
        if times > 1:
            verdict.wrong(at, f"block_id {block_id!r} already exists")
    focused = 0
    for index, block in enumerate(blocks):
        elements = list(interactive(block))
        actions = Counter(str(e["action_id"]) for e in elements if "action_id" in e)
        for action_id, times in actions.items():
            if times > 1:
                verdict.wrong(f"{at}/{index}", f"action_id {action_id!r} already exists")
        focused += sum(1 for element in elements if element.get("focus_on_load") is True)
    if focused > 1:
        verdict.wrong(at, "only one element can have focus_on_load")
    markdown = sum(len(str(b.get("text", ""))) for b in blocks if b.get("type") == "markdown")
    if markdown > _MARKDOWN:
        verdict.wrong(at, f"markdown blocks hold more than {_MARKDOWN} characters together")
    if sum(1 for block in blocks if block.get("type") == "data_visualization") > _CHARTS:
        verdict.wrong(at, f"no more than {_CHARTS} data_visualization blocks")


def interactive(block: Json) -> Iterator[Json]:
    """Every element of *block* that a person can use."""
    for key in ("elements", "actions"):
        if block.get("type") in ("actions", "context_actions", "card"):
            yield from objects(block.get(key))
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield block[key]
    for key in ("child_blocks", "elements"):
        if block.get("type") in ("container", "carousel"):
            for child in objects(block.get(key)):
                yield from interactive(child)


_VIEW: dict[str, Shape] = {
    "type": anything,
    "blocks": anything,
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
_MODAL = fields(
    {
        **_VIEW,
        "title": words(24, plain=True),
        "submit": words(24, plain=True),
        "close": words(24, plain=True),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    ("title", "blocks"),
)
_HOME = fields(_VIEW, ("blocks",))


def view_problem(
    view: object, *, kind: str, size: int, ready: Callable[[str], bool]
) -> tuple[str, list[str]] | None:
    """Return Slack's error and its messages, or None where it would take *view*.

    Args:
        view: What was sent as the view.
        kind: ``modal`` or ``home``, as the method wants it.
        size: Bytes of the view's JSON.
        ready: Whether a file id can be shown already.
    """
    if size > _VIEW_BYTES:
        return "view_too_large", [f"[ERROR] {size} bytes"]
    surface: Surface = "home" if kind == "home" else "modal"
    verdict = Verdict(surface, ready)
    if not isinstance(view, dict) or view.get("type") != kind:
        return "invalid_arguments", [f"[ERROR] must be a {kind} [json-pointer:/view/type]"]
    (_HOME if kind == "home" else _MODAL)(verdict, view, "/view")
    blocks = view.get("blocks")
    if kind == "modal" and "submit" not in view:
        for index, block in enumerate(objects(blocks)):
            if block.get("type") == "input":
                verdict.wrong(f"/view/blocks/{index}", "a modal with inputs needs a submit")
                break
    messages = [f"[ERROR] {problem}" for problem in verdict.problems]
    wrong = blocks_problem(blocks, surface=surface, ready=ready, at="/view/blocks")
    if wrong is not None:
        messages += wrong[1]
    return ("invalid_arguments", messages) if messages else None


_ATTACHMENT = fields(
    {
        **dict.fromkeys(
            ("fallback", "pretext", "author_name", "title", "text", "footer", "color"),
            string(40_000, least=0),
        ),
        **dict.fromkeys(
            ("author_link", "author_icon", "title_link", "image_url", "thumb_url", "footer_icon"),
            address(),
        ),
        "fields": anything,
        "mrkdwn_in": anything,
        "ts": anything,
        "blocks": anything,
    }
)


def attachments_problem(
    attachments: object, *, ready: Callable[[str], bool]
) -> tuple[str, list[str]] | None:
    """Return Slack's error and its messages, or None where it would take *attachments*."""
    verdict = Verdict("message", ready)
    items(_ATTACHMENT, 100, least=0)(verdict, attachments, "/attachments")
    if verdict.problems:
        return "invalid_attachments", [f"[ERROR] {problem}" for problem in verdict.problems]
    for index, attachment in enumerate(objects(attachments)):
        at = f"/attachments/{index}/blocks"
        if "blocks" in attachment:
            wrong = blocks_problem(attachment["blocks"], surface="message", ready=ready, at=at)
            if wrong is not None:
                return wrong
    return None

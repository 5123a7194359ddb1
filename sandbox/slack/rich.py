"""Rich text, tables and charts of Block Kit.

Source: docs.slack.dev, Block Kit reference, "Rich text", "Table", "Data table", "Data
visualization".
"""

from sandbox.slack.shapes import (
    Shape,
    Verdict,
    address,
    anything,
    boolean,
    fields,
    integer,
    items,
    numeric,
    objects,
    one_of,
    string,
    typed,
)
from sandbox.wire import Json

_STYLE = fields(
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight"), boolean
    )
    | {"unlink": boolean}
)
_TYPE: dict[str, Shape] = {"type": anything}
_LEAF = typed(
    {
        "text": fields({**_TYPE, "text": string(12_000), "style": _STYLE}, ("text",)),
        "link": fields(
            {**_TYPE, "url": address(), "text": string(3000), "unsafe": boolean, "style": _STYLE},
            ("url",),
        ),
        "user": fields({**_TYPE, "user_id": string(30), "style": _STYLE}, ("user_id",)),
        "channel": fields({**_TYPE, "channel_id": string(30), "style": _STYLE}, ("channel_id",)),
        "usergroup": fields({**_TYPE, "usergroup_id": string(30), "style": _STYLE}),
        "team": fields({**_TYPE, "team_id": string(30), "style": _STYLE}),
        "emoji": fields(
            {**_TYPE, "name": string(100), "unicode": string(100), "style": _STYLE}, ("name",)
        ),
        "broadcast": fields(
            {**_TYPE, "range": one_of("here", "channel", "everyone"), "style": _STYLE}, ("range",)
        ),
        "date": fields(
            {
                **_TYPE,
                "timestamp": integer(0, 10**10),
                "format": string(500),
                "url": address(),
                "fallback": string(500),
                "style": _STYLE,
            },
            ("timestamp", "format"),
        ),
        "color": fields({**_TYPE, "value": string(20)}, ("value",)),
    },
    what="rich text element",
)
_SECTION = fields({**_TYPE, "elements": items(_LEAF, 1000, least=0)}, ("elements",))
_BOXED = fields(
    {**_TYPE, "elements": items(_LEAF, 1000, least=0), "border": integer(0, 1)}, ("elements",)
)
_PREFORMATTED = fields(
    {
        **_TYPE,
        "elements": items(_LEAF, 1000, least=0),
        "border": integer(0, 1),
        "language": string(50),
    },
    ("elements",),
)
_LIST = fields(
    {
        **_TYPE,
        "style": one_of("bullet", "ordered"),
        "elements": items(typed({"rich_text_section": _SECTION}, what="list item"), 1000),
        "indent": integer(0, 8),
        "offset": integer(0, 10_000),
        "border": integer(0, 1),
    },
    ("style", "elements"),
)
_PARTS = typed(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": _LIST,
        "rich_text_quote": _BOXED,
        "rich_text_preformatted": _PREFORMATTED,
    },
    what="rich text",
)
RICH_TEXT_FIELDS: dict[str, Shape] = {
    "type": anything,
    "block_id": string(255),
    "elements": items(_PARTS, 1000, least=0),
}
RICH_TEXT = fields(RICH_TEXT_FIELDS, ("elements",))

_CELL = typed(
    {
        "raw_text": fields({**_TYPE, "text": string(10_000)}, ("text",)),
        "raw_number": fields({**_TYPE, "value": numeric, "text": string(100)}, ("value",)),
        "rich_text": RICH_TEXT,
    },
    what="cell",
)
_COLUMN = fields({"align": one_of("left", "center", "right"), "is_wrapped": boolean})
_CELLS_LIMIT = 10_000  # characters over all cells


def _rows(verdict: Verdict, value: object, at: str, *, regular: bool) -> None:
    rows = value if isinstance(value, list) else []
    if regular and len({len(row) for row in rows if isinstance(row, list)}) > 1:
        verdict.wrong(at, "all rows must have the same number of cells")
    if _length(value) > _CELLS_LIMIT:
        verdict.wrong(at, f"no more than {_CELLS_LIMIT} characters over all cells")


def _length(value: object) -> int:
    if isinstance(value, list):
        return sum(map(_length, value))
    if isinstance(value, dict):
        text = value.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + _length(value.get("elements"))
    return 0


_TABLE = fields(
    {
        "type": anything,
        "block_id": string(255),
        "rows": items(items(_CELL, 20), 100),
        "column_settings": items(_COLUMN, 20, least=0),
    },
    ("rows",),
)
_DATA_TABLE = fields(
    {
        "type": anything,
        "block_id": string(255),
        "caption": string(3000),
        "rows": items(items(_CELL, 20), 101, least=2),
        "page_size": integer(1, 100),
        "row_header_column_index": integer(0, 19),
    },
    ("caption", "rows"),
)


def table(verdict: Verdict, value: object, at: str) -> None:
    _TABLE(verdict, value, at)
    if isinstance(value, dict):
        _rows(verdict, value.get("rows"), f"{at}/rows", regular=False)


def data_table(verdict: Verdict, value: object, at: str) -> None:
    _DATA_TABLE(verdict, value, at)
    if not isinstance(value, dict):
        return
    rows = value.get("rows")
    _rows(verdict, rows, f"{at}/rows", regular=True)
    header = rows[0] if isinstance(rows, list) and rows else None
    if any(cell.get("type") == "rich_text" for cell in objects(header)):
        verdict.wrong(f"{at}/rows/0", "header cells cannot be rich_text")


_LABEL = string(20)
_PIE = fields(
    {
        "type": anything,
        "segments": items(fields({"label": _LABEL, "value": numeric}, ("label", "value")), 6),
    },
    ("segments",),
)
_POINT = fields({"label": _LABEL, "value": numeric}, ("label", "value"))
_SERIES = fields({"name": _LABEL, "data": items(_POINT, 20)}, ("name", "data"))
_AXES = fields(
    {"categories": items(_LABEL, 20), "x_label": string(50), "y_label": string(50)},
    ("categories",),
)
_LINES = fields(
    {"type": anything, "series": items(_SERIES, 6), "axis_config": _AXES},
    ("series", "axis_config"),
)
_CHART = typed({"pie": _PIE, "bar": _LINES, "line": _LINES, "area": _LINES}, what="chart")
_VISUALIZATION = fields(
    {"type": anything, "block_id": string(255), "title": string(50), "chart": _CHART},
    ("title", "chart"),
)


def visualization(verdict: Verdict, value: object, at: str) -> None:
    _VISUALIZATION(verdict, value, at)
    chart = value.get("chart") if isinstance(value, dict) else None
    if not isinstance(chart, dict) or verdict.problems:
        return
    if chart["type"] == "pie":
        if any(segment["value"] <= 0 for segment in chart["segments"]):
            verdict.wrong(f"{at}/chart/segments", "values must be greater than 0")
        return
    _one_point_per_category(verdict, chart, f"{at}/chart")


def _one_point_per_category(verdict: Verdict, chart: Json, at: str) -> None:
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) < len(names):
        verdict.wrong(f"{at}/series", "names must be unique")
    for index, series in enumerate(chart["series"]):
        labels = [point["label"] for point in series["data"]]
        if sorted(labels) != sorted(chart["axis_config"]["categories"]):
            verdict.wrong(f"{at}/series/{index}/data", "exactly one point per category")

"""Small judges of JSON values, from which the judge of Block Kit is put together."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.wire import Json

Surface = Literal["message", "modal", "home"]


@dataclass(slots=True)
class Verdict:
    """What is wrong with one payload, as ``message [json-pointer:/…]``.

    Attributes:
        ready: Whether a file id can already be shown.
        counted: Characters of all text objects so far.
    """

    surface: Surface
    ready: Callable[[str], bool]
    problems: list[str] = field(default_factory=list)
    counted: int = 0

    def wrong(self, pointer: str, message: str) -> None:
        self.problems.append(f"{message} [json-pointer:{pointer}]")


Shape = Callable[[Verdict, object, str], None]


def string(most: int, *, least: int = 1) -> Shape:
    """Text of so many characters."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        if not isinstance(value, str):
            verdict.wrong(at, "must be a string")
        elif len(value) > most:
            verdict.wrong(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            verdict.wrong(at, f"must be more than {least - 1} characters")

    return judge


def one_of(*values: object) -> Shape:
    def judge(verdict: Verdict, value: object, at: str) -> None:
        if value not in values:
            verdict.wrong(at, f"must be one of {', '.join(map(str, values))}")

    return judge


def boolean(verdict: Verdict, value: object, at: str) -> None:
    if not isinstance(value, bool):
        verdict.wrong(at, "must be a boolean")


def integer(least: int, most: int) -> Shape:
    def judge(verdict: Verdict, value: object, at: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            verdict.wrong(at, "must be an integer")
        elif not least <= value <= most:
            verdict.wrong(at, f"must be from {least} to {most}")

    return judge


def numeric(verdict: Verdict, value: object, at: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        verdict.wrong(at, "must be a number")


def address(most: int = 3000) -> Shape:
    """A web address."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        string(most)(verdict, value, at)
        if isinstance(value, str) and not value.startswith(("https://", "http://", "mailto:")):
            verdict.wrong(at, "must be a valid URL")

    return judge


def matching(pattern: Callable[[str], object], what: str) -> Shape:
    def judge(verdict: Verdict, value: object, at: str) -> None:
        if not isinstance(value, str) or not pattern(value):
            verdict.wrong(at, f"must be {what}")

    return judge


def items(shape: Shape, most: int, *, least: int = 1) -> Shape:
    """An array of so many things of one shape."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        if not isinstance(value, list):
            verdict.wrong(at, "must be an array")
            return
        if len(value) > most:
            verdict.wrong(at, f"no more than {most} items allowed")
        if len(value) < least:
            verdict.wrong(at, f"no fewer than {least} items allowed")
        for index, item in enumerate(value):
            shape(verdict, item, f"{at}/{index}")

    return judge


def fields(shapes: Mapping[str, Shape], required: Collection[str] = ()) -> Shape:
    """An object with these fields and no others."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        if not isinstance(value, dict):
            verdict.wrong(at, "must be an object")
            return
        for key in value.keys() - shapes.keys():
            verdict.wrong(f"{at}/{key}", "no more fields are allowed")
        for key in required:
            if key not in value:
                verdict.wrong(at, f"missing required field: {key}")
        for key, shape in shapes.items():
            if key in value:
                shape(verdict, value[key], f"{at}/{key}")

    return judge


def typed(kinds: Mapping[str, Shape], *, what: str) -> Shape:
    """An object whose ``type`` decides which shape it must have."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            verdict.wrong(at, f"{what} must have a type")
        elif kind not in kinds:
            verdict.wrong(f"{at}/type", f"unsupported type: {kind}")
        else:
            kinds[kind](verdict, value, at)

    return judge


def words(most: int, *, plain: bool = False, least: int = 1) -> Shape:
    """A text object."""

    def judge(verdict: Verdict, value: object, at: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind != "plain_text" and (plain or kind != "mrkdwn"):
            verdict.wrong(at, "must be a plain_text object" if plain else "must be a text object")
            return
        shapes: dict[str, Shape] = {"type": anything, "text": string(most, least=least)}
        shapes["emoji" if kind == "plain_text" else "verbatim"] = boolean
        fields(shapes, ("text",))(verdict, value, at)
        text = value.get("text") if isinstance(value, dict) else None
        verdict.counted += len(text) if isinstance(text, str) else 0

    return judge


def anything(_verdict: Verdict, _value: object, _at: str) -> None:
    """Whatever it is."""


def objects(value: object) -> list[Json]:
    """The objects among the items of *value*, if it is an array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

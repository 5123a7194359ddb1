"""docs/configuration.md, from the model: what it says cannot differ from what is read."""

import inspect
import json
from collections.abc import Iterator
from typing import Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.config import Organization, Server, WhatsAppNumber

_INTRODUCTION: Final = """\
# Configuration

`dripline.toml` is read once, when a process starts. Every problem in it is told at once, each with
its place and what to write; a key that is not known is a problem too. `dripline check` reads it and
says what to enter at Slack and Meta; `dripline check --live` also asks Postgres, Redis, Slack and
Meta whether they would let us work. [`dripline.example.toml`](../dripline.example.toml) has every
key.

Secrets never stand in the file: `"env:NAME"` is read from the environment variable `NAME`. They are
never printed. Durations are written `45s`, `30m`, `3h`, `2d` or `1w`; days `mon-fri` or `sat,sun`;
hours `06:00-21:00`, also over midnight.

This page is made by `dripline reference` from the model in `engine/config.py`.
"""

_KEY: Final = """\
`<key>` is the organization in every table and log: at most 40 letters, digits, `-` and `_`. It
stays for ever; `name` may change.
"""


def reference() -> str:
    """Return the page: each section in the file's order, each key with all that is known of it."""
    parts = [_INTRODUCTION]
    for name, section in sections().items():
        parts += _section(name, section)
        if section is Organization:
            parts.append(_KEY)
    return "\n".join(parts)


def keys(section: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Return the section's own keys, without the sections inside it."""
    for name, field in section.model_fields.items():
        if field.description is not None:
            yield name, field


def sections() -> dict[str, type[BaseModel]]:
    """Return every section by its name in the file."""
    found: dict[str, type[BaseModel]] = {"server": Server, "organizations.<key>": Organization}
    for name, field in Organization.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found[f"organizations.<key>.{name}"] = section
        if name == "whatsapp":
            found["organizations.<key>.whatsapp.numbers[]"] = WhatsAppNumber
    return found


def fact(field: FieldInfo, name: str) -> str | None:
    """Return what the model says of a key beside its sentence: unit, why, absent or example."""
    extra = field.json_schema_extra
    found = extra.get(name) if isinstance(extra, dict) else None
    return None if found is None else str(found)


def _section(name: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"## `[{name}]`\n\n{inspect.getdoc(section)}\n"
    for key, field in keys(section):
        yield "\n".join([f"### `{key}`\n", str(field.description), "", *_facts(key, field), ""])


def _facts(key: str, field: FieldInfo) -> Iterator[str]:
    if field.is_required():
        yield "- Required."
    elif (absent := fact(field, "absent")) is not None:
        yield f"- Absent: {absent}."
    else:
        default = json.dumps(field.default, ensure_ascii=False)
        yield f"- Default: `{default}` ({fact(field, 'why')})."
    if (unit := fact(field, "unit")) is not None:
        yield f"- Unit: {unit}."
    if choices := [each for each in get_args(field.annotation) if isinstance(each, str)]:
        yield f"- One of: {', '.join(f'`{json.dumps(each)}`' for each in choices)}."
    if (example := fact(field, "example")) is not None:
        yield f"- Example: `{key} = {example}`"

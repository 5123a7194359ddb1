"""What is wrong with a configuration, told all at once: where, what, and what to do."""

import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from engine import names

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend.

    Attributes:
        path: As TOML writes it: ``organizations.acme.whatsapp.numbers[0].phone``; "" is the file.
        message: What is wrong, to be read after the path; never a secret.
        hint: A sentence that says what to write.
    """

    path: str
    message: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.message}\n    {self.hint}"


class InvalidConfig(Exception):
    """The configuration cannot be used.

    Attributes:
        problems: All there are, in the order of the file's sections; never empty.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listed = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"the configuration has {count}:\n{listed}")
        self.problems = problems


def refusal(message: str, *, hint: str = "") -> PydanticCustomError:
    """Return what a validator raises; without *hint* the key's own example is the hint."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


# The end of a location that is the key of a section, rather than what stands there.
_PYDANTIC_KEY: Final = "[key]"


def path_of(location: Location) -> str:
    """Return the location as TOML writes it.

    >>> path_of(("organizations", "acme", "numbers", 0, "two words"))
    'organizations.acme.numbers[0]."two words"'
    """
    path = ""
    for part in location:
        if part == _PYDANTIC_KEY:
            continue
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            bare = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            path += ("." if path else "") + (part if bare else f'"{part}"')
    return path


def problems_in(
    error: ValidationError, *, model: type[BaseModel], not_built: Mapping[str, str]
) -> Iterator[Problem]:
    """Return what pydantic found, in our words.

    Args:
        error: Of *model*.
        model: Whose fields say what a key is for.
        not_built: Keys this version refuses, by name, and the sentence that says what to do.
    """
    for detail in error.errors(include_url=False, include_input=False):
        # A default made from a key that is a problem itself.
        if detail["type"] != "default_factory_not_called":
            yield _problem(detail, model, not_built)


# What pydantic calls the mistakes a type alone can show; the others come from our validators.
_MESSAGES: Final = {
    "string_type": "must be text, in quotes",
    "int_type": "must be a whole number, without quotes",
    "tuple_type": "must be a list",
    "mapping_type": "must be a section",
    "dict_type": "must be a section",
    "model_type": "must be a section",
    "model_attributes_type": "must be a section",
}


def _problem(detail: ErrorDetails, model: type[BaseModel], not_built: Mapping[str, str]) -> Problem:
    location = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            return _unknown(location, model, not_built)
        case "missing":
            message = "is missing"
        case "refused":
            context = detail["ctx"]
            return Problem(
                path=path_of(location),
                message=context["message"],
                hint=context["hint"] or _hint(location, model),
            )
        case kind:
            message = _MESSAGES.get(kind) or _sentence(detail["msg"])
    return Problem(path=path_of(location), message=message, hint=_hint(location, model))


def _sentence(message: str) -> str:
    return message.removeprefix("Input ").rstrip(".")


def _unknown(location: Location, model: type[BaseModel], not_built: Mapping[str, str]) -> Problem:
    *parents, name = location
    path = path_of(location)
    section = _section(tuple(parents), model)
    if str(name) in not_built:
        return Problem(path=path, message="is not built in this version", hint=not_built[str(name)])
    known = tuple(section.model_fields)
    meant = names.closest(str(name), known)
    hint = f"Did you mean {meant}?" if meant else f"Known here: {', '.join(known)}."
    return Problem(path=path, message="is no key that is known", hint=hint)


def _hint(location: Location, model: type[BaseModel]) -> str:
    """Return the sentence of the key at *location*, with an example where it has one."""
    fields = [part for part in location if isinstance(part, str)]
    if not fields:
        return ""
    section = _section(location[: location.index(fields[-1])], model)
    field = section.model_fields.get(fields[-1])
    if field is None:
        return "Write a section here: see dripline.example.toml."
    said = field.description
    if said is None:
        return f"See [{path_of(location)}] in dripline.example.toml."
    extra = field.json_schema_extra
    example = extra.get("example") if isinstance(extra, dict) else None
    shown = example or json.dumps(field.default, ensure_ascii=False)
    return f"{said} For example: {fields[-1]} = {shown}"


def _section(location: Location, model: type[BaseModel]) -> type[BaseModel]:
    """Return the model whose keys stand at *location*; the innermost there is."""
    section = model
    for part in location:
        field = section.model_fields.get(str(part))
        if field is not None:
            section = _nested(field.annotation) or section
    return section


def _nested(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 — any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_nested(each) for each in typing.get_args(annotation))
    return next((each for each in found if each is not None), None)

"""How a command is declared, once: its words, values, role, help and examples.

A command is a frozen dataclass; :func:`declare` makes it one and reads its fields. Parsing,
help and the reference all come from the :class:`Spec` that results::

    @declare("campaign pause", role=Role.OWNER, about="Stop sending…", examples=("Welcome",))
    class CampaignPause(Command):
        campaign: str = argument(kinds.NAME, about="…", rest=True)
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast, dataclass_transform, overload

from engine.roles import Role

T = TypeVar("T")
C = TypeVar("C", bound="Command")

_METADATA = "drip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A value that cannot be read.

    Attributes:
        must_be: What it must be, as the end of "<name> must be …".
        because: A whole sentence instead, where the engine says it better; empty: it does not.
    """

    must_be: str = ""
    because: str = ""


def _never(_so_far: str, _following: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """One kind of value.

    Attributes:
        shape: As usage shows it, without the angle brackets of arguments (``2d|3h|30m|1w``).
        read: Turns what was written into the value, or says what it must be.
        show: Writes a value the way staff would write it; for defaults.
        raw: Whether ``read`` wants the quotes that stand inside the word.
        goes_on: Whether a value so far takes the following word too (``+31 6 1234``, ``a, b``).
        equals: Whether words such as ``age=18`` are part of it, unless there is such an option.
    """

    shape: str
    read: Callable[[str], T | Wrong]
    show: Callable[[T], str] = str
    raw: bool = False
    goes_on: Callable[[str, str], bool] = _never
    equals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A value known by its place; ``rest`` takes all words that are left."""

    field: str
    kind: Kind[Any]
    about: str
    required: bool
    rest: bool

    @property
    def label(self) -> str:
        return self.field.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A value known by its name, ``name=value``.

    Attributes:
        needs: The option without which this one means nothing.
        otherwise: What holds when it is absent, in words; None when the default says it.
        many: Whether it may be there several times; the field is a tuple then.
    """

    field: str
    name: str
    kind: Kind[Any]
    about: str
    required: bool
    default: object
    needs: str | None
    otherwise: str | None
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A word that is there or not, anywhere among the arguments."""

    field: str
    word: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Options whose names are not ours: ``<prefix><shape>=<value>``.

    Attributes:
        prefix: What their names begin with, and is taken off; may be empty.
    """

    field: str
    shape: str
    about: str
    needs: str | None
    prefix: str = ""


Part = Argument | Option | Flag | Free


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """All that is known of a command.

    Attributes:
        path: Its words after ``/drip``, lower case.
        role: The least that may use it.
        about: One line, a sentence.
        examples: What may follow the path, the most useful first; at least one.
        one_of: Options of which exactly one is given; empty: no such rule.
    """

    path: tuple[str, ...]
    role: Role
    about: str
    examples: tuple[str, ...]
    one_of: tuple[str, ...]
    parts: tuple[Part, ...]
    make: "Callable[..., Command]"

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def example(self) -> str:
        return f"/drip {self.name} {self.examples[0]}".rstrip()

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return tuple(part for part in self.parts if isinstance(part, Argument))

    @property
    def options(self) -> tuple[Option, ...]:
        return tuple(part for part in self.parts if isinstance(part, Option))

    @property
    def flags(self) -> tuple[Flag, ...]:
        return tuple(part for part in self.parts if isinstance(part, Flag))

    @property
    def free(self) -> tuple[Free, ...]:
        """Return them, those with a prefix first."""
        found = [part for part in self.parts if isinstance(part, Free)]
        return tuple(sorted(found, key=lambda part: not part.prefix))


class Command:
    """What somebody asked for, understood. Every subclass is made by :func:`declare`."""

    __slots__ = ()
    spec: ClassVar[Spec]

    def objection(self) -> str | None:
        """Return why these values do not go together, as a sentence; None when they do."""
        return None


@overload
def argument(kind: Kind[T], *, about: str, rest: bool = ...) -> T: ...
@overload
def argument(kind: Kind[T], *, about: str, default: None, rest: bool = ...) -> T | None: ...
@overload
def argument(kind: Kind[T], *, about: str, default: T, rest: bool = ...) -> T: ...
def argument(
    kind: Kind[Any], *, about: str, default: object = dataclasses.MISSING, rest: bool = False
) -> object:
    """Declare a value known by its place; optional when it has a default."""
    return _field(
        default,
        lambda name: Argument(
            field=name, kind=kind, about=about, rest=rest, required=default is dataclasses.MISSING
        ),
    )


@overload
def option(kind: Kind[T], *, about: str, name: str | None = ...) -> T: ...
@overload
def option(
    kind: Kind[T],
    *,
    about: str,
    default: None,
    name: str | None = ...,
    needs: str | None = ...,
    otherwise: str | None = ...,
) -> T | None: ...
@overload
def option(
    kind: Kind[T],
    *,
    about: str,
    default: T,
    name: str | None = ...,
    needs: str | None = ...,
    otherwise: str | None = ...,
) -> T: ...
def option(
    kind: Kind[Any],
    *,
    about: str,
    default: object = dataclasses.MISSING,
    name: str | None = None,
    needs: str | None = None,
    otherwise: str | None = None,
) -> object:
    """Declare ``name=value``, under the field's name unless *name* says another."""
    required = default is dataclasses.MISSING
    return _field(
        default,
        lambda field_name: Option(
            field=field_name,
            name=name or field_name,
            kind=kind,
            about=about,
            required=required,
            default=None if required else default,
            needs=needs,
            otherwise=otherwise,
        ),
    )


def several(
    kind: Kind[T], *, about: str, default: tuple[T, ...], name: str, otherwise: str = "none"
) -> tuple[T, ...]:
    """Declare ``name=value`` that may be given several times, in the order written."""
    part = _field(
        default,
        lambda field_name: Option(
            field=field_name,
            name=name,
            kind=kind,
            about=about,
            required=False,
            default=None,
            needs=None,
            otherwise=otherwise,
            many=True,
        ),
    )
    return cast("tuple[T, ...]", part)


def flag(*, about: str, default: bool) -> bool:
    """Declare a word, the field's name, that is there or not."""
    return cast("bool", _field(default, lambda name: Flag(field=name, word=name, about=about)))


def free(
    *,
    shape: str,
    about: str,
    default: tuple[tuple[str, str], ...],
    needs: str | None = None,
    prefix: str = "",
) -> tuple[tuple[str, str], ...]:
    """Declare that ``<shape>=<value>`` may be anything; (name, value) in the order written."""
    part = _field(
        default,
        lambda name: Free(field=name, shape=shape, about=about, needs=needs, prefix=prefix),
    )
    return cast("tuple[tuple[str, str], ...]", part)


def _field(default: object, part: Callable[[str], Part]) -> object:
    return field(default=default, metadata={_METADATA: part})


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(argument, option, several, flag, free),
)
def shared(cls: type[C]) -> type[C]:
    """Make the class a group of options that several commands inherit."""
    # No slots: a command inherits from several groups, whose layouts would conflict.
    return dataclass(frozen=True, kw_only=True)(cls)


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(argument, option, several, flag, free),
)
def declare(
    path: str,
    *,
    role: Role,
    about: str,
    examples: tuple[str, ...],
    one_of: tuple[str, ...] = (),
) -> Callable[[type[C]], type[C]]:
    """Make the class a frozen dataclass and a command of the language."""

    def declared(cls: type[C]) -> type[C]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        fields: Mapping[str, dataclasses.Field[object]] = made.__dataclass_fields__  # type: ignore[attr-defined]  # the line above gave it to the class
        own = [name for name in cls.__annotations__ if name in fields]
        inherited = [name for name in fields if name not in own]
        made.spec = Spec(
            path=tuple(path.split()),
            role=role,
            about=about,
            examples=examples,
            one_of=one_of,
            parts=tuple(fields[name].metadata[_METADATA](name) for name in own + inherited),
            make=made,
        )
        return made

    return declared

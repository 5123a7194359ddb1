"""Invocations of every command that work where `swept_house` is built, from the declarations.

A command or option added later takes part by itself where a value of its kind is known below; where
none is, `UnknownSample` says what to write here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.slack.declare import Argument, Free, Option, Part, Spec
from bot.slack.language import LANGUAGE

_BY_KIND = {
    "who": "tag:lead",
    "n": "3",
    "1-9": "4",
    "hh:mm-hh:mm": "09:00-18:00",
    "mon-fri": "mon-fri",
    "5/s": "5/s",
    "48h": "48h",
    "2d": "2d",
    "7d:<date>": "7d:renewal",
    "hh:mm": "10:00",
    "weekday": "tuesday",
    "2026-12-01 10:00": '"2026-12-01 10:00"',
    "contact": "contact",
    "en_US": "en",
    '"…"': '"See you there."',
    "address": "ada@example.com",
    "tag": "vip",
    "tag,tag": "vip,lead",
    "0-100": "50",
    "step id": "2",
}
_BY_FIELD = {
    "campaign": "Welcome",
    "broadcast": "Sale",
    "contact": "+31610000001",
    "list": "Beta",
    "segment": "Hot",
    "file": "menu",
    "automation": "1",
    "template": "followup",
    "media": "menu",
    "fallback": "followup",
    "number": "+15550001111",
    "about": '"What it is for"',
    "trigger": "tag:vip",
    "when": "tag:vup",
    "then": "tag:hungry",
    "where": '"plan is gold"',
    "definition": "tag:lead",
    "name": "Fresh",
    "new_name": "Fresh",
    "first_name": "Ada",
    "company": "Acme",
    "category": "marketing",
}
_BY_COMMAND = {
    ("help", "command"): "campaign new",
    ("campaign activate", "campaign"): '"Welcoming words"',
    ("campaign resume", "campaign"): "Resting",
    ("campaign delete", "campaign"): '"Welcoming words"',
    ("enrollment resume", "campaign"): "Resting",
    ("enrollment resume", "contact"): "+31610000003",
    ("enrollments", "state"): "active",
    ("step edit", "step"): "2",
    ("step move", "step"): "2",
    ("step remove", "step"): "2",
    ("step add", "position"): "2",
    ("broadcast pause", "broadcast"): "Begun",
    ("broadcast cancel", "broadcast"): "Begun",
    ("broadcast resume", "broadcast"): "Halted",
    ("broadcast unschedule", "broadcast"): "Timed",
    ("broadcast delete", "broadcast"): '"Sale of May"',
    ("number open", "number"): "+15550001111",
    ("country open", "country"): "Brazil",
    ("retry", "campaign"): "Begun",
    ("retry", "who"): "all",
    ("contact add", "phone"): "+31612345678",
    ("contact find", "text"): "lovelace",
    ("contact untag", "tag"): "lead",
    ("import undo", "name"): '"leads of May.csv"',
    ("import start", "name"): '"judged.csv"',
    ("attribute type", "name"): "city",
    ("automation resume", "automation"): "2",
    ("event", "name"): "order_paid",
    ("list delete", "list"): '"Beta testers"',
    ("segment new", "name"): "Fresh",
    ("segment edit", "name"): "Fresh",
    ("segment preview", "text"): "Hot",
    ("segment refresh", "segment"): "Quiet",
    ("template test", "phone"): "+31610000001",
    ("template draft", "name"): "fresh",
    ("template draft", "header"): "Sale!",
    ("template draft", "footer"): "Acme",
    ("template draft", "buttons"): "Stop",
    ("template submit", "name"): "spring",
    ("template submit", "language"): "en",
    ("template discard", "name"): "spring",
    ("media add", "name"): "poster",
    ("media add", "url"): "https://93.184.216.34/a.jpg",
    ("media remove", "file"): '"menu card"',
}
# What else an invocation has, by command, so that something would change.
_BESIDES: Mapping[str, dict[str, str]] = {
    "step add": {"after": "2d"},
    "step edit": {"after": "3d", "confirm": "yes"},
    "step move": {"confirm": "2"},
    "step remove": {"confirm": "2"},
    "contact edit": {"company": "Acme"},
    "segment edit": {"about": '"What it is for"'},
    "list rename": {"about": '"What it is for"'},
    "campaign edit": {"priority": "4"},
    "broadcast edit": {"priority": "4"},
    "template draft": {"category": "marketing", "body": '"Our sale has begun."'},
}
# What an option needs beside it.
_WITH: Mapping[str, dict[str, str]] = {
    "yearly": {"after": "0d:renewal"},
    "otherwise": {"conditions": "replied"},
    "where": {"when": "event:order_paid"},
    "zone": {"at": '"2026-12-01 10:00"'},
    "count": {"at": '"2026-12-01 10:00"'},
    "every": {"at": '"2026-12-01 10:00"'},
    "caption": {"media": "menu"},
    "parameters": {"template": "welcome"},
    "language": {"template": "followup"},
    "fallback": {"text": '"See you there."'},
    "fallback_parameters": {"text": '"See you there."', "fallback": "welcome"},
}
# Of these only one of a row can be there.
_INSTEAD = (("text", "template", "media"), ("after", "before"))


class UnknownSample(Exception):
    """Nobody wrote down a value that works."""

    def __init__(self, spec: Spec, part: Part) -> None:
        super().__init__(
            f'write a value that works for "{part.field}" of "{spec.name}" into _BY_COMMAND,'
            " _BY_FIELD or _BY_KIND"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A command with values, as they are typed.

    Attributes:
        values: By field; what is left out is not given.
        more: Words behind it all.
    """

    spec: Spec
    values: Mapping[str, str] = field(default_factory=dict)
    more: str = ""

    def given(self, values: Mapping[str, str]) -> "Invocation":
        """Return it with these values, without those that cannot stand beside them."""
        kept = dict(self.values)
        for each in values:
            for row in _INSTEAD:
                if each in row:
                    kept = {name: value for name, value in kept.items() if name not in row}
        return Invocation(spec=self.spec, values={**kept, **values}, more=self.more)

    def without(self, name: str) -> "Invocation":
        kept = {each: value for each, value in self.values.items() if each != name}
        return Invocation(spec=self.spec, values=kept, more=self.more)

    def with_more(self, more: str) -> "Invocation":
        return Invocation(spec=self.spec, values=self.values, more=more)

    def __str__(self) -> str:
        return " ".join((self.spec.name, *self._words(), *([self.more] if self.more else [])))

    def _words(self) -> Iterator[str]:
        for argument in self.spec.arguments:
            if argument.field in self.values:
                yield self.values[argument.field]
        for option in self.spec.options:
            if option.field in self.values:
                yield f"{option.name}={self.values[option.field]}"
        for free in self.spec.free:
            if free.field in self.values:
                yield f"{free.prefix}{self.values[free.field]}"


def valued(spec: Spec) -> tuple[Argument | Option, ...]:
    """Return the parts of a command that take a value of a kind."""
    return (*spec.arguments, *spec.options)


def sample(spec: Spec, part: Argument | Option) -> str:
    """Return a value that works, as it is typed."""
    first = part.kind.shape if part.kind.shape in _BY_KIND else part.kind.shape.partition("|")[0]
    known = _BY_COMMAND.get((spec.name, part.field)) or (
        _BY_KIND.get(first) or _BY_FIELD.get(part.field)
    )
    if known is not None:
        return known
    if "|" in part.kind.shape and "<" not in first:
        return first
    raise UnknownSample(spec, part)


def plain(spec: Spec) -> Invocation:
    """Return the shortest invocation that works."""
    needed = {part.field: sample(spec, part) for part in valued(spec) if part.required}
    if "template" in spec.one_of:
        needed["template"] = "followup"
    return Invocation(spec=spec, values={**needed, **_BESIDES.get(spec.name, {})})


def full(spec: Spec, part: Argument | Option | Free) -> Invocation:
    """Return an invocation that works and has all that *part* needs beside it."""
    beside = {
        name: value
        for name, value in _WITH.get(part.field, {}).items()
        if any(each.field == name for each in spec.parts)
    }
    made = plain(spec).given(beside)
    return made if isinstance(part, Free) else made.given({part.field: sample(spec, part)})


SPECS = tuple(LANGUAGE.specs.values())

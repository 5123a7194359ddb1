"""Text to a typed command, from the declarations alone; what is wrong is a value, not an error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.closest import closest
from bot.slack.declare import Argument, Command, Kind, Option, Spec, Wrong
from bot.slack.words import Unreadable, Word, echoed, plain, words
from engine import names

_HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """Why text is no command.

    Attributes:
        sentence: What is wrong and how to mend it; may repeat what was written, so escape it.
        example: A whole command that works, or the one probably meant.
        topic: The path of the command or group whose help fits; empty: the language's.
    """

    sentence: str
    example: str
    topic: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpWanted:
    """Somebody asked for help on *topic*; empty: on everything."""

    topic: tuple[str, ...]


class Language:
    """The commands there are, by path."""

    def __init__(self, commands: Iterable[type[Command]]) -> None:
        self.specs: Mapping[tuple[str, ...], Spec] = {
            each.spec.path: each.spec for each in commands
        }
        self.groups: frozenset[str] = frozenset(path[0] for path in self.specs if len(path) > 1)

    def under(self, topic: tuple[str, ...]) -> tuple[Spec, ...]:
        """Return the commands whose path begins with *topic*, as declared."""
        return tuple(s for path, s in self.specs.items() if path[: len(topic)] == topic)

    def parse(self, text: str) -> Command | HelpWanted | NotUnderstood:
        """Understand what follows ``/drip``, as Slack delivers it."""
        read = words(plain(text))
        if isinstance(read, Unreadable):
            return NotUnderstood(
                sentence=read.sentence, example='/drip campaign show "Big Sale"', topic=()
            )
        if read and _keyword(read[0]) in ("/drip", "drip"):
            read = read[1:]
        if not read:
            return HelpWanted(topic=())
        spec = self._spec(read)
        if spec is None:
            return self._without_spec(read)
        given = read[len(spec.path) :]
        if len(given) == 1 and _keyword(given[0]) == _HELP:
            return HelpWanted(topic=spec.path)
        if given and not spec.arguments and spec.path[0] in self.groups and len(spec.path) == 1:
            return self._unknown(tuple(word.text.lower() for word in read[:2]))
        return _Reading(spec, given).command()

    def topic(self, asked: str) -> tuple[str, ...] | NotUnderstood:
        """Return the path of the command or group somebody wants help on."""
        path = tuple(asked.lower().removeprefix("/drip").split())
        # What follows a path in "help campaign new Welcome" does no harm.
        for length in range(len(path), -1, -1):
            if self.under(path[:length]) and (length or not path):
                return path[:length]
        return self._unknown(path)

    def _spec(self, read: tuple[Word, ...]) -> Spec | None:
        path = tuple(keyword for keyword in map(_keyword, read[:2]) if keyword)
        return self.specs.get(path) or self.specs.get(path[:1])

    def _without_spec(self, read: tuple[Word, ...]) -> HelpWanted | NotUnderstood:
        first = _keyword(read[0])
        second = _keyword(read[1]) if len(read) > 1 else None
        if first in self.groups and second in (None, _HELP) and len(read) <= 2:  # noqa: PLR2004 — the two words just looked at
            return HelpWanted(topic=(str(first),))
        return self._unknown(tuple(word.text.lower() for word in read[:2]))

    def _unknown(self, path: tuple[str, ...]) -> NotUnderstood:
        meant = self._meant(path)
        name = names.echoed(" ".join(path))
        if path[0] in self.groups:
            known = f'after "{path[0]}" comes one of {", ".join(self._verbs(path[0]))}'
            topic = path[:1]
        else:
            known = "/drip help lists what there is"
            name = names.echoed(path[0]) if meant is None or len(meant.path) == 1 else name
            topic = ()
        if meant is None:
            return NotUnderstood(
                sentence=f'There is no command "{name}"; {known}.',
                example=" ".join(("/drip help", *topic)),
                topic=topic,
            )
        return NotUnderstood(
            sentence=f'There is no command "{name}"; did you mean "{meant.name}"?',
            example=meant.example,
            topic=meant.path,
        )

    def _verbs(self, group: str) -> list[str]:
        return [path[1] for path in self.specs if path[0] == group and len(path) > 1]

    def _meant(self, path: tuple[str, ...]) -> Spec | None:
        if len(path) > 1 and path[0] in self.groups:
            verb = closest(path[1], self._verbs(path[0]))
            return None if verb is None else self.specs[path[0], verb]
        if path[::-1] in self.specs:
            return self.specs[path[::-1]]
        # "pause Welcome": the first that ends so, since campaign commands accept broadcasts too.
        verbs = [spec for spec in self.specs.values() if spec.path[1:] == path[:1]]
        if verbs:
            return verbs[0]
        by_name = {spec.name: spec for spec in self.specs.values()}
        near = closest(" ".join(path), by_name) or closest(path[0], by_name)
        if near is not None:
            return by_name[near]
        group = closest(path[0], sorted(self.groups))
        if group is not None and len(path) > 1:
            return self.specs.get((group, path[1]))
        return None


class _Reading:
    """One command being read: its words are dealt out to its parts."""

    def __init__(self, spec: Spec, given: tuple[Word, ...]) -> None:
        self._spec = spec
        self._given = given
        self._values: dict[str, Any] = {}
        self._options = {option.name: option for option in spec.options}
        self._equals = any(each.kind.equals for each in spec.arguments)

    def command(self) -> Command | NotUnderstood:
        """Return the command, or the first thing wrong with it."""
        problem = self._deal() or self._missing()
        if problem is not None:
            return problem
        command = self._spec.make(**self._values)
        objection = command.objection()
        return command if objection is None else self._problem(objection)

    def _deal(self) -> NotUnderstood | None:
        placed: list[Word] = []
        position = 0
        while position < len(self._given):
            word = self._given[position]
            position += 1
            if self._equals and word.key is not None and _tidy(word.key) not in self._options:
                placed.append(_whole(word))
            elif (key := word.key) is not None:
                kind = self._kind_of(key)
                while kind is not None and self._goes_on(kind, word, position):
                    word = _joined(word, self._given[position])
                    position += 1
                problem = self._option(word, key)
                if problem is not None:
                    return problem
            elif not self._flag(word):
                placed.append(word)
        return self._place(placed)

    def _kind_of(self, key: str) -> Kind[Any] | None:
        option = self._options.get(_tidy(key))
        return None if option is None else option.kind

    def _goes_on(self, kind: Kind[Any], word: Word, position: int) -> bool:
        if position >= len(self._given):
            return False
        following = self._given[position]
        return following.key is None and kind.goes_on(word.raw, following.raw)

    def _option(self, word: Word, key: str) -> NotUnderstood | None:
        option = self._options.get(_tidy(key))
        if option is None:
            return self._free(word, key)
        before = self._values.get(option.field)
        if option.field in self._values and not option.many:
            return self._problem(f"{option.name}= is there twice; give it once.")
        problem = self._keep(option.field, f"{option.name}=", option.kind, word)
        if problem is None and option.many:
            self._values[option.field] = (*(before or ()), self._values[option.field])
        return problem

    def _free(self, word: Word, key: str) -> NotUnderstood | None:
        for free in self._spec.free:
            name = key.removeprefix(free.prefix)
            if (free.prefix and name == key) or not name:
                continue
            if free.needs is not None and not self._given_option(self._options[free.needs]):
                continue
            known = self._values.get(free.field, ())
            if name in dict(known):
                return self._problem(f"{key}= is there twice; give it once.")
            self._values[free.field] = (*known, (name, word.text))
            return None
        return self._unknown_option(key)

    def _given_option(self, option: Option) -> bool:
        return any(word.key is not None and _tidy(word.key) == option.name for word in self._given)

    def _unknown_option(self, key: str) -> NotUnderstood:
        name, key = self._spec.name, names.echoed(key)
        meant = closest(_tidy(key), self._options)
        if meant is not None:
            return self._problem(f'"{name}" has no option {key}=; did you mean {meant}=?')
        if self._options:
            known = "its options are " + ", ".join(f"{each}=" for each in self._options)
        else:
            known = "it has no options"
        return self._problem(
            f'"{name}" has no option {key}=; {known} (a word with = in it goes in quotes).'
        )

    def _flag(self, word: Word) -> bool:
        for flag in self._spec.flags:
            if _keyword(word) == flag.word and flag.field not in self._values:
                self._values[flag.field] = True
                return True
        return False

    def _place(self, placed: list[Word]) -> NotUnderstood | None:
        arguments = self._spec.arguments
        for index, argument in enumerate(arguments):
            later = sum(each.required for each in arguments[index + 1 :])
            if not placed:
                break
            word = placed.pop(0)
            while placed and (
                argument.rest
                or (len(placed) > later and argument.kind.goes_on(word.raw, placed[0].raw))
            ):
                word = _joined(word, placed.pop(0))
            problem = self._keep(argument.field, argument.label, argument.kind, word)
            if problem is not None:
                return problem
        return self._too_many(placed) if placed else None

    def _keep(self, field: str, label: str, kind: Kind[Any], word: Word) -> NotUnderstood | None:
        value = kind.read(word.raw if kind.raw else word.text)
        if isinstance(value, Wrong):
            if value.because:
                return self._problem(f"{_subject(label)} will not do: {value.because}")
            shown = echoed(word.text)
            written = f", not {shown}" if word.text else ", and nothing is there"
            return self._problem(f"{_subject(label)} must be {value.must_be}{written}.")
        self._values[field] = value
        return None

    def _too_many(self, left: list[Word]) -> NotUnderstood:
        first = next((each for each in self._spec.arguments), None)
        extra = echoed(left[0].text)
        if first is None:
            return self._problem(
                f'"{self._spec.name}" takes no such word as {extra}; leave it out.'
            )
        return self._problem(
            f"{extra} is one word too many; a {first.label} of several words goes in quotes."
        )

    def _missing(self) -> NotUnderstood | None:
        spec = self._spec
        for argument in spec.arguments:
            if argument.required and argument.field not in self._values:
                return self._problem(_absent(spec, argument))
        for option in spec.options:
            if option.required and option.field not in self._values:
                return self._problem(f'"{spec.name}" needs {option.name}=<{option.kind.shape}>.')
        if spec.one_of:
            there = [name for name in spec.one_of if self._options[name].field in self._values]
            if len(there) != 1:
                listed = ", ".join(f"{name}=" for name in spec.one_of)
                return self._problem(f'"{spec.name}" takes exactly one of {listed}.')
        for option in spec.options:
            needed = None if option.needs is None else self._options[option.needs]
            if needed and option.field in self._values and needed.field not in self._values:
                return self._problem(f"{option.name}= goes only with {needed.name}=.")
        return None

    def _problem(self, sentence: str) -> NotUnderstood:
        return NotUnderstood(sentence=sentence, example=self._spec.example, topic=self._spec.path)


def _absent(spec: Spec, argument: Argument) -> str:
    wanted = " ".join(f"<{each.label}>" for each in spec.arguments if each.required)
    return f'The {argument.label} is missing: write "/drip {spec.name} {wanted}".'


def _subject(label: str) -> str:
    return label if label.endswith("=") else f"The {label}"


def _joined(word: Word, following: Word) -> Word:
    # An "=" in what follows is text again once it has been taken as the rest.
    return Word(
        key=word.key,
        text=f"{word.text} {following.text}",
        raw=f"{word.raw} {following.raw}",
        quoted=False,
    )


def _whole(word: Word) -> Word:
    """Return ``name=value`` as a word without a key."""
    return Word(
        key=None, text=f"{word.key}={word.text}", raw=f"{word.key}={word.raw}", quoted=False
    )


def _keyword(word: Word) -> str | None:
    """Return the word in lower case where it can be one of ours; None when quoted or an option."""
    return None if word.quoted or word.key is not None else word.text.lower()


def _tidy(key: str) -> str:
    return key.lower().replace("-", "_")

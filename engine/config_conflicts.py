"""What only shows when parts of a configuration are compared: things that stand in it twice.

It looks at the file as it was written, in which anything may have any shape, so that these problems
are told together with those of single values.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from engine.config_problems import Location, Problem, path_of
from engine.keywords import Keywords, UselessKeyword


def conflicts(written: Mapping[str, object]) -> Iterator[Problem]:
    organizations: dict[Location, Mapping[str, object]] = {
        ("organizations", name): _section(each)
        for name, each in _section(written.get("organizations")).items()
    }
    yield from _shared(
        organizations,
        ("slack", "team_id"),
        hint="Each organization has a workspace of its own, since a request names only that.",
    )
    for name in ("id", "phone"):
        yield from _shared(
            organizations,
            ("whatsapp", "numbers", name),
            hint="A number stands once in the file, since a webhook names only that.",
        )
    server = _section(written.get("server"))
    if "listen_url" in server and "database_url" not in server:
        yield Problem(
            path=path_of(("server", "listen_url")),
            message="stands there without server.database_url",
            hint="It is the way past the pooler that database_url names; without one, remove it.",
        )
    for location, organization in organizations.items():
        yield from _useless(location, _section(organization.get("keywords")))


def _shared(
    organizations: Mapping[Location, Mapping[str, object]], where: tuple[str, ...], *, hint: str
) -> Iterator[Problem]:
    """Return each repetition of a text at *where*, beginning with the second of its kind."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for organization, section in organizations.items():
        for location, value in _values(section, where):
            if isinstance(value, str):
                found[value.strip()].append((*organization, *location))
    for first, *repeated in found.values():
        for location in repeated:
            yield Problem(
                path=path_of(location), message=f"is that of {path_of(first)} too", hint=hint
            )


def _values(
    section: Mapping[str, object], where: tuple[str, ...]
) -> Iterator[tuple[Location, object]]:
    """Return every value at *where*, which may lead through lists, and its location."""
    name, *rest = where
    value = section.get(name)
    if not rest:
        yield (name,), value
        return
    several = isinstance(value, list)
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        here = (name, index) if several else (name,)
        for below, found in _values(_section(each), tuple(rest)):
            yield (*here, *below), found


def _useless(organization: Location, lists: Mapping[str, object]) -> Iterator[Problem]:
    """Return the words that no message could match, or that say both things."""
    stop = _words(lists.get("stop"))
    usable = []
    for index, word in stop:
        try:
            Keywords(stop=[word])
        except UselessKeyword as error:
            yield _refused((*organization, "keywords", "stop", index), error)
        else:
            usable.append(word)
    for index, word in _words(lists.get("start")):
        try:
            Keywords(stop=usable, start=[word])
        except UselessKeyword as error:
            yield _refused((*organization, "keywords", "start", index), error)


def _refused(location: Location, error: UselessKeyword) -> Problem:
    return Problem(path=path_of(location), message=str(error).rstrip("."), hint="Remove it.")


def _words(value: object) -> list[tuple[int, str]]:
    if not isinstance(value, list):
        return []
    # What is empty is told as such where single values are read.
    return [(at, each) for at, each in enumerate(value) if isinstance(each, str) and each.strip()]


def _section(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

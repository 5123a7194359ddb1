"""Values are accepted for a template if and only if the platform takes the message."""

from collections.abc import Mapping
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from engine.content import MediaKind, with_file_id
from engine.payloads import message_payload
from engine.personalise import clean_parameter
from engine.phone import Phone
from engine.template_items import template
from engine.templates import HEADER, URL, Template, TemplateNotFilled, filled, problems, values_of
from sandbox.whatsapp import templates as platform
from sandbox.whatsapp.errors import GraphRefusal
from tests.examples import MORE

Json = dict[str, Any]
FILES = {"poster": MediaKind.IMAGE, "clip": MediaKind.VIDEO, "menu": MediaKind.DOCUMENT}
LINK = "https://acme.example/a"
NAMES = ("first_name", "code", "season")


@st.composite
def items(draw: st.DrawFn) -> Json:
    """A template of the platform's list: text or file above, up to three variables, buttons."""
    named = draw(st.booleans())
    names = NAMES if named else ("1", "2", "3")
    used = names[: draw(st.integers(0, 3))]
    words = draw(st.sampled_from(("Hello", "x" * 1000)))
    body = words + "".join(f" {{{{{name}}}}}," for name in used)
    components: list[Json] = [{"type": "BODY", "text": body}]
    match draw(st.sampled_from(("none", "plain", "variable", "IMAGE", "VIDEO", "DOCUMENT"))):
        case "none":
            pass
        case "plain":
            components.append({"type": "HEADER", "format": "TEXT", "text": "News"})
        case "variable":
            variable = draw(st.sampled_from(NAMES)) if named else "1"
            text = f"On {{{{{variable}}}}}"
            components.append({"type": "HEADER", "format": "TEXT", "text": text})
        case form:
            components.append({"type": "HEADER", "format": form})
    buttons: list[Json] = draw(
        st.lists(
            st.sampled_from(
                (
                    {"type": "QUICK_REPLY", "text": "Stop"},
                    {"type": "URL", "text": "See", "url": "https://acme.example/{{1}}"},
                    {"type": "URL", "text": "Home", "url": "https://acme.example/"},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+31201234567"},
                )
            ),
            max_size=3,
            unique_by=str,
        )
    )
    if buttons:
        components.append({"type": "BUTTONS", "buttons": buttons})
    return {
        "id": "1",
        "name": "offer",
        "language": "en",
        "category": "MARKETING",
        "status": "APPROVED",
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "components": components,
    }


VALUES = st.one_of(
    st.sampled_from(("Ada", "10%", " ", "", "\u200b", "a\n\tb", "a" + " " * 70 + "b")),
    st.sampled_from((8, 58, 60, 1000, 1024, 1981, 2000)).map(lambda n: "y" * n),
)
FILE_VALUES = st.sampled_from((LINK, *FILES, "1234", "nothing", ""))


@st.composite
def sets(draw: st.DrawFn) -> tuple[Json, dict[str, str]]:
    """A template and values that fit it, but for what was dropped, added or changed."""
    item = draw(items())
    read = template(item)
    values = {option: draw(_of(read, option)) for option in read.expected}
    for option in draw(st.lists(st.sampled_from((*NAMES, "1", "2", "3", HEADER, URL)), max_size=2)):
        if option in values:
            del values[option]
        else:
            values[option] = draw(_of(read, option))
    return item, values


def _of(read: Template, option: str) -> st.SearchStrategy[str]:
    files = option == HEADER and read.header_media is not None
    return FILE_VALUES if files else VALUES


def _sent(read: Template, values: Mapping[str, str]) -> list[Json]:
    """The components of a sender that puts each value where its name says, and judges nothing."""
    header: list[Json] = []
    body: list[Json] = []
    parts: list[Json] = []
    in_header = read.header.parameters if read.header is not None else ()
    ordered = sorted(values, key=lambda name: int(name) if name.isdigit() else 0)
    for option in ordered:
        value = clean_parameter(values[option]) or ""
        # A number says which place it is: one that is not the next has no place to go to.
        placed = not read.named and option == str(len(body) + 1)
        named = {} if placed or (read.named and option.isdigit()) else {"parameter_name": option}
        if option == URL:
            index = read.suffix_index or 0
            text = {"type": "text", "text": value}
            parts.append(
                {"type": "button", "sub_type": "url", "index": index, "parameters": [text]}
            )
            continue
        if option == HEADER and read.header_media is not None:
            header.append(_file(read.header_media, value))
            continue
        if option == HEADER:
            header.append({"type": "text", "text": value})
            continue
        if read.named and option in in_header:
            header.append({"type": "text", "text": value, **named})
            if option not in read.parameters:
                continue
        body.append({"type": "text", "text": value, **named})
    parts += [{"type": "header", "parameters": header}] if header else []
    return parts + ([{"type": "body", "parameters": body}] if body else [])


def _file(wanted: MediaKind, value: str) -> Json:
    kind = FILES.get(value, wanted).value
    if value.startswith("https://"):
        return {"type": kind, kind: {"link": value}}
    return {"type": kind, kind: {"id": value} if value in FILES or value.isdigit() else {}}


def _takes(item: Json, components: object) -> bool:
    kept = {key: item[key] for key in ("id", "name", "language", "category", "status")}
    there = platform.Template(
        **kept,
        parameter_format=item["parameter_format"],
        components=tuple(item["components"]),
    )
    try:
        there.filled(components)
    except GraphRefusal:
        return False
    return True


@MORE
@given(sets())
def test_values_are_accepted_if_and_only_if_they_fit(pair: tuple[Json, dict[str, str]]) -> None:
    item, values = pair
    read = template(item)
    accepted = not problems(read, values, FILES)
    event("accepted" if accepted else "refused")

    assert accepted == _takes(item, _sent(read, values)), problems(read, values, FILES)


@given(sets())
def test_what_is_accepted_is_sent_as_the_platform_takes_it(
    pair: tuple[Json, dict[str, str]],
) -> None:
    item, values = pair
    read = template(item)
    try:
        message = filled(read, values, FILES)
    except TemplateNotFilled:
        return

    given_back = {option: value for option, value in values.items() if option != HEADER}
    assert {o: v for o, v in values_of(message).items() if o != HEADER} == given_back
    payload: Json = message_payload(
        to=Phone("+31610000001"),
        bsuid=None,
        content=with_file_id(message, "17"),
        callback_data="d:1:1",
    )
    assert _takes(item, payload["template"].get("components"))

"""Each token becomes the contact's value or its fallback, and none is left."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.content import HeaderText, TemplateMessage, Text, UrlSuffix
from engine.payloads import Unsendable, message_payload
from engine.personalise import Missing, clean_parameter
from engine.phone import Phone
from engine.rendering import Rendering, values_of

NAMES = ("first_name", "company", "city", "last_order")
WORDS = st.text(st.characters(exclude_characters="{}\\|"), max_size=12)
VALUES = st.one_of(
    st.sampled_from(
        ("Ada", "Ada\nLovelace", "a" + " " * 9 + "b", "\t", "", "{first_name}", "{{1}}")
    ),
    st.text(max_size=12),
)
Piece = tuple[str, str | None] | str
pieces = st.lists(
    st.one_of(WORDS, st.tuples(st.sampled_from(NAMES), st.none() | WORDS)), min_size=1, max_size=5
)
contacts = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES))


def _written(parts: list[Piece]) -> str:
    return "".join(
        part
        if isinstance(part, str)
        else f"{{{part[0]}}}"
        if part[1] is None
        else f"{{{part[0]}|{part[1]}}}"
        for part in parts
    )


def _known(contact: Mapping[str, str]) -> dict[str, str]:
    return values_of(
        name=None,
        email=None,
        phone=None,
        attributes={name: contact[name] for name in ("city", "last_order") if name in contact},
        first_name=contact.get("first_name"),
        company=contact.get("company"),
    )


def _expected(parts: list[Piece], contact: Mapping[str, str]) -> str | None:
    """What is read; None: a value is missing."""
    read: list[str] = []
    for part in parts:
        if isinstance(part, str):
            read.append(part)
            continue
        name, fallback = part
        value = contact.get(name, "")
        if value.strip():
            read.append(value)
        elif fallback is None:
            return None
        else:
            read.append(fallback)
    return "".join(read)


@given(pieces, contacts)
def test_a_text_reads_as_written_with_every_token_filled(
    parts: list[Piece], contact: dict[str, str]
) -> None:
    filled = Rendering.of(Text(body=_written(parts))).filled(_known(contact))

    expected = _expected(parts, contact)
    if expected is None:
        assert isinstance(filled, Missing)
        lacking = {p[0] for p in parts if not isinstance(p, str) and p[1] is None}
        assert set(filled.names) == {n for n in lacking if not contact.get(n, "").strip()}
    else:
        assert filled == Text(body=expected)


@given(pieces, pieces, pieces, contacts)
def test_a_templates_values_leave_filled_and_clean(
    body: list[Piece], header: list[Piece], suffix: list[Piece], contact: dict[str, str]
) -> None:
    message = TemplateMessage(
        name="x",
        language="en",
        parameters=(("1", _written(body)),),
        header=HeaderText(name=None, value=_written(header)),
        url_suffix=UrlSuffix(index=0, value=_written(suffix)),
    )

    filled = Rendering.of(message).filled(_known(contact))

    expected = [_expected(parts, contact) for parts in (header, body, suffix)]
    assert isinstance(filled, Missing) == (None in expected)
    if isinstance(filled, Missing):
        return
    cleaned = [clean_parameter(each or "") for each in expected]
    try:
        payload: Any = message_payload(
            to=Phone("+31610000001"), bsuid=None, content=filled, callback_data=""
        )
    except Unsendable:
        assert None in cleaned or any(len(each or "") > 60 for each in cleaned)
        return
    sent = [part["parameters"][0]["text"] for part in payload["template"]["components"]]
    assert sent == cleaned
    assert not any(re.search(r"[\n\r\t]| {5,}", each) for each in sent)

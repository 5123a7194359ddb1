"""What a message says, kept as JSON and filled with values."""

import json

import pytest

from engine.content import (
    Content,
    HeaderText,
    Media,
    MediaKind,
    MediaRef,
    QuickReply,
    TemplateMessage,
    Text,
    UnreadableContent,
    UrlSuffix,
    from_json,
    mapped,
    strings,
    to_json,
)

CONTENTS = [
    pytest.param(Text(body="Hi {first_name|there}"), id="text"),
    pytest.param(
        Media(kind=MediaKind.IMAGE, ref=MediaRef(link="https://a.example/{sku}.png")), id="link"
    ),
    pytest.param(
        Media(kind=MediaKind.DOCUMENT, ref=MediaRef(id="1"), caption="c", filename="a.pdf"),
        id="document",
    ),
    pytest.param(TemplateMessage(name="welcome", language="en"), id="bare template"),
    pytest.param(
        TemplateMessage(
            name="offer",
            language="en_US",
            parameters=(("1", "{first_name|there}"), ("2", "10%")),
            header=Media(kind=MediaKind.VIDEO, ref=MediaRef(id="1")),
            url_suffix=UrlSuffix(index=1, value="{code}"),
            quick_replies=(QuickReply(index=0, payload="STOP:{phone}"),),
        ),
        id="full template",
    ),
    pytest.param(
        TemplateMessage(name="o", language="en", header=HeaderText(name="season", value="{s}")),
        id="named header",
    ),
    pytest.param(
        TemplateMessage(name="o", language="en", header=HeaderText(name=None, value="x")),
        id="numbered header",
    ),
]


@pytest.mark.parametrize("content", CONTENTS)
def test_content_survives_its_way_through_json(content: Content) -> None:
    assert from_json(json.loads(json.dumps(to_json(content)))) == content


@pytest.mark.parametrize("content", CONTENTS)
def test_every_text_is_changed_and_nothing_else(content: Content) -> None:
    marked = mapped(content, lambda text: f"<{text}>")

    assert list(strings(marked)) == [f"<{text}>" for text in strings(content)]
    assert mapped(marked, lambda text: text[1:-1]) == content


def test_tokens_may_stand_in_every_text() -> None:
    full = from_json(to_json(CONTENTS[4].values[0]))  # type: ignore[arg-type]

    assert list(strings(full)) == ["{first_name|there}", "10%", "{code}", "STOP:{phone}"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"type": "hologram"},
        {"type": "text"},
        {"type": "text", "body": 7},
        {"type": "media", "kind": "image"},
        {"type": "media", "kind": "image", "id": "1", "link": "https://a.example"},
        {"type": "media", "kind": "hologram", "id": "1"},
        {"type": "template", "name": "x"},
        {"type": "template", "name": "x", "language": "en", "parameters": [["1"]]},
        {"type": "template", "name": "x", "language": "en", "url": {"index": "1", "value": ""}},
    ],
    ids=str,
)
def test_json_that_is_no_content_is_refused(value: object) -> None:
    with pytest.raises(UnreadableContent):
        from_json(value)


def test_a_file_is_an_id_or_a_link() -> None:
    with pytest.raises(ValueError, match="an id, a link or a name"):
        MediaRef()

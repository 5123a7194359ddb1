"""What is posted for a message, and what is refused before it is."""

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
    UrlSuffix,
)
from engine.payloads import Payload, Unsendable, message_payload
from engine.phone import Phone

ANNA = Phone("+31610000001")


def posted(content: Content) -> Payload:
    return message_payload(to=ANNA, bsuid=None, content=content, callback_data="d:7:1")


def template(**more: object) -> Payload:
    message = TemplateMessage(name="offer", language="en_US", **more)  # type: ignore[arg-type]
    body = posted(message)["template"]
    assert isinstance(body, dict)
    return body


def test_a_text_is_addressed_with_a_plus_and_carries_our_mark() -> None:
    assert posted(Text(body="Hi\nthere")) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+31610000001",
        "type": "text",
        "text": {"body": "Hi\nthere"},
        "biz_opaque_callback_data": "d:7:1",
    }


def test_a_link_in_a_text_is_previewed() -> None:
    text = posted(Text(body="See https://acme.example"))["text"]

    assert text == {"body": "See https://acme.example", "preview_url": True}


def test_without_a_phone_the_user_id_is_addressed() -> None:
    payload = message_payload(to=None, bsuid="NL.1", content=Text(body="Hi"), callback_data="d:7:1")

    assert payload["recipient"] == "NL.1"
    assert "to" not in payload


def test_the_phone_wins_over_the_user_id() -> None:
    payload = message_payload(to=ANNA, bsuid="NL.1", content=Text(body="Hi"), callback_data="d:7:1")

    assert payload["to"] == ANNA
    assert "recipient" not in payload


def test_a_template_without_values_has_no_components() -> None:
    assert template() == {"name": "offer", "language": {"code": "en_US"}}


def test_numbered_values_are_given_in_order() -> None:
    assert template(parameters=(("1", "Anna"), ("2", "10%")))["components"] == [
        {
            "type": "body",
            "parameters": [{"type": "text", "text": "Anna"}, {"type": "text", "text": "10%"}],
        }
    ]


def test_named_values_are_given_by_name() -> None:
    assert template(parameters=(("first_name", "Anna"),))["components"] == [
        {
            "type": "body",
            "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Anna"}],
        }
    ]


@pytest.mark.parametrize(
    ("header", "parameter"),
    [
        pytest.param(
            Media(kind=MediaKind.IMAGE, ref=MediaRef(link="https://acme.example/a.png")),
            {"type": "image", "image": {"link": "https://acme.example/a.png"}},
            id="image by link",
        ),
        pytest.param(
            Media(kind=MediaKind.DOCUMENT, ref=MediaRef(id="17"), filename="a.pdf"),
            {"type": "document", "document": {"id": "17", "filename": "a.pdf"}},
            id="document by id",
        ),
        pytest.param(
            HeaderText(name=None, value="Spring"), {"type": "text", "text": "Spring"}, id="text"
        ),
        pytest.param(
            HeaderText(name="season", value="Spring"),
            {"type": "text", "parameter_name": "season", "text": "Spring"},
            id="named text",
        ),
    ],
)
def test_a_header_is_filled(header: Media | HeaderText, parameter: Payload) -> None:
    assert template(header=header)["components"] == [{"type": "header", "parameters": [parameter]}]


def test_buttons_are_filled_by_their_place() -> None:
    components = template(
        quick_replies=(QuickReply(index=0, payload="STOP:7"),),
        url_suffix=UrlSuffix(index=1, value="welcome"),
    )["components"]

    assert components == [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "STOP:7"}],
        },
        {
            "type": "button",
            "sub_type": "url",
            "index": "1",
            "parameters": [{"type": "text", "text": "welcome"}],
        },
    ]


@pytest.mark.parametrize(
    ("media", "body"),
    [
        pytest.param(
            Media(kind=MediaKind.IMAGE, ref=MediaRef(id="17"), caption="New"),
            {"id": "17", "caption": "New"},
            id="image",
        ),
        pytest.param(
            Media(kind=MediaKind.AUDIO, ref=MediaRef(link="https://acme.example/a.ogg")),
            {"link": "https://acme.example/a.ogg"},
            id="audio",
        ),
        pytest.param(
            Media(kind=MediaKind.VIDEO, ref=MediaRef(id="17"), filename="a.mp4"),
            {"id": "17"},
            id="video has no name",
        ),
    ],
)
def test_a_file_is_sent_as_its_kind(media: Media, body: Payload) -> None:
    payload = posted(media)

    assert (payload["type"], payload[media.kind.value]) == (media.kind.value, body)


def test_values_are_cleaned_of_what_whatsapp_refuses() -> None:
    message = TemplateMessage(name="x", language="en", parameters=(("1", " An\r\n\tna      B "),))

    template = message_payload(
        to=Phone("+31612345678"), bsuid=None, content=message, callback_data=""
    )["template"]

    assert isinstance(template, dict)
    assert template["components"][0]["parameters"] == [{"type": "text", "text": "An na B"}]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(Text(body=" \n"), id="empty text"),
        pytest.param(Text(body="x" * 4097), id="long text"),
        pytest.param(
            TemplateMessage(name="t", language="en", parameters=(("1", " \n"),)), id="empty value"
        ),
        pytest.param(
            TemplateMessage(name="t", language="en", parameters=(("1", "x" * 1025),)),
            id="long value",
        ),
        pytest.param(
            TemplateMessage(name="t", language="en", header=HeaderText(name=None, value="x" * 61)),
            id="long header",
        ),
        pytest.param(
            TemplateMessage(name="t", language="en", url_suffix=UrlSuffix(index=0, value="")),
            id="empty suffix",
        ),
        pytest.param(
            Media(kind=MediaKind.IMAGE, ref=MediaRef(id="1"), caption="x" * 1025),
            id="long caption",
        ),
        pytest.param(
            Media(kind=MediaKind.AUDIO, ref=MediaRef(id="1"), caption="x"), id="caption of audio"
        ),
    ],
)
def test_what_whatsapp_would_refuse_is_not_built(content: Content) -> None:
    with pytest.raises(Unsendable):
        posted(content)


def test_a_message_to_nobody_is_not_built() -> None:
    with pytest.raises(Unsendable, match="neither"):
        message_payload(to=None, bsuid=None, content=Text(body="Hi"), callback_data="d:7:1")


def test_a_text_of_the_longest_length_is_built() -> None:
    assert posted(Text(body="x" * 4096))["text"] == {"body": "x" * 4096}

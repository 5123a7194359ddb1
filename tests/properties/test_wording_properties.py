"""What is worded once for many contacts is what each of them would have been sent by itself."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from engine.content import Content, Media, MediaKind, MediaRef, TemplateMessage, Text, with_file_id
from engine.payloads import Unsendable, message_payload
from engine.personalise import Missing
from engine.phone import Phone
from engine.rendering import Rendering
from worker.claimed import body
from worker.wording import Phrases

CONTENTS: tuple[Content, ...] = (
    Text(body="Hello {first_name}, of {city|somewhere}"),
    TemplateMessage(name="welcome", language="nl", parameters=(("1", "{first_name|you}"),)),
    TemplateMessage(
        name="sale",
        language="en",
        parameters=(("1", "{first_name} & {city}"),),
        header=Media(kind=MediaKind.IMAGE, ref=MediaRef(name="poster")),
    ),
    Media(
        kind=MediaKind.DOCUMENT,
        ref=MediaRef(name="poster"),
        caption="For {first_name}",
        filename="{city|x}.pdf",
    ),
)
VALUES = st.dictionaries(
    st.sampled_from(("first_name", "city", "phone")),
    st.sampled_from(("Ada", "Utrecht", ' "\\ ', "Zoë\n\t", "😀", "x" * 2_000, "")),
)


@given(
    content=st.sampled_from(CONTENTS),
    people=st.lists(st.tuples(VALUES, st.sampled_from(("1", "2"))), min_size=1, max_size=6),
    phone=st.sampled_from((Phone("+31610000001"), None)),
)
def test_a_call_is_worded_as_if_it_were_the_only_one(
    content: Content, people: list[tuple[dict[str, str], str]], phone: Phone | None
) -> None:
    phrases = Phrases(Rendering.of(content))

    for values, file_id in people:
        filled = Rendering.of(content).filled(values)
        phrase = phrases.to(values)

        if isinstance(filled, Missing) or isinstance(phrase, Missing):
            assert phrase == filled
            continue
        sent = filled if phrase.file is None else with_file_id(filled, file_id)
        alone: object
        try:
            alone = message_payload(to=phone, bsuid="NL.1", content=sent, callback_data="d:7:1")
        except Unsendable as unsendable:
            alone = unsendable.reason
        together: object
        try:
            worded = phrase.worded(None if phrase.file is None else file_id)
            together = orjson.loads(
                body(to=phone, bsuid="NL.1", wording=worded, callback_data="d:7:1")
            )
        except Unsendable as unsendable:
            together = unsendable.reason
        assert together == alone

"""However a webhook is damaged, reading it never fails, and one piece never costs another."""

import copy
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.whatsapp.updates import MalformedBody, parse
from engine.updates import StatusReport, Unknown

PAYLOADS = sorted((Path(__file__).parents[1] / "payloads").glob("*.json"))
BODIES = [orjson.loads(path.read_bytes()) for path in PAYLOADS]
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["messages", "-1", "9" * 40, "²", "٣", "d:99999999999999999999:1", "+"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "wa_id", "error_data"]), inner)
    ),
    max_leaves=5,
)


def places(value: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Return the path of every piece inside."""
    match value:
        case dict():
            inner = value.items()
        case list():
            inner = dict(enumerate(value)).items()
        case _:
            return [here] if here else []
    return ([here] if here else []) + [
        place for key, piece in inner for place in places(piece, (*here, key))
    ]


def changed(body: object, place: tuple[object, ...], piece: object) -> object:
    damaged = copy.deepcopy(body)
    inside = damaged
    for key in place[:-1]:
        inside = inside[key]  # type: ignore[index] # a path of this very body
    inside[place[-1]] = piece  # type: ignore[index] # as above
    return damaged


@given(st.data())
def test_a_damaged_body_is_still_read(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(BODIES))
    for _ in range(data.draw(st.integers(1, 3))):
        body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(junk))

    assert isinstance(parse(orjson.dumps(body)).updates, tuple)


@given(st.binary() | junk.map(orjson.dumps))
def test_anything_else_is_read_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except MalformedBody:
        assert not isinstance(_loaded(body), dict)


def _loaded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


@given(piece=junk)
def test_an_odd_status_leaves_the_others_alone(piece: object) -> None:
    good = {"id": "wamid.GOOD", "status": "read", "timestamp": "1760000000"}
    body = {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "1",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "metadata": {"phone_number_id": "2"},
                            "statuses": [good, piece, good],
                        },
                    }
                ],
            }
        ],
    }

    first, odd, last = parse(orjson.dumps(body)).updates

    assert isinstance(first, StatusReport)
    assert isinstance(odd, StatusReport | Unknown)
    assert first == last


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_every_kind_of_body_says_something(path: Path) -> None:
    assert parse(path.read_bytes()).updates

import pytest

from engine import who
from engine.phone import Phone
from engine.who import Everybody, InCampaign, InSegment, InvalidWho, Number, OnList, Part, Tagged

ADA = Number(Phone("+31612345678"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("+31612345678", [ADA], id="phone"),
        pytest.param("06 12 34 56 78", [ADA], id="phone of the country"),
        pytest.param("(+31) 6-12345678", [ADA], id="phone with brackets"),
        pytest.param("phone:0612345678", [ADA], id="phone that says so"),
        pytest.param("tag:VIP", [Tagged("vip")], id="tag"),
        pytest.param("tag:very important", [Tagged("very important")], id="spaces"),
        pytest.param('tag:"very important"', [Tagged("very important")], id="quotes"),
        pytest.param('"tag:very important"', [Tagged("very important")], id="quotes around all"),
        pytest.param("list:Beta", [OnList("Beta")], id="list"),
        pytest.param("segment:hot", [InSegment("hot")], id="segment"),
        pytest.param("campaign:Welcome", [InCampaign("Welcome")], id="campaign"),
        pytest.param('campaign:"A, \\"B\\""', [InCampaign('A, "B"')], id="comma and quotes inside"),
        pytest.param("campaign:A:B", [InCampaign("A:B")], id="colon inside"),
        pytest.param("Tag : vip", [Tagged("vip")], id="loose"),
        pytest.param("ALL", [Everybody()], id="all"),
        pytest.param("tag:a, tag:b ,+31612345678", [Tagged("a"), Tagged("b"), ADA], id="several"),
        pytest.param("tag:a,tag:A", [Tagged("a")], id="the same twice"),
        pytest.param("tag:a,all", [Everybody()], id="all takes in the others"),
    ],
)
def test_parse(text: str, parts: list[Part]) -> None:
    assert list(who.parse(text, country="NL").parts) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "Somebody is missing", id="empty"),
        pytest.param("tag:a,", "Somebody is missing", id="nobody after the comma"),
        pytest.param("Ada", "says not what it is: write a phone, tag:<tag>", id="a bare name"),
        pytest.param("tga:vip", "Did you mean tag:?", id="a slip"),
        pytest.param("xyz:vip", "xyz: is not known. Write a phone", id="no kind"),
        pytest.param("tag:", "What follows tag: cannot be", id="no tag"),
        pytest.param(f"campaign:{'x' * 81}", "at most 80 characters", id="too long"),
        pytest.param(
            "+316",
            "'+316' is no phone. It is too short. Write it with + and the country code,"
            " like +31612345678.",
            id="a bad phone",
        ),
        pytest.param('tag:"a', "not closed", id="an open quote"),
    ],
)
def test_what_is_nobody_says_what_is_expected(text: str, reason: str) -> None:
    with pytest.raises(InvalidWho) as refused:
        who.parse(text, country="NL")

    assert reason in str(refused.value)


def test_a_national_number_needs_a_country() -> None:
    with pytest.raises(InvalidWho, match="no country code"):
        who.parse("0612345678", country=None)


def test_it_is_written_as_it_is_read() -> None:
    read = who.parse('0612345678, tag:VIP, campaign:"Spring, Summer"', country="NL")

    assert str(read) == '+31612345678,tag:vip,campaign:"Spring, Summer"'

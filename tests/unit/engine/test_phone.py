# ruff: noqa: RUF001 — digits of many scripts are the subject

from zoneinfo import ZoneInfo

import pytest

from engine import phone
from engine.country_zones import COUNTRY_ZONES
from engine.phone import InvalidPhone, Phone


@pytest.mark.parametrize(
    ("written", "country"),
    [
        pytest.param("+31612345678", None, id="E.164"),
        pytest.param("0031612345678", None, id="00 for +"),
        pytest.param("00 31 6 12345678", "US", id="00 for + where it is not the exit code"),
        pytest.param("0612345678", "NL", id="national"),
        pytest.param("31612345678", "NL", id="country code without +"),
        pytest.param("  (+31) 6.1234/56-78 ", None, id="brackets, dots, slash, dash"),
        pytest.param("+31 (0)6 12345678", None, id="trunk zero in brackets"),
        pytest.param("+31\N{NO-BREAK SPACE}6\N{NON-BREAKING HYPHEN}12345678", None, id="typeset"),
        pytest.param("+31\N{MINUS SIGN}6\N{EN DASH}12345678", None, id="dashes of word processors"),
        pytest.param("\u202a+31 6 1234\u200b5678\u202c", None, id="invisible characters"),
        pytest.param("\ufeff+31612345678\t\r\n", None, id="byte order mark and line end"),
        pytest.param("＋３１６１２３４５６７８", None, id="full-width"),
        pytest.param("٠٠٣١٦١٢٣٤٥٦٧٨", None, id="Arabic-Indic"),
        pytest.param("+۳۱۶۱۲۳۴۵۶۷۸", None, id="Persian"),
        pytest.param("+३१६१२३४५६७८", None, id="Devanagari"),
        pytest.param("'+31612345678", None, id="spreadsheet's apostrophe"),
        pytest.param("31612345678.0", "NL", id="spreadsheet's decimal"),
        pytest.param("tel:+31-6-12345678", None, id="tel link"),
        pytest.param("whatsapp:+31612345678", None, id="other products' prefix"),
    ],
)
def test_one_number_however_it_is_written(written: str, country: str | None) -> None:
    assert phone.parse(written, country=country) == "+31612345678"


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        pytest.param("", "NL", "empty", id="empty"),
        pytest.param(" \u200b ", "NL", "empty", id="only invisible"),
        pytest.param("hello", "NL", "not a phone number", id="a word"),
        pytest.param("1-800-FLOWERS", "US", "not a phone number", id="letters for digits"),
        pytest.param("+31 6 12345678 ext 5", None, "not a phone number", id="extension"),
        pytest.param("+31612345678 +31687654321", None, "not a phone number", id="two numbers"),
        pytest.param("++31612345678", None, "not a phone number", id="two plus signs"),
        pytest.param("+", None, "not a phone number", id="only a plus"),
        pytest.param("²³", "NL", "not a phone number", id="superscripts"),
        pytest.param("0612345678", None, "no country code", id="national without a country"),
        pytest.param("3.16123E+10", "NL", "spreadsheet", id="scientific notation"),
        pytest.param("3,16123E+10", "NL", "spreadsheet", id="scientific with a comma"),
        pytest.param("+999 1234567", None, "country code does not exist", id="no such country"),
        pytest.param("+316", None, "too short", id="short"),
        pytest.param("+31612345678901", None, "too long", id="long"),
        pytest.param("9" * 400, "NL", "too long", id="far too long"),
        pytest.param("x" * 100_000, "NL", "too long", id="a book"),
        pytest.param("4915112345678", "NL", "no number of this country", id="foreign without +"),
        pytest.param("+31600000000", None, "No phone", id="never assigned"),
    ],
)
def test_what_is_no_number_is_refused_with_a_reason(
    written: str, country: str | None, reason: str
) -> None:
    with pytest.raises(InvalidPhone) as refused:
        phone.parse(written, country=country)

    assert reason in refused.value.reason


@pytest.mark.parametrize("written", ["+15550001111", "+1 555 000-1111", "0015550001111"])
def test_our_own_numbers_need_only_the_form(written: str) -> None:
    assert phone.own(written) == "+15550001111"


@pytest.mark.parametrize("written", ["15550001111", "+05550001111", "+123456", "+1234567890123456"])
def test_what_has_not_the_form_is_not_our_own(written: str) -> None:
    with pytest.raises(InvalidPhone, match="7 to 15 digits"):
        phone.own(written)


@pytest.mark.parametrize(
    ("number", "country", "zone"),
    [
        pytest.param("+31612345678", "NL", "Europe/Amsterdam", id="one zone"),
        pytest.param("+4915112345678", "DE", "Europe/Berlin", id="two zones that agree"),
        pytest.param("+447400123456", "GB", "Europe/London", id="shares its code with islands"),
        pytest.param("+18682911234", "TT", "America/Port_of_Spain", id="part of +1"),
        pytest.param("+12125550123", "US", None, id="several zones"),
        pytest.param("+34612345678", "ES", None, id="the Canaries differ"),
        pytest.param("+80012345678", None, None, id="no country"),
        pytest.param("+15550001111", None, None, id="unknown to the library"),
        pytest.param("+99912345678", None, None, id="unknown country code"),
    ],
)
def test_country_and_zone(number: str, country: str | None, zone: str | None) -> None:
    assert phone.country_of(Phone(number)) == country
    assert phone.zone_of(Phone(number)) == zone


def test_every_zone_of_a_country_exists() -> None:
    assert [ZoneInfo(zone).key for zone in COUNTRY_ZONES.values()] == list(COUNTRY_ZONES.values())


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        pytest.param("+31612345678", "+31…678", id="a phone"),
        pytest.param("+1234567", "+12…567", id="the shortest"),
        pytest.param("1234567", "…", id="too short to show any of it"),
        pytest.param("", "…", id="empty"),
    ],
)
def test_masking_shows_six_characters_at_most(number: str, shown: str) -> None:
    assert phone.masked(number) == shown

"""Who is of a banned country, told from the number alone."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from engine.countries import Banned, NoSuchCountry, begins_name, country, name_of
from engine.country_names import COUNTRY_NAMES
from engine.phone import Phone, country_of

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
PHONES = [
    Phone(phonenumbers.format_number(mobile, PhoneNumberFormat.E164))
    for region in REGIONS
    if (mobile := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]


@given(st.sampled_from(PHONES), st.lists(st.sampled_from(REGIONS), max_size=4))
def test_it_is_exactly_whose_number_is_of_the_country(phone: Phone, banned: list[str]) -> None:
    own = country_of(phone)

    assert Banned.of(banned).reaches(phone) is (own in banned)
    assert own is None or Banned.of([*banned, own]).reaches(phone)


def test_neighbours_of_one_calling_code_are_told_apart() -> None:
    banned = Banned.of(["US"])

    assert banned.reaches(Phone("+12125550123"))
    assert not banned.reaches(Phone("+14165550123"))  # Toronto


@given(st.sampled_from(sorted(COUNTRY_NAMES)), st.sampled_from((str, str.lower, str.upper)))
def test_a_country_is_found_by_its_letters_and_its_name(code: str, written: type[str]) -> None:
    assert country(written(code)) == code
    assert country(f" {written(name_of(code))} ") == code
    assert begins_name(name_of(code).split(" ")[0])


def test_every_phone_that_has_a_country_has_a_name_for_it() -> None:
    assert set(REGIONS) == set(COUNTRY_NAMES)
    assert len(set(COUNTRY_NAMES.values())) == len(COUNTRY_NAMES)


@given(st.text(max_size=20))
def test_any_other_text_is_no_country(text: str) -> None:
    try:
        assert country(text) in COUNTRY_NAMES
    except NoSuchCountry:
        return


@pytest.mark.parametrize("text", ["", "ZZ", "Atlantis", "+55"])
def test_nonsense_is_none(text: str) -> None:
    with pytest.raises(NoSuchCountry):
        country(text)

# ruff: noqa: RUF001 — digits of many scripts are the subject

import phonenumbers
from hypothesis import assume, example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from engine import phone
from engine.identity import Identity, IdentityKind, alike
from engine.phone import InvalidPhone, Phone

EXAMPLES = [
    mobile
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (mobile := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９"]
NOISE = st.text(" -.()\u200b\u200e\u202a\ufeff\u2011\u00a0", max_size=2)


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@given(st.sampled_from(EXAMPLES), st.sampled_from(SCRIPTS), st.sampled_from(["+", "00"]), st.data())
def test_noise_and_script_never_change_a_number(
    number: phonenumbers.PhoneNumber, script: str, prefix: str, data: st.DataObject
) -> None:
    written = prefix + e164(number)[1:].translate(str.maketrans("0123456789", script))

    noisy = "".join(data.draw(NOISE) + character for character in written)

    assert phone.parse(noisy, country=None) == e164(number)


@given(st.sampled_from(EXAMPLES))
def test_the_national_form_is_the_same_number_in_its_country(
    number: phonenumbers.PhoneNumber,
) -> None:
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)

    country = phonenumbers.region_code_for_number(number)

    assert phone.parse(national, country=country) == e164(number)


@given(st.text(max_size=30) | st.text("+0123456789 ", max_size=20))
def test_any_text_is_a_valid_number_or_refused_without_repeating_it(text: str) -> None:
    try:
        parsed = phone.parse(text, country="NL")
    except InvalidPhone as error:
        refused = error
        assume(len(text) > 6)
    else:
        assert phonenumbers.is_valid_number(phonenumbers.parse(parsed))
        assert phone.parse(parsed, country=None) == parsed == phone.own(parsed)
        return
    assert text not in refused.reason


@given(st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True))
def test_a_masked_number_keeps_at_least_four_digits_to_itself(number: str) -> None:
    shown = sum(character.isdigit() for character in phone.masked(Phone(number)))

    assert len(number) - 1 - shown >= 4


TWINS = st.one_of(
    st.from_regex(r"\A\+55[1-9]{2}9?[6-9][0-9]{7}\Z"),
    st.from_regex(r"\A\+521?[2-9][0-9]{9}\Z"),
    st.from_regex(r"\A\+549?[1-3][0-9]{9}\Z"),
    st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"),
).map(Phone)


@given(TWINS)
def test_twins_are_each_others_and_compare_as_one(number: Phone) -> None:
    others = phone.twins(number)

    assert number not in others
    for other in others:
        assert phone.twins(other) == (number,)
        assert phone.canonical(other) == phone.canonical(number)
        assert phone.own(other) == other
    assert others or phone.canonical(number) == number


def _valid(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False  # of no country there is


@given(TWINS)
@example(Phone("+8010000"))
def test_a_number_with_a_valid_twin_can_be_written_to(number: Phone) -> None:
    assume(phone.twins(number))
    several = (number, *phone.twins(number))
    valid = any(_valid(each) for each in several)

    read = {phone.canonical(phone.parse(each, country=None)) for each in several if valid}

    assert read <= {phone.canonical(number)}


@given(TWINS)
def test_whoever_is_known_by_a_twin_is_looked_up(number: Phone) -> None:
    for other in phone.twins(number):
        asked = Identity(IdentityKind.WA_ID, other.removeprefix("+"))
        assert Identity(IdentityKind.PHONE, number) in alike([asked])
        assert alike(alike([asked])) == alike([asked])

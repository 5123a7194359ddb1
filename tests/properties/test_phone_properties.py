# ruff: noqa: RUF001 — digits of many scripts are the subject

import phonenumbers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from engine import phone
from engine.phone import InvalidPhone, Phone

EXAMPLES = [
    example
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (
        example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    )
]
SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９"]
NOISE = st.text(" -.()\u200b\u200e\u202a\ufeff\u2011\u00a0", max_size=2)


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES), st.sampled_from(SCRIPTS), st.sampled_from(["+", "00"]), st.data())
def test_noise_and_script_never_change_a_number(
    number: phonenumbers.PhoneNumber, script: str, prefix: str, data: st.DataObject
) -> None:
    written = prefix + e164(number)[1:].translate(str.maketrans("0123456789", script))

    noisy = "".join(data.draw(NOISE) + character for character in written)

    assert phone.parse(noisy, country=None) == e164(number)


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES))
def test_the_national_form_is_the_same_number_in_its_country(
    number: phonenumbers.PhoneNumber,
) -> None:
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)

    country = phonenumbers.region_code_for_number(number)

    assert phone.parse(national, country=country) == e164(number)


@settings(max_examples=500)
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

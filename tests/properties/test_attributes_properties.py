from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine import names
from engine.attributes import CANONICAL, AttributeType, Form, Misfit, fits, read, type_of

FORMS = st.builds(Form, decimal_comma=st.booleans(), month_first=st.booleans())
TYPES = st.sampled_from(AttributeType)
VALUES = (
    st.text(max_size=30)
    | st.text("0123456789.,- '+/e", max_size=12)
    | st.dates().map(str)
    | st.sampled_from(["ja", "NO", "21 May 1990", "1.234,5", "31/12/99", "0612345678"])
).map(names.cleaned)


@given(VALUES, TYPES, FORMS)
def test_what_is_kept_is_read_as_itself(value: str, type_: AttributeType, form: Form) -> None:
    try:
        kept = read(value, type_, form=form)
    except Misfit:
        return

    assert read(kept, type_) == kept
    assert read(kept, AttributeType.TEXT) == kept


@given(st.lists(VALUES, max_size=8), FORMS)
def test_the_type_found_for_values_fits_them_all(values: list[str], form: Form) -> None:
    values = [value for value in values if value]

    found = type_of(values, form=form)

    assert all(fits(value, found, form=form) for value in values)
    assert found is not AttributeType.NUMBER or all(len(value) <= 30 for value in values)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    FORMS,
    st.sampled_from(["{:,.2f}", "{:.2f}"]),
)
def test_a_number_is_read_however_a_region_writes_it(
    number: Decimal, form: Form, grouped: str
) -> None:
    written = grouped.format(number)
    if form.decimal_comma:
        written = written.translate(str.maketrans(",.", ".,"))

    assert Decimal(read(written, AttributeType.NUMBER, form=form)) == number


@given(
    st.dates(min_value=date(1000, 1, 1)),
    st.sampled_from(
        [
            ("%Y-%m-%d", False),
            ("%Y/%m/%d 10:30", False),
            ("%d/%m/%Y", False),
            ("%d.%m.%Y", True),
            ("%m/%d/%Y", True),
            ("%d %B %Y", False),
            ("%b %d, %Y", True),
            ("%Y-%m-%dT00:00:00+02:00", False),
        ]
    ),
)
def test_a_date_is_read_however_a_region_writes_it(day: date, how: tuple[str, bool]) -> None:
    form, month_first = how

    assert read(day.strftime(form), AttributeType.DATE, form=Form(month_first=month_first)) == (
        day.isoformat()
    )


@given(st.lists(st.dates(min_value=date(1000, 1, 1)), min_size=1, max_size=20), FORMS)
def test_a_column_shows_whether_its_months_come_first(days: list[date], form: Form) -> None:
    values = [day.strftime("%m/%d/%Y" if form.month_first else "%d/%m/%Y") for day in days]

    found = CANONICAL.shown_by(values)

    assert found.month_first is (form.month_first and any(day.day > 12 for day in days))

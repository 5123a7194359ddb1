import pytest

from engine import audience_file
from engine.audience_file import Row, Sheet
from engine.audience_person import Person
from engine.audience_table import Unreadable


def sheet(data: bytes | str) -> Sheet:
    found = audience_file.read(data if isinstance(data, bytes) else data.encode())
    assert isinstance(found, Sheet), found
    return found


def rows(data: bytes | str, country: str | None = "NL") -> list[Row]:
    return list(audience_file.rows(sheet(data), country=country))


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        pytest.param("utf-8", b"", id="utf-8"),
        pytest.param("utf-8", b"\xef\xbb\xbf", id="utf-8 with its mark"),
        pytest.param("utf-16-le", b"\xff\xfe", id="utf-16, little end first"),
        pytest.param("utf-16-be", b"\xfe\xff", id="utf-16, big end first"),
        pytest.param("utf-16-le", b"", id="utf-16 without its mark"),
        pytest.param("cp1252", b"", id="Excel in Western Europe"),
    ],
)
def test_the_encoding_is_found(encoding: str, mark: bytes) -> None:
    (row,) = rows(mark + "phone;name\r\n0612345678;Zoë €\r\n".encode(encoding))

    assert row.person.name == "Zoë €"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str) -> None:
    lines = ["phone|first_name|tags", '0612345678|Ada|"a, b; c"', ""]

    (row,) = rows("\n".join(lines).replace("|", separator))

    assert (row.phone, row.person.tags) == ("+31612345678", ("a", "b", "c"))


@pytest.mark.parametrize("hint", ["sep=;\r\n", '"SEP=;"\n'])
def test_excels_hint_is_no_row(hint: str) -> None:
    (row,) = rows(hint + "phone;name\n0612345678;a,b,c\n")

    assert (row.number, row.person.name) == (3, "a,b,c")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_counted_as_a_spreadsheet_does(end: str) -> None:
    lines = ["", "phone,name", '0612345678,"two{end}lines"', "", " , ", "0687654321,x"]

    found = rows(end.join(lines).replace("{end}", end))

    assert [(row.number, row.person.name) for row in found] == [(3, "two lines"), (6, "x")]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        pytest.param("Phone Number", "0612345678", id="English"),
        pytest.param("Mobiele nummer", "0612345678", id="Dutch"),
        pytest.param("TELÉFONO MÓVIL", "0612345678", id="Spanish, in capitals"),
        pytest.param("Handy-Nummer", "0612345678", id="German, with a dash"),
        pytest.param("Phone 1 - Value", "0612345678", id="Google's export"),
        pytest.param("phone,mobile", "0201234567,0612345678", id="mobile comes first"),
        pytest.param("mobile,whatsapp", "0687654321,0612345678", id="WhatsApp before that"),
        pytest.param("mobile,phone", ",0612345678", id="the next if that is blank"),
        pytest.param("\ufeffphone\u200b", "0612345678", id="invisible characters"),
    ],
)
def test_the_phone_is_found_by_usual_headings(header: str, cells: str) -> None:
    (row,) = rows(f"{header}\n{cells}\n")

    assert row.phone == "+31612345678"


def test_what_a_row_says_of_a_person() -> None:
    (row,) = rows(
        "Phone,First Name,Last name,Company,E-mail,Tags,Language,Time zone,Last Order (€),,Plan\n"
        '0612345678, Ada ,Byron,Acme,ada@x.example,"VIP; Lead|vip",NL-nl,Europe/Amsterdam,12,x,\n'
    )

    assert row.person == Person(
        name="Ada Byron",
        first_name="Ada",
        company="Acme",
        email="ada@x.example",
        tags=("vip", "lead"),
        language="nl_NL",
        timezone="Europe/Amsterdam",
        attributes=(("last_order", "12"), ("last_name", "Byron")),
    )
    assert row.notes == ()


def test_what_a_row_does_not_say_is_none() -> None:
    (row,) = rows("phone,name,email,tags\n0612345678,,,\n")

    assert row.person == Person()


def test_a_value_that_cannot_be_used_is_left_out_with_a_note() -> None:
    (row,) = rows(
        "phone,email,language,timezone,tags\n"
        f"0612345678,nobody,English please,Amsterdam time,ok;{'x' * 51};!\n"
    )

    assert row.person == Person(tags=("ok",))
    assert [note.split(" was")[0] for note in row.notes] == [
        "The email address",
        "The language",
        "The time zone",
        "A tag",
        "A tag",
    ]


@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "/etc/passwd", "America", "x\u0001", "x" * 500]
)
def test_a_zone_is_a_name_and_never_a_path(zone: str) -> None:
    (row,) = rows(f"phone,timezone\n0612345678,{zone}\n")

    assert row.person.timezone is None
    assert len(row.notes) == 1


@pytest.mark.parametrize(
    ("written", "language"),
    [("en", "en"), ("EN_us", "en_US"), ("pt-br", "pt_BR"), ("zh_hans", "zh_Hans"), ("fil", "fil")],
)
def test_a_language_is_written_as_templates_do(written: str, language: str) -> None:
    (row,) = rows(f"phone,language\n0612345678,{written}\n")

    assert row.person.language == language


def test_markup_and_formulas_are_only_text() -> None:
    (row,) = rows('phone,name\n0612345678,"<!channel> =HYPERLINK(""x"")"\n')

    assert row.person.name == '<!channel> =HYPERLINK("x")'


def test_a_cell_we_made_safe_ourselves_is_read_back() -> None:
    (row,) = rows("phone,name\n'+31612345678,'=1+1\n")

    assert (row.phone, row.person.name) == ("+31612345678", "=1+1")


def test_columns_that_cannot_be_attributes_are_named() -> None:
    found = sheet("phone,Plan,plan,€€,7\n")

    assert found.columns.attributes == (("plan", 1),)
    assert found.columns.ignored == ("plan", "€€", "7")


def test_a_bare_list_of_numbers_needs_no_header() -> None:
    found = rows("0612345678\n+31687654321\n")

    assert [(row.number, row.phone) for row in found] == [(1, "+31612345678"), (2, "+31687654321")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n\r\n", "empty", id="only line ends"),
        pytest.param(b"PK\x03\x04rest", "Excel workbook", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0rest", "old Excel workbook", id="xls"),
        pytest.param(b"%PDF-1.7", "PDF", id="pdf"),
        pytest.param(b"\x89PNG\r\n\x00\x00", "no text file", id="another binary file"),
        pytest.param(b"name,city\nAda,London\n", "the first row says: name, city", id="no phone"),
        pytest.param(b'"' + b"x" * 200_000, "A cell is too long", id="an endless heading"),
        pytest.param(b"Ada,0612345678\n", "No column is called phone", id="no header"),
    ],
)
def test_what_is_no_audience_says_why(data: bytes, reason: str) -> None:
    found = audience_file.read(data)

    assert isinstance(found, Unreadable)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        pytest.param("12,Ada", "too short", id="a bad number"),
        pytest.param(",Ada", "empty", id="no number"),
        pytest.param('0612345678,"' + "x" * 1001, "quote in this row", id="an open quote"),
        pytest.param('0612345678,"' + "x" * 200_000, "quote in this row", id="an endless cell"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(cells: str, problem: str) -> None:
    (row,) = rows(f"phone,name\n{cells}\n")

    assert row.phone is None
    assert problem in row.problem


def test_short_and_long_rows_are_read_as_far_as_they_go() -> None:
    found = rows("phone,name\n0612345678\n0687654321,Ada,more,and more\n")

    assert [(row.phone, row.person.name) for row in found] == [
        ("+31612345678", None),
        ("+31687654321", "Ada"),
    ]


def test_zero_characters_are_gone() -> None:
    (row,) = rows("phone,name\n0612345678,A\0da\n")

    assert row.person.name == "Ada"


def test_reading_goes_on_after_a_row() -> None:
    found = sheet("phone\n" + "".join(f"+3161234567{i}\n" for i in range(8)))

    rest = audience_file.rows(found, country=None, after=6)

    assert [row.number for row in rest] == [7, 8, 9]

"""Files as Google Contacts, HubSpot, Shopify and Excel write them."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from engine import audience_file
from engine.attributes import AttributeType, Form
from engine.audience_file import Row, Sheet
from engine.audience_table import Unreadable

GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Nickname,Organization Name,Birthday,"
    "Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,"
    "Phone 2 - Label,Phone 2 - Value\r\n"
    "Ada,,Byron,,,Acme,1990-05-21,,https://x.example/p,* myContacts ::: Friends,* Work,"
    "ada@x.example ::: ada@y.example,Work,020 123 4567,Mobile,06 12345678 ::: 06 87654321\r\n"
)
GOOGLE_BEFORE = (
    "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,"
    "Phone 1 - Type,Phone 1 - Value,Organization 1 - Name\n"
    "Ada Byron,Ada,Byron,* myContacts ::: VIP,* Home,ada@x.example,Mobile,+31 6 12345678,Acme\n"
)
HUBSPOT = (
    '"Record ID - Contact","First Name","Last Name",Email,"Phone Number","Mobile Phone Number",'
    '"Lead Status","Create Date","Associated Company"\n'
    '"151","Ada","Byron","ada@x.example","+31201234567","+31612345678","New","2024-05-03 14:22",'
    '"Acme"\n'
)
SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address City,Default Address Country Code,Default Address Zip,Default Address Phone,"
    "Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
    "'6940095564960,Ada,Byron,ada@x.example,yes,Acme,Austin,US,'78701,(512) 555-0123,,no,120.50,3,,"
    'no,"newsletter, VIP"\n'
)


def sheet(data: bytes, country: str | None = "NL") -> Sheet:
    found = audience_file.read(data, country=country)
    assert isinstance(found, Sheet), found
    return found


def rows(data: bytes, country: str | None = "NL") -> list[Row]:
    return list(audience_file.rows(sheet(data, country), country=country))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        pytest.param(GOOGLE, ("friends",), id="Google Contacts"),
        pytest.param(GOOGLE_BEFORE, ("vip",), id="Google Contacts as it was"),
        pytest.param(HUBSPOT, (), id="HubSpot"),
    ],
)
def test_an_export_says_who_somebody_is(text: str, tags: tuple[str, ...]) -> None:
    (row,) = rows(text.encode())

    assert row.phone == "+31612345678"
    assert (row.person.name, row.person.first_name) == ("Ada Byron", "Ada")
    assert (row.person.email, row.person.company) == ("ada@x.example", "Acme")
    assert row.person.tags == tags
    assert row.notes == ()


def test_what_googles_columns_are_called_is_nothing_of_the_person() -> None:
    found = sheet(GOOGLE.encode())

    assert found.guesses == {
        "birthday": AttributeType.DATE,
        "last_name": AttributeType.TEXT,
    }


def test_hubspots_times_are_dates() -> None:
    assert sheet(HUBSPOT.encode()).guesses["create_date"] is AttributeType.DATE


def test_shopifys_address_says_the_country_of_its_phone_and_nobody_is_subscribed() -> None:
    (row,) = rows(SHOPIFY.encode())

    known = dict(row.person.attributes)
    assert row.phone == "+15125550123"
    assert row.person.tags == ("newsletter", "vip")
    assert known["customer_id"] == "6940095564960"
    assert known["default_address_zip"] == "78701"
    assert known["accepts_email_marketing"] == "yes"
    assert sheet(SHOPIFY.encode()).guesses["total_spent"] is AttributeType.NUMBER


def test_a_phone_that_excel_shortened_is_named_as_that() -> None:
    (row,) = rows(b"Mobile Phone;Name\r\n3,16123E+10;Ada\r\n")

    assert "A spreadsheet shortened it" in row.problem


@pytest.mark.parametrize(
    ("country", "encoding", "name"),
    [
        ("PL", "cp1250", "Zażółć"),
        ("RU", "cp1251", "Анна"),
        ("GR", "cp1253", "Άννα"),
        ("TR", "cp1254", "Şule"),
        ("JP", "cp932", "花子"),
        ("CN", "gb18030", "安娜"),
        (None, "cp1252", "Zoë"),
        ("NL", "cp1252", "Zoë"),
    ],
)
def test_excels_plain_csv_is_read_by_the_letters_of_the_country(
    country: str | None, encoding: str, name: str
) -> None:
    (row,) = rows(f"phone;name\r\n+31612345678;{name}\r\n".encode(encoding), country)

    assert row.person.name == name


def workbook(*lines: list[object], **sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    people = book.create_sheet("People")
    for line in lines:
        people.append(line)
    for title, content in sheets.items():
        added = book.create_sheet(title)
        for line in content:
            added.append(line)
        if title.startswith("Hidden"):
            added.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_read_as_the_same_table() -> None:
    data = workbook(
        ["Mobile", "Name", "Since", "Total", "VIP", "Score"],
        [31612345678, "Ada", date(2026, 12, 1), 1.234, True, 12],
        [None, None, None, None, None, None],
        ["06 87654321", "Grace", datetime.fromisoformat("2026-12-02 10:30"), 99.5, False, 13],
        Empty=[],
    )

    found = rows(data)

    assert [(row.number, row.phone, row.person.name) for row in found] == [
        (2, "+31612345678", "Ada"),
        (4, "+31687654321", "Grace"),
    ]
    assert dict(found[0].person.attributes) == {
        "since": "2026-12-01",
        "total": "1.2340",
        "vip": "TRUE",
        "score": "12",
    }
    opened = sheet(data)
    assert opened.forms["total"] == Form(decimal_comma=False)
    assert opened.guesses == {
        "since": AttributeType.DATE,
        "total": AttributeType.NUMBER,
        "vip": AttributeType.YESNO,
        "score": AttributeType.NUMBER,
    }


def test_a_formula_is_named_by_its_cell() -> None:
    (good, bad) = rows(
        workbook(["phone", "name"], ["+31612345678", "Ada"], ["+31612345679", '=A1&"x"'])
    )

    assert good.problem == ""
    assert bad.problem.startswith("B3 holds a formula")


def _packed(content: bytes, types: str = "<Types/>") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("xl/worksheets/sheet1.xml", content)
    return file.getvalue()


TEXTS_IN_DISGUISE = (
    '<Types><Override PartName="/xl/worksheets/sheet1.xml" ContentType="x.sharedStrings+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="x.worksheet+xml"/></Types>'
)
TEXTS = b"".join(b"<si>%d</si>" % place for place in range(3_500_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(_packed(b" " * 50_000_000), "far larger than a list of people", id="a bomb"),
        pytest.param(
            _packed(TEXTS, TEXTS_IN_DISGUISE),
            "far larger than a list of people",
            id="texts that look like rows",
        ),
        pytest.param(b"PK\x03\x04rest", "no Excel workbook", id="no workbook"),
        pytest.param(workbook(), "It is empty", id="empty"),
        pytest.param(
            workbook(["phone"], ["+31612345678"], Hidden=[["phone"], ["+31612345679"]]),
            "a hidden sheet, 'Hidden'",
            id="a hidden sheet",
        ),
        pytest.param(
            workbook(["phone"], ["+31612345678"], More=[["phone"], ["+31612345679"]]),
            "several sheets, 'People' and 'More'",
            id="two sheets",
        ),
        pytest.param(
            workbook(["phone", *["x"] * 1_500]), "more than 1,000 cells", id="a thousand columns"
        ),
        pytest.param(
            ("phone" + ",x" * 1_000_000).encode(), "more than 1,000 cells", id="a million columns"
        ),
    ],
)
def test_what_may_hurt_or_mislead_is_refused_with_a_sentence(data: bytes, reason: str) -> None:
    found = audience_file.read(data)

    assert isinstance(found, Unreadable)
    assert reason in found.reason
    assert found.reason.endswith(".")

"""Bringing contacts in from other products, taking an import back, and taking contacts along."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest

from tests.acceptance.steps import last_said
from tests.system import Json, System, button, words

GOOGLE = """\
First Name,Middle Name,Last Name,Nickname,Organization Name,Birthday,Notes,Photo,Labels,\
E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value
Gina,,Google,,Acme,1990-05-21,,https://x.example/p,* myContacts ::: Gfriends,\
* Home,gina@x.example,Work,+31 20 123 4567,Mobile,+31 6 41000001 ::: +31 6 41000009
Gus,,Google,,,,,,* myContacts,,,Mobile,06 41000002,,
"""
HUBSPOT = """\
"Record ID - Contact","First Name","Last Name",Email,"Phone Number","Mobile Phone Number",\
"Lead Status","Create Date","Associated Company",Tags
"151","Hanna","Hub","hanna@x.example","+31201234567","+31642000001",\
"New","2024-05-03 14:22","Acme","hubbed"
"152","Hugo","Hub","","+31642000002","","Open","2024-06-30 09:00","","hubbed"
"""
SHOPIFY = """\
Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,\
Default Address City,Default Address Country Code,Default Address Zip,Default Address Phone,\
Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags
'6940095564960,Sara,Shop,sara@x.example,yes,Acme,Delft,NL,'2611 XA,,'+31643000001,\
yes,120.50,3,,no,"shopped, Newsletter"
'6940095564961,Sem,Shop,,no,,Austin,US,'78701,(512) 555-0123,,no,0.00,0,,no,shopped
"""


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Klanten")
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


EXCEL = workbook(
    ["Mobiel", "Voornaam", "Achternaam", "Labels", "Klant sinds", "Omzet"],
    [31644000001, "Eva", "Excel", "excelled", date(2026, 12, 1), 1234.5],
    ["06-44000002", "Emil", "Excel", "excelled", date(2020, 2, 29), 0.5],
    ["3.16123E+10", "Ernst", "Excel", "excelled", None, None],
)
EXCEL_TEXT = """\
sep=;\r
Téléphone;Nom complet;Étiquettes;Fidèle depuis;Total\r
+31645000001;Zoë Excel;classeur;31/12/2020;1.234,50\r
3,16E+10;Trop Court;classeur;;\r
"""


async def upload(system: System, name: str, content: bytes, *, asks: str = "import") -> Json:
    return await system.upload(name, content, text=asks)


async def bring(
    system: System, name: str, content: bytes, *, rows: int, asks: str = "import"
) -> str:
    """Import a file as an owner does; return the verdicts as they are read."""
    await upload(system, name, content, asks=asks)
    verdicts = await system.says(name, "would be imported")
    await system.click(verdicts, button(verdicts, f"Import {rows}")["action_id"])
    await system.says(name, "is imported")
    return words(verdicts)


async def shown(system: System, contact: str) -> str:
    answer = await system.command(f"contact show {contact}")
    return "\n".join(words(reply) for reply in answer["replies"])


async def test_google_contacts_come_with_their_mobile_phones_and_labels(system: System) -> None:
    verdicts = await bring(system, "google.csv", GOOGLE.encode(), rows=2)

    assert "birthday (date)" in verdicts
    found = await shown(system, "+31641000001")
    for expected in ("Gina Google", "gina@x.example", "Acme", "gfriends", "1990-05-21"):
        assert expected in found
    assert "mycontacts" not in found.lower()
    assert "Gus Google" in await system.ask("contact show +31641000002")


async def test_hubspot_contacts_come_with_their_properties(system: System) -> None:
    await bring(system, "hubspot.csv", HUBSPOT.encode(), rows=2)

    found = await shown(system, "+31642000001")
    for expected in ("Hanna Hub", "Acme", "hubbed", "2024-05-03"):
        assert expected in found
    assert "2 contacts" in await system.ask("contact find tag:hubbed")
    assert "Hugo Hub" in await system.ask("contact show +31642000002")


async def test_shopify_customers_come_and_nobody_is_subscribed_again(system: System) -> None:
    await system.ask("contact add +31643000001 first_name=Sara")
    await system.ask("contact optout +31643000001")

    verdicts = await bring(system, "customers_export.csv", SHOPIFY.encode(), rows=2)

    assert "opted out: to be updated, and staying opted out" in verdicts
    found = await shown(system, "+31643000001")
    for expected in ("shopped", "newsletter", "120.5", "6940095564960", "2611 XA"):
        assert expected in found
    assert "may be written to" not in await system.ask("contact show +31643000001")
    assert "Sem Shop" in await system.ask("contact show +15125550123")


async def test_a_workbook_comes_as_a_file_of_text_does(system: System) -> None:
    verdicts = await bring(system, "klanten.xlsx", EXCEL, rows=2)

    assert "the sheet 'Klanten' of an Excel workbook" in verdicts
    assert "1 invalid row" in verdicts
    found = await shown(system, "+31644000001")
    for expected in ("Eva Excel", "2026-12-01", "1234.5", "excelled"):
        assert expected in found


async def test_excels_plain_text_comes_with_its_letters_dates_and_numbers(system: System) -> None:
    verdicts = await bring(system, "classeur.csv", EXCEL_TEXT.encode("cp1252"), rows=1)

    assert "A spreadsheet shortened it" in verdicts
    found = await shown(system, "+31645000001")
    for expected in ("Zoë Excel", "2020-12-31", "1234.5", "classeur"):
        assert expected in found


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("formulas.xlsx", workbook(["phone", "name"], ["+31646000001", '=A1&"x"']), "B2 holds a"),
        ("wide.csv", ("phone" + ",x" * 2_000).encode(), "more than 1,000 cells"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + b"x" * 100, "old Excel workbook"),
        ("broken.xlsx", b"PK\x03\x04" + b"x" * 100, "no Excel workbook"),
    ],
)
async def test_a_file_that_cannot_be_used_is_answered_with_the_reason(
    system: System, name: str, content: bytes, says: str
) -> None:
    await upload(system, name, content)

    told = words(await system.says(name, says))

    assert "Import 1" not in told


async def test_a_list_that_is_not_there_is_named_before_anything_is_read(system: System) -> None:
    answer = await upload(system, "x.csv", b"phone\n+31646000002\n", asks="import list:nowhere")

    assert "There is no list 'nowhere'" in last_said(answer)


async def test_everybody_of_an_import_is_put_on_a_list(system: System) -> None:
    await system.ask("list new Beta")

    verdicts = await bring(
        system, "beta.csv", b"phone\n+31647000001\n+31647000002\n", rows=2, asks="import list:beta"
    )

    assert "Everybody goes on the list Beta" in verdicts
    assert "2 contacts" in await system.ask("contact find list:Beta")


async def test_an_import_is_taken_back_as_far_as_nothing_has_happened_since(
    system: System,
) -> None:
    await system.ask("contact add +31648000001 name=Known company=Before")
    await bring(
        system,
        "undo me.csv",
        b"phone,name,company,tags\n+31648000001,Known,After,undoable\n"
        b"+31648000002,Untouched,After,undoable\n+31648000003,Written,After,undoable\n",
        rows=3,
    )
    await system.writes("+31648000003", "Hello!")

    assert "undo me.csv" in await system.ask("import list")
    answer = await system.command('import undo "undo me"')
    (asked,) = answer["replies"]
    await system.click(asked, button(asked, "Undo")["action_id"])
    told = words(await system.says("undo me.csv", "is undone"))

    assert "1 contact gone, 1 contact as before, 2 tags taken off." in told
    assert "Something of 1 row stays" in told
    assert "it wrote to us" in (await newest_file(system, "undo me - what stays.csv")).decode()
    assert "Before" in await shown(system, "+31648000001")
    assert "is no contact" in await system.ask("contact show +31648000002")
    assert "Written" in await system.ask("contact show +31648000003")
    assert "undone already" in await system.ask('import undo "undo me"')


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_contacts_leave_in_a_file_that_imported_again_changes_nothing(
    system: System, kind: str
) -> None:
    tag, phone = f"leaving_{kind}", f"+3164900000{len(kind)}"
    await system.ask(
        f'contact add {phone} name="=Lea" tags={tag} renewal=2026-12-01 score=1,5 vip=yes'
    )
    before = await shown(system, phone)

    answer = await system.command(f"contact export tag:{tag} as={kind}")
    assert "comes to you alone" in words(answer["replies"][0])
    direct = answer["replies"][0]["channel"]
    await system.says(f"1 contact of tag:{tag}", channel=direct)
    content = await newest_file(system, f".{kind}", channel=direct)
    verdicts = await bring(system, f"back again.{kind}", content, rows=1)

    assert "1 known, to be updated" in verdicts
    assert await shown(system, phone) == before
    if kind == "csv":
        (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        assert (row["name"], row["score"]) == ("'=Lea", "1.5")
        assert row["dripline_may_be_written_to"] == "yes"


async def newest_file(system: System, ends: str, *, channel: str = "C0ALERTS") -> bytes:
    """Return the last file of a channel whose name ends so, once it is there."""
    async with asyncio.timeout(20):
        while True:
            files: list[Json] = [
                file for message in await system.channel(channel) for file in message["files"]
            ]
            found = [file for file in files if file["name"].endswith(ends)]
            if found:
                content: bytes = await system.get(f"slack/files/{found[-1]['id']}")
                return content
            await asyncio.sleep(0.1)

"""What one of the staff does to contacts and imports: the ports of those use cases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from engine.attributes import AttributeType
from engine.audience_person import Person
from engine.automation import Kind
from engine.consent import Act
from engine.ids import ContactId, ImportId
from engine.phone import Phone
from storage import (
    attributes,
    audit,
    contacts,
    effects,
    enrollments,
    imports,
    occurrences,
    segments,
    tags,
)
from storage.database import Unit
from storage.effects import LedgerEntry

_CHANNEL = "slack"


class StaffBook:
    """`engine.usecases.add_contact.Book`."""

    def __init__(self, unit: Unit, *, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def reached(self, phone: Phone) -> ContactId | None:
        found = (await contacts.reached(self.unit, phones=[phone])).get(phone)
        return None if found is None else found.id

    async def add(self, phone: Phone, person: Person, *, source: str) -> ContactId | None:
        added = await contacts.add(self.unit, people=[(phone, person)], source=source)
        return added[phone].id if phone in added else None

    async def edit(self, contact: ContactId, person: Person, *, removed: Collection[str]) -> bool:
        return await contacts.edit(self.unit, contact=contact, person=person, removed=removed)

    async def types(self, guessed: Mapping[str, AttributeType]) -> Mapping[str, AttributeType]:
        return await attributes.settled(self.unit, guessed=guessed)

    async def note(self, action: str, contact: ContactId, **content: object) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action=action,
            subject=f"contact:{contact}",
            content=content,
        )


class StaffTagging:
    """`engine.usecases.tag_contacts.Tagging`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def add(self, tag: str, contacts: Sequence[ContactId]) -> int:
        there = await enrollments.lock_contacts(self.unit, contacts=contacts)
        return await tags.add(self.unit, tags=[(contact, tag) for contact in there])

    async def remove(self, tag: str, contacts: Sequence[ContactId]) -> int:
        there = await enrollments.lock_contacts(self.unit, contacts=contacts)
        return await tags.remove(self.unit, tag=tag, contacts=there)


class StaffLedger:
    """`engine.usecases.change_consent.StaffLedger`."""

    def __init__(self, unit: Unit, *, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def note(self, act: Act, contacts: Collection[ContactId], *, at: datetime) -> None:
        await effects.note_consents(
            self.unit,
            [
                LedgerEntry(contact_id=contact, act=act, at=at, channel=_CHANNEL, actor=self.actor)
                for contact in sorted(contacts)
            ],
        )


class StaffImports:
    """`engine.usecases.start_import.Imports`."""

    def __init__(self, unit: Unit, *, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def importable(self, import_id: ImportId) -> int | None:
        found = await imports.find(self.unit, import_id=import_id)
        return None if found is None else found.importable

    async def enrolls(self, import_id: ImportId) -> int:
        found = await imports.find(self.unit, import_id=import_id)
        if found is None:
            return 0
        enrolled = sum(found.enrolls.values())
        if found.list_id in await segments.lists_awaited(self.unit):
            return enrolled + found.importable
        awaited = await segments.tags_awaited(self.unit)
        if awaited:
            enrolled += await imports.tagged(self.unit, import_id=import_id, tags=awaited)
        return enrolled

    async def start(self, import_id: ImportId) -> bool:
        return await imports.start(self.unit, import_id=import_id)

    async def discard(self, import_id: ImportId) -> bool:
        return await imports.discard(self.unit, import_id=import_id)

    async def undo(self, import_id: ImportId) -> bool:
        return await imports.undo(self.unit, import_id=import_id, actor=self.actor)

    async def note(self, action: str, import_id: ImportId, **content: object) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action=action,
            subject=f"import:{import_id}",
            content=content,
        )


class StaffHappenings:
    """`engine.usecases.fire_event.Happenings`."""

    def __init__(self, unit: Unit, *, actor: str) -> None:
        self.unit = unit
        self.actor = actor

    async def event(self, name: str, contact: ContactId, properties: Mapping[str, str]) -> None:
        await occurrences.note(
            self.unit,
            happened=[
                occurrences.New(
                    kind=Kind.EVENT, contact_id=contact, value=name, properties=properties
                )
            ],
        )

    async def note(self, name: str, contact: ContactId) -> None:
        await audit.note(
            self.unit,
            actor=self.actor,
            action="event",
            subject=f"contact:{contact}",
            content={"event": name},
        )

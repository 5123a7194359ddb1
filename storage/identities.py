"""Contacts by what people are known by: found, locked, made, given other identities, merged."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg

from engine.consent import FIELD, Consent
from engine.identity import Identity, IdentityKind
from engine.ids import ContactId, MessageId
from engine.phone import Phone, country_of
from engine.ports import KnownContact, NewContact
from storage import enrollments
from storage.database import Unit
from storage.queries import load

_SQL = load("identities")
_MERGING = load("merging")
_TIMES = tuple(FIELD.values())


class Overtaken(asyncpg.SerializationError):  # type: ignore[misc] # asyncpg has no types
    """Another transaction committed the same meanwhile; done again, this one will see it."""


async def unknown_ids(
    unit: Unit, *, said: Sequence[tuple[ContactId, str]]
) -> list[tuple[ContactId, str]]:
    """Return which of these pairs of a contact and its WhatsApp id are news."""
    rows = await unit.rows(
        _SQL["unknown_ids"],
        contacts=[contact for contact, _ in said],
        values=[value for _, value in said],
    )
    return [(row["contact_id"], row["value"]) for row in rows]


class IdentifiedContacts:
    """`engine.ports.Contacts`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def lock(
        self, *, identities: Collection[Identity], ids: Collection[ContactId] = ()
    ) -> Mapping[ContactId, KnownContact]:
        rows = await self.unit.rows(_SQL["lock_contacts"], **_columns(identities), ids=list(ids))
        known: dict[ContactId, set[Identity]] = defaultdict(set)
        if rows:
            # Read after the lock: an identity moves only while its contact is locked.
            for row in await self.unit.rows(_SQL["identities_of"], ids=[row["id"] for row in rows]):
                known[row["contact_id"]].add(Identity(IdentityKind(row["kind"]), row["value"]))
        return {
            row["id"]: KnownContact(
                id=row["id"],
                name=row["name"],
                consent=Consent(**{name: row[name] for name in _TIMES}),
                last_number_id=row["last_number_id"],
                last_reply_at=row["last_reply_at"],
                identities=frozenset(known[row["id"]]),
            )
            for row in rows
        }

    async def create(self, new: Sequence[NewContact]) -> list[ContactId]:
        if not new:
            return []
        rows = await self.unit.rows(
            _SQL["create_contacts"],
            names=[each.name for each in new],
            timezones=[each.timezone for each in new],
            opted_out_ats=[each.consent.opted_out_at for each in new],
            opted_in_ats=[each.consent.opted_in_at for each in new],
            reached_ats=[each.consent.reached_at for each in new],
            numbers=[each.last_number_id for each in new],
            countries=[each.country for each in new],
            last_reply_ats=[each.last_reply_at for each in new],
        )
        ids = [ContactId(row["id"]) for row in rows]
        await self._attach(
            [
                (id_, identity)
                for id_, each in zip(ids, new, strict=True)
                for identity in each.identities
            ]
        )
        return ids

    async def save(self, contacts: Collection[KnownContact]) -> None:
        if not contacts:
            return
        times: dict[str, Any] = {
            f"{name}s": [getattr(each.consent, name) for each in contacts] for name in _TIMES
        }
        await self.unit.run(
            _SQL["save_contacts"],
            ids=[each.id for each in contacts],
            names=[each.name for each in contacts],
            numbers=[each.last_number_id for each in contacts],
            last_reply_ats=[each.last_reply_at for each in contacts],
            **times,
        )

    async def attach(self, links: Collection[tuple[ContactId, Identity]]) -> None:
        """Give contacts identities that nobody had.

        Raises:
            Overtaken: Somebody else was given one of them meanwhile.
        """
        if not links:
            return
        await self._attach(links)
        phones = {
            contact: identity.value
            for contact, identity in links
            if identity.kind is IdentityKind.PHONE
        }
        if phones:
            await self.unit.run(
                _SQL["set_countries"],
                contacts=list(phones),
                countries=[country_of(Phone(phone)) for phone in phones.values()],
            )

    async def _attach(self, links: Collection[tuple[ContactId, Identity]]) -> None:
        attached = await self.unit.run(
            _SQL["attach"],
            **_columns([identity for _, identity in links]),
            contacts=[contact for contact, _ in links],
        )
        if attached != len(links):
            raise Overtaken("an identity was given to another contact meanwhile")

    async def detach(self, identities: Collection[Identity]) -> None:
        if identities:
            await self.unit.run(_SQL["detach"], **_columns(identities))

    async def merge(self, *, into: ContactId, others: Sequence[ContactId]) -> list[MessageId]:
        # Table by table, so that of three who become one none is locked behind another's messages.
        everybody = [into, *others]
        await self._each(_OF_CONTACTS, into, others)
        await self.unit.rows(_MERGING["lock_enrollments"], contacts=everybody)
        await self._each(_OF_ENROLLMENTS, into, others)
        # Dates and a zone that one of them had may time what the others wait for.
        await enrollments.retime(self.unit, contacts=[into])
        await self.unit.rows(_MERGING["lock_messages"], contacts=everybody)
        doubled: list[MessageId] = []
        for other in others:
            rows = await self.unit.rows(_MERGING["doubled_messages"], into=into, other=other)
            doubled += [row["id"] for row in rows]
            await self._each(_OF_MESSAGES, into, [other])
        return doubled

    async def _each(
        self, names: Sequence[str], into: ContactId, others: Sequence[ContactId]
    ) -> None:
        for other in others:
            for name in names:
                await self.unit.run(_MERGING[name], into=into, other=other)


_OF_CONTACTS = (
    "move_facts",
    "move_identities",
    "move_tags",
    "drop_tags",
    "move_lists",
    "move_conversations",
    "move_clicks",
    "move_windows",
    "drop_windows",
    "move_occurrences",
    "move_dates",
    "read_dates_again",
)
_OF_ENROLLMENTS = ("end_doubled_enrollments", "move_enrollments")
_OF_MESSAGES = ("move_messages", "move_inbound", "forget")


def _columns(identities: Collection[Identity]) -> dict[str, list[str]]:
    return {
        "kinds": [identity.kind for identity in identities],
        "values": [identity.value for identity in identities],
    }

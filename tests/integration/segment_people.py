"""Contacts as plain facts, and the same contacts as rows: what segments are asked about."""

# ruff: noqa: E501 — SQL reads better unbroken

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from engine.consent import FIELD, Consent
from engine.ids import ContactId, SegmentId
from engine.segment import Count, Definition, Did, Moment, Text
from engine.segment_facts import Facts
from engine.segment_json import to_json
from storage.database import Database
from tests.database import ACME, GLOBEX, NOON
from tests.properties.segment_strategies import (
    CAMPAIGNS,
    LISTS,
    PHONES,
    SEGMENTS,
    TAGS,
    days,
    numbers,
    values,
)

_COLUMNS: Mapping[Text | Count | Moment, str] = {
    **{field: field.value for field in Text},
    Text.STATUS: "workflow_status",
    Count.CONVERSATIONS: "conversation_count",
    Count.RATING: "last_rating",
    Moment.CREATED: "created_at",
    Moment.LAST_MESSAGE: "last_message_at",
    Moment.LAST_REPLY: "last_reply_at",
}
BROADCASTS = {found for found, broadcast in CAMPAIGNS.values() if broadcast}

moments = st.integers(0, 70 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes))
_consents = st.builds(
    Consent, **{name: st.none() | moments for name in FIELD.values() if name != "erased_at"}
)
_text = values | st.sampled_from(("Amsterdam", "AMSTERDAM", "é", "NL", "nl"))
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "city": _text,
        "country": _text,
        "or": _text,
        "orders": numbers.map(lambda number: f"{number:f}") | st.just("many"),
        "renewal": days.map(lambda day: day.isoformat())
        | st.sampled_from(("soon", "2026-11-20 or so")),
        "newsletter": st.sampled_from(("yes", "no", "Yes", "true", "perhaps")),
    },
)
_dids = st.sets(st.sampled_from(Did), min_size=1).map(lambda did: frozenset(did | {Did.ENROLLED}))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    did = draw(st.dictionaries(st.sampled_from([c for c, _ in CAMPAIGNS.values()]), _dids))
    known = draw(
        st.dictionaries(
            st.sampled_from([each for each in Moment if each is not Moment.CREATED]), moments
        )
    )
    return Facts(
        texts={
            **draw(
                st.dictionaries(
                    st.sampled_from([t for t in Text if t not in (Text.SOURCE, Text.COUNTRY)]),
                    _text,
                )
            ),
            Text.COUNTRY: draw(st.sampled_from(("NL", "DE"))),
            Text.SOURCE: draw(st.sampled_from(("import", "whatsapp"))),
        },
        counts={
            **draw(st.dictionaries(st.just(Count.RATING), st.integers(1, 5))),
            Count.CONVERSATIONS: draw(st.integers(0, 4)),
        },
        moments=known | {Moment.CREATED: draw(moments)},
        attributes=draw(_attributes),
        tags=frozenset(draw(st.sets(st.sampled_from(TAGS)))),
        lists=frozenset(draw(st.sets(st.sampled_from(list(LISTS.values()))))),
        did=did,
        consent=draw(_consents),
    )


@st.composite
def people(draw: st.DrawFn) -> list[Facts]:
    """Up to nine contacts, of whom two have phones that segments name."""
    several = draw(st.lists(facts(), min_size=1, max_size=9))
    for place, phone in enumerate(PHONES):
        if place < len(several):
            several[place] = replace(several[place], phones=frozenset({phone}))
    return several


async def keep(
    database: Database, several: Sequence[Facts], segments: Mapping[SegmentId, Definition]
) -> list[ContactId]:
    """Put contacts, lists, campaigns and segments into a database emptied of them; return the ids.

    Another organization has contacts that fit everything, and must never be seen.
    """
    async with database.pool.acquire() as connection, connection.transaction():
        for table in (
            "clicks",
            "messages",
            "enrollments",
            "steps",
            "segments",
            "contact_lists",
            "campaigns",
            "contact_identities",
            "contact_tags",
            "contacts",
        ):
            await connection.execute(f"delete from {table}")  # noqa: S608 — of the line above
        for table in ("segments", "contact_lists"):  # whatever tests make has other ids than these
            await connection.execute(
                "select setval(s, greatest(1000, nextval(s))) from pg_get_serial_sequence($1, 'id') s",
                table,
            )
        for name, campaign, broadcast in [(name, *of) for name, of in CAMPAIGNS.items()]:
            await connection.execute(
                "insert into campaigns (organization_id, id, kind, name, state, type, actor, created_at, updated_at)"
                " values ('acme', $1, $2, $3, 'active', 'promotional', 'U', $4, $4)",
                campaign, "broadcast" if broadcast else "drip", name, NOON,
            )  # fmt: skip
        await connection.executemany(
            "insert into contact_lists (organization_id, id, name, created_at, created_by) values ($1, $2, $3, $4, 'U')",
            [(ACME, found, name, NOON) for name, found in LISTS.items()],
        )
        await connection.executemany(
            "insert into segments (organization_id, id, name, definition, created_at, created_by) values ($1, $2, $3, $4, $5, 'U')",
            [
                (ACME, found, name, to_json(segments[found]), NOON)
                for name, found in SEGMENTS.items()
                if found in segments
            ],
        )
        ids = [await _kept(connection, person) for person in several]
        await connection.execute(
            "insert into contacts (organization_id, source, created_at, updated_at, name, last_reply_at, attributes)"
            " values ($1, 'import', $2, $2, 'Amsterdam', $2, '{\"city\": \"Amsterdam\"}')",
            GLOBEX, NOON,
        )  # fmt: skip
    return ids


async def become(
    database: Database, contacts: Sequence[ContactId], several: Sequence[Facts]
) -> None:
    """Make of contacts that are there other people, and keep what segments and lists there are."""
    async with database.pool.acquire() as connection, connection.transaction():
        for table in ("clicks", "messages", "enrollments", "contact_tags", "contact_identities"):
            await connection.execute(f"delete from {table}")  # noqa: S608 — of the line above
        await connection.execute(
            "delete from list_members where list_id = any($1)", list(LISTS.values())
        )
        for contact, person in zip(contacts, several, strict=True):
            columns = dict.fromkeys((*_COLUMNS.values(), *FIELD.values())) | _columns(person)
            places = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
            await connection.execute(
                f"update contacts set {places} where id = $1",  # noqa: S608 — columns
                contact,
                *columns.values(),
            )
            await _belongings(connection, contact, person)


def _columns(person: Facts) -> dict[str, object]:
    return {
        "attributes": dict(person.attributes),
        **{_COLUMNS[field]: value for field, value in person.texts.items()},
        **{_COLUMNS[field]: value for field, value in person.counts.items()},
        **{_COLUMNS[field]: value for field, value in person.moments.items()},
        **{name: getattr(person.consent, name) for name in FIELD.values()},
        "updated_at": NOON,
    }


async def _kept(connection: object, person: Facts) -> ContactId:
    columns = _columns(person)
    places = ", ".join(f"${place}" for place in range(2, 2 + len(columns)))
    fetch = connection.fetchval  # type: ignore[attr-defined] # asyncpg is untyped
    contact: ContactId = await fetch(
        f"insert into contacts (organization_id, {', '.join(columns)}) values ($1, {places}) returning id",  # noqa: S608 — columns
        ACME,
        *columns.values(),
    )
    await _belongings(connection, contact, person)
    return contact


async def _belongings(connection: object, contact: ContactId, person: Facts) -> None:
    fetch = connection.fetchval  # type: ignore[attr-defined] # asyncpg is untyped
    await fetch(
        """
        with phones as (
          insert into contact_identities (organization_id, kind, value, contact_id, created_at)
          select 'acme', 'phone', p, $1, $2 from unnest($3::text[]) as p),
        tags as (
          insert into contact_tags (organization_id, tag, contact_id, added_at)
          select 'acme', t, $1, $2 from unnest($4::text[]) as t)
        insert into list_members (organization_id, list_id, contact_id, added_at)
        select 'acme', l, $1, $2 from unnest($5::bigint[]) as l
        """,
        contact, NOON, list(person.phones), list(person.tags), list(person.lists),
    )  # fmt: skip
    for campaign, did in person.did.items():
        if campaign in BROADCASTS:
            await fetch(
                "insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, due_at, accepted_at, replied_at, read_at)"
                " values ('acme', new_message_id($1), $2, 1, $3, $2, 'n', 'sent', $4, $5, $6, $7)",
                int(NOON.timestamp()), campaign, contact, NOON,
                NOON if Did.FINISHED in did else None,
                NOON if Did.REPLIED in did else None,
                NOON if Did.READ in did else None,
            )  # fmt: skip
        else:
            await fetch(
                "insert into enrollments (organization_id, campaign_id, contact_id, state, enrolled_at, enrolled_by, ended_at, read, replied)"
                " values ('acme', $1, $2, $3, $4, 'U', $4, $5, $6)",
                campaign, contact, "completed" if Did.FINISHED in did else "dropped", NOON,
                int(Did.READ in did), int(Did.REPLIED in did),
            )  # fmt: skip
        if Did.CLICKED in did:
            await fetch(
                "insert into clicks (organization_id, link_id, message_id, contact_id, campaign_id, step_id, at)"
                " values ('acme', 1, 1, $1, $2, 1, $3)",
                contact, campaign, NOON,
            )  # fmt: skip

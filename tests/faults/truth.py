"""What stands in the database, read beside the product."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.system import System

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """A message, as far as it is compared."""

    id: int
    campaign: str
    step: int
    phone: str
    state: str
    reason: str | None
    attempt: int
    resent: int
    accepted: bool


class Truth:
    """The database, by a connection made anew for every question: it may be restarted meanwhile."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._url: str | None = None

    async def url(self) -> str:
        if self._url is None:
            self._url = (await self._system.ready())["parts"]["postgres"]["url"]
        return str(self._url)

    async def ask(self, query: str, *arguments: object) -> Sequence[Mapping[str, Any]]:
        connection = await asyncpg.connect(
            await self.url(), timeout=_TIMEOUT_S, server_settings={"application_name": "tests"}
        )
        try:
            rows: list[Mapping[str, Any]] = await connection.fetch(
                query, *arguments, timeout=_TIMEOUT_S
            )
        finally:
            connection.terminate()
        return rows

    async def cut_connections(self) -> None:
        """End every connection to the database but this one; none, if there is no database now."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await self.ask(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )

    async def beaten_since(self, moment: float) -> bool:
        """Whether both worker processes were heard of after *moment* (Unix seconds)."""
        rows = await self.ask(
            "select count(*) as beats from leases where name in ('process:lanes', 'process:jobs')"
            " and renewed_at > to_timestamp($1)",
            moment,
        )
        return bool(rows[0]["beats"] == 2)

    async def messages(self, campaigns: Sequence[str]) -> list[Row]:
        """Return every message of the campaigns."""
        rows = await self.ask(_MESSAGES, list(campaigns))
        return [Row(**row) for row in rows]

    async def campaign_states(self, campaigns: Sequence[str]) -> dict[str, str]:
        rows = await self.ask(
            "select name, state from campaigns where name = any($1) order by name", list(campaigns)
        )
        return {row["name"]: row["state"] for row in rows}

    async def opted_out(self, phones: Sequence[str]) -> set[str]:
        """Return which of the phones belong to contacts who said STOP."""
        rows = await self.ask(_OPTED_OUT, list(phones))
        return {row["phone"] for row in rows}

    async def enrolled(self, campaign: str) -> dict[str, str]:
        """Return the state of each enrollment of a campaign, by phone."""
        rows = await self.ask(_ENROLLED, campaign)
        return {row["phone"]: row["state"] for row in rows}

    async def stats_differ(self) -> list[tuple[object, ...]]:
        """Return statistics that do not equal a count of the rows."""
        return [tuple(row.values()) for row in await self.ask(_RECOUNT)]


_MESSAGES = """
select m.id, c.name as campaign, coalesce(s.position, 1)::int as step, i.value as phone,
       m.state, m.reason, m.attempt, m.resent, m.accepted_at is not null as accepted
  from messages m
  join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
  join contact_identities i on i.organization_id = m.organization_id and i.contact_id = m.contact_id
                           and i.kind = 'phone'
  left join steps s on s.organization_id = m.organization_id and s.id = m.step_id
 where c.name = any($1)
 order by m.id
"""

_OPTED_OUT = """
select i.value as phone from contact_identities i
  join contacts c on c.organization_id = i.organization_id and c.id = i.contact_id
 where i.kind = 'phone' and i.value = any($1) and c.opted_out_at is not null
"""

_ENROLLED = """
select i.value as phone, e.state from enrollments e
  join campaigns c on c.organization_id = e.organization_id and c.id = e.campaign_id
  join contact_identities i on i.organization_id = e.organization_id and i.contact_id = e.contact_id
                           and i.kind = 'phone'
 where c.name = $1
"""

_RECOUNT = """
with counted as (
  select * from messages where campaign_id <> 0),
expected as (
  select campaign_id, step_id, metric, count(*) as count
    from (select campaign_id, step_id, 'planned' as metric from counted
          union all
          select campaign_id, step_id, 'accepted' from counted where accepted_at is not null
          union all
          select campaign_id, step_id, 'sent' from counted where sent_at is not null
          union all
          select campaign_id, step_id, 'delivered' from counted where delivered_at is not null
          union all
          select campaign_id, step_id, 'read' from counted where read_at is not null
          union all
          select campaign_id, step_id, 'replied' from counted where replied_at is not null
          union all
          select campaign_id, step_id, 'dead' from counted where state = 'dead'
          union all
          select campaign_id, step_id, state || ':' || reason from counted
           where state in ('skipped', 'cancelled')) x
   group by 1, 2, 3),
kept as (
  select campaign_id, step_id, metric, sum(count)::bigint as count from campaign_stats
   where metric not in ('returned', 'unsent') group by 1, 2, 3)
select coalesce(e.campaign_id, k.campaign_id), coalesce(e.metric, k.metric), e.count, k.count
  from expected e full join kept k using (campaign_id, step_id, metric)
 where coalesce(e.count, 0) <> coalesce(k.count, 0)
"""

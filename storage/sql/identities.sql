-- name: lock_contacts
-- Lock the contacts that have one of the identities, and $ids, in the order of their keys.
select c.id, c.name, c.last_number_id, c.last_reply_at,
       c.opted_out_at, c.opted_in_at, c.platform_stopped_at, c.platform_resumed_at, c.blocked_at, c.unblocked_at,
       c.unreachable_at, c.reached_at, c.erased_at
  from contacts c
 where c.organization_id = $organization
   and c.id in (select i.contact_id
                  from unnest($kinds::text[], $values::text[]) as w(kind, value)
                  join contact_identities i on i.organization_id = $organization and i.kind = w.kind and i.value = w.value
                union all
                select unnest($ids::bigint[]))
 order by c.id
   for no key update of c

-- name: identities_of
-- All identities of contacts $ids.
select contact_id, kind, value from contact_identities
 where organization_id = $organization and contact_id = any($ids::bigint[])

-- name: create_contacts
-- Make contacts in the order given, and an occurrence for each, so that triggers act on it.
with created as (
  insert into contacts (organization_id, name, timezone, timezone_from, source, created_at, updated_at,
                        opted_out_at, opted_in_at, reached_at, last_number_id, country, last_reply_at)
  select $organization, n.name, n.timezone, case when n.timezone is not null then 'phone' end, 'whatsapp', $at, $at,
         n.opted_out_at, n.opted_in_at, n.reached_at, n.number_id, n.country, n.last_reply_at
    from unnest($names::text[], $timezones::text[], $opted_out_ats::timestamptz[], $opted_in_ats::timestamptz[],
                $reached_ats::timestamptz[], $numbers::text[], $countries::text[], $last_reply_ats::timestamptz[])
         with ordinality as n(name, timezone, opted_out_at, opted_in_at, reached_at, number_id, country, last_reply_at,
                              place)
   order by n.place
  returning id),
told as (
  insert into occurrences (organization_id, kind, contact_id, at)
  select $organization, 'contact_created', id, $at from created)
select id from created order by id

-- name: save_contacts
-- Write what a message changes about contacts; the caller holds their locks.
update contacts c
   set name = s.name, last_number_id = s.number_id, last_reply_at = greatest(c.last_reply_at, s.last_reply_at),
       opted_out_at = s.opted_out_at, opted_in_at = s.opted_in_at,
       platform_stopped_at = s.platform_stopped_at, platform_resumed_at = s.platform_resumed_at,
       blocked_at = s.blocked_at, unblocked_at = s.unblocked_at, unreachable_at = s.unreachable_at,
       reached_at = s.reached_at, erased_at = s.erased_at, updated_at = $at
  from unnest($ids::bigint[], $names::text[], $numbers::text[], $opted_out_ats::timestamptz[],
              $opted_in_ats::timestamptz[], $platform_stopped_ats::timestamptz[], $platform_resumed_ats::timestamptz[],
              $blocked_ats::timestamptz[], $unblocked_ats::timestamptz[], $unreachable_ats::timestamptz[],
              $reached_ats::timestamptz[], $erased_ats::timestamptz[], $last_reply_ats::timestamptz[])
       as s(id, name, number_id, opted_out_at, opted_in_at, platform_stopped_at, platform_resumed_at, blocked_at,
            unblocked_at, unreachable_at, reached_at, erased_at, last_reply_at)
 where c.organization_id = $organization and c.id = s.id

-- name: attach
-- Give contacts identities; one that somebody has meanwhile is not counted.
insert into contact_identities (organization_id, kind, value, contact_id, created_at)
select $organization, l.kind, l.value, l.contact_id, $at
  from unnest($kinds::text[], $values::text[], $contacts::bigint[]) as l(kind, value, contact_id)
 order by l.kind, l.value
on conflict (organization_id, kind, value) do nothing

-- name: set_countries
-- Contacts got phones: they are of those countries.
update contacts c set country = s.country
  from unnest($contacts::bigint[], $countries::text[]) as s(id, country)
 where c.organization_id = $organization and c.id = s.id and s.country is not null

-- name: detach
delete from contact_identities i
 using unnest($kinds::text[], $values::text[]) as d(kind, value)
 where i.organization_id = $organization and i.kind = d.kind and i.value = d.value

-- name: unknown_ids
-- Which contacts do not have the WhatsApp id said of them.
select s.contact_id, s.value
  from unnest($contacts::bigint[], $values::text[]) as s(contact_id, value)
 where not exists (select from contact_identities i
                    where i.organization_id = $organization and i.kind = 'wa_id' and i.value = s.value
                      and i.contact_id = s.contact_id)
 order by s.contact_id, s.value

-- name: note_consents
-- Append acts to the ledger.
insert into consents (organization_id, contact_id, kind, at, channel, text, actor, reference, recorded_at)
select $organization, a.contact_id, a.kind, a.at, a.channel, a.text, a.actor, a.reference, $at
  from unnest($contacts::bigint[], $kinds::text[], $ats::timestamptz[], $channels::text[], $texts::text[],
              $actors::text[], $references::text[])
       as a(contact_id, kind, at, channel, text, actor, reference)

-- name: suppress_contacts
-- Stop writing to contacts for what the platform reported; the latest time of each kind holds.
update contacts c
   set unreachable_at = case when s.kind = 'unreachable' then greatest(c.unreachable_at, s.at) else c.unreachable_at end,
       platform_stopped_at = case when s.kind = 'platform_stop' then greatest(c.platform_stopped_at, s.at) else c.platform_stopped_at end,
       blocked_at = case when s.kind = 'block' then greatest(c.blocked_at, s.at) else c.blocked_at end,
       updated_at = $at
  from unnest($contacts::bigint[], $kinds::text[], $ats::timestamptz[]) as s(id, kind, at)
 where c.organization_id = $organization and c.id = s.id

-- name: lock_contacts_of
-- Lock the contacts of messages $ids, and contacts $contacts, in the order of their keys.
select id from contacts
 where organization_id = $organization
   and id in (select contact_id from messages where organization_id = $organization and id = any($ids::bigint[])
              union all
              select unnest($contacts::bigint[]))
 order by id
   for no key update

-- name: times_met
-- How many messages of each contact ended by the code.
select contact_id, count(*) as count from messages
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and error_code = $code
   and stage = 'dead'
 group by contact_id

-- name: close_campaign
-- Close a campaign's tap, or keep it closed for longer; no row: it was closed for as long already. An event is due
-- only when it was open.
with before as (select id, closed_until from campaigns where organization_id = $organization and id = $campaign)
update campaigns c
   set closed_until = coalesce($until::timestamptz, 'infinity'), closed_why = $why, updated_at = $at
  from before b
 where c.organization_id = $organization and c.id = b.id
   and (c.closed_until is null or c.closed_until < coalesce($until::timestamptz, 'infinity'))
returning c.id, coalesce(b.closed_until <= $at, true) as was_open

-- name: close_numbers
-- Close the taps of numbers (null: all of them) in the same way.
with before as (select id, closed_until from numbers
                 where organization_id = $organization and ($number::text is null or id = $number)
                 order by id for no key update)
update numbers n
   set closed_until = coalesce($until::timestamptz, 'infinity'), closed_why = $why, updated_at = $at
  from before b
 where n.organization_id = $organization and n.id = b.id
   and (n.closed_until is null or n.closed_until < coalesce($until::timestamptz, 'infinity'))
returning n.id, coalesce(b.closed_until <= $at, true) as was_open

-- name: keeps_failing
-- Whether most of what a campaign sent was given up, five messages at least.
select coalesce(sum(count) filter (where metric = 'dead'), 0) >= 5
       and coalesce(sum(count) filter (where metric = 'dead'), 0) >= coalesce(sum(count) filter (where metric = 'delivered'), 0)
  from campaign_stats
 where organization_id = $organization and campaign_id = $campaign

-- name: close_window
delete from service_windows
 where organization_id = $organization and number_id = $number and contact_id = any($contacts::bigint[])

-- name: try_telling
-- Whether no other open transaction is telling the same; if one is, that is enough.
select pg_try_advisory_xact_lock(hashtext('tell_staff'),
                                 hashtext(jsonb_build_array($organization::text, $kind::text, $campaign::bigint, $content::jsonb)::text))

-- name: tell_staff
-- Write an event for staff, unless the same was told within the hour.
insert into events (organization_id, kind, campaign_id, content, at)
select $organization, $kind, $campaign::bigint, $content::jsonb, $at::timestamptz
 where not exists (select from events e
                    where e.organization_id = $organization and e.kind = $kind
                      and e.campaign_id is not distinct from $campaign::bigint
                      and e.content = $content::jsonb and e.at > $at::timestamptz - interval '1 hour')

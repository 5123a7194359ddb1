-- name: take
-- Take the next $limit occurrences that nobody else is taking; they are gone once this commits.
delete from occurrences
 where organization_id = $organization
   and id in (select id from occurrences
               where organization_id = $organization
               order by id limit $limit
                 for update skip locked)
returning id, kind, contact_id, value, at

-- name: triggered
-- Drips that one of $triggers enrolls into, kept as they are until this commits.
select id, trigger, started_at from campaigns
 where organization_id = $organization and kind = 'drip' and state in ('active', 'paused')
   and trigger = any($triggers::text[]) and started_at is not null
 order by id
   for share

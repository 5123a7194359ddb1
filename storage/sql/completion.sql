-- name: settle
-- Note since when a planned broadcast has had no open row; a retry, a re-drive or a late failure opens rows again.
-- Each open state has an index of its own.
with looked as (
  select c.id, c.settled_at,
         exists (select from messages m
                        where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                          and m.campaign_id = c.id and m.stage = 'queued')
               or exists (select from messages m
                           where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                             and m.campaign_id = c.id and m.stage = 'claimed')
               or exists (select from messages m
                           where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                             and m.campaign_id = c.id and m.stage = 'unknown') as open
    from campaigns c
   where c.organization_id = $organization and c.kind = 'broadcast' and c.state in ('running', 'paused')
     and c.planned_at is not null),
changed as (
  select c.id from campaigns c
   where c.organization_id = $organization and c.id in (select l.id from looked l where (l.settled_at is null) <> l.open)
   order by c.id
     for no key update)
update campaigns c
   set settled_at = case when not l.open then $at::timestamptz end
  from looked l
 where c.organization_id = $organization and c.id = l.id and c.id in (select id from changed)

-- name: lock_settled
-- Lock what has had no open row for $settling; whoever opens one holds these too (storage.messages.save).
select id from campaigns
 where organization_id = $organization and kind = 'broadcast' and state in ('running', 'paused')
   and settled_at <= $at::timestamptz - $settling::interval
 order by id
   for no key update

-- name: complete_broadcasts
-- Complete, once, those of $ids that still have no open row.
update campaigns c
   set state = 'completed', completed_at = $at, ended_at = $at, version = version + 1, updated_at = $at
 where c.organization_id = $organization and c.id = any($ids::bigint[]) and c.state in ('running', 'paused')
   and not (exists (select from messages m
                 where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                   and m.campaign_id = c.id and m.stage = 'queued')
        or exists (select from messages m
                    where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                      and m.campaign_id = c.id and m.stage = 'claimed')
        or exists (select from messages m
                    where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                      and m.campaign_id = c.id and m.stage = 'unknown'))
returning c.id

-- name: complete_drips
-- Drips whose last active enrollment ended since completion was last told.
with through as (
  select c.id from campaigns c
   where c.organization_id = $organization and c.kind = 'drip' and c.state in ('active', 'paused')
     and exists (select from enrollments e
                  where e.organization_id = $organization and e.campaign_id = c.id
                    and e.ended_at > coalesce(c.completed_at, '-infinity'))
     and not exists (select from enrollments e
                      where e.organization_id = $organization and e.campaign_id = c.id
                        and e.state in ('active', 'paused'))
   order by c.id
     for no key update)
update campaigns c
   set completed_at = $at, updated_at = $at
  from through t
 where c.organization_id = $organization and c.id = t.id
returning c.id

-- name: ended_campaigns
-- Cancelled and archived campaigns that may still have queued messages.
select id from campaigns
 where organization_id = $organization and state in ('cancelled', 'archived') and settled_at is null
 order by id

-- name: queued_of
-- Up to $limit queued messages of an ended campaign, whichever: sorting all for each slice would take them all in.
select id from messages
 where organization_id = $organization and number_id = any(numbers_of($organization)) and campaign_id = $campaign
   and stage = 'queued'
 limit $limit

-- name: still_claimed
select exists (select from messages
                where organization_id = $organization and number_id = any(numbers_of($organization)) and campaign_id = $campaign
                  and stage = 'claimed')
    or exists (select from messages
                where organization_id = $organization and number_id = any(numbers_of($organization)) and campaign_id = $campaign
                  and stage = 'unknown')

-- name: swept
-- Nothing of an ended campaign is queued any more; what would be queued again from now on is cancelled at once.
update campaigns set settled_at = $at where organization_id = $organization and id = $campaign

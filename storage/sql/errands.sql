-- name: begin
insert into errands (organization_id, kind, subject, contacts, actor, channel, created_at, updated_at)
values ($organization, $kind, $subject, $contacts::bigint[], $actor, $channel, $since, $at)

-- name: take
-- Lock the errand that has waited longest for its next slice and is not set aside; no row: none is free.
select id, kind, subject, cardinality(contacts) as contacts, done, counts, actor, channel, failures, next_try_at, created_at from errands
 where organization_id = $organization and (next_try_at is null or next_try_at <= $at)
 order by updated_at, id limit 1
   for no key update skip locked

-- name: following
-- The next $limit contacts of an errand of which $done are done.
select contacts[$done::integer + 1 : $done::integer + $limit::integer] from errands
 where organization_id = $organization and id = $errand

-- name: advance
-- Write how far an errand has come; the caller holds its lock.
update errands set done = $done, counts = $counts, failures = 0, next_try_at = null, updated_at = $at
 where organization_id = $organization and id = $errand

-- name: put_off
-- Write that its slice failed, and until when it is set aside; the caller holds its lock.
update errands set failures = $failures, next_try_at = $again, updated_at = $at
 where organization_id = $organization and id = $errand

-- name: end
delete from errands where organization_id = $organization and id = $errand

-- name: under_way
-- Errands that are not done, the oldest first.
select id, kind, subject, cardinality(contacts) as contacts, done, counts, actor, channel, failures, next_try_at, created_at from errands
 where organization_id = $organization
 order by id limit $limit::integer

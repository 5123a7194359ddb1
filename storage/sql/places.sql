-- name: lock
-- Keep everybody else from counting under the limit until this commits. After leases, before campaigns.
select pg_advisory_xact_lock(hashtextextended('places:' || $organization || ':' || $cap, 0))

-- name: counts
-- How many places are taken by bucket, since $since.
select bucket, count from place_counts
 where organization_id = $organization and cap = $cap and bucket >= $since and count > 0
 order by bucket

-- name: holders
-- Those of $contacts that have a place.
select contact_id, bucket from places
 where organization_id = $organization and cap = $cap and contact_id = any($contacts::bigint[]) and bucket >= $since

-- name: take
-- Give contacts a place of $bucket, or move the one they have to it.
insert into places as p (organization_id, cap, contact_id, bucket, uses)
select $organization, $cap, t.contact_id, $bucket, t.uses
  from unnest($contacts::bigint[], $uses::integer[]) as t(contact_id, uses)
 order by t.contact_id
on conflict (organization_id, cap, contact_id) do update
   set earlier = case when p.bucket = excluded.bucket then p.earlier else p.bucket end,
       uses = case when p.bucket = excluded.bucket then p.uses + excluded.uses else excluded.uses end,
       bucket = excluded.bucket

-- name: count
-- Change how many places of each bucket are taken.
insert into place_counts as c (organization_id, cap, bucket, count)
select $organization, $cap, t.bucket, t.change
  from unnest($buckets::timestamptz[], $changes::integer[]) as t(bucket, change)
 order by t.bucket
on conflict (organization_id, cap, bucket) do update set count = greatest(0, c.count + excluded.count)

-- name: give_back
-- Take back $uses messages to each of $contacts that were counted in $bucket: who has none left there goes back to
-- the place before, or has none. Returns by how much the count of each bucket changes.
with given as (
  select * from unnest($contacts::bigint[], $uses::integer[]) as t(contact_id, uses)),
held as (
  select p.contact_id, p.earlier, p.uses - g.uses as uses
    from given g
    join places p on p.organization_id = $organization and p.cap = $cap and p.contact_id = g.contact_id
                 and p.bucket = $bucket::timestamptz),
fewer as (
  update places p set uses = h.uses from held h
   where p.organization_id = $organization and p.cap = $cap and p.contact_id = h.contact_id and h.uses > 0),
gone_back as (
  update places p set bucket = h.earlier, uses = 1, earlier = null from held h
   where p.organization_id = $organization and p.cap = $cap and p.contact_id = h.contact_id
     and h.uses <= 0 and h.earlier >= $since
  returning p.bucket),
free as (
  delete from places p using held h
   where p.organization_id = $organization and p.cap = $cap and p.contact_id = h.contact_id
     and h.uses <= 0 and (h.earlier is null or h.earlier < $since)
  returning p.contact_id)
select bucket, count(*)::integer as change from gone_back group by bucket
union all
select $bucket::timestamptz, -((select count(*) from gone_back) + (select count(*) from free))::integer

-- name: hold
-- Close the taps of campaigns that wait for a place until $until; what waits so is held against no deadline.
update campaigns
   set closed_until = $until, closed_why = $why,
       held_s = held_s + extract(epoch from $until::timestamptz - $at::timestamptz)
 where organization_id = $organization and id = any($ids::bigint[])

-- name: put_off
-- Let messages wait until $until for a place, which is held against no deadline.
update messages
   set due_at = $until, deadline_at = deadline_at + ($until::timestamptz - $at::timestamptz)
 where organization_id = $organization and id = any($ids::bigint[])

-- name: lock_held
-- Lock campaigns closed for one of $whys, with those of messages $ids that have a daily cap.
select id from campaigns
 where organization_id = $organization and state in ('active', 'running', 'paused')
   and ((closed_why = any($whys::text[]) and closed_until > $at)
        or (settings ? 'per_day'
            and id in (select campaign_id from messages where organization_id = $organization and id = any($ids::bigint[]))))
 order by id
   for no key update

-- name: open_held
-- Open the taps that are closed for one of $whys: there may be places again.
update campaigns
   set held_s = greatest(0, held_s - extract(epoch from closed_until - $at::timestamptz)), closed_until = null, closed_why = null
 where organization_id = $organization
   and id = any(array(select id from campaigns
                       where organization_id = $organization and state in ('active', 'running', 'paused')
                         and closed_why = any($whys::text[]) and closed_until > $at
                       order by id for no key update))

-- name: forget
-- Forget up to $limit places and counts of before $before, which count no more.
with places_gone as (
  delete from places
   where organization_id = $organization
     and (cap, contact_id) in (select cap, contact_id from places
                                where organization_id = $organization and bucket < $before
                                order by bucket limit $limit)
  returning 1),
counts_gone as (
  delete from place_counts where organization_id = $organization and bucket < $before returning 1)
select (select count(*) from places_gone) + 0 * (select count(*) from counts_gone)

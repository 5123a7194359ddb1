-- name: begin
-- Follow the segments that automations wait for.
insert into segments_followed (organization_id, segment_id)
select distinct $organization, (a.trigger ->> 'segment')::bigint
  from automations a
 where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'segment_joined'
on conflict do nothing

-- name: end
-- Follow segments no longer that no automation waits for.
delete from segments_followed f
 where f.organization_id = $organization
   and not exists (select from automations a
                    where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'segment_joined'
                      and a.trigger -> 'segment' = to_jsonb(f.segment_id))

-- name: begin_anew
-- Forget who was known to be in the segment an automation waits for from now on, unless another one waits for it already.
update segments_followed f set begun = false, followed_after = null, followed_at = null
  from automations w
 where w.organization_id = $organization and w.id = $automation and w.trigger ->> 'on' = 'segment_joined'
   and f.organization_id = $organization and w.trigger -> 'segment' = to_jsonb(f.segment_id)
   and not exists (select from automations a
                    where a.organization_id = $organization and a.id <> w.id and a.state = 'on'
                      and a.trigger ->> 'on' = 'segment_joined' and a.trigger -> 'segment' = w.trigger -> 'segment')

-- name: next
-- The segment to look through now, and since when an automation waits for it. Locked, so that whoever lets it begin
-- anew does so before or after this slice.
select f.segment_id, f.begun, coalesce(f.followed_after, 0) as after,
       (select min(a.on_since) from automations a
         where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'segment_joined'
           and a.trigger -> 'segment' = to_jsonb(f.segment_id)) as since
  from segments_followed f
 where f.organization_id = $organization
   and (f.followed_at is null or f.followed_after is not null or f.followed_at <= $before)
 order by f.followed_at nulls first, f.segment_id limit 1
   for no key update of f

-- name: until
-- The last of the next $limit contacts after $after; null: there are none.
select max(id) from (select id from contacts
                      where organization_id = $organization and id > $after
                      order by id limit $limit) slice

-- name: followed
-- Note how far a segment has been looked through; null: to the end, as of now.
update segments_followed
   set followed_after = $after,
       begun = begun or $after::bigint is null,
       followed_at = case when $after::bigint is null then $at else followed_at end
 where organization_id = $organization and segment_id = $segment

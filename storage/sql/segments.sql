-- name: definitions
-- Every segment with whom it holds, and whether its list, if it has one, has ever been filled.
select id, definition, list_id, refreshed_at is not null as filled from segments where organization_id = $organization

-- name: listed
-- All segments by name.
select s.id, s.name, s.description, s.definition, s.list_id, s.refreshed_at, s.created_at, s.created_by
  from segments s
 where s.organization_id = $organization
 order by lower(s.name)

-- name: lock
-- Keep a segment from changing until this commits.
select id, name, description, definition, list_id, refreshed_at, created_at, created_by
  from segments
 where organization_id = $organization and id = $segment
   for no key update

-- name: seal
-- Wait for whoever begins to name a segment, and let nobody else begin, until this commits.
select id from segments where organization_id = $organization and id = $segment for update

-- name: lock_all
-- Keep the definitions of all segments from changing until this commits, so that no two close a circle.
select id from segments where organization_id = $organization order by id for no key update

-- name: names
select name, id from segments where organization_id = $organization

-- name: add
insert into segments (organization_id, name, name_key, description, definition, list_id, created_at, created_by)
values ($organization, $name, $name_key, $description, $definition, $list, $at, $actor)
on conflict (organization_id, coalesce(name_key, lower(name))) do nothing
returning id

-- name: save
update segments
   set name = $name, name_key = $name_key, description = $description, definition = $definition, list_id = $list, refreshed_at = $refreshed_at
 where organization_id = $organization and id = $segment

-- name: lock_static
-- Keep the segment that fills a list from changing until this commits.
select id from segments where organization_id = $organization and list_id = $list for no key update

-- name: refreshed
update segments set refreshed_at = $at where organization_id = $organization and list_id = $list

-- name: delete
delete from segments where organization_id = $organization and id = $segment

-- name: broadcasts_with
-- Broadcasts not over whose audience names $id under $part: lists or segments.
select name from campaigns
 where organization_id = $organization and kind = 'broadcast' and state in ('draft', 'scheduled', 'running', 'paused')
   and audience -> $part::text @> to_jsonb($id::bigint)
 order by name

-- name: awaited
-- Segments that some automation waits for.
select distinct (trigger ->> 'segment')::bigint as id from automations
 where organization_id = $organization and state = 'on' and trigger ->> 'on' = 'segment_joined'

-- name: automations_with
-- The automations that a segment sets off or that act only on contacts in it, each with the campaign it belongs to.
select a.id, c.name as campaign
  from automations a
  left join campaigns c on c.organization_id = a.organization_id and c.id = a.campaign_id
 where a.organization_id = $organization
   and (a.segment_id = $segment or a.trigger -> 'segment' = to_jsonb($segment::bigint))
 order by a.id

-- name: hold_campaigns
-- Keep campaigns from being deleted until this commits, in the order of their keys; those there are.
select id from campaigns where organization_id = $organization and id = any($ids::bigint[]) order by id for key share

-- name: hold_segments
-- Keep segments from being deleted until this commits, in the order of their keys; those there are.
select id from segments where organization_id = $organization and id = any($ids::bigint[]) order by id for key share

-- name: hold_lists
-- Keep lists from being deleted until this commits, in the order of their keys; those there are.
select id from contact_lists where organization_id = $organization and id = any($ids::bigint[]) order by id for key share

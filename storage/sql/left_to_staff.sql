-- name: count
-- How many messages of a campaign (0: of none) wait for staff to decide.
select count(*) from messages
 where organization_id = $organization and stage = 'unknown' and control_at = 'infinity' and campaign_id = $campaign

-- name: keep_campaign
-- Keep the campaign from ending until this commits, and return its state.
select state from campaigns where organization_id = $organization and id = $campaign for share

-- name: ids
-- Up to $limit of those messages.
select id from messages
 where organization_id = $organization and stage = 'unknown' and control_at = 'infinity' and campaign_id = $campaign
 order by id limit $limit

-- name: still_left
-- Those of messages $ids that wait for staff even now that they are locked.
select id from messages
 where organization_id = $organization and id = any($ids::bigint[]) and stage = 'unknown' and control_at = 'infinity'

-- name: states
select state, count(*) from messages where organization_id = $organization and id = any($ids::bigint[]) group by 1

-- name: claim
-- Remember a request; no row: it has been here.
insert into slack_requests (organization_id, key, at) values ($organization, $key, $at)
on conflict do nothing
returning key

-- name: release
delete from slack_requests where organization_id = $organization and key = $key

-- name: forget
-- Slack repeats within minutes; what is older than a day is of no use.
delete from slack_requests where organization_id = $organization and at < $at::timestamptz - interval '1 day'

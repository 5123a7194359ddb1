-- name: keep
insert into webhook_failures (organization_id, source, reason, body, received_at)
values ($of::text, $source, $reason, $body, $at)
returning id

-- name: waiting
-- Kept bodies of $source not applied since, the oldest first: $ids, or all where it is null.
select id, organization_id, body from webhook_failures
 where source = $source and replayed_at is null and ($ids::bigint[] is null or id = any($ids::bigint[]))
   and id > $after::bigint
 order by id
 limit $limit

-- name: replayed
update webhook_failures set replayed_at = $at where id = $id

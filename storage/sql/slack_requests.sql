-- name: remember
-- Note a request as done; no row: it has been here.
insert into slack_requests (organization_id, key, at) values ($organization, $key, $at)
on conflict do nothing
returning key

-- name: claim
-- Take a request that is new, or whose holder was not heard of for $expiry_s seconds; else say whether it is done.
with claimed as (
  insert into slack_requests as r (organization_id, key, at, holder, renewed_at)
  values ($organization, $key, $at, $holder, clock_timestamp())
  on conflict (organization_id, key) do update
     set holder = excluded.holder, renewed_at = excluded.renewed_at
   where r.holder is not null and r.renewed_at < clock_timestamp() - $expiry_s::double precision * interval '1 second'
  returning key
)
select exists (select from claimed) as claimed,
       exists (select from slack_requests
                where organization_id = $organization and key = $key and holder is null) as done

-- name: renew
-- Say that the holder is alive; no row: somebody else took it up, or it is done.
update slack_requests set renewed_at = clock_timestamp()
 where organization_id = $organization and key = $key and holder = $holder
returning key

-- name: finish
-- Note that it is done, whoever holds it now: it happened.
update slack_requests set holder = null, renewed_at = null
 where organization_id = $organization and key = $key

-- name: release
-- Forget what the holder did not do, unless somebody else took it up.
delete from slack_requests where organization_id = $organization and key = $key and holder = $holder

-- name: forget
-- Slack repeats within minutes; what is older than a day is of no use.
delete from slack_requests where organization_id = $organization and at < $at::timestamptz - interval '1 day'

-- name: note
-- Keep for some seconds that messages of $contacts, or of $campaign, must not start any more.
insert into revocations (organization_id, contacts, campaign_id, noted_at)
values ($organization, $contacts, $campaign, clock_timestamp())

-- name: latest
-- What was noted within $within_s seconds.
select id, contacts, campaign_id from revocations
 where organization_id = $organization and noted_at > clock_timestamp() - $within_s::double precision * interval '1 second'
 order by id

-- name: forget
-- Forget up to $limit that everybody has seen.
delete from revocations
 where organization_id = $organization
   and id in (select id from revocations
               where organization_id = $organization and noted_at < clock_timestamp() - interval '1 minute'
               order by id limit $limit)

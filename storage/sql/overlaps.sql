-- name: overlap
-- By campaign, how many of $contacts (null: of all) who may be written to are in another drip, and how many had a
-- promotional message of another campaign after $since; then how many are in any, had any, and either.
with reached as (
  select c.id, c.promoted_campaign_id as lately
    from contacts c
   where c.organization_id = $organization and ($contacts::bigint[] is null or c.id = any($contacts::bigint[]))
     and left_out_because(c, $promotional, (select banned_countries($organization))) is null and c.promoted_at > $since
     and c.promoted_campaign_id is distinct from $campaign::bigint),
elsewhere as (
  select e.contact_id, e.campaign_id
    from enrollments e
    join contacts c on c.organization_id = e.organization_id and c.id = e.contact_id
   where e.organization_id = $organization and e.state in ('active', 'paused')
     and e.campaign_id is distinct from $campaign::bigint
     and ($contacts::bigint[] is null or e.contact_id = any($contacts::bigint[]))
     and left_out_because(c, $promotional, (select banned_countries($organization))) is null)
select 'active' as what, campaign_id, count(distinct contact_id) as count from elsewhere group by campaign_id
union all
select 'recent', lately, count(*) from reached group by lately
union all
select 'elsewhere', null, count(distinct contact_id) from elsewhere
union all
select 'lately', null, count(*) from reached
union all
select 'either', null, count(*) from (select contact_id from elsewhere union select id from reached) e

-- name: elsewhere
-- Those of $contacts who are in a drip that is none of theirs here: enrolled, in another than $campaign, not ended.
select distinct contact_id from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and campaign_id <> $campaign
   and state in ('active', 'paused')

-- name: lately
-- Those of $contacts who had a promotional message of another campaign than $campaign after $since.
select id from contacts
 where organization_id = $organization and id = any($contacts::bigint[]) and promoted_at > $since
   and promoted_campaign_id is distinct from $campaign::bigint

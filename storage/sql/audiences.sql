-- name: contacts
-- The contacts of an audience, sorted.
select contact_id as id from (
  select contact_id from contact_tags where organization_id = $organization and tag = any($tags::text[])
  union
  select contact_id from contact_identities
   where organization_id = $organization and kind = 'phone' and value = any($phones::text[])
  union
  select contact_id from enrollments where organization_id = $organization and campaign_id = any($drips::bigint[])
  union
  select contact_id from messages
   where organization_id = $organization and campaign_id = any($broadcasts::bigint[])
  union
  select id from contacts where organization_id = $organization and $everyone) members
 order by 1

-- name: reach
-- How many of an audience may be written to, and how many not by reason.
with members as (
  select contact_id from contact_tags
   where not $everyone and organization_id = $organization and tag = any($tags::text[])
  union
  select contact_id from contact_identities
   where not $everyone and organization_id = $organization and kind = 'phone' and value = any($phones::text[])
  union
  select contact_id from enrollments
   where not $everyone and organization_id = $organization and campaign_id = any($drips::bigint[])
  union
  select contact_id from messages
   where not $everyone and organization_id = $organization and campaign_id = any($broadcasts::bigint[]))
select coalesce(left_out_because(c, $promotional), '') as reason, count(*) as count
  from contacts c
 where c.organization_id = $organization and ($everyone or c.id in (select contact_id from members))
 group by 1

-- name: last_contact
select max(id) from contacts where organization_id = $organization

-- name: known_phones
-- Those of $phones that some contact has.
select value from contact_identities
 where organization_id = $organization and kind = 'phone' and value = any($phones::text[])

-- name: attributes
-- The names of all attributes that some contact has.
select distinct jsonb_object_keys(attributes) as name from contacts
 where organization_id = $organization and attributes <> '{}'

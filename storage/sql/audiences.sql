-- name: contacts
-- The contacts of an audience up to $up_to, sorted.
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
 where contact_id <= $up_to
 order by 1

-- name: reach
-- How many of the contacts may be written to, and how many not by reason. Mirrors engine.consent.Consent.against
-- as planning does; a property test compares them.
select case when c.erased_at is not null then 'erased'
            when c.opted_out_at >= coalesce(c.opted_in_at, '-infinity') then 'opted_out'
            when c.blocked_at >= coalesce(c.unblocked_at, '-infinity') then 'blocked'
            when c.unreachable_at >= coalesce(c.reached_at, '-infinity') then 'unreachable'
            when $promotional and c.platform_stopped_at >= coalesce(c.platform_resumed_at, '-infinity') then 'platform_stopped'
            else '' end as reason,
       count(*) as count
  from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 group by 1

-- name: last_contact
select max(id) from contacts where organization_id = $organization

-- name: strangers
-- Those of $phones that no contact has.
select p.phone
  from unnest($phones::text[]) with ordinality as p(phone, place)
 where not exists (select from contact_identities i
                    where i.organization_id = $organization and i.kind = 'phone' and i.value = p.phone)
 order by p.place

-- name: attributes
-- The names of all attributes that some contact has.
select distinct jsonb_object_keys(attributes) as name from contacts
 where organization_id = $organization and attributes <> '{}'

-- name: members
-- The contacts a condition means, sorted. Here and below its predicate stands for "true /* meant */".
select c.id from contacts c
 where c.organization_id = $organization and (true /* meant */)
 order by c.id

-- name: preview
-- How many a condition means, and the first $limit of them.
with meant as not materialized (
  select c.id from contacts c where c.organization_id = $organization and (true /* meant */))
select (select count(*) from meant) as count, array(select id from meant order by id limit $limit::integer) as first

-- name: among
-- Those of $contacts that a condition means, sorted.
select c.id from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[]) and (true /* meant */)
 order by c.id

-- name: reach
-- How many of those a condition means may be written to, and how many not by reason.
select coalesce(left_out_because(c, $promotional::boolean), '') as reason, count(*) as count
  from contacts c
 where c.organization_id = $organization and (true /* meant */)
 group by 1

-- name: freeze
-- Keep whom a broadcast is for, up to contact $up_to, in chunks of $size.
insert into frozen_audiences (organization_id, campaign_id, first_contact, last_contact, contacts)
select $organization, $campaign::bigint, min(id), max(id), array_agg(id order by id)
  from (select c.id, (row_number() over (order by c.id) - 1) / $size::integer as chunk
          from contacts c
         where c.organization_id = $organization and c.id <= $up_to::bigint and (true /* meant */)) meant
 group by chunk

-- name: thaw
-- Forget whom an ended or planned broadcast was for.
delete from frozen_audiences where organization_id = $organization and campaign_id = $campaign

-- name: last_contact
select max(id) from contacts where organization_id = $organization

-- name: known_phones
-- Those of $phones that some contact has.
select value from contact_identities
 where organization_id = $organization and kind = 'phone' and value = any($phones::text[])

-- name: known
select name, type from attributes where organization_id = $organization order by name

-- name: begin
-- Give attributes their types; one that has a type keeps it.
insert into attributes (organization_id, name, type, created_at)
select $organization, g.name, g.type, $at
  from unnest($names::text[], $types::text[]) as g(name, type)
 order by g.name
on conflict do nothing

-- name: hold
-- The types of attributes, which stay until this transaction ends.
select name, type from attributes
 where organization_id = $organization and name = any($names::text[])
 order by name
   for share

-- name: lock
select type from attributes where organization_id = $organization and name = $name for update

-- name: listed
-- All attributes, with how many contacts have a value of each.
select a.name, a.type, coalesce(c.contacts, 0) as contacts
  from attributes a
  left join (select key, count(*) as contacts
               from contacts, jsonb_object_keys(attributes) as key
              where organization_id = $organization and attributes <> '{}'
              group by key) c on c.key = a.name
 where a.organization_id = $organization
 order by a.name

-- name: values_after
-- The next contacts after $after that have the attribute $name; only those changed since $since, if that is given.
select id, attributes ->> $name as value from contacts
 where organization_id = $organization and id > $after and attributes ? $name
   and ($since::timestamptz is null or updated_at >= $since)
 order by id limit $limit

-- name: values_of
-- The values of those of $contacts that have the attribute $name.
select id, attributes ->> $name as value from contacts
 where organization_id = $organization and id = any($contacts::bigint[]) and attributes ? $name
 order by id

-- name: contacts_with
-- The contacts that have the attribute $name; only those changed since $since, if that is given.
select id from contacts
 where organization_id = $organization and attributes ? $name
   and ($since::timestamptz is null or updated_at >= $since)
 order by id

-- name: rewrite
-- Write new values where the old ones are still there; contacts are locked in the order of their keys.
with locked as materialized (
  select id from contacts
   where organization_id = $organization and id = any($contacts::bigint[])
   order by id
     for no key update)
update contacts c
   set attributes = c.attributes || jsonb_build_object($name::text, w.new)
  from locked l
  join unnest($contacts::bigint[], $olds::text[], $news::text[]) as w(id, old, new) on w.id = l.id
 where c.organization_id = $organization and c.id = l.id and c.attributes ->> $name::text = w.old

-- name: retype
update attributes set type = $type where organization_id = $organization and name = $name

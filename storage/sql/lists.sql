-- name: listed
-- All lists by name, each with how many contacts are on it and the segment that fills it, if one does.
select l.id, l.name, l.description, l.created_at, l.created_by, s.name as segment, s.refreshed_at,
       (select count(*) from list_members m where m.organization_id = $organization and m.list_id = l.id) as count
  from contact_lists l
  left join segments s on s.organization_id = l.organization_id and s.list_id = l.id
 where l.organization_id = $organization
 order by lower(l.name)

-- name: names
select name, id from contact_lists where organization_id = $organization

-- name: lock
-- Keep a list from changing until this commits; with the segment that fills it, if one does.
select l.id, l.name, l.description, l.created_at, l.created_by,
       (select s.name from segments s where s.organization_id = $organization and s.list_id = l.id) as segment
  from contact_lists l
 where l.organization_id = $organization and l.id = $list
   for no key update

-- name: seal
-- Wait for whoever begins to name a list, and let nobody else begin, until this commits.
select id from contact_lists where organization_id = $organization and id = $list for update

-- name: add
insert into contact_lists (organization_id, name, name_key, description, created_at, created_by)
values ($organization, $name, $name_key, $description, $at, $actor)
on conflict (organization_id, coalesce(name_key, lower(name))) do nothing
returning id

-- name: save
update contact_lists set name = $name, name_key = $name_key, description = $description
 where organization_id = $organization and id = $list

-- name: delete
-- The members go with it.
delete from contact_lists where organization_id = $organization and id = $list

-- name: keep
-- Keep a list from being deleted until this commits; no row: it is gone.
select id from contact_lists where organization_id = $organization and id = $list for key share

-- name: put
-- Put those of $contacts that there are on a list.
insert into list_members (organization_id, list_id, contact_id, added_at)
select $organization, $list, c.id, $at from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id
on conflict do nothing

-- name: take
-- Take contacts off a list.
delete from list_members
 where organization_id = $organization and list_id = $list and contact_id = any($contacts::bigint[])

-- name: members
-- The contacts on a list, sorted.
select contact_id as id from list_members where organization_id = $organization and list_id = $list order by contact_id

-- name: first_by_name
-- The first $limit contacts of a list by name, those without one last.
select c.id
  from list_members m
  join contacts c on c.organization_id = $organization and c.id = m.contact_id
 where m.organization_id = $organization and m.list_id = $list
 order by lower(coalesce(c.name, c.first_name)) nulls last, c.id
 limit $limit::integer

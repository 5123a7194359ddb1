-- name: add_tags
-- Put tags on contacts; each that is new is told to triggers by one occurrence. The caller holds the contacts' locks.
with tagged as (
  insert into contact_tags (organization_id, tag, contact_id, added_at)
  select $organization, g.tag, g.contact_id, $at
    from unnest($contacts::bigint[], $tags::text[]) as g(contact_id, tag)
   order by g.tag, g.contact_id
  on conflict do nothing
  returning contact_id, tag),
told as (
  insert into occurrences (organization_id, kind, contact_id, value, depth, at)
  select $organization, 'tag_added', t.contact_id, t.tag, $depth, $at from tagged t order by t.contact_id, t.tag)
select count(*) from tagged

-- name: remove_tag
delete from contact_tags
 where organization_id = $organization and tag = $tag and contact_id = any($contacts::bigint[])

-- name: of_contacts
-- The tags of contacts.
select contact_id, tag from contact_tags
 where organization_id = $organization and contact_id = any($contacts::bigint[])

-- name: known_tags
-- Every tag once, from the index: from each the next one, however many contacts have it.
with recursive known as (
  (select tag from contact_tags where organization_id = $organization order by tag limit 1)
  union all
  select (select t.tag from contact_tags t
           where t.organization_id = $organization and t.tag > k.tag order by t.tag limit 1)
    from known k where k.tag is not null)
select tag from known where tag is not null order by tag

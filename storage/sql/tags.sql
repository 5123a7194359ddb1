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
  insert into occurrences (organization_id, kind, contact_id, value, at)
  select $organization, 'tag_added', t.contact_id, t.tag, $at from tagged t order by t.contact_id, t.tag)
select count(*) from tagged

-- name: remove_tag
delete from contact_tags
 where organization_id = $organization and tag = $tag and contact_id = any($contacts::bigint[])

-- name: known_tags
select distinct tag from contact_tags where organization_id = $organization order by tag

-- name: create
-- Begin a file; it has no content yet.
insert into blobs (organization_id, name, mimetype, size, keep, created_at)
values ($organization, $name, $mimetype, 0, $keep, $at)
returning id

-- name: append
-- Add a chunk behind the last one and count it into the size; the blob's row is locked meanwhile.
with grown as (
  update blobs set size = size + octet_length($content::bytea)
   where organization_id = $organization and id = $blob
  returning id)
insert into blob_chunks (organization_id, blob_id, position, content)
select $organization, g.id,
       coalesce((select max(c.position) + 1 from blob_chunks c
                  where c.organization_id = $organization and c.blob_id = $blob), 0),
       $content::bytea
  from grown g

-- name: find
select id, name, mimetype, size from blobs where organization_id = $organization and id = $blob

-- name: chunk
-- The next chunk after $after; no row: there are no more.
select position, content from blob_chunks
 where organization_id = $organization and blob_id = $blob and position > $after
 order by position limit 1

-- name: delete
delete from blobs where organization_id = $organization and id = any($blobs::bigint[])

-- name: expired
-- Up to $limit files made before $before that nobody asked to keep and no import or export still needs, the oldest first.
select id from blobs b
 where organization_id = $organization and not keep and created_at < $before
   and not exists (select from imports i
                    where i.organization_id = $organization and i.state in ('uploaded', 'judging', 'importing', 'undoing')
                      and b.id in (i.blob_id, i.verdicts_blob_id, i.stays_blob_id))
   and not exists (select from exports e
                    where e.organization_id = $organization and e.state = 'writing' and b.id = e.blob_id)
 order by created_at, id limit $limit

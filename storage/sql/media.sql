-- name: file
-- A file by its name as names are compared, kept from being removed meanwhile.
select id, name, kind, mimetype, size, filename, blob_id, source_url, created_at, created_by
  from media
 where organization_id = $organization and coalesce(name_key, lower(name)) = $name_key
   for key share

-- name: names
select name from media where organization_id = $organization order by lower(name)

-- name: listed
select id, name, kind, mimetype, size, filename, blob_id, source_url, created_at, created_by
  from media
 where organization_id = $organization
 order by lower(name)

-- name: add
-- Add a file whose bytes are here, or one the worker is to fetch; no row: the name is taken.
insert into media (organization_id, name, name_key, kind, mimetype, size, filename, blob_id, source_url, next_try_at,
                   created_at, created_by)
values ($organization, $name, $name_key, $kind, $mimetype, $size, $filename, $blob::bigint, $url,
        case when $blob::bigint is null then $at::timestamptz end, $at, $actor)
on conflict do nothing
returning id

-- name: keep_blob
-- The bytes of a file in the library do not expire.
update blobs set keep = true where organization_id = $organization and id = $blob

-- name: users
-- What sends the file, or shows it to the platform's reviewers.
select c.name, c.kind
  from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 cross join lateral (values (s.content), (s.fallback)) as u(content)
 where c.organization_id = $organization and c.state in ('draft', 'scheduled', 'active', 'running', 'paused')
   and (u.content ->> 'media' = $name or u.content #>> '{header,media}' = $name)
union
select name, 'template draft' from template_drafts
 where organization_id = $organization and state in ('draft', 'submitted') and draft #>> '{header,media}' = $name
 order by 2, 1

-- name: lock
-- Keep others from using a file, and wait for those who just began to.
select id from media where organization_id = $organization and id = $media for update

-- name: remove
delete from media where organization_id = $organization and id = $media

-- name: take_fetch
-- The file that waits longest to be fetched, nobody else's until $until.
update media m
   set next_try_at = $until
 where m.organization_id = $organization
   and m.id = (select id from media
                where organization_id = $organization and next_try_at <= $at
                order by next_try_at, id limit 1
                  for no key update skip locked)
returning m.id, m.name, m.filename, m.source_url, m.created_by

-- name: fetched
-- A file's bytes are here; no row: it was removed meanwhile.
update media
   set kind = $kind, mimetype = $mimetype, size = $size, filename = $filename, blob_id = $blob, next_try_at = null
 where organization_id = $organization and id = $media and blob_id is null
returning id

-- name: not_fetched
-- Forget a file that cannot be fetched.
delete from media where organization_id = $organization and id = $media and blob_id is null

-- name: ids
-- The platform's ids of files on one number; an id that has lived too long is none.
select m.name, case when i.uploaded_at > $alive_since then i.platform_id end as platform_id
  from media m
  left join media_ids i on i.organization_id = m.organization_id and i.media_id = m.id and i.number_id = $number
 where m.organization_id = $organization and m.name = any($names::text[]) and m.blob_id is not null

-- name: want
-- Ask for ids of files on a number; one that could not be uploaded is tried again.
insert into media_ids as i (organization_id, media_id, number_id, wanted_at)
select $organization, m.id, $number, $at::timestamptz
  from media m
 where m.organization_id = $organization and m.name = any($names::text[])
 order by m.id
on conflict (organization_id, media_id, number_id) do update
   set wanted_at = coalesce(i.wanted_at, excluded.wanted_at), problem = null,
       next_try_at = case when i.problem is null then i.next_try_at end
 where i.wanted_at is null or i.problem is not null

-- name: take_upload
-- A file to be uploaded for a number, because somebody waits or its id in use grows old; nobody else's until $until.
update media_ids u
   set next_try_at = $until
  from media m
 where u.organization_id = $organization and m.organization_id = $organization and m.id = u.media_id
   and (u.media_id, u.number_id) = (
     select i.media_id, i.number_id
       from media_ids i
       join media f on f.organization_id = i.organization_id and f.id = i.media_id
      where i.organization_id = $organization and f.blob_id is not null and i.number_id = any($numbers::text[])
        and (i.next_try_at is null or i.next_try_at <= $at)
        and ((i.wanted_at is not null and i.problem is null)
             or (i.uploaded_at <= $renew_before and media_in_use(i.organization_id, f.name)))
      order by i.wanted_at nulls last, i.media_id, i.number_id limit 1
        for no key update of i skip locked)
returning u.media_id, u.number_id, m.name, m.mimetype, m.size, m.filename, m.blob_id

-- name: uploaded
update media_ids
   set platform_id = $platform, uploaded_at = $at, wanted_at = null, next_try_at = null, problem = null
 where organization_id = $organization and media_id = $media and number_id = $number

-- name: upload_refused
-- The platform does not take the file; nobody waits for it any longer.
update media_ids
   set problem = $problem, next_try_at = $again
 where organization_id = $organization and media_id = $media and number_id = $number

-- name: upload_later
update media_ids
   set next_try_at = $again
 where organization_id = $organization and media_id = $media and number_id = $number

-- name: campaigns_waiting
-- Open campaigns that send the file.
select distinct c.id
  from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 cross join lateral (values (s.content), (s.fallback)) as u(content)
 where c.organization_id = $organization and c.state in ('active', 'running')
   and (u.content ->> 'media' = $name or u.content #>> '{header,media}' = $name)
 order by c.id

-- name: retire
-- The platform no longer knows an id that was uploaded before $before: a new one is wanted. No row: it is newer.
update media_ids
   set platform_id = null, uploaded_at = null, wanted_at = coalesce(wanted_at, $at::timestamptz), problem = null,
       next_try_at = null
 where organization_id = $organization and number_id = $number and platform_id = $platform and uploaded_at <= $before
returning media_id

-- name: renew_of
-- Ask for new ids of the files that messages $ids sent, unless they were uploaded within $fresh before the call;
-- the messages whose file gets another id, or has got one since.
with sent as (
  select distinct m.id, m.number_id, f.id as media_id, coalesce(m.claimed_at, m.accepted_at) as called_at
    from messages m
    join steps s on s.organization_id = m.organization_id and s.id = m.step_id
   cross join lateral (values (s.content), (s.fallback)) as u(content)
    join media f on f.organization_id = m.organization_id
                and (f.name = u.content ->> 'media' or f.name = u.content #>> '{header,media}')
   where m.organization_id = $organization and m.id = any($ids::bigint[])),
held as (
  select i.media_id, i.number_id, i.uploaded_at, i.wanted_at, i.problem
    from media_ids i
   where i.organization_id = $organization
     and (i.media_id, i.number_id) in (select s.media_id, s.number_id from sent s)
   order by i.media_id, i.number_id
     for no key update of i),
retired as (
  update media_ids i
     set platform_id = null, uploaded_at = null, wanted_at = coalesce(i.wanted_at, $at::timestamptz), problem = null,
         next_try_at = null
   where i.organization_id = $organization
     and exists (select from held h join sent s on s.media_id = h.media_id and s.number_id = h.number_id
                  where h.media_id = i.media_id and h.number_id = i.number_id
                    and h.uploaded_at <= s.called_at - $fresh::interval))
select distinct s.id
  from sent s
  join held h on h.media_id = s.media_id and h.number_id = s.number_id
 where h.uploaded_at <= s.called_at - $fresh::interval or h.uploaded_at > s.called_at
    or (h.uploaded_at is null and h.wanted_at is not null and h.problem is null)

-- name: begin
-- Keep an uploaded file to be judged; no row: the same file is there already.
insert into imports (organization_id, file_id, blob_id, name, state, actor, channel, thread_ts, list_id, created_at,
                     updated_at)
values ($organization, $file, $blob, $name, 'uploaded', $actor, $channel, $thread_ts, $list, $at, $at)
on conflict (organization_id, file_id) do nothing
returning id

-- name: of_file
select id from imports where organization_id = $organization and file_id = $file

-- name: find
select i.id, i.blob_id, i.verdicts_blob_id, i.name, i.state, i.problem, i.position, i.counts, i.samples, i.actor,
       i.channel, i.thread_ts, i.rows, i.reading, i.list_id, i.stays_blob_id, i.created_at, l.name as list_name
  from imports i
  left join contact_lists l on l.organization_id = i.organization_id and l.id = i.list_id
 where i.organization_id = $organization and i.id = $import

-- name: next_open
-- Of the $at_once oldest that are not set aside the import that has waited longest for its next slice; no row: nothing is to be done.
select i.id, i.blob_id, i.verdicts_blob_id, i.name, i.state, i.problem, i.position, i.counts, i.samples, i.actor,
       i.channel, i.thread_ts, i.rows, i.reading, i.list_id, i.stays_blob_id, i.created_at, l.name as list_name
  from imports i
  left join contact_lists l on l.organization_id = i.organization_id and l.id = i.list_id
 where i.organization_id = $organization
   and i.id in (select id from imports
                 where organization_id = $organization and state in ('uploaded', 'judging', 'importing', 'undoing')
                   and (next_try_at is null or next_try_at <= $at)
                 order by id limit $at_once)
 order by i.updated_at, i.id limit 1

-- name: lock
-- Lock an import that is still where it was seen; no row: somebody else has moved it.
select id from imports
 where organization_id = $organization and id = $import and state = $state and position = $position
   for no key update skip locked

-- name: advance
-- Write how far an import has come; the caller holds its lock.
update imports
   set state = $state, position = $position, counts = $counts, samples = $samples,
       verdicts_blob_id = $verdicts, problem = $problem, rows = $rows, reading = $reading, stays_blob_id = $stays,
       failures = 0, next_try_at = null, updated_at = $at
 where organization_id = $organization and id = $import

-- name: failed
-- Count a failure of an import that is still where it was seen; returns how many there are in a row.
update imports set failures = failures + 1, updated_at = $at
 where organization_id = $organization and id = $import and state = $state and position = $position
returning failures

-- name: set_aside
update imports set next_try_at = $again where organization_id = $organization and id = $import

-- name: move
-- Bring a judged import into $state, once; no row: it is not waiting for that.
update imports
   set state = $state, position = 0, updated_at = $at
 where organization_id = $organization and id = $import and state = 'judged'
returning id

-- name: recent
-- The last imports, the latest first.
select i.id, i.blob_id, i.verdicts_blob_id, i.name, i.state, i.problem, i.position, i.counts, i.samples, i.actor,
       i.channel, i.thread_ts, i.rows, i.reading, i.list_id, i.stays_blob_id, i.created_at, l.name as list_name
  from imports i
  left join contact_lists l on l.organization_id = i.organization_id and l.id = i.list_id
 where i.organization_id = $organization
 order by i.id desc limit $limit

-- name: moving
-- Imports of many rows that the worker is at, and those whose progress is shown and not yet as they ended.
select i.id, i.name, i.state, i.position, i.rows, i.counts, i.channel, i.thread_ts
  from imports i
 where i.organization_id = $organization and i.state in ('judging', 'importing', 'undoing')
   and greatest(i.rows, i.position) >= $many
union all
select i.id, i.name, i.state, i.position, i.rows, i.counts, i.channel, i.thread_ts
  from imports i
  join slack_posts p on p.organization_id = i.organization_id and p.key = 'import:' || i.id
 where i.organization_id = $organization and i.state not in ('judging', 'importing', 'undoing')
   and i.updated_at > $at::timestamptz - interval '1 day' and not p.final
 order by 1

-- name: undo
-- Have an import undone, once; no row: it is not imported, or no longer.
update imports
   set state = 'undoing', position = 0, undone_by = $actor, updated_at = $at
 where organization_id = $organization and id = $import and state = 'imported'
returning id

-- name: list_called
-- The lists there are, by name.
select id, name from contact_lists where organization_id = $organization order by name

-- name: lock_list
-- Keep a list from being deleted until this commits; no row: it is gone.
select id from contact_lists where organization_id = $organization and id = $list for key share

-- name: put_on_list
-- Put contacts on a list; returns those who were not on it.
insert into list_members (organization_id, list_id, contact_id, added_at)
select $organization, $list, c.id, $at from unnest($contacts::bigint[]) as c(id) order by c.id
on conflict do nothing
returning contact_id

-- name: take_off_list
delete from list_members
 where organization_id = $organization and list_id = $list and contact_id = any($contacts::bigint[])

-- name: facts
-- What is known of contacts that a file can change. The caller holds their locks.
select c.id, c.name, c.first_name, c.company, c.email, c.language, c.timezone, c.timezone_from, c.attributes,
       array(select t.tag from contact_tags t
              where t.organization_id = c.organization_id and t.contact_id = c.id order by t.tag) as tags
  from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

-- name: write_facts
-- Write what is known of contacts. The caller holds their locks.
update contacts c
   set name = g.name, first_name = g.first_name, company = g.company, email = g.email, language = g.language,
       timezone = g.timezone, timezone_from = g.timezone_from, attributes = g.attributes, updated_at = $at
  from unnest($contacts::bigint[], $names::text[], $first_names::text[], $companies::text[], $emails::text[],
              $languages::text[], $timezones::text[], $timezones_from::text[], $attributes::jsonb[])
       as g(id, name, first_name, company, email, language, timezone, timezone_from, attributes)
 where c.organization_id = $organization and c.id = g.id

-- name: remove_tags
-- Take tags off contacts, and what still waits for triggers of them. The caller holds the contacts' locks.
with waiting as (
  delete from occurrences o
   using unnest($contacts::bigint[], $tags::text[]) as g(contact_id, tag)
   where o.organization_id = $organization and o.kind = 'tag_added' and o.contact_id = g.contact_id
     and o.value = g.tag)
delete from contact_tags t
 using unnest($contacts::bigint[], $tags::text[]) as g(contact_id, tag)
 where t.organization_id = $organization and t.tag = g.tag and t.contact_id = g.contact_id

-- name: deeds_after
-- The next $limit rows after row $after of which something can be undone.
select row, contact_id, phone, did from import_rows
 where organization_id = $organization and import_id = $import and row > $after and did is not null
   and contact_id is not null
 order by row limit $limit

-- name: forget_deeds
-- Note that what importing rows did is undone.
update import_rows set did = null
 where organization_id = $organization and import_id = $import and row = any($rows::integer[])

-- name: hold_planning
-- Wait for slices of planning under way and keep the next ones waiting: messages have no foreign key to contacts.
select id from campaigns
 where organization_id = $organization and kind = 'broadcast' and state = 'running' and planned_at is null
 order by id
   for share

-- name: lock_to_delete
-- Lock contacts that are to be deleted, in the order of their keys.
select id from contacts
 where organization_id = $organization and id = any($contacts::bigint[])
 order by id
   for update

-- name: happened
-- What has happened to contacts since an import made them. The caller holds their locks.
select c.id,
       exists (select from messages m where m.organization_id = $organization and m.contact_id = c.id) as messages,
       exists (select from enrollments e where e.organization_id = $organization and e.contact_id = c.id) as enrolled,
       exists (select from service_windows w
                where w.organization_id = $organization
                  and w.number_id in (select n.id from numbers n where n.organization_id = $organization)
                  and w.contact_id = c.id) as wrote,
       exists (select from consents k where k.organization_id = $organization and k.contact_id = c.id) as consent,
       exists (select from conversations v
                where v.organization_id = $organization and v.contact_id = c.id) as conversation,
       exists (select from contact_identities i
                where i.organization_id = $organization and i.contact_id = c.id and i.kind <> 'phone') as identity,
       exists (select from contact_tags t
                where t.organization_id = $organization and t.contact_id = c.id and t.added_at <> c.created_at) as tagged,
       exists (select from list_members l
                where l.organization_id = $organization and l.contact_id = c.id
                  and (l.list_id <> $list::bigint or $list::bigint is null)) as listed,
       c.updated_at <> c.created_at as changed
  from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[])

-- name: delete_contacts
-- Delete contacts to which nothing has happened, with what waits for triggers.
with waiting as (
  delete from occurrences where organization_id = $organization and contact_id = any($contacts::bigint[]))
delete from contacts where organization_id = $organization and id = any($contacts::bigint[])

-- name: first_rows
-- The first row of the file with each phone, among those judged so far; later ones are duplicates. Each phone is
-- looked up by itself (offset 0): joined, all rows of the import would be read as long as it has no statistics.
select p.phone, first.row
  from unnest($phones::text[]) as p(phone)
 cross join lateral (select i.row from import_rows i
                      where i.organization_id = $organization and i.import_id = $import and i.phone = p.phone
                        and i.verdict <> 'duplicate'
                     offset 0) first

-- name: tagged
-- How many rows with one of $verdicts bring one of $tags.
select count(*) from import_rows
 where organization_id = $organization and import_id = $import and verdict = any($verdicts::text[])
   and content -> 'tags' ?| $tags::text[]

-- name: keep_rows
-- Keep the verdicts of a slice.
insert into import_rows (organization_id, import_id, row, verdict, reason, phone, content)
select $organization, $import, r.row, r.verdict, nullif(r.reason, ''), r.phone, r.content
  from unnest($rows::integer[], $verdicts::text[], $reasons::text[], $phones::text[], $contents::jsonb[])
       as r(row, verdict, reason, phone, content)

-- name: rows_after
-- The next $limit rows after row $after.
select row, verdict, phone, content from import_rows
 where organization_id = $organization and import_id = $import and row > $after
 order by row limit $limit

-- name: rows_done
-- Note which contact each row became, and what importing did to it.
update import_rows i
   set done = true, contact_id = d.contact_id, did = d.did
  from unnest($rows::integer[], $contacts::bigint[], $deeds::jsonb[]) as d(row, contact_id, did)
 where i.organization_id = $organization and i.import_id = $import and i.row = d.row

-- name: plan_anew
-- Plan each statement of this transaction, and the checks of foreign keys, for the tables as they are. A plan
-- kept from when a table was empty may take any index that begins with organization_id, and read all of it.
select set_config('plan_cache_mode', 'force_custom_plan', true)

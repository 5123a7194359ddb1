-- name: begin
-- Keep an uploaded file to be judged; no row: the same file is there already.
insert into imports (organization_id, file_id, blob_id, name, state, actor, channel, thread_ts, created_at, updated_at)
values ($organization, $file, $blob, $name, 'uploaded', $actor, $channel, $thread_ts, $at, $at)
on conflict (organization_id, file_id) do nothing
returning id

-- name: of_file
select id from imports where organization_id = $organization and file_id = $file

-- name: find
select id, blob_id, verdicts_blob_id, name, state, problem, position, counts, samples, actor, channel, thread_ts
  from imports
 where organization_id = $organization and id = $import

-- name: next_open
-- The import that has waited longest for its next slice; no row: nothing is to be done.
select id, blob_id, verdicts_blob_id, name, state, problem, position, counts, samples, actor, channel, thread_ts
  from imports
 where organization_id = $organization and state in ('uploaded', 'judging', 'importing')
 order by updated_at, id limit 1

-- name: lock
-- Lock an import that is still where it was seen; no row: somebody else has moved it.
select id from imports
 where organization_id = $organization and id = $import and state = $state and position = $position
   for no key update skip locked

-- name: advance
-- Write how far an import has come; the caller holds its lock.
update imports
   set state = $state, position = $position, counts = $counts, samples = $samples,
       verdicts_blob_id = $verdicts, problem = $problem, updated_at = $at
 where organization_id = $organization and id = $import

-- name: move
-- Bring a judged import into $state, once; no row: it is not waiting for that.
update imports
   set state = $state, position = 0, updated_at = $at
 where organization_id = $organization and id = $import and state = 'judged'
returning id

-- name: first_rows
-- The first row of the file with each phone, among those judged so far; later ones are duplicates. Each phone is
-- looked up by itself (offset 0): joined, all rows of the import would be read as long as it has no statistics.
select p.phone, first.row
  from unnest($phones::text[]) as p(phone)
 cross join lateral (select i.row from import_rows i
                      where i.organization_id = $organization and i.import_id = $import and i.phone = p.phone
                        and i.verdict <> 'duplicate'
                     offset 0) first

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
-- Note which contact each row became.
update import_rows i
   set done = true, contact_id = d.contact_id
  from unnest($rows::integer[], $contacts::bigint[]) as d(row, contact_id)
 where i.organization_id = $organization and i.import_id = $import and i.row = d.row

-- name: plan_anew
-- Plan each statement of this transaction, and the checks of foreign keys, for the tables as they are. A plan
-- kept from when a table was empty may take any index that begins with organization_id, and read all of it.
select set_config('plan_cache_mode', 'force_custom_plan', true)

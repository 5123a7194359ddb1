-- name: request
-- Ask for a task; one under way that began earlier does not count as its answer.
insert into tasks as t (organization_id, name, requested_at, requested_by)
values ($organization, $name, $at, $by)
on conflict (organization_id, name) do update
   set requested_at = greatest(excluded.requested_at, t.done_at + interval '1 microsecond'),
       requested_by = excluded.requested_by

-- name: get
select requested_at, done_at, result from tasks where organization_id = $organization and name = $name

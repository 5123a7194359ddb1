-- name: acquire
-- Take the lease if nobody holds it or its holder was not heard of for $expiry_s seconds. Never waits: a lease in use
-- by a transaction is somebody's, and those who wait for one would take the connections of everybody else.
insert into leases as l (organization_id, name, holder, generation, renewed_at)
select $organization, $name, $holder, 1, clock_timestamp()
 where not exists (select from leases where organization_id = $organization and name = $name)
    or exists (select from leases where organization_id = $organization and name = $name for no key update skip locked)
on conflict (organization_id, name) do update
   set holder = excluded.holder, generation = l.generation + 1, renewed_at = clock_timestamp()
 where l.holder is null or l.renewed_at < clock_timestamp() - $expiry_s::double precision * interval '1 second'
returning generation, extract(epoch from clock_timestamp() - last_call_at)::double precision as last_call_age_s

-- name: renew
-- Keep the lease; no row: somebody else has it, or might have relied on its end.
update leases
   set renewed_at = clock_timestamp(), last_call_at = greatest(last_call_at, clock_timestamp() - $call_age_s::double precision * interval '1 second')
 where organization_id = $organization and name = $name and holder = $holder and generation = $generation
   and renewed_at >= clock_timestamp() - $expiry_s::double precision * interval '1 second'
returning generation

-- name: release
-- Give the lease back at once.
update leases
   set holder = null, last_call_at = greatest(last_call_at, clock_timestamp() - $call_age_s::double precision * interval '1 second')
 where organization_id = $organization and name = $name and holder = $holder and generation = $generation

-- name: pace
-- No campaign message goes before $until.
update leases set paced_until = $until where organization_id = $organization and name = $name

-- name: unpace
-- The message that campaign messages wait for until $until never went.
update leases set paced_until = null where organization_id = $organization and name = $name and paced_until = $until

-- name: beat
-- A process of this kind is alive.
insert into leases as l (organization_id, name, holder, renewed_at)
values ($organization, $name, $holder, clock_timestamp())
on conflict (organization_id, name) do update set holder = excluded.holder, renewed_at = clock_timestamp()

-- name: alive
-- Which kinds of processes were heard of within $expiry_s seconds.
select name from leases
 where organization_id = $organization and name like 'process:%'
   and renewed_at > clock_timestamp() - $expiry_s::double precision * interval '1 second'

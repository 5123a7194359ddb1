-- name: last_seal
-- The seal of the newest sealed entry; null: none is sealed.
select seal from audit_log where organization_id = $organization and seal is not null order by id desc limit 1

-- name: unsealed
-- Entries not yet sealed whose writers have all ended, oldest first, so that none slips in between.
select id, at, actor, action, subject, content from audit_log
 where organization_id = $organization and seal is null
 order by id limit $limit
   for no key update

-- name: seal
update audit_log a set seal = s.seal
  from unnest($ids::bigint[], $seals::bytea[]) as s(id, seal)
 where a.organization_id = $organization and a.id = s.id

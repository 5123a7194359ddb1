-- name: last_seal
-- The end of the chain; no row: nothing is sealed.
select place, seal from audit_log where organization_id = $organization and place is not null order by place desc limit 1

-- name: unsealed
-- Entries not yet sealed. One whose writer commits late comes after younger ones; places tell the order.
select id, at, actor, action, subject, content from audit_log
 where organization_id = $organization and seal is null
 order by id limit $limit
   for no key update

-- name: seal
update audit_log a set seal = s.seal, place = s.place
  from unnest($ids::bigint[], $seals::bytea[], $places::bigint[]) as s(id, seal, place)
 where a.organization_id = $organization and a.id = s.id

-- name: chain
-- Up to $limit sealed entries after the place $after, in the order of the chain.
select place, seal, id, at, actor, action, subject, content from audit_log
 where organization_id = $organization and place > $after
 order by place limit $limit

-- name: begin
insert into exports (organization_id, audience, named, format, attributes, state, actor, channel, created_at, updated_at)
values ($organization, $audience, $named, $format, $attributes, 'writing', $actor, $channel, $at, $at)
returning id

-- name: find
select id, audience, named, format, attributes, state, position, done, blob_id, actor, channel from exports
 where organization_id = $organization and id = $export

-- name: next_open
-- Of the $at_once oldest that are not set aside the export that has waited longest for its next slice; no row: nothing is to be done.
select id, audience, named, format, attributes, state, position, done, blob_id, actor, channel from exports
 where organization_id = $organization
   and id in (select id from exports where organization_id = $organization and state = 'writing'
                 and (next_try_at is null or next_try_at <= $at)
               order by id limit $at_once)
 order by updated_at, id limit 1

-- name: lock
-- Lock an export that is still where it was seen; no row: somebody else has moved it.
select id from exports
 where organization_id = $organization and id = $export and state = $state and position = $position
   and blob_id is not distinct from $blob::bigint
   for no key update skip locked

-- name: advance
-- Write how far an export has come; the caller holds its lock.
update exports set state = $state, position = $position, done = $done, blob_id = $blob,
       failures = 0, next_try_at = null, updated_at = $at
 where organization_id = $organization and id = $export

-- name: failed
-- Count a failure of an export that is still where it was seen; returns how many there are in a row.
update exports set failures = failures + 1, updated_at = $at
 where organization_id = $organization and id = $export and state = $state and position = $position
returning failures

-- name: set_aside
update exports set next_try_at = $again where organization_id = $organization and id = $export

-- name: contacts
-- Contacts as they leave, by id, with all that is exported of them.
select c.id, c.name, c.first_name, c.company, c.email, c.language,
       case when c.timezone_from = 'attribute' then c.timezone end as timezone, c.attributes, c.source, c.created_at,
       c.opted_out_at, c.opted_in_at, c.platform_stopped_at, c.platform_resumed_at, c.blocked_at, c.unblocked_at,
       c.unreachable_at, c.reached_at, c.erased_at,
       array(select i.kind || ' ' || i.value from contact_identities i
              where i.organization_id = $organization and i.contact_id = c.id
              order by array_position(array['phone', 'wa_id', 'bsuid', 'parent_bsuid'], i.kind), i.value) as identities,
       array(select t.tag from contact_tags t
              where t.organization_id = $organization and t.contact_id = c.id order by t.tag) as tags,
       a.kind as act, a.at as act_at, a.channel as act_channel, a.actor as act_actor
  from contacts c
  left join lateral (select k.kind, k.at, k.channel, k.actor from consents k
                      where k.organization_id = $organization and k.contact_id = c.id
                      order by k.at desc, k.id desc limit 1) a on true
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

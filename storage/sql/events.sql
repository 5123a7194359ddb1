-- name: waiting
-- Up to $limit events of $kinds (or of all $others) not yet told, in the order of their transactions. Only those
-- below the horizon: a transaction that commits later than one after it would else be passed over.
select id, kind, campaign_id, content, at
  from events
 where organization_id = $organization and relayed_at is null and xid < pg_snapshot_xmin(pg_current_snapshot())
   and (kind = any($kinds::text[])) <> $others and id <> all($besides::bigint[])
 order by xid, id
 limit $limit

-- name: relayed
-- Note that an event was told, or given up for $error.
update events set relayed_at = $at, error = $error
 where organization_id = $organization and id = $event and relayed_at is null

-- name: count_waiting
-- Events not yet told, below the horizon or not.
select count(*) from events where organization_id = $organization and relayed_at is null

-- name: answer
-- What a contact wrote, and who they are.
select i.text, i.kind, i.at, c.name, p.value as phone, k.name as campaign
  from inbound_messages i
  left join contacts c on c.organization_id = i.organization_id and c.id = i.contact_id
  left join contact_identities p on p.organization_id = i.organization_id and p.contact_id = i.contact_id and p.kind = 'phone'
  left join campaigns k on k.organization_id = i.organization_id and k.id = i.campaign_id
 where i.organization_id = $organization and i.id = $inbound
 limit 1

-- name: own_number
-- A number of ours and its tap.
select phone, closed_until > $at as closed from numbers
 where organization_id = $organization and id = $number

-- name: open_number
-- Open the tap of a number; no row: it was open.
update numbers set closed_until = null, closed_why = null, updated_at = $at
 where organization_id = $organization and id = $number and closed_until > $at
returning phone

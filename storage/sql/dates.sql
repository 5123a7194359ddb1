-- name: unread
-- The date automations whose contacts are still to be read, or were read longer ago than $before.
select id, trigger, on_since, dates_after from automations
 where organization_id = $organization and state = 'on' and trigger ->> 'on' = 'date'
   and (dates_read_at is null or dates_read_at < $before)
 order by id

-- name: all
-- All date automations that act.
select id, trigger, on_since, dates_after from automations
 where organization_id = $organization and state = 'on' and trigger ->> 'on' = 'date'
 order by id

-- name: contacts_after
-- The next contacts after $after that have the attribute, and the last year in which it was acted on.
select c.id, c.attributes ->> $attribute as value, c.timezone, coalesce(d.fired, 0) as fired
  from contacts c
  left join dates_due d on d.organization_id = c.organization_id and d.contact_id = c.id and d.automation_id = $automation
 where c.organization_id = $organization and c.id > $after and c.attributes ? $attribute
 order by c.id limit $limit

-- name: contacts
-- The same of contacts $contacts, whether or not they have it.
select c.id, c.attributes ->> $attribute as value, c.timezone, coalesce(d.fired, 0) as fired
  from contacts c
  left join dates_due d on d.organization_id = c.organization_id and d.contact_id = c.id and d.automation_id = $automation
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

-- name: read_up_to
-- Note how far the contacts of an automation have been read; null: all of them are, as of now.
update automations
   set dates_after = $after, dates_read_at = case when $after::bigint is null then $at else dates_read_at end
 where organization_id = $organization and id = $automation

-- name: take_changed
-- Take up to $limit contacts whose dates may have changed.
delete from dates_changed
 where organization_id = $organization
   and contact_id in (select contact_id from dates_changed
                       where organization_id = $organization
                       order by contact_id limit $limit
                         for update skip locked)
returning contact_id

-- name: keep
-- Write when the dates of contacts next come, and the last year in which they did.
insert into dates_due (organization_id, automation_id, contact_id, due_at, fired)
select $organization, $automation, k.contact_id, k.due_at, k.fired
  from unnest($contacts::bigint[], $due_ats::timestamptz[], $fireds::integer[]) as k(contact_id, due_at, fired)
 order by k.contact_id
on conflict (organization_id, automation_id, contact_id)
do update set due_at = excluded.due_at, fired = excluded.fired

-- name: due
-- Up to $limit dates that have come, with what the contacts' dates are by now; who became part of another has none.
select a.id as automation_id, a.trigger, a.on_since, c.id, c.timezone, d.fired, d.due_at,
       case when i.known then c.attributes ->> (a.trigger ->> 'attribute') end as value
  from automations a
 cross join lateral (select contact_id, due_at, fired from dates_due
                      where organization_id = $organization and automation_id = a.id and due_at <= $at
                      order by due_at, contact_id limit $limit) d
  join contacts c on c.organization_id = $organization and c.id = d.contact_id
  left join lateral (select true as known from contact_identities
                      where organization_id = $organization and contact_id = c.id limit 1) i on true
 where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'date'
 order by d.due_at, c.id limit $limit

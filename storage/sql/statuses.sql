-- name: known
-- Messages $ids, not locked; whether their contact was found unreachable, whether any message of the organization
-- waits for its positive control, and what of their way some automation waits for.
select m.id, m.wamid, m.attempt, m.contact_id, m.number_id, c.unreachable_at is not null as unreachable,
       (select exists (select from messages u
                        where u.organization_id = $organization and u.state = 'unknown' and u.control_at is null)) as doubts,
       (select array(select distinct a.trigger ->> 'on' from automations a
                      where a.organization_id = $organization and a.state = 'on'
                        and a.trigger ->> 'on' in ('delivered', 'read'))) as awaited
  from messages m
  left join contacts c on c.organization_id = m.organization_id and c.id = m.contact_id
 where m.organization_id = $organization and m.id = any($ids::bigint[])

-- name: ids_of
-- Messages by the platform's ids.
select id from messages where organization_id = $organization and wamid = any($wamids::text[])

-- name: doubted_before
-- Messages in doubt without a control, claimed on the same number no later than one of $ids.
select u.id
  from messages u
  join (select number_id, max(claimed_at) as claimed_at from messages
         where organization_id = $organization and id = any($ids::bigint[])
         group by number_id) heard on heard.number_id = u.number_id and u.claimed_at <= heard.claimed_at
 where u.organization_id = $organization and u.state = 'unknown' and u.control_at is null

-- name: control
-- From now on the silence of messages $ids counts; the caller holds their locks.
update messages set control_at = $at
 where organization_id = $organization and id = any($ids::bigint[]) and state = 'unknown' and control_at is null

-- name: reached
-- Messages got through to contacts at $ats.
update contacts c
   set reached_at = greatest(c.reached_at, r.at), updated_at = $at
  from (select l.id, r.at
          from (select id from contacts
                 where organization_id = $organization and id = any($contacts::bigint[])
                 order by id for no key update) l
          join unnest($contacts::bigint[], $ats::timestamptz[]) as r(id, at) on r.id = l.id) r
 where c.organization_id = $organization and c.id = r.id

-- name: reached_before
-- When a message last got through to contacts $contacts; those never reached are missing.
select contact_id, max(greatest(sent_at, delivered_at, read_at)) as at from messages
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and sent_at is not null
 group by contact_id

-- name: progress
-- Raise messages of which nothing but progress of their one call is known, in the hour they count in, and all that
-- counts them; return of which that is all there is to do. One statement, because it is most of what WhatsApp says.
-- What else waits for a report is not for it: contacts found unreachable, messages in doubt, automations. Enrollments
-- are locked before messages, and statistics after, in the order of their keys.
with said as materialized (
  -- With what is said of each, or the planner may join two sets row by row.
  select m.run_id, m.campaign_id, m.contact_id, p.*
    from unnest($ids::bigint[], $attempts::integer[], $numbers::text[], $wamids::text[], $states::text[],
                $sent_ats::timestamptz[], $delivered_ats::timestamptz[], $read_ats::timestamptz[])
         as p(id, attempt, number_id, wamid, state, sent_at, delivered_at, read_at)
    join messages m on m.organization_id = $organization and m.id = p.id
), enrolled as materialized (
  select id
    from enrollments
   where organization_id = $organization
     and id = any(array(select run_id from said where delivered_at is not null))
     and (id, campaign_id) in (select run_id, campaign_id from said)
   order by id
     for no key update
), held as materialized (
  select m.id, m.sent_at as sent_before, m.delivered_at as delivered_before, m.read_at as read_before,
         case when array_position(array['accepted', 'sent', 'delivered', 'read'], m.state)
                     < array_position(array['accepted', 'sent', 'delivered', 'read'], p.state)
              then p.state else m.state end as state,
         least(m.accepted_at, p.sent_at) as accepted_at, least(m.sent_at, p.sent_at) as sent_at,
         least(m.delivered_at, p.delivered_at) as delivered_at, least(m.read_at, p.read_at) as read_at
    from said p
    join messages m on m.organization_id = $organization and m.id = p.id
   where (select count(*) from enrolled) >= 0 -- always so, and enrollments are locked before it is known
     and not exists (select from messages u
                      where u.organization_id = $organization and u.stage = 'unknown' and u.control_at is null)
     and not exists (select from automations a
                      where a.organization_id = $organization and a.state = 'on'
                        and a.trigger ->> 'on' in ('delivered', 'read'))
     and (select c.unreachable_at from contacts c
           where c.organization_id = $organization and c.id = p.contact_id) is null
     and m.state in ('accepted', 'sent', 'delivered', 'read')
     and m.attempt = p.attempt and m.number_id = p.number_id
     and (m.wamid = p.wamid) is true -- found by its id, not by this
     and m.tries = 0 and m.failed_attempt = 0
     and m.failed_at is null and m.error_code is null and m.error is null
     and date_trunc('hour', m.accepted_at, 'UTC') = date_trunc('hour', least(m.accepted_at, p.sent_at), 'UTC')
   order by m.id
     for no key update of m
), raised as (
  update messages m
     set state = h.state, accepted_at = h.accepted_at, sent_at = h.sent_at, delivered_at = h.delivered_at,
         read_at = h.read_at, reason = null, settled_at = null
    from held h
   where m.organization_id = $organization and m.id = h.id
     and (m.state, m.accepted_at, m.sent_at, m.delivered_at, m.read_at)
         is distinct from (h.state, h.accepted_at, h.sent_at, h.delivered_at, h.read_at)
  returning m.campaign_id, m.step_id, coalesce(m.variant_id, 0) as variant_id, m.run_id,
            date_trunc('hour', m.accepted_at, 'UTC') as hour, h.sent_before is null as sent,
            h.delivered_before is null and h.delivered_at is not null as delivered,
            h.read_before is null and h.read_at is not null as read
), summed as (
  update enrollments e
     set delivered = e.delivered + r.delivered, read = e.read + r.read,
         due_at = case when e.awaits_delivery and r.delivered > 0 then least(e.due_at, $at) else e.due_at end
    from (select run_id, campaign_id, count(*) filter (where delivered) as delivered, count(*) filter (where read) as read
            from raised where delivered or read group by run_id, campaign_id) r
   where e.organization_id = $organization and e.id = any(array(select id from enrolled))
     and e.id = r.run_id and e.campaign_id = r.campaign_id
), counted as (
  insert into campaign_stats as s (organization_id, campaign_id, step_id, variant_id, hour, metric, count)
  select $organization, r.campaign_id, r.step_id, r.variant_id, r.hour, r.metric, r.count
    from (select campaign_id, step_id, variant_id, hour, n.metric, n.count
            from (select campaign_id, step_id, variant_id, hour, count(*) filter (where sent) as sent,
                         count(*) filter (where delivered) as delivered, count(*) filter (where read) as read
                    from raised where campaign_id <> 0 group by campaign_id, step_id, variant_id, hour) sums
           cross join lateral (values ('delivered', delivered), ('read', read), ('sent', sent)) as n(metric, count)
           where n.count > 0) r
   order by r.campaign_id, r.step_id, r.variant_id, r.hour, r.metric collate "C"
  on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric)
  do update set count = s.count + excluded.count
)
select id from held

-- name: known
-- Messages $ids, not locked; whether their contact was found unreachable, whether any message of the organization
-- waits for its positive control, and what of their way some automation waits for.
select m.id, m.wamid, m.attempt, m.contact_id, m.number_id, c.unreachable_at is not null as unreachable,
       (select exists (select from messages u
                        where u.organization_id = $organization and u.stage = 'unknown' and u.control_at is null)) as doubts,
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
 where u.organization_id = $organization and u.stage = 'unknown' and u.control_at is null

-- name: control
-- From now on the silence of messages $ids counts; the caller holds their locks.
update messages set control_at = $at
 where organization_id = $organization and id = any($ids::bigint[]) and stage = 'unknown' and control_at is null

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

-- name: keep_campaigns
-- Keep the campaigns of messages $ids from ending until this commits, and return their states.
select id, state from campaigns
 where organization_id = $organization
   and id in (select campaign_id from messages where organization_id = $organization and id = any($ids::bigint[]))
 order by id
   for share

-- name: lock_campaigns
-- The same, and nobody else changes them or keeps them either.
select id, state from campaigns
 where organization_id = $organization
   and id in (select campaign_id from messages where organization_id = $organization and id = any($ids::bigint[]))
 order by id
   for no key update

-- name: lock_enrollments
-- Lock the enrollments behind messages $ids in the order of their keys.
select e.id
  from messages m
  join enrollments e on e.organization_id = m.organization_id and e.id = m.run_id and e.campaign_id = m.campaign_id
 where m.organization_id = $organization and m.id = any($ids::bigint[])
 order by e.id
   for no key update of e

-- name: lock_messages
-- Lock messages $ids in the order of their keys and return what may change about them.
select id, campaign_id, step_id, variant_id, run_id, contact_id, number_id, state, reason, attempt, tries,
       anew_after, failed_attempt, due_at, accepted_at, sent_at, delivered_at, read_at, replied_at, failed_at, settled_at, wamid,
       error_code, error, doubled
  from messages
 where organization_id = $organization and id = any($ids::bigint[])
 order by id
   for no key update

-- name: save_messages
-- Write what changed about messages; the caller holds their locks.
update messages m
   set state = c.state, reason = c.reason, attempt = c.attempt, tries = c.tries, failed_attempt = c.failed_attempt,
       due_at = c.due_at,
       accepted_at = c.accepted_at, sent_at = c.sent_at, delivered_at = c.delivered_at, read_at = c.read_at,
       replied_at = c.replied_at, failed_at = c.failed_at, settled_at = c.settled_at, wamid = c.wamid,
       error_code = c.error_code, error = c.error, doubled = c.doubled,
       unknown_since = case when c.state = 'unknown' then coalesce(m.unknown_since, $at) end,
       control_at = case when c.state = 'unknown' then m.control_at end
  from unnest($ids::bigint[], $states::text[], $reasons::text[], $attempts::smallint[], $tries::smallint[],
              $failed_attempts::smallint[], $due_ats::timestamptz[], $accepted_ats::timestamptz[], $sent_ats::timestamptz[],
              $delivered_ats::timestamptz[], $read_ats::timestamptz[], $replied_ats::timestamptz[],
              $failed_ats::timestamptz[], $settled_ats::timestamptz[], $wamids::text[], $error_codes::integer[],
              $errors::text[], $doubled::smallint[])
       as c(id, state, reason, attempt, tries, failed_attempt, due_at, accepted_at, sent_at, delivered_at, read_at, replied_at,
            failed_at, settled_at, wamid, error_code, error, doubled)
 where m.organization_id = $organization and m.id = c.id

-- name: lock_runs
-- Lock enrollments in the order of their keys.
select id from enrollments
 where organization_id = $organization and id = any($run_ids::bigint[])
 order by id
   for no key update

-- name: accept
-- Note of messages that are still claimed for $attempts that the platform took them, and count them; return which those
-- were. One statement, which may be a transaction of its own where no enrollments are behind them.
with held as materialized (
  -- With what is said of each, or the planner may join two sets row by row.
  select m.id, c.attempt, c.accepted_at, c.wamid
    from messages m
    join unnest($ids::bigint[], $attempts::smallint[], $accepted_ats::timestamptz[], $wamids::text[])
         as c(id, attempt, accepted_at, wamid) on c.id = m.id
   where m.organization_id = $organization
   order by m.id
     for no key update of m
), accepted as (
  update messages m
     set state = 'accepted', accepted_at = h.accepted_at, wamid = h.wamid, reason = null, settled_at = null
    from held h
   where m.organization_id = $organization and m.id = h.id
     and m.stage = 'claimed' and m.attempt = h.attempt and m.failed_attempt < h.attempt
     and m.accepted_at is null and m.sent_at is null and m.wamid is null
  returning m.id, m.campaign_id, m.step_id, coalesce(m.variant_id, 0) as variant_id,
            date_trunc('hour', m.accepted_at, 'UTC') as hour
), counted as (
  insert into campaign_stats as s (organization_id, campaign_id, step_id, variant_id, hour, metric, count)
  select $organization, campaign_id, step_id, variant_id, hour, 'accepted', count(*)
    from accepted where campaign_id <> 0
   group by campaign_id, step_id, variant_id, hour
   order by campaign_id, step_id, variant_id, hour
  on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric)
  do update set count = s.count + excluded.count
)
select id from accepted

-- name: move_stats
-- Add deltas to the statistics; the caller sorts them by key so that no two writers lock crosswise.
insert into campaign_stats as s (organization_id, campaign_id, step_id, variant_id, hour, metric, count)
select $organization, d.campaign_id, d.step_id, d.variant_id, d.hour, d.metric, d.count
  from unnest($campaign_ids::bigint[], $step_ids::bigint[], $variant_ids::bigint[], $hours::timestamptz[],
              $metrics::text[], $counts::bigint[])
       with ordinality as d(campaign_id, step_id, variant_id, hour, metric, count, place)
 order by d.place
on conflict (organization_id, campaign_id, step_id, variant_id, hour, metric)
do update set count = s.count + excluded.count

-- name: advance_enrollments
-- Move enrollments on from the step whose message was accepted or ended: to the first step beyond their place, due
-- after its delay from that moment, or to their end. The step is compared and set, so that it happens once.
update enrollments e
   set step_id = n.next_id, position = n.place, since_at = case when n.next_id is not null then n.moment end,
       due_at = case when n.next_id is not null then n.moment + n.after_s * interval '1 second' end,
       timed = false, awaits_delivery = false,
       state = case when n.next_id is null then 'completed' else e.state end,
       ended_at = case when n.next_id is null then $at::timestamptz end
  from (select m.run_id, m.step_id, m.moment, here.place, upcoming.id as next_id, upcoming.after_s
          from unnest($run_ids::bigint[], $step_ids::bigint[], $moments::timestamptz[]) as m(run_id, step_id, moment)
          join lateral (
            -- The place its message was planned at: the step may have been put elsewhere since.
            select s.campaign_id, case when r.position > 0 then r.position else s.position end as place
              from steps s
              join enrollments r on r.organization_id = $organization and r.id = m.run_id
             where s.organization_id = $organization and s.id = m.step_id) here on true
          left join lateral (
            select s.id, s.after_s from steps s
             where s.organization_id = $organization and s.campaign_id = here.campaign_id
               and s.position > here.place and s.id <> m.step_id and s.removed_at is null
             order by s.position limit 1) upcoming on true) n
 where e.organization_id = $organization and e.id = n.run_id and e.step_id = n.step_id and e.due_at is null
   and e.state in ('active', 'paused')

-- name: count_in_enrollments
-- Add to the summary that enrollments keep of their messages; who waited for a delivery comes up at once.
update enrollments e
   set sent = e.sent + c.sent, delivered = e.delivered + c.delivered, read = e.read + c.read,
       replied = e.replied + c.replied,
       due_at = case when e.awaits_delivery and c.delivered > 0 then least(e.due_at, $at) else e.due_at end
  from unnest($run_ids::bigint[], $campaign_ids::bigint[], $sent::integer[], $delivered::integer[],
              $read::integer[], $replied::integer[])
       as c(run_id, campaign_id, sent, delivered, read, replied)
 where e.organization_id = $organization and e.id = c.run_id and e.campaign_id = c.campaign_id

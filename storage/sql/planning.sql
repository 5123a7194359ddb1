-- name: try_alone
-- Whether this transaction is the only one doing $task for the organization.
select pg_try_advisory_xact_lock(hashtext($task), hashtext($organization))

-- name: oldest_second
select oldest_message_second()

-- name: attach_leaf
select attach_message_leaf($month)

-- name: attach_leaves
-- Every leaf from the oldest one to $until, also those of months in which nobody attached any.
select attach_message_leaf(month)
  from generate_series(least(date_trunc('month', $at::timestamptz, 'UTC'), to_timestamp(oldest_message_second())),
                       $until::timestamptz, interval '1 month') as month

-- name: drips_due
-- Active drips with enrollments due, and what planning needs of them.
select c.id, c.number_id, c.settings
  from campaigns c
 where c.organization_id = $organization and c.kind = 'drip' and c.state = 'active'
   and exists (select from enrollments e
                where e.organization_id = $organization and e.campaign_id = c.id and e.state = 'active'
                  and e.due_at <= $at)
 order by c.id

-- name: lock_drip
-- Keep the drip from being paused or archived until the slice commits.
select held_s, resumed_at from campaigns
 where organization_id = $organization and id = $campaign and state = 'active'
   for share

-- name: walk
-- When the steps of a drip go out and to whom, in order, without removed ones.
select id, position, after_s, timing, conditions, settings, moved_at is not null as moved
  from steps
 where organization_id = $organization and campaign_id = $campaign and removed_at is null
 order by position

-- name: due_enrollments
-- Lock up to $limit due enrollments of one drip, oldest first; attributes only $with_attributes.
select e.id, e.contact_id, e.step_id, e.position as place, e.since_at, e.due_at, e.timed, e.retraced, e.properties, c.timezone,
       c.last_number_id, case when $with_attributes then c.attributes else '{}' end as attributes
  from enrollments e
  join contacts c on c.organization_id = e.organization_id and c.id = e.contact_id
 where e.organization_id = $organization and e.campaign_id = $campaign and e.state = 'active' and e.due_at <= $at
   and e.step_id is not null
 order by e.due_at, e.id
 limit $limit
   for no key update of e skip locked

-- name: evidence
-- What became of the messages of runs so far.
select m.run_id, m.step_id, m.state, m.accepted_at, m.delivered_at, m.read_at, m.replied_at, m.clicked_at
  from unnest($runs::bigint[], $contacts::bigint[]) as r(id, contact_id)
  join messages m on m.organization_id = $organization and m.contact_id = r.contact_id and m.run_id = r.id
                 and m.campaign_id = $campaign

-- name: tags_asked
-- Which of $tags contacts have.
select contact_id, tag from contact_tags
 where organization_id = $organization and tag = any($tags::text[]) and contact_id = any($contacts::bigint[])

-- name: plan_enrollments
-- Make one message for each enrollment's step and let the enrollment wait for it; with a reason it is left out.
-- Planning again meets the same row, because the id's second is the time the step was due.
with planned as (
  select * from unnest($enrollments::bigint[], $contacts::bigint[], $steps::bigint[], $places::double precision[],
                       $numbers::text[], $seconds::bigint[], $due_ats::timestamptz[], $deadline_ats::timestamptz[],
                       $reasons::text[])
           as p(enrollment_id, contact_id, step_id, place, number_id, second, due_at, deadline_at, reason)),
waiting as (
  update enrollments e set due_at = null, position = p.place, timed = false, awaits_delivery = false
    from planned p
   where e.organization_id = $organization and e.id = p.enrollment_id),
inserted as (
  insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, reason, due_at,
                        deadline_at, settled_at)
  select $organization, new_message_id(p.second), p.enrollment_id, p.step_id, p.contact_id, $campaign, p.number_id,
         case when p.reason is null then 'queued' else 'skipped' end, p.reason, p.due_at, p.deadline_at,
         case when p.reason is not null then $at::timestamptz end
    from planned p
  on conflict do nothing
  returning id, step_id, reason)
select step_id, id >> 30 as second, coalesce(reason, '') as reason, count(*) as count from inserted group by 1, 2, 3

-- name: put_off
-- Let locked enrollments come up again later, at the moment of their step.
update enrollments e
   set due_at = p.until, timed = true, awaits_delivery = p.for_delivery, since_at = coalesce(e.since_at, p.since_at)
  from unnest($ids::bigint[], $untils::timestamptz[], $for_delivery::boolean[], $since_ats::timestamptz[])
       as p(id, until, for_delivery, since_at)
 where e.organization_id = $organization and e.id = p.id

-- name: pass_on
-- Let locked enrollments wait for another step, or, where there is none, be through.
update enrollments e
   set step_id = p.step_id, position = p.place, due_at = p.due_at, timed = false, awaits_delivery = false,
       state = case when p.step_id is null then 'completed' else e.state end,
       ended_at = case when p.step_id is null then $at::timestamptz end
  from unnest($ids::bigint[], $steps::bigint[], $places::double precision[], $due_ats::timestamptz[])
       as p(id, step_id, place, due_at)
 where e.organization_id = $organization and e.id = p.id

-- name: broadcasts_to_plan
-- Running broadcasts not yet planned to the end, the first started first.
select id from campaigns
 where organization_id = $organization and kind = 'broadcast' and state = 'running' and planned_at is null
 order by started_at, id

-- name: lock_broadcast
-- Lock a broadcast for a slice of planning, unless it was paused, cancelled or planned meanwhile.
select c.id, c.type, c.number_id, c.settings, c.audience, c.contacts_up_to, c.planning_cursor, c.started_at,
       c.schedule, s.id as step_id
  from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 where c.organization_id = $organization and c.id = $campaign and c.state = 'running' and c.planned_at is null
   for no key update of c

-- name: slice_end
-- The last contact of the next slice of $limit contacts after $cursor, up to $ceiling; null: none are left.
select max(id) from (
  select id from contacts
   where organization_id = $organization and id > $cursor and id <= $ceiling
   order by id limit $limit) slice

-- name: chunk_end
-- The last contact of the next chunk of a frozen audience after $cursor; null: none are left.
select min(last_contact) from frozen_audiences
 where organization_id = $organization and campaign_id = $campaign and first_contact > $cursor

-- name: zones_in_slice
with frozen as (
  select unnest(f.contacts) as id from frozen_audiences f
   where f.organization_id = $organization and f.campaign_id = $campaign and f.first_contact > $cursor
     and f.first_contact <= $until and not $everyone)
select timezone from contacts
 where organization_id = $organization and id > $cursor and id <= $until and timezone is not null and $everyone
union
select c.timezone from frozen f join contacts c on c.organization_id = $organization and c.id = f.id
 where c.timezone is not null

-- name: plan_broadcast
-- Make a row for every contact of the audience after $cursor up to $until; who may not be written to gets one
-- too, left out with the reason. Who has one already is looked for at once, because the broadcast is locked: "on
-- conflict" would look twice for each row, and take half as long again.
with frozen as (
  select unnest(f.contacts) as id from frozen_audiences f
   where f.organization_id = $organization and f.campaign_id = $campaign and f.first_contact > $cursor
     and f.first_contact <= $until and not $everyone),
audience as (
  -- Two branches, of which one is empty: with an "or" the frozen few would be looked for among all.
  select c.id, c.last_number_id, c.timezone, left_out_because(c, $promotional, (select banned_countries($organization))) as reason
    from contacts c
   where c.organization_id = $organization and c.id > $cursor and c.id <= $until and $everyone
  union all
  select c.id, c.last_number_id, c.timezone, left_out_because(c, $promotional, (select banned_countries($organization))) as reason
    from frozen f join contacts c on c.organization_id = $organization and c.id = f.id),
inserted as (
  insert into messages (organization_id, id, run_id, step_id, contact_id, campaign_id, number_id, state, reason,
                        due_at, deadline_at, settled_at)
  select $organization, new_message_id($second), $campaign, $step, a.id, $campaign,
         coalesce($number, case when a.last_number_id = any($numbers::text[]) then a.last_number_id end, $standard_number),
         case when a.reason is null then 'queued' else 'skipped' end, a.reason,
         coalesce(z.due_at, $due_at), coalesce(z.due_at, $due_at) + $deadline_s::bigint * interval '1 second',
         case when a.reason is not null then $at::timestamptz end
    from audience a
    left join unnest($zones::text[], $zone_due_ats::timestamptz[]) as z(zone, due_at) on z.zone = a.timezone
   where a.id not in (select m.contact_id from messages m
                       where m.organization_id = $organization and m.run_id = $campaign and m.step_id = $step
                         and m.contact_id > $cursor and m.contact_id <= $until
                         and m.id >= $second::bigint << 30 and m.id < ($second::bigint + 1) << 30)
   order by a.id -- the older contact goes first where a cap lets only some go
  returning reason)
select coalesce(reason, '') as reason, count(*) as count from inserted group by 1

-- name: move_cursor
update campaigns
   set planning_cursor = $cursor, planned_at = case when $done then $at::timestamptz end, updated_at = $at
 where organization_id = $organization and id = $campaign

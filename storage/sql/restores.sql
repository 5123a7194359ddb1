-- name: moved
-- Whether the database is another one than was sent from, and staff have not decided yet.
select database_moved($organization)

-- name: notice
-- Note since when it is another one, once for each that it has become; one that was never sent from is taken as it is.
update organizations o
   set database_identity = coalesce(o.database_identity, database_identity()),
       moved_at = case when o.database_identity is not null then $at::timestamptz end,
       moved_to = case when o.database_identity is not null then database_identity() end
 where o.organization_id = $organization
   and (o.database_identity is null
        or (o.database_identity <> database_identity() and o.moved_to is distinct from database_identity()))
returning o.moved_at, o.moved_to

-- name: held
-- Since when nothing is sent; no row: nothing is held back.
select moved_at, moved_to, database_identity from organizations
 where organization_id = $organization and database_moved($organization) and moved_to = database_identity()

-- name: lock_campaigns
-- Lock every campaign that has not ended.
select id from campaigns
 where organization_id = $organization and state in ('scheduled', 'active', 'running', 'paused')
 order by id
   for no key update

-- name: concerned
-- Campaigns with something that was due by $before, and how much; what is paused too.
select x.* from (
  select c.id, c.name, c.kind, c.state,
         case when c.state = 'scheduled' then 0 else
           (select count(*) from messages m
             where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
               and m.campaign_id = c.id and m.stage = 'queued' and m.due_at <= $before)
           + (select count(*) from enrollments e
               where e.organization_id = $organization and e.campaign_id = c.id and e.state = 'active'
                 and e.due_at <= $before) end as waiting,
         c.kind = 'broadcast' and c.state in ('running', 'paused') and c.started_at is not null
           and c.planned_at is null as planning,
         c.state = 'scheduled' and least(c.scheduled_at, c.look_at) <= $before as missed
    from campaigns c
   where c.organization_id = $organization and c.state in ('scheduled', 'active', 'running', 'paused')) x
 where x.waiting > 0 or x.planning or x.missed
 order by x.id

-- name: others
-- Messages of no campaign that were due by $before, and those whose call may have left.
select (select count(*) from messages m
         where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
           and m.campaign_id = 0 and m.stage = 'queued' and m.due_at <= $before) as answers,
       -- One by one: each has an index of its own.
       (select count(*) from messages m
         where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'claimed')
       + (select count(*) from messages m
           where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'unknown') as doubtful

-- name: answers
select m.id from messages m
 where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
   and m.campaign_id = 0 and m.stage = 'queued' and m.due_at <= $before
 order by m.id

-- name: leave_out
-- What was due by $before in a campaign that has not ended is left out; they are locked.
update campaigns set left_out_before = $before, version = version + 1
 where organization_id = $organization and state in ('active', 'running', 'paused')

-- name: ask
-- Staff are asked about what was due by $before in a campaign.
update campaigns set restored_at = $before, version = version + 1 where organization_id = $organization and id = $campaign

-- name: answered
-- Note the answer about a campaign, if it was asked for; what was due by then is left out where $leave_out.
update campaigns
   set left_out_before = case when $leave_out then restored_at else left_out_before end, restored_at = null,
       version = version + 1
 where organization_id = $organization and id = $campaign and restored_at is not null
returning id

-- name: waits_for_answer
-- What of a campaign staff are asked about; no row: nothing any more.
select restored_at,
       (select count(*) from messages m
         where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
           and m.campaign_id = c.id and m.stage = 'queued' and m.due_at <= c.restored_at)
       + (select count(*) from enrollments e
           where e.organization_id = $organization and e.campaign_id = c.id and e.state = 'active'
             and e.due_at <= c.restored_at) as waiting
  from campaigns c
 where c.organization_id = $organization and c.id = $campaign and c.restored_at is not null and c.state = 'paused'

-- name: forget_controls
-- What was heard of later calls was heard before: silence since counts for nothing, until one is heard of anew.
update messages set control_at = null, unknown_since = $at
 where organization_id = $organization
   and id = any(array(select id from messages
                       where organization_id = $organization and number_id = any(numbers_of($organization))
                         and stage = 'unknown' and control_at is not null and control_at <> 'infinity'
                       order by id for no key update))

-- name: settle
-- Send from this database from now on.
update organizations set database_identity = database_identity(), moved_at = null, moved_to = null
 where organization_id = $organization and moved_to = $to and database_identity() = $to
returning organization_id

-- name: lock_campaign
-- Keep a campaign from changing until this commits, and return what decides who may enroll.
select kind, state, type, coalesce(settings ->> 'reentry', 'never') as reentry,
       coalesce(settings ->> 'mode', 'passive') as mode
  from campaigns
 where organization_id = $organization and id = $campaign
   for share

-- name: look_at_campaign
-- The same without keeping it from changing, for what only looks.
select kind, state, type, coalesce(settings ->> 'reentry', 'never') as reentry,
       coalesce(settings ->> 'mode', 'passive') as mode
  from campaigns
 where organization_id = $organization and id = $campaign

-- name: first_step
-- The step enrollments begin with; no row: the campaign has none.
select id, after_s from steps
 where organization_id = $organization and campaign_id = $campaign and removed_at is null
 order by position limit 1

-- name: lock_contacts
-- Lock contacts in the order of their keys.
select id from contacts
 where organization_id = $organization and id = any($contacts::bigint[])
 order by id
   for no key update

-- name: enroll
-- Enroll those of $contacts who may, and say of all what became of them; with $only_judge it changes nothing.
with judged as (
  select c.id,
         case when left_out_because(c, $promotional) is not null then left_out_because(c, $promotional)
              when $reentry = 'never' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id = $campaign)
                then 'already'
              when $reentry = 'after' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id = $campaign
                        and e.state in ('active', 'paused'))
                then 'already'
              when $mode = 'skip' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id <> $campaign
                        and e.state in ('active', 'paused'))
                then 'elsewhere'
              else 'enrolled'
         end as outcome
    from contacts c
   where c.organization_id = $organization and c.id = any($contacts::bigint[])),
inserted as (
  insert into enrollments (organization_id, campaign_id, contact_id, state, beside, step_id, since_at, due_at, enrolled_at,
                           enrolled_by, properties, depth)
  select $organization, $campaign, j.id, 'active',
         exists (select from enrollments e
                  where e.organization_id = $organization and e.contact_id = j.id and e.campaign_id = $campaign
                    and e.state in ('active', 'paused') and not e.beside),
         $step, $at, $due_at, $at, $by, coalesce($properties::jsonb -> j.id::text, '{}'), $depth
    from judged j
   where j.outcome = 'enrolled' and not $only_judge
   order by j.id)
select outcome, array_agg(id order by id) as contacts from judged group by outcome

-- name: of_contacts
-- In which campaigns contacts have been, and whether they are still.
select contact_id, campaign_id, bool_or(state in ('active', 'paused')) as running from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[])
 group by contact_id, campaign_id

-- name: running
-- Lock the enrollments of $contacts that have not ended: in $campaign, or with $elsewhere in every other.
select id, campaign_id, contact_id from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and state in ('active', 'paused')
   and (campaign_id = $campaign) <> $elsewhere
 order by id
   for no key update

-- name: lock_running
-- Lock all enrollments of contacts that have not ended, in the order of their keys.
select id from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and state in ('active', 'paused')
 order by id
   for no key update

-- name: drop
-- End enrollments for $reason before their last step; the caller holds their locks.
update enrollments
   set state = 'dropped', reason = $reason, step_id = null, due_at = null, ended_at = $at
 where organization_id = $organization and id = any($ids::bigint[]) and state in ('active', 'paused')

-- name: queued_of
-- The queued messages of enrollments.
select m.id
  from unnest($ids::bigint[], $campaigns::bigint[], $contacts::bigint[]) as e(id, campaign_id, contact_id)
  join messages m on m.organization_id = $organization and m.contact_id = e.contact_id and m.run_id = e.id
                 and m.campaign_id = e.campaign_id and m.stage = 'queued'

-- name: running_of
-- Lock up to $limit enrollments of a campaign that have not ended. Each state is looked for by itself: in the order of
-- both together there is no index, and those of all other campaigns would be read.
select id, campaign_id, contact_id from enrollments
 where organization_id = $organization and state in ('active', 'paused')
   and id = any(array(
         select r.id
           from unnest('{active,paused}'::text[]) as s(state)
          cross join lateral (
            select id from enrollments
             where organization_id = $organization and campaign_id = $campaign and state = s.state
             order by id limit $limit) r
          order by r.id limit $limit))
 order by id
   for no key update

-- name: queued_of_removed
-- Up to $limit queued messages of a campaign's removed steps; only where there are such steps is its queue looked through.
with removed as (
  select array_agg(id) as ids from steps
   where organization_id = $organization and campaign_id = $campaign and removed_at is not null)
select m.id
  from removed r
 cross join unnest(numbers_of($organization)) as own(number_id)
 cross join lateral (
   select id from messages
    where organization_id = $organization and number_id = own.number_id and campaign_id = $campaign
      and stage = 'queued' and step_id = any(r.ids)
    limit $limit) m
 where r.ids is not null
 order by m.id limit $limit

-- name: next_waiting
-- The last of the next $limit enrollments after $cursor; null: none are left.
select max(id) from (
  select id from enrollments
   where organization_id = $organization and campaign_id = $campaign and id > $cursor and state in ('active', 'paused')
   order by id limit $limit) slice

-- name: rewalk
-- Put enrollments after $cursor up to $until that wait for a step on their way by the steps as they are now: to the
-- first one beyond their place, due after its delay, or to their end. Again, it changes nothing.
with waiting as (
  select id, step_id, position, due_at, since_at from enrollments
   where organization_id = $organization and campaign_id = $campaign and id > $cursor and id <= $until
     and state in ('active', 'paused') and due_at is not null
   order by id
     for no key update),
ways as (
  select w.id, w.step_id as old_id, n.id as next_id,
         w.since_at + n.after_s * interval '1 second' as ends_at
    from waiting w
    left join lateral (
      select s.id, s.after_s from steps s
       where s.organization_id = $organization and s.campaign_id = $campaign and s.removed_at is null
         and s.position > w.position
       order by s.position limit 1) n on true)
update enrollments e
   set step_id = w.next_id, timed = false, awaits_delivery = false,
       due_at = case when w.next_id is not null then greatest(coalesce(w.ends_at, e.due_at), $at) end,
       state = case when w.next_id is null then 'completed' else e.state end,
       ended_at = case when w.next_id is null then $at::timestamptz end
  from ways w
 where e.organization_id = $organization and e.id = w.id
   and (w.next_id is distinct from w.old_id or e.timed or e.due_at <> w.ends_at)

-- name: affected
-- How a change at $place of the order, of $step (null: of none there is), meets those under way.
select count(*) filter (where position < $place) as before,
       count(*) filter (where step_id = $step::bigint and due_at is not null) as waiting,
       count(*) filter (where step_id = $step::bigint and due_at is null) as queued,
       count(*) filter (where position >= $place and (step_id = $step::bigint and due_at is null) is not true) as past
  from enrollments
 where organization_id = $organization and campaign_id = $campaign and state in ('active', 'paused')

-- name: states
-- How many enrollments are in each state.
select state, count(*) as count from enrollments
 where organization_id = $organization and campaign_id = $campaign
 group by state

-- name: page
-- A page of enrollments, the latest first, of one state or all, with whom, how far, and when something is next due.
select e.id, e.contact_id, e.state, e.reason, e.step_id, e.position, e.enrolled_at, e.enrolled_by, e.ended_at, e.sent,
       e.delivered, e.read, e.replied, coalesce(c.name, c.first_name) as name,
       (select min(i.value) from contact_identities i
         where i.organization_id = $organization and i.contact_id = e.contact_id and i.kind = 'phone') as phone,
       coalesce(e.due_at, (select min(m.due_at) from messages m
                            where m.organization_id = $organization and m.contact_id = e.contact_id
                              and m.run_id = e.id and m.campaign_id = $campaign and m.stage = 'queued')) as due_at
  from enrollments e
  join contacts c on c.organization_id = $organization and c.id = e.contact_id
 where e.organization_id = $organization and e.campaign_id = $campaign and ($state::text is null or e.state = $state)
 order by e.id desc
 limit $limit offset $offset

-- name: of_contact
-- Lock the enrollments of a contact in a campaign that have not ended, the latest first.
select id, state, step_id, position as place, due_at, paused_at, campaign_paused_s from enrollments
 where organization_id = $organization and campaign_id = $campaign and contact_id = $contact
   and state in ('active', 'paused')
 order by id desc
   for no key update

-- name: ever_enrolled
-- How the latest enrollment of a contact in a campaign stands; no row: there never was one.
select state, reason, ended_at from enrollments
 where organization_id = $organization and campaign_id = $campaign and contact_id = $contact
 order by id desc limit 1

-- name: pause
update enrollments
   set state = 'paused', paused_at = $at, paused_by = $by,
       campaign_paused_s = paused_so_far(organization_id, campaign_id, $at)
 where organization_id = $organization and id = any($ids::bigint[]) and state = 'active'

-- name: resume
-- Let paused enrollments go on; what came up meanwhile is timed from now.
update enrollments
   set state = 'active', paused_at = null, paused_by = null, due_at = greatest(due_at, $at),
       timed = timed and due_at > $at, awaits_delivery = awaits_delivery and due_at > $at
 where organization_id = $organization and id = any($ids::bigint[]) and state = 'paused'

-- name: release
-- What is open of somebody who was paused: that time does not count against its deadline, but for what of it the whole
-- campaign was paused, which counts for all; and what the lane had put off goes out at once. Retries keep their time.
update messages
   set deadline_at = deadline_at + greatest(interval '0',
                                            $at - $paused_at::timestamptz
                                            - interval '1 second' * (paused_so_far($organization, $campaign, $at)
                                                                     - $campaign_paused_s::double precision)),
       due_at = case when stage = 'queued' and failed_at is null then least(due_at, $at) else due_at end
 where organization_id = $organization and id = any($ids::bigint[])

-- name: open_of
-- Messages of enrollments that are not over.
select m.id, m.state
  from unnest($ids::bigint[], $contacts::bigint[]) as e(id, contact_id)
  join messages m on m.organization_id = $organization and m.contact_id = e.contact_id and m.run_id = e.id
                 and m.campaign_id = $campaign and m.stage in ('queued', 'claimed', 'unknown')

-- name: had
-- Whether a message of a step was planned for an enrollment.
select exists (select from messages
                where organization_id = $organization and contact_id = $contact and run_id = $id and step_id = $step)

-- name: put_before
-- Let a locked enrollment wait for a step from now on, with the steps up to $place behind it. Cancelling what was
-- queued for the last step may have ended it just now.
update enrollments
   set state = $state, ended_at = null, step_id = $step, position = $place, since_at = $at, due_at = $at::timestamptz + $after_s::bigint * interval '1 second',
       timed = false, awaits_delivery = false, retraced = true
 where organization_id = $organization and id = $id

-- name: retime
-- Let enrollments of $contacts that wait for the moment of a step be timed anew: what they are timed by changed.
with waiting as (
  select e.id, e.since_at + s.after_s * interval '1 second' as ends_at
    from enrollments e
    join steps s on s.organization_id = e.organization_id and s.id = e.step_id
   where e.organization_id = $organization and e.contact_id = any($contacts::bigint[])
     and e.state in ('active', 'paused') and e.timed and e.due_at is not null and s.timing <> '{}'
   order by e.id
     for no key update of e)
update enrollments e
   set timed = false, awaits_delivery = false, due_at = greatest(coalesce(w.ends_at, $at), $at)
  from waiting w
 where e.organization_id = $organization and e.id = w.id

-- name: contacts_running
-- Those of $contacts with an enrollment of the campaign that has not ended, sorted.
select distinct contact_id from enrollments
 where organization_id = $organization and campaign_id = $campaign and state in ('active', 'paused')
   and contact_id = any($contacts::bigint[])
 order by contact_id

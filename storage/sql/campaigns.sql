-- name: lock
-- Keep a campaign from changing until this commits.
select id, kind, name, state, type, trigger, settings, priority, number_id, audience, contacts_up_to, closed_until,
       closed_why, version, actor, channel, created_at, started_at, started_by, paused_at, paused_by, ended_at, ended_by,
       schedule, scheduled_at, look_at, scheduled_by, series_id, excluded
  from campaigns
 where organization_id = $organization and id = $campaign
   for no key update

-- name: get
select id, kind, name, state, type, trigger, settings, priority, number_id, audience, contacts_up_to, closed_until,
       closed_why, version, actor, channel, created_at, started_at, started_by, paused_at, paused_by, ended_at, ended_by,
       schedule, scheduled_at, look_at, scheduled_by, series_id, excluded
  from campaigns
 where organization_id = $organization and id = $campaign

-- name: by_name
-- Every campaign by name and kind; of several of one name, all but one of them archived, that one, else the latest.
select distinct on (coalesce(name_key, lower(name))) id, name, kind, state
  from campaigns
 where organization_id = $organization and (state <> 'archived' or $archived)
 order by coalesce(name_key, lower(name)), state = 'archived', id desc

-- name: add
insert into campaigns (organization_id, kind, name, name_key, state, type, trigger, settings, priority, number_id, audience,
                       actor, channel, excluded, created_at, updated_at)
values ($organization, $kind, $name, $name_key, 'draft', $type, $trigger, $settings, $priority, $number, $audience, $actor,
        $channel, $excluded, $at, $at)
on conflict (organization_id, coalesce(name_key, lower(name))) where state <> 'archived' do nothing
returning id

-- name: add_like
-- A draft like another campaign; no row: its name is taken.
insert into campaigns (organization_id, kind, name, name_key, state, type, trigger, settings, priority, number_id, audience,
                       excluded, actor, channel, created_at, updated_at)
select c.organization_id, c.kind, $name, $name_key, 'draft', c.type, c.trigger, c.settings, c.priority, c.number_id, c.audience,
       c.excluded, $actor, c.channel, $at, $at
  from campaigns c
 where c.organization_id = $organization and c.id = $campaign
on conflict (organization_id, coalesce(name_key, lower(name))) where state <> 'archived' do nothing
returning id

-- name: copy_steps
insert into steps (organization_id, campaign_id, position, after_s, content, timing, conditions, fallback, settings,
                   created_at)
select s.organization_id, $copy, row_number() over (order by s.position), s.after_s, s.content, s.timing, s.conditions,
       s.fallback, s.settings, $at
  from steps s
 where s.organization_id = $organization and s.campaign_id = $campaign and s.removed_at is null

-- name: set_conditions
update steps set conditions = $conditions where organization_id = $organization and id = $step

-- name: change
-- Write what staff chose. What a rate or a daily cap had held back is free again where those change; the claim
-- closes the tap anew if the new cap is used up too.
update campaigns
   set name = $name, name_key = $name_key, type = $type, trigger = $trigger, settings = $settings, priority = $priority,
       number_id = $number, audience = $audience, excluded = $excluded, version = version + 1, updated_at = $at,
       next_slot_at = case when settings -> 'rate' is not distinct from $settings::jsonb -> 'rate' then next_slot_at end,
       closed_until = case when closed_why = 'per_day'
                            and settings -> 'per_day' is distinct from $settings::jsonb -> 'per_day' then null
                           else closed_until end,
       closed_why = case when closed_why = 'per_day'
                          and settings -> 'per_day' is distinct from $settings::jsonb -> 'per_day' then null
                         else closed_why end
 where organization_id = $organization and id = $campaign

-- name: replace_content
update steps set content = $content
 where organization_id = $organization and campaign_id = $campaign and id = $step and removed_at is null

-- name: seal
-- Wait for whoever begins to name a campaign, and let nobody else begin, until this commits.
select id from campaigns where organization_id = $organization and id = $campaign for update

-- name: audiences_with
-- Broadcasts that have not begun and whose audience names $campaign.
select name from campaigns
 where organization_id = $organization and kind = 'broadcast' and state in ('draft', 'scheduled', 'paused')
   and started_at is null and id <> $campaign
   and (audience -> 'drips' @> to_jsonb($campaign::bigint) or audience -> 'broadcasts' @> to_jsonb($campaign::bigint))
 order by name

-- name: delete
delete from campaigns
 where organization_id = $organization and id = $campaign and state = 'draft' and started_at is null

-- name: want_look_again
-- Note that what a locked campaign has queued has to be looked at again from the beginning.
update campaigns set look_again_since = $at, looked_due_at = $at, looked_id = 0
 where organization_id = $organization and id = $campaign

-- name: to_look_again
select id from campaigns where organization_id = $organization and look_again_since is not null order by id

-- name: look_again_of
-- Since when and up to where that was done, if it is to be; locked, so that the hours do not change meanwhile.
select look_again_since as since, looked_due_at as due_at, looked_id as id, state in ('active', 'running', 'paused') as sends
  from campaigns
 where organization_id = $organization and id = $campaign and look_again_since is not null
   for no key update

-- name: look_again
-- Make due at once what of the next $limit messages behind ($due_at, $id) waits only for hours: those no call failed
-- for, whose own time (the second in the id, or the local time of a broadcast in contacts' zones) had come. Returns the
-- last of the $limit; no row: there are no more. They are put to $since, behind which all of this begins, so that it has
-- an end however often the lane puts them off again.
with next as (
  select q.id, q.due_at, q.contact_id, q.failed_at
    from unnest(numbers_of($organization)) as own(number_id)
   cross join lateral (
     -- Two ranges rather than one of (due_at, id): of rows due at the same moment that one is taken for empty, and read
     -- to its end to be sorted.
     (select m.id, m.due_at, m.contact_id, m.failed_at from messages m
       where m.organization_id = $organization and m.number_id = own.number_id and m.campaign_id = $campaign
         and m.stage = 'queued' and m.due_at = $due_at::timestamptz and m.id > $id::bigint
       order by m.id
       limit $limit)
     union all
     (select m.id, m.due_at, m.contact_id, m.failed_at from messages m
       where m.organization_id = $organization and m.number_id = own.number_id and m.campaign_id = $campaign
         and m.stage = 'queued' and m.due_at > $due_at::timestamptz
       order by m.due_at, m.id
       limit $limit)) q
   order by q.due_at, q.id
   limit $limit),
chosen as (
  select n.id
    from next n
    join campaigns k on k.organization_id = $organization and k.id = $campaign
   where n.failed_at is null and n.id >> 30 <= extract(epoch from $since::timestamptz)
     and (k.schedule ->> 'zone' is distinct from 'contact'
          or (k.schedule ->> 'at')::timestamp
             at time zone coalesce((select c.timezone from contacts c
                                     where c.organization_id = $organization and c.id = n.contact_id), $zone::text)
             <= $at)),
moved as (
  update messages set due_at = $since
   where organization_id = $organization
     and id = any(array(select m.id from messages m
                         where m.organization_id = $organization and m.id = any(array(select id from chosen))
                           and coalesce(m.state = 'queued', false) -- so that the queue's index is not read for it
                         order by m.id for no key update)))
select due_at, id from next order by due_at desc, id desc limit 1

-- name: looked_up_to
-- Note up to where a campaign's messages have been looked at again; without a time: all have been.
update campaigns
   set looked_due_at = $due_at, looked_id = $id,
       look_again_since = case when $due_at::timestamptz is not null then look_again_since end
 where organization_id = $organization and id = $campaign

-- name: move
-- Put a locked campaign into a state, with who and when. What begins to send has an open tap; the time it was paused is
-- held against no deadline.
update campaigns
   set held_s = held_s + case when state = 'paused' and $sending and started_at is not null
                              then coalesce(extract(epoch from $at::timestamptz - paused_at), 0) else 0 end,
       paused_s = paused_so_far(organization_id, id, $at),
       resumed_at = case when state = 'paused' and $sending then $at::timestamptz else resumed_at end,
       state = $state, version = version + 1, updated_at = $at,
       channel = coalesce($channel, channel), contacts_up_to = coalesce($contacts_up_to, contacts_up_to),
       started_at = case when $sending then coalesce(started_at, $at) else started_at end,
       started_by = case when $sending then coalesce(started_by, $actor) else started_by end,
       paused_at = case when $state = 'paused' then $at::timestamptz end,
       paused_by = case when $state = 'paused' then $actor end,
       ended_at = case when $ended then coalesce(ended_at, $at) else ended_at end,
       ended_by = case when $ended and $state <> 'completed' then coalesce(ended_by, $actor) else ended_by end,
       scheduled_at = null,
       look_at = null,
       closed_until = case when not $sending then closed_until end,
       closed_why = case when not $sending then closed_why end
 where organization_id = $organization and id = $campaign

-- name: schedule
-- Have a locked broadcast start by itself at $starts_at.
update campaigns
   set state = 'scheduled', schedule = $schedule, scheduled_at = $starts_at, look_at = $look_at, scheduled_by = $actor,
       paused_at = null, paused_by = null, version = version + 1, updated_at = $at
 where organization_id = $organization and id = $campaign and started_at is null

-- name: postpone
-- Let a locked broadcast wait for its next occurrence, or for another start of this one.
update campaigns set schedule = $schedule, scheduled_at = $starts_at, look_at = $look_at, updated_at = $at
 where organization_id = $organization and id = $campaign and state = 'scheduled'

-- name: unschedule
-- Make a locked broadcast that has not begun a draft again.
update campaigns
   set state = 'draft', schedule = null, scheduled_at = null, look_at = null, scheduled_by = null, paused_at = null, paused_by = null,
       version = version + 1, updated_at = $at
 where organization_id = $organization and id = $campaign and started_at is null

-- name: belong_to_series
update campaigns set series_id = $series, schedule = $schedule, scheduled_by = $actor
 where organization_id = $organization and id = $campaign

-- name: due_to_start
-- What is scheduled and whose time to start, or to look at it again, has come, the earliest first.
select id, scheduled_by, settings from campaigns
 where organization_id = $organization and state = 'scheduled' and least(scheduled_at, look_at) <= $at
 order by scheduled_at, id
 limit $limit

-- name: all_zones
-- The time zones of all contacts; null: of those whose zone is not known.
select distinct timezone from contacts where organization_id = $organization

-- name: zones_of
select distinct timezone from contacts where organization_id = $organization and id = any($contacts::bigint[])

-- name: running_occurrences
-- How many occurrences of a series run or are paused.
select count(*) from campaigns
 where organization_id = $organization and series_id = $series and state in ('running', 'paused')

-- name: touch
-- Move the version of a locked campaign whose steps have changed.
update campaigns set version = version + 1, updated_at = $at where organization_id = $organization and id = $campaign

-- name: steps
-- The steps there are, in order.
select id, position, after_s, content, timing, conditions, fallback, settings, version, moved_at is not null as moved
  from steps
 where organization_id = $organization and campaign_id = $campaign and removed_at is null
 order by position

-- name: put_step
-- Add a step at a place, or, without one, behind all there ever were.
insert into steps (organization_id, campaign_id, position, after_s, content, timing, conditions, fallback, settings, created_at)
select $organization, $campaign, coalesce($place::double precision, floor(coalesce(max(position), 0)) + 1), $after_s, $content,
       $timing, $conditions, $fallback, $settings, $at
  from steps where organization_id = $organization and campaign_id = $campaign
returning id

-- name: keep_revision
-- Keep a step as it is, before it changes.
insert into step_revisions (organization_id, step_id, version, content, after_s, timing, conditions, fallback, settings,
                            replaced_at, replaced_by)
select organization_id, id, version, content, after_s, timing, conditions, fallback, settings, $at, $actor
  from steps where organization_id = $organization and id = $step

-- name: edit_step
update steps
   set after_s = $after_s, content = $content, timing = $timing, conditions = $conditions, fallback = $fallback,
       settings = $settings, version = version + 1
 where organization_id = $organization and id = $step

-- name: move_step
-- Put a step in another place; without one, behind all there ever were.
update steps s
   set position = coalesce($place::double precision,
                           (select floor(max(o.position)) + 1 from steps o
                             where o.organization_id = $organization and o.campaign_id = s.campaign_id)),
       moved_at = $at, version = version + 1
 where s.organization_id = $organization and s.id = $step

-- name: set_rewalk
-- Note that enrollments of a campaign have to be put on their way anew, all after $cursor; null: all are.
update campaigns set rewalk_cursor = $cursor where organization_id = $organization and id = $campaign

-- name: rewalk_of
-- Up to where that was done, if it is to be; locked, so that steps do not change meanwhile.
select rewalk_cursor from campaigns
 where organization_id = $organization and id = $campaign and rewalk_cursor is not null
   for no key update

-- name: to_rewalk
select id from campaigns where organization_id = $organization and rewalk_cursor is not null order by id

-- name: remove_step
update steps set removed_at = $at where organization_id = $organization and id = $step and removed_at is null

-- name: listed
-- A page of campaigns of one kind, the latest first, with how many there are in all and the numbers of each.
select c.id, c.kind, c.name, c.state, c.actor, c.created_at, c.started_at, c.ended_at, c.scheduled_at,
       count(*) over () as total,
       case when c.closed_until > $at then c.closed_why end as closed_why,
       coalesce(s.planned, 0) as planned, coalesce(s.sent, 0) as sent, coalesce(s.delivered, 0) as delivered,
       coalesce(s.read, 0) as read, coalesce(e.enrolled, 0) as enrolled, coalesce(e.running, 0) as running,
       (select count(*) from steps t
         where t.organization_id = $organization and t.campaign_id = c.id and t.removed_at is null) as steps
  from campaigns c
  left join lateral (select sum(count) filter (where metric = 'planned')::bigint as planned,
                            sum(count) filter (where metric = 'accepted')::bigint as sent,
                            sum(count) filter (where metric = 'delivered')::bigint as delivered,
                            sum(count) filter (where metric = 'read')::bigint as read
                       from campaign_stats where organization_id = $organization and campaign_id = c.id) s on true
  left join lateral (select count(*) as enrolled, count(*) filter (where state in ('active', 'paused')) as running
                       from enrollments where organization_id = $organization and campaign_id = c.id) e on true
 where c.organization_id = $organization and c.kind = $kind
   and case when $state::text is null then c.state <> 'archived' else c.state = $state end
   and ($actor::text is null or c.actor = $actor)
 order by c.created_at desc, c.id desc
 limit $limit

-- name: running
-- What sends or could, the latest first.
select id from campaigns
 where organization_id = $organization and state in ('active', 'running', 'paused') and started_at is not null
 order by started_at desc, id desc
 limit $limit

-- name: upcoming
-- What starts by itself, the next first.
select name, scheduled_at from campaigns
 where organization_id = $organization and state = 'scheduled' and scheduled_at is not null
 order by scheduled_at, id
 limit $limit

-- name: has_running
-- Whether enrollments of a campaign have not ended. The first of each state in its index: for any one of both, PostgreSQL
-- may read those of all other campaigns, if it takes most of them to be under way.
select coalesce((select id from enrollments
                  where organization_id = $organization and campaign_id = $campaign and state = 'active'
                  order by id limit 1),
                (select id from enrollments
                  where organization_id = $organization and campaign_id = $campaign and state = 'paused'
                  order by id limit 1)) is not null

-- name: ended_before
select coalesce(ended_at < $moment, true) from campaigns where organization_id = $organization and id = $campaign

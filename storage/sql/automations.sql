-- name: lock
-- Let nobody else add an automation until this commits.
select pg_advisory_xact_lock(hashtext('automations'), hashtext($organization))

-- name: all
-- All automations, the oldest first.
select id, campaign_id, trigger, segment_id, action, state, stopped_why, on_since, created_at, created_by
  from automations
 where organization_id = $organization
 order by id

-- name: live
-- Those that act, the oldest first, and the trigger= of the campaign whose own each is.
select a.id, a.campaign_id, a.trigger, a.segment_id, a.action, a.state, a.stopped_why, a.on_since, a.created_at, a.created_by,
       c.trigger as own_trigger
  from automations a
  left join campaigns c on c.organization_id = a.organization_id and c.id = a.campaign_id
 where a.organization_id = $organization and a.state = 'on'
 order by a.id

-- name: get
select id, campaign_id, trigger, segment_id, action, state, stopped_why, on_since, created_at, created_by
  from automations
 where organization_id = $organization and id = $automation

-- name: wanted
-- Which of $kinds some automation waits for.
select distinct trigger ->> 'on' as kind from automations
 where organization_id = $organization and state = 'on' and trigger ->> 'on' = any($kinds::text[])

-- name: keywords
-- The words some automation waits for.
select distinct trigger ->> 'word' as word from automations
 where organization_id = $organization and state = 'on' and trigger ->> 'on' = 'keyword'
 order by 1

-- name: add
-- Add an automation; of a campaign's own there is one.
insert into automations (organization_id, campaign_id, trigger, segment_id, action, state, on_since, created_at, created_by)
values ($organization, $campaign, $trigger, $segment, $action, 'on', $at, $at, $actor)
on conflict (organization_id, campaign_id) where campaign_id is not null
do update set trigger = excluded.trigger, segment_id = excluded.segment_id, action = excluded.action, state = 'on',
              stopped_why = null, dates_after = null, dates_read_at = null, on_since = excluded.on_since,
              created_at = excluded.created_at, created_by = excluded.created_by
returning id

-- name: end_of
delete from automations where organization_id = $organization and campaign_id = $campaign

-- name: remove
delete from automations where organization_id = $organization and id = $automation

-- name: set_state
-- Turn it on, as of now, or off; when dates come next is read anew.
update automations
   set state = $state, on_since = case when $state = 'on' then $at else on_since end,
       stopped_why = null, dates_after = null, dates_read_at = null
 where organization_id = $organization and id = $automation

-- name: stop
-- Stop an automation that is on; no row: it is not.
update automations set state = 'stopped', stopped_why = $why
 where organization_id = $organization and id = $automation and state = 'on'
returning id

-- name: campaigns
-- What automations can name.
select id, name, kind, coalesce(settings ->> 'reentry', 'never') as reentry from campaigns
 where organization_id = $organization and state <> 'archived'

-- name: step
-- A step by its number as staff count.
select id from steps
 where organization_id = $organization and campaign_id = $campaign and removed_at is null
 order by position limit 1 offset $place

-- name: segments
select id, name from segments where organization_id = $organization

-- name: attributes
select name, type = 'date' as is_date from attributes where organization_id = $organization

-- name: names_of_campaigns
select id, name from campaigns where organization_id = $organization and id = any($ids::bigint[])

-- name: numbers_of_steps
-- The numbers, as staff count, of steps $ids that have not been removed.
select s.id, (select count(*) from steps t
               where t.organization_id = $organization and t.campaign_id = s.campaign_id and t.removed_at is null
                 and t.position <= s.position) as number
  from steps s
 where s.organization_id = $organization and s.id = any($ids::bigint[]) and s.removed_at is null

-- name: drips
-- Those of drips $ids that take somebody in, and how.
select c.id, coalesce(c.settings ->> 'reentry', 'never') as reentry, coalesce(c.settings ->> 'mode', 'passive') as mode
  from campaigns c
 where c.organization_id = $organization and c.id = any($ids::bigint[]) and c.kind = 'drip'
   and c.state in ('active', 'paused')
   and exists (select from steps s
                where s.organization_id = $organization and s.campaign_id = c.id and s.removed_at is null)

-- name: resting
-- Those of campaigns $ids that take nobody in.
select id, state from campaigns
 where organization_id = $organization and id = any($ids::bigint[]) and state not in ('active', 'paused')

-- name: lock_campaigns
-- Keep the campaigns that actions are about as they are, in the order of their keys.
select id from campaigns where organization_id = $organization and id = any($ids::bigint[]) order by id for share

-- name: tell
-- Write events that say something in a channel.
insert into events (organization_id, kind, content, at)
select $organization, 'automation_tells', t.content, $at
  from unnest($contents::jsonb[]) with ordinality as t(content, place)
 order by t.place

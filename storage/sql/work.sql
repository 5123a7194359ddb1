-- name: lanes
-- Numbers with something due that no tap holds, or with messages claimed by nobody alive.
select n.id
  from unnest($numbers::text[]) as n(id)
  left join numbers s on s.organization_id = $organization and s.id = n.id
  left join leases l on l.organization_id = $organization and l.name = 'lane:' || n.id
 where not database_moved($organization)
   and (l.holder is null or l.renewed_at < clock_timestamp() - $expiry_s::double precision * interval '1 second')
   and (exists (select from messages m
                 where m.organization_id = $organization and m.number_id = n.id and m.stage = 'claimed')
        or ((s.closed_until is null or s.closed_until <= $at)
            and (exists (select from messages m
                          where m.organization_id = $organization and m.number_id = n.id and m.campaign_id = 0
                            and m.stage = 'queued' and m.due_at <= $at)
                 or exists (select from campaigns c
                             where c.organization_id = $organization and may_send(c, $at, $ahead)
                               and (l.paced_until is null or l.paced_until <= $at)
                               and not exists (select from organizations o
                                                where o.organization_id = $organization and o.closed_until > $at)
                               and exists (select from messages m
                                            where m.organization_id = $organization and m.number_id = n.id
                                              and m.campaign_id = c.id and m.stage = 'queued' and m.due_at <= $at)))))

-- name: jobs
-- Which jobs have something to do now.
select
  exists (select from campaigns c
           where c.organization_id = $organization and c.state in ('active', 'running')
             and ((c.kind = 'broadcast' and c.planned_at is null)
                  or (c.kind = 'drip' and exists (
                        select from enrollments e
                         where e.organization_id = $organization and e.campaign_id = c.id and e.state = 'active'
                           and e.due_at <= $at)))) as plan,
  exists (select from campaigns where organization_id = $organization and rewalk_cursor is not null) as rewalk,
  exists (select from campaigns where organization_id = $organization and look_again_since is not null) as look_again,
  exists (select from campaigns
           where organization_id = $organization and state = 'scheduled' and least(scheduled_at, look_at) <= $at)
  and not database_moved($organization) as start_scheduled,
  exists (select from occurrences where organization_id = $organization) as enroll_triggered,
  exists (select from dates_changed where organization_id = $organization)
  or exists (select from automations a
              where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'date'
                and (a.dates_read_at is null or a.dates_read_at < $at::timestamptz - interval '1 day'
                     or exists (select from dates_due d
                                 where d.organization_id = $organization and d.automation_id = a.id
                                   and d.due_at <= $at))) as follow_dates,
  exists (select from automations a
            left join segments_followed f on f.organization_id = a.organization_id
                                         and f.segment_id = (a.trigger ->> 'segment')::bigint
           where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'segment_joined'
             and (f.followed_at is null or f.followed_after is not null
                  or f.followed_at <= $at::timestamptz - interval '1 minute'))
  or exists (select from segments_followed f
              where f.organization_id = $organization
                and not exists (select from automations a
                                 where a.organization_id = $organization and a.state = 'on'
                                   and a.trigger ->> 'on' = 'segment_joined'
                                   and a.trigger -> 'segment' = to_jsonb(f.segment_id))) as follow_segments,
  exists (select from imports where organization_id = $organization and state in ('uploaded', 'judging', 'importing', 'undoing')
     and (next_try_at is null or next_try_at <= $at)) as import_contacts,
  exists (select from exports
    where organization_id = $organization and state = 'writing' and (next_try_at is null or next_try_at <= $at)) as export_contacts,
  exists (select from errands
           where organization_id = $organization and (next_try_at is null or next_try_at <= $at)) as run_errands,
  exists (select from messages m
           where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'unknown')
  and not database_moved($organization) as reconcile,
  exists (select from campaigns where organization_id = $organization and state in ('active', 'running', 'paused'))
  or exists (select from campaigns where organization_id = $organization and state in ('cancelled', 'archived') and settled_at is null) as complete,
  exists (select from campaigns where organization_id = $organization and state in ('active', 'running'))
  or exists (select from numbers
              where organization_id = $organization and (quality = 'red') <> (braked_at is not null)) as mind_brakes,
  exists (select from campaigns c
           cross join numbers n
           where c.organization_id = $organization and c.state in ('active', 'running') and n.organization_id = $organization
             and (c.closed_until > $at or n.closed_until > $at
                  or exists (select from organizations o where o.organization_id = $organization and o.closed_until > $at))
             and exists (select from (select m.deadline_at from messages m
                                       where m.organization_id = $organization and m.number_id = n.id and m.campaign_id = c.id
                                         and m.stage = 'queued' and m.due_at <= $at
                                       order by m.due_at, m.id limit 100) x
                          where x.deadline_at + c.held_s * interval '1 second' < $at))
  and not database_moved($organization) as expire,
  exists (select from audit_log where organization_id = $organization and seal is null) as seal_audit,
  exists (select from tasks
           where organization_id = $organization and name = 'sync_templates' and (done_at is null or done_at < requested_at)) as sync_templates,
  exists (select from tasks
           where organization_id = $organization and name = 'read_accounts' and (done_at is null or done_at < requested_at)) as read_accounts,
  exists (select from template_drafts
           where organization_id = $organization and state = 'submitted' and next_try_at <= $at) as submit_templates,
  exists (select from media where organization_id = $organization and next_try_at <= $at) as fetch_media,
  exists (select from media_ids i
            join media m on m.organization_id = i.organization_id and m.id = i.media_id
           where i.organization_id = $organization and m.blob_id is not null and i.number_id = any($numbers::text[])
             and (i.next_try_at is null or i.next_try_at <= $at)
             and ((i.wanted_at is not null and i.problem is null)
                  or (i.uploaded_at <= $renew_before and media_in_use(i.organization_id, m.name)))) as upload_media,
  exists (select from numbers n
           where n.organization_id = $organization and n.id <> all($numbers::text[])
             and (exists (select from messages m
                           where m.organization_id = $organization and m.number_id = n.id and m.stage = 'queued')
                  or exists (select from messages m
                              where m.organization_id = $organization and m.number_id = n.id and m.stage = 'claimed'))) as move_strays,
  exists (select from tasks
           where organization_id = $organization and name = 'keep_house' and (done_at is null or done_at < requested_at)) as keep_house,
  exists (select from tasks
           where organization_id = $organization and name = 'look_through' and (done_at is null or done_at < requested_at)) as look_through,
  exists (select from tasks
           where organization_id = $organization and name = 'daily_summary' and (done_at is null or done_at < requested_at)) as daily_summary

-- name: idle
-- What is due now, what is under way, and when the product next acts by itself.
with open_campaigns as (
  select c.id, c.kind, c.planned_at, c.settled_at, c.completed_at, c.started_at,
         greatest(c.closed_until, c.next_slot_at, o.closed_until) as opens_at
    from campaigns c
    left join organizations o on o.organization_id = c.organization_id
   where c.organization_id = $organization and c.state in ('active', 'running')),
moved as materialized (select database_moved($organization) as moved),
queued as (
  select greatest(m.due_at, c.opens_at, n.closed_until, l.paced_until) as at
    from open_campaigns c
   cross join unnest(numbers_of($organization)) as own(number_id)
    left join numbers n on n.organization_id = $organization and n.id = own.number_id
    left join leases l on l.organization_id = $organization and l.name = 'lane:' || own.number_id
   cross join lateral (select due_at from messages
                        where organization_id = $organization and number_id = own.number_id and campaign_id = c.id
                          and stage = 'queued'
                        order by due_at limit 1) m
   where not (select moved from moved)
  union all
  select greatest(m.due_at, n.closed_until)
    from unnest(numbers_of($organization)) as own(number_id)
    left join numbers n on n.organization_id = $organization and n.id = own.number_id
   cross join lateral (select due_at from messages
                        where organization_id = $organization and number_id = own.number_id and campaign_id = 0
                          and stage = 'queued'
                        order by due_at limit 1) m
   where not (select moved from moved)),
enrolled as (
  select e.due_at as at
    from open_campaigns c
   cross join lateral (select due_at from enrollments
                        where organization_id = $organization and campaign_id = c.id and state = 'active'
                          and due_at is not null
                        order by due_at limit 1) e),
broadcasts as (
  select case when planned_at is null then started_at else settled_at + $settling::interval end as at
    from open_campaigns
   where kind = 'broadcast' and (planned_at is null or settled_at is not null)),
scheduled as (
  select least(scheduled_at, look_at) as at from campaigns
   where organization_id = $organization and state = 'scheduled' and not (select moved from moved)),
doubtful as (
  select greatest(coalesce(m.control_at + $grace::interval, m.unknown_since + interval '1 hour'),
                  h.held_at + interval '24 hours') as at
    from messages m
    left join lateral (select max(t.held_at) as held_at
                         from templates t
                        where t.organization_id = $organization and t.name = m.template_name
                          and t.language = m.template_language and m.control_at is not null) h on true
   where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'unknown'
     and not (select moved from moved)),
-- Segments are looked through each minute; who comes in by the passing of time alone is noticed within the hour.
followed as (
  select f.followed_at
    from automations a
    left join segments_followed f on f.organization_id = a.organization_id
                                 and f.segment_id = (a.trigger ->> 'segment')::bigint
   where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'segment_joined'),
dates as (
  select d.due_at as at
    from automations a
   cross join lateral (select due_at from dates_due
                        where organization_id = $organization and automation_id = a.id and due_at is not null
                        order by due_at limit 1) d
   where a.organization_id = $organization and a.state = 'on' and a.trigger ->> 'on' = 'date'),
work as (
  select at from dates
  union all select followed_at + interval '1 hour' from followed where followed_at > $at::timestamptz - interval '1 minute'
  union all select at from queued union all select at from enrolled union all select at from broadcasts
  union all select at from scheduled
  union all select at from doubtful where at > $at
  union all select greatest(i.uploaded_at + $renewed_after::interval, i.next_try_at)
              from media_ids i join media m on m.organization_id = i.organization_id and m.id = i.media_id
             where i.organization_id = $organization and i.wanted_at is null and i.problem is null
               and media_in_use(i.organization_id, m.name)
  union all select next_try_at from template_drafts
             where organization_id = $organization and state = 'submitted' and problem is not null
               and next_try_at > $at
  union all select next_try_at from errands where organization_id = $organization and next_try_at > $at
  union all select next_try_at from imports
             where organization_id = $organization and state in ('uploaded', 'judging', 'importing', 'undoing')
               and next_try_at > $at
  union all select next_try_at from exports
             where organization_id = $organization and state = 'writing' and next_try_at > $at)
select
  (select count(*) from work where at <= $at)
  -- No more than matter: there may be a million.
  + (select count(*) from (select from occurrences where organization_id = $organization limit 1000) o)
  + (select count(*) from followed where followed_at is null or followed_at <= $at::timestamptz - interval '1 minute')
  + (select count(*) from segments_followed f
      where f.organization_id = $organization
        and not exists (select from automations a
                         where a.organization_id = $organization and a.state = 'on'
                           and a.trigger ->> 'on' = 'segment_joined'
                           and a.trigger -> 'segment' = to_jsonb(f.segment_id)))
  + (select count(*) from (select from dates_changed where organization_id = $organization limit 1000) d)
  + (select count(*) from automations
      where organization_id = $organization and state = 'on' and trigger ->> 'on' = 'date' and dates_read_at is null)
  + (select count(*) from imports where organization_id = $organization and state in ('uploaded', 'judging', 'importing', 'undoing')
     and (next_try_at is null or next_try_at <= $at))
  + (select count(*) from exports
    where organization_id = $organization and state = 'writing' and (next_try_at is null or next_try_at <= $at))
  + (select count(*) from errands where organization_id = $organization and (next_try_at is null or next_try_at <= $at))
  + (select count(*) from doubtful where at <= $at)
  + (select count(*) from media where organization_id = $organization and next_try_at is not null)
  + (select count(*) from media_ids
      where organization_id = $organization and wanted_at is not null and problem is null
        and number_id = any(numbers_of($organization)))
  + (select count(*) from template_drafts
      where organization_id = $organization and state = 'submitted' and (problem is null or next_try_at <= $at))
  + (select count(*) from open_campaigns where kind = 'broadcast' and planned_at is not null and settled_at is null
      and not exists (select from messages m
                       where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                         and m.campaign_id = open_campaigns.id and m.stage = 'queued')
      and not exists (select from messages m
                       where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                         and m.campaign_id = open_campaigns.id and m.stage = 'claimed')
      and not exists (select from messages m
                       where m.organization_id = $organization and m.number_id = any(numbers_of($organization))
                         and m.campaign_id = open_campaigns.id and m.stage = 'unknown'))
  + (select count(*) from open_campaigns c where kind = 'drip'
      and exists (select from enrollments e
                   where e.organization_id = $organization and e.campaign_id = c.id
                     and e.ended_at > coalesce(c.completed_at, '-infinity'))
      and not exists (select from enrollments e
                       where e.organization_id = $organization and e.campaign_id = c.id
                         and e.state in ('active', 'paused')))
  + (select count(*) from campaigns where organization_id = $organization and rewalk_cursor is not null)
  + (select count(*) from campaigns where organization_id = $organization and look_again_since is not null)
  + (select count(*) from campaigns where organization_id = $organization and state in ('cancelled', 'archived') and settled_at is null) as due,
  (select count(*) from messages
    where organization_id = $organization and number_id = any(numbers_of($organization)) and stage = 'claimed') as claimed,
  (select min(at) from work where at > $at and at < 'infinity') as next_due

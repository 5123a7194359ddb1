-- name: campaign
-- A campaign as cards, alerts and reports show it; while it is planned, between which contacts that goes on.
select c.id, c.kind, c.name, c.state, c.version, c.trigger, c.planned_at, c.planning_cursor, c.started_at, c.started_by,
       c.paused_by, c.ended_by, c.ended_at, p.first, p.last,
       case when c.closed_until > $at then c.closed_until end as closed_until,
       case when c.closed_until > $at then c.closed_why end as closed_why
  from campaigns c
  left join lateral (
    select coalesce((select min(first_contact) from frozen_audiences
                      where organization_id = $organization and campaign_id = c.id),
                    (select min(id) from contacts where organization_id = $organization)) as first,
           coalesce((select max(last_contact) from frozen_audiences
                      where organization_id = $organization and campaign_id = c.id), c.contacts_up_to) as last)
    p on c.kind = 'broadcast' and c.planned_at is null and c.contacts_up_to > 0
 where c.organization_id = $organization and c.id = $campaign

-- name: step_metrics
-- What each step's messages count for, summed over hours and variants; a step without messages has one row. Those
-- accepted before $silent_before of which nothing was heard since count as unreported.
select s.id, s.removed_at is not null as removed, m.metric, m.count
  from steps s
  left join (select step_id, metric, sum(count)::bigint as count
               from campaign_stats
              where organization_id = $organization and campaign_id = $campaign
              group by step_id, metric
              union all
             select step_id, 'unreported', sum(case metric when 'accepted' then count else -count end)::bigint
               from campaign_stats
              where organization_id = $organization and campaign_id = $campaign and hour < $silent_before
                and metric in ('accepted', 'sent', 'unsent')
              group by step_id) m on m.step_id = s.id and m.count <> 0
 where s.organization_id = $organization and s.campaign_id = $campaign
 order by s.position, s.id

-- name: enrollment_states
-- How many enrollments are in each state.
select state, count(*) as count from enrollments
 where organization_id = $organization and campaign_id = $campaign
 group by state

-- name: again
-- How many messages were sent again after silence, how many of all reached somebody twice, and the phones of up to $limit
-- of those.
select count(*) filter (where m.resent > 0) as resent, count(*) filter (where m.doubled > 0) as doubled,
       coalesce((array_agg(i.value order by m.id) filter (where m.doubled > 0 and i.value is not null))[:$limit::integer], '{}') as twice
  from messages m
  left join lateral (select min(value) as value from contact_identities
                      where organization_id = $organization and contact_id = m.contact_id and kind = 'phone'
                        and m.doubled > 0) i on true
 where m.organization_id = $organization and m.campaign_id = $campaign and (m.resent > 0 or m.doubled > 0)

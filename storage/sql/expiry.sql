-- name: stopped
-- Campaigns that send nothing on some number because a tap is closed, kept from being resumed until this commits.
select c.id from campaigns c
 where c.organization_id = $organization and c.state in ('active', 'running') and not database_moved($organization)
   and (c.closed_until > $at
        or exists (select from organizations o where o.organization_id = $organization and o.closed_until > $at)
        or exists (select from numbers n where n.organization_id = $organization and n.closed_until > $at))
 order by c.id
   for share

-- name: expired
-- Of the $limit messages of each of $campaigns and number that have waited longest behind a closed tap, those too late
-- by now. The time a campaign was held back by staff or its own limits is held against none, nor that of an enrollment.
select x.id
  from campaigns c
 cross join numbers n
 cross join lateral (
   select m.id, m.run_id, m.deadline_at from messages m
    where m.organization_id = $organization and m.number_id = n.id and m.campaign_id = c.id and m.stage = 'queued'
      and m.due_at <= $at
    order by m.due_at, m.id limit $limit) x
 where c.organization_id = $organization and c.id = any($campaigns::bigint[]) and n.organization_id = $organization
   and (c.closed_until > $at or n.closed_until > $at
        or exists (select from organizations o where o.organization_id = $organization and o.closed_until > $at))
   and x.deadline_at + c.held_s * interval '1 second' < $at
   and not exists (select from enrollments e
                    where e.organization_id = $organization and e.id = x.run_id and e.campaign_id = c.id and e.state = 'paused')
 order by x.id

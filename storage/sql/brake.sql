-- name: driven
-- What came since $since, or since a person let it go on, of each campaign that sends and of which something failed or
-- was stopped: by calls made since then, and by the hours of statistics since then without what they had counted before. What ended by
-- $left_out counts not: whoever would meet it too is left out already.
select c.id, greatest(s.accepted - case when c.brake_since >= b.since then c.brake_accepted else 0 end, 0)::bigint as went,
       d.count as failed, o.count as opted_out
  from campaigns c
 cross join lateral (select greatest($since::timestamptz, c.brake_since) as since) b
 cross join lateral (
   select count(*) as count from messages m
    where m.organization_id = $organization and m.campaign_id = c.id and m.stage = 'dead' and m.settled_at >= b.since
      and coalesce(m.claimed_at, m.settled_at) >= b.since
      and m.error_code is distinct from $left_out) d
 cross join lateral (
   select count(distinct i.contact_id) as count from inbound_messages i
    where i.organization_id = $organization and i.campaign_id = c.id and i.meaning = 'stop'
      and i.received_at >= b.since) o
 cross join lateral (
   select coalesce(sum(case metric when 'accepted' then count else -count end), 0) as accepted
     from campaign_stats t
    where t.organization_id = $organization and t.campaign_id = c.id
      and t.hour >= date_trunc('hour', b.since, 'UTC') and t.metric in ('accepted', 'returned')
      and (d.count > 0 or o.count > 0)) s
 where c.organization_id = $organization and c.state in ('active', 'running')
   and (c.closed_until is null or c.closed_until <= $at)
   and (d.count > 0 or o.count > 0)
 order by c.id

-- name: reasons
-- By which codes most of what a campaign gave up ended, of its latest thousand.
select error_code as code, count(*) as count
  from (select error_code from messages
         where organization_id = $organization and campaign_id = $campaign and stage = 'dead'
         order by id desc limit 1000) latest
 group by 1
 order by 2 desc, 1
 limit 1

-- name: begin_anew
-- A person lets a locked campaign go on: nothing that came of it until now counts any more.
update campaigns c
   set brake_since = $at,
       brake_accepted = (select coalesce(sum(case metric when 'accepted' then count else -count end), 0)
                           from campaign_stats t
                          where t.organization_id = $organization and t.campaign_id = $campaign
                            and t.hour >= date_trunc('hour', $at::timestamptz, 'UTC') and t.metric in ('accepted', 'returned'))
 where c.organization_id = $organization and c.id = $campaign

-- name: low_quality
-- Numbers whose quality became low since they were last stopped for it.
select id from numbers
 where organization_id = $organization and quality = 'red' and braked_at is null
 order by id

-- name: note_quality
-- Remember which numbers are stopped for their quality, until it is another one.
update numbers
   set braked_at = case when quality = 'red' then coalesce(braked_at, $at) end
 where organization_id = $organization and (quality = 'red') <> (braked_at is not null)

-- name: unsendable
-- Campaigns that send, with a template that the platform has paused or disabled since a person last let them go on.
select distinct on (c.id) c.id, t.name, t.language, t.status
  from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 cross join lateral (values (s.content), (s.fallback)) as u(content)
  join templates t on t.organization_id = c.organization_id and t.name = u.content ->> 'name'
                  and t.language = u.content ->> 'language' and t.gone_at is null
 where c.organization_id = $organization and c.state in ('active', 'running')
   and (c.closed_until is null or c.closed_until <= $at)
   and u.content ->> 'type' = 'template' and t.status in ('PAUSED', 'DISABLED')
   and (c.brake_since is null or t.synced_at > c.brake_since)
 order by c.id, t.name, t.language

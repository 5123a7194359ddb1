-- name: differences
-- Where the statistics differ from the rows they count (engine.message.Message.contributions; a property test
-- compares them), of $campaign (null: of all), in hours of which no message has been forgotten. One statement, so that
-- both are seen at one moment.
with kept as (
  select coalesce(greatest(to_timestamp(oldest_message_second()),
                           (select messages_from from organizations where organization_id = $organization)),
                  '-infinity') as since),
counted as (
  select m.campaign_id, m.step_id, coalesce(m.variant_id, 0) as variant_id, date_trunc('hour', c.at, 'UTC') as hour,
         c.metric, count(*) as count
    from messages m
   cross join lateral counts_of(m.id, m.state, m.reason, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.replied_at) c
   where m.organization_id = $organization and m.campaign_id <> 0
     and ($campaign::bigint is null or m.campaign_id = $campaign)
     and date_trunc('hour', c.at, 'UTC') >= (select since from kept)
   group by 1, 2, 3, 4, 5)
select coalesce(c.campaign_id, s.campaign_id) as campaign_id, coalesce(c.step_id, s.step_id) as step_id,
       coalesce(c.variant_id, s.variant_id) as variant_id, coalesce(c.hour, s.hour) as hour,
       coalesce(c.metric, s.metric) as metric, coalesce(s.count, 0) as told, coalesce(c.count, 0) as counted
  from counted c
  full join (select * from campaign_stats
              where organization_id = $organization and hour >= (select since from kept)
                and ($campaign::bigint is null or campaign_id = $campaign)) s
    on s.campaign_id = c.campaign_id and s.step_id = c.step_id and s.variant_id = c.variant_id and s.hour = c.hour
   and s.metric = c.metric
 where coalesce(s.count, 0) <> coalesce(c.count, 0)
 order by 1, 2, 3, 4, 5

-- name: window
-- Where the next $limit messages after $after end; null: there are none.
select max(id) from (select id from messages where organization_id = $organization and id > $after order by id limit $limit) w

-- name: counted_between
-- What the messages after $after, up to $until, count for.
select m.campaign_id, m.step_id, coalesce(m.variant_id, 0) as variant_id, date_trunc('hour', c.at, 'UTC') as hour, c.metric,
       count(*) as count
  from messages m
 cross join lateral counts_of(m.id, m.state, m.reason, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.replied_at) c
 where m.organization_id = $organization and m.id > $after and m.id <= $until and m.campaign_id <> 0
 group by 1, 2, 3, 4, 5

-- name: told
-- The statistics after campaign $after, of up to $limit campaigns, in hours of which no message has been forgotten.
select campaign_id, step_id, variant_id, hour, metric, count
  from campaign_stats
 where organization_id = $organization and count <> 0
   and campaign_id in (select distinct campaign_id from campaign_stats
                        where organization_id = $organization and campaign_id > $after order by campaign_id limit $limit)
   and hour >= coalesce($since::timestamptz, '-infinity')

-- name: since
-- The first moment since which no message has been forgotten; null: ever.
select greatest(to_timestamp(oldest_message_second()),
                (select messages_from from organizations where organization_id = $organization)) as since

-- name: orphans
-- How many of the messages after $after, up to $until, name a campaign, a step or a contact that is not there.
select count(*) filter (where m.campaign_id <> 0 and c.id is null) as campaign,
       count(*) filter (where m.step_id <> 0 and s.id is null) as step,
       count(*) filter (where t.id is null) as contact
  from messages m
  left join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
  left join steps s on s.organization_id = m.organization_id and s.id = m.step_id
  left join contacts t on t.organization_id = m.organization_id and t.id = m.contact_id
 where m.organization_id = $organization and m.id > $after and m.id <= $until

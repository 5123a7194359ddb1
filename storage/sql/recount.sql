-- name: differences
-- Where the statistics differ from the rows they count (engine.message.Message.contributions; a property test
-- compares them), in hours of which no message has been forgotten. One statement, so that both are seen at one moment.
with kept as (
  select coalesce(greatest(to_timestamp(oldest_message_second()),
                           (select messages_from from organizations where organization_id = $organization)),
                  '-infinity') as since),
counted as (
  select m.campaign_id, m.step_id, coalesce(m.variant_id, 0) as variant_id, date_trunc('hour', c.at, 'UTC') as hour,
         c.metric, count(*) as count
    from messages m
   cross join lateral (
     select to_timestamp(m.id >> 30) as at, 'planned' as metric
     union all
     select coalesce(m.accepted_at, to_timestamp(m.id >> 30)), x.metric
       from (values ('accepted', m.accepted_at is not null),
                    ('sent', m.sent_at is not null),
                    ('delivered', m.delivered_at is not null),
                    ('read', m.read_at is not null),
                    ('replied', m.replied_at is not null),
                    ('returned', m.accepted_at is not null and m.state not in ('accepted', 'sent', 'delivered', 'read')),
                    ('dead', m.state = 'dead'),
                    (m.state || ':' || coalesce(m.reason, ''), m.state in ('skipped', 'cancelled'))) as x(metric, counts)
      where x.counts) c
   where m.organization_id = $organization and m.campaign_id <> 0
     and date_trunc('hour', c.at, 'UTC') >= (select since from kept)
   group by 1, 2, 3, 4, 5)
select coalesce(c.campaign_id, s.campaign_id) as campaign_id, coalesce(c.step_id, s.step_id) as step_id,
       coalesce(c.variant_id, s.variant_id) as variant_id, coalesce(c.hour, s.hour) as hour,
       coalesce(c.metric, s.metric) as metric, coalesce(s.count, 0) as told, coalesce(c.count, 0) as counted
  from counted c
  full join (select * from campaign_stats
              where organization_id = $organization and hour >= (select since from kept)) s
    on s.campaign_id = c.campaign_id and s.step_id = c.step_id and s.variant_id = c.variant_id and s.hour = c.hour
   and s.metric = c.metric
 where coalesce(s.count, 0) <> coalesce(c.count, 0)
 order by 1, 2, 3, 4, 5

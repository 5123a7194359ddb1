-- name: sent
-- What the messages sent from $start to $end came to, by the full hours of statistics.
select metric, sum(count)::bigint as count from campaign_stats
 where organization_id = $organization and hour >= $start and hour < $end
   and metric in ('accepted', 'delivered', 'read', 'replied', 'dead')
 group by metric

-- name: opted_out
-- How many contacts said STOP, or were opted out, from $start to $end.
select count(distinct contact_id) from consents
 where organization_id = $organization and kind = 'opt_out' and recorded_at >= $start and recorded_at < $end

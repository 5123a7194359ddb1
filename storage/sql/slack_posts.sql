-- name: intend
-- Note that $keys are about to be posted as one message, unless they were.
insert into slack_posts as p (organization_id, key, channel, thread_ts, intended_at)
select $organization, k.key, $channel, $thread_ts::text, $at from unnest($keys::text[]) as k(key)
on conflict (organization_id, key) do update
   set channel = excluded.channel, thread_ts = excluded.thread_ts, error = null
 where p.ts is null

-- name: intended
-- Those of $keys that were posted, or about to be.
select key from slack_posts where organization_id = $organization and key = any($keys::text[])

-- name: find
-- A post, or the intent of one.
select key, channel, ts, thread_ts, digest, final, error, intended_at
  from slack_posts
 where organization_id = $organization and key = $key

-- name: posted
-- Note where the message of $keys is and what it shows.
update slack_posts
   set ts = $ts, channel = $channel, digest = $digest, final = $final, error = null, posted_at = $at
 where organization_id = $organization and key = any($keys::text[])

-- name: shown
-- Note what a post shows after an edit.
update slack_posts set digest = $digest, final = $final, error = null
 where organization_id = $organization and key = $key

-- name: note_cards
-- Note of campaigns whether their cards show how they ended.
update campaigns set card_final = $final
 where organization_id = $organization and id = any($campaigns::bigint[]) and card_final <> $final

-- name: refused
-- Note why Slack refused to post or to edit.
update slack_posts set error = $error
 where organization_id = $organization and key = any($keys::text[])

-- name: forget
-- Forget a post whose message is gone, so that it can be posted anew.
delete from slack_posts where organization_id = $organization and key = $key

-- name: cards
-- Campaigns that have a live card, and those that ended whose card does not show it yet.
select c.id, c.state, c.version, p.digest, p.error
  from campaigns c
  left join slack_posts p on p.organization_id = $organization and p.key = 'card:' || c.id
 where c.organization_id = $organization and c.state in ('active', 'running', 'paused')
union all
select c.id, c.state, c.version, p.digest, p.error
  from campaigns c
  left join slack_posts p on p.organization_id = $organization and p.key = 'card:' || c.id
 where c.organization_id = $organization and c.state in ('completed', 'cancelled', 'archived') and not c.card_final
   and (c.started_at is not null or p.key is not null)
 order by 1

-- name: unfinished_cards
-- Campaigns that ended whose card does not show it, unless Slack refuses that card.
select count(*)
  from campaigns c
  left join slack_posts p on p.organization_id = $organization and p.key = 'card:' || c.id
 where c.organization_id = $organization and c.state in ('completed', 'cancelled', 'archived') and not c.card_final
   and (c.started_at is not null or p.key is not null) and p.error is null

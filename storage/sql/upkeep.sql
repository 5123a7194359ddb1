-- name: keep_from
-- Note that what happened to messages before $before may be gone; it never becomes earlier.
update organizations set messages_from = greatest(messages_from, $before::timestamptz)
 where organization_id = $organization and (messages_from is null or messages_from < $before)

-- name: messages_after
-- The next $limit messages after $after that were due before $before, by id, and whether all that happened to each
-- did so before it. What is open stays, however old.
select id, state in ('accepted', 'sent', 'delivered', 'read', 'skipped', 'cancelled', 'dead')
           and greatest(accepted_at, sent_at, delivered_at, read_at, replied_at, failed_at, settled_at) < $before as over
  from messages
 where organization_id = $organization and id > $after
   and id < extract(epoch from $before::timestamptz)::bigint << 30
 order by id limit $limit

-- name: forget_messages
-- Forget those of messages $ids that are still over; what somebody works on just now has time.
delete from messages
 where organization_id = $organization
   and id = any (array(select id from messages
                        where organization_id = $organization and id = any($ids::bigint[])
                          and state in ('accepted', 'sent', 'delivered', 'read', 'skipped', 'cancelled', 'dead')
                          and greatest(accepted_at, sent_at, delivered_at, read_at, replied_at, failed_at, settled_at) < $before
                        order by id
                          for update skip locked))

-- name: drop_empty_leaf
select drop_empty_message_leaf($before)

-- name: forget_inbound
-- Forget what came in before $before, among the $limit oldest: ids follow the time of arrival.
delete from inbound_messages
 where organization_id = $organization
   and id in (select o.id from (select id, received_at from inbound_messages
                                 where organization_id = $organization order by id limit $limit) o
               where o.received_at < $before)

-- name: forget_platform_events
-- Forget reports of the platform that came before $before, among the $limit oldest.
delete from platform_events
 where organization_id = $organization
   and id in (select o.id from (select id, received_at from platform_events
                                 where organization_id = $organization order by id limit $limit) o
               where o.received_at < $before)

-- name: forget_events
-- Forget what staff were told before $before, among the $limit oldest, with the posts it became. Cards stay as long
-- as their campaigns: one that is forgotten would be posted again.
with gone as (
  delete from events
   where organization_id = $organization
     and id in (select o.id from (select id, relayed_at from events
                                   where organization_id = $organization order by id limit $limit) o
                 where o.relayed_at < $before)
  returning id),
posts as (
  delete from slack_posts
   where organization_id = $organization
     and key in (select 'event:' || g.id || further from gone g, unnest($further::text[]) as further)
  returning key)
select (select count(*) from gone) as events, (select count(*) from posts) as posts

-- name: forget_import_rows
-- Forget up to $limit rows of imports that ended before $before; of those that can be undone before $undoable.
delete from import_rows
 where organization_id = $organization
   and (import_id, row) in (select r.import_id, r.row
                              from imports i
                              join import_rows r on r.organization_id = i.organization_id and r.import_id = i.id
                             where i.organization_id = $organization
                               and ((i.state in ('undone', 'refused', 'discarded') and i.updated_at < $before)
                                    or (i.state = 'imported' and i.updated_at < $undoable))
                             limit $limit)

-- name: forget_import_samples
-- Forget the examples of verdicts of imports whose rows go, or have gone, too.
update imports set samples = '{}'
 where organization_id = $organization
   and id in (select id from imports
               where organization_id = $organization and samples <> '{}'
                 and ((state in ('undone', 'refused', 'discarded') and updated_at < $before)
                      or (state = 'imported' and updated_at < $undoable))
               order by id limit $limit)

-- name: forget_exports
-- Forget exports that were written before $before; their files have gone before.
delete from exports
 where organization_id = $organization
   and id in (select id from exports
               where organization_id = $organization and state = 'written' and updated_at < $before
               order by id limit $limit)

-- name: forget_clicks
-- Forget clicks from before $before, among the $limit oldest; what they counted for stays.
delete from clicks
 where organization_id = $organization
   and id in (select o.id from (select id, at from clicks
                                 where organization_id = $organization order by id limit $limit) o
               where o.at < $before)

-- name: forget_sending_hours
-- Only the hour under way is ever asked for.
delete from sending_hours where organization_id = $organization and hour < $before

-- name: forget_webhook_failures
-- Forget up to $limit bodies that were replayed before $replayed, or that nobody replayed since $received. They are
-- nobody's, or of any organization.
delete from webhook_failures
 where id in (select id from webhook_failures
               where replayed_at < $replayed or received_at < $received
               order by id limit $limit
                 for update skip locked)

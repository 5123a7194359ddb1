-- name: move_facts
-- What is known of $other and not of $into; the cooldown of both.
update contacts i
   set name = coalesce(i.name, o.name), first_name = coalesce(i.first_name, o.first_name),
       company = coalesce(i.company, o.company), email = coalesce(i.email, o.email),
       attributes = o.attributes || i.attributes, language = coalesce(i.language, o.language),
       promoted_campaign_id = case when o.promoted_at > coalesce(i.promoted_at, '-infinity')
                                   then o.promoted_campaign_id else i.promoted_campaign_id end,
       promoted_at = greatest(i.promoted_at, o.promoted_at),
       promoted_ats = array(select distinct t from unnest(i.promoted_ats || o.promoted_ats) as t order by t),
       conversation_count = i.conversation_count + o.conversation_count,
       last_rating = coalesce(i.last_rating, o.last_rating),
       workflow_status = coalesce(i.workflow_status, o.workflow_status),
       country = coalesce(i.country, o.country), last_message_at = greatest(i.last_message_at, o.last_message_at),
       last_reply_at = greatest(i.last_reply_at, o.last_reply_at), updated_at = $at
  from contacts o
 where i.organization_id = $organization and i.id = $into and o.organization_id = $organization and o.id = $other

-- name: move_identities
update contact_identities set contact_id = $into where organization_id = $organization and contact_id = $other

-- name: move_tags
insert into contact_tags (organization_id, tag, contact_id, added_at)
select organization_id, tag, $into, added_at from contact_tags
 where organization_id = $organization and contact_id = $other
on conflict do nothing

-- name: drop_tags
delete from contact_tags where organization_id = $organization and contact_id = $other

-- name: move_lists
insert into list_members (organization_id, list_id, contact_id, added_at)
select organization_id, list_id, $into, added_at from list_members
 where organization_id = $organization and contact_id = $other
on conflict do nothing

-- name: move_conversations
update conversations set contact_id = $into where organization_id = $organization and contact_id = $other

-- name: move_clicks
update clicks set contact_id = $into where organization_id = $organization and contact_id = $other

-- name: move_windows
insert into service_windows as w (organization_id, number_id, contact_id, last_inbound_at)
select organization_id, number_id, $into, last_inbound_at from service_windows
 where organization_id = $organization and contact_id = $other
on conflict (organization_id, number_id, contact_id)
do update set last_inbound_at = greatest(w.last_inbound_at, excluded.last_inbound_at)

-- name: drop_windows
delete from service_windows where organization_id = $organization and contact_id = $other

-- name: move_occurrences
-- What automations have yet to act on; what they act on just now is $other's.
update occurrences set contact_id = $into
 where organization_id = $organization
   and id in (select id from occurrences where organization_id = $organization and contact_id = $other
               order by id for update skip locked)

-- name: move_dates
-- A date of one person's that was acted on this year is not acted on again.
insert into dates_due as d (organization_id, automation_id, contact_id, fired)
select organization_id, automation_id, $into, fired from dates_due
 where organization_id = $organization and contact_id = $other
 order by automation_id
on conflict (organization_id, automation_id, contact_id) do update set fired = greatest(d.fired, excluded.fired)

-- name: read_dates_again
insert into dates_changed (organization_id, contact_id)
select $organization, $into
 where exists (select from dates_due where organization_id = $organization and contact_id = $other)
on conflict do nothing

-- name: lock_enrollments
-- Lock the enrollments of contacts in the order of their keys.
select id from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[])
 order by id
   for no key update

-- name: end_doubled_enrollments
-- Of two running enrollments in one campaign the younger ends.
update enrollments e
   set state = 'dropped', reason = 'merged', due_at = null, step_id = null, ended_at = $at
 where e.organization_id = $organization and e.contact_id in ($into, $other)
   and e.state in ('active', 'paused') and not e.beside
   and exists (select from enrollments o
                where o.organization_id = $organization and o.contact_id in ($into, $other)
                  and o.contact_id <> e.contact_id and o.campaign_id = e.campaign_id and o.id < e.id
                  and o.state in ('active', 'paused') and not o.beside)

-- name: move_enrollments
update enrollments set contact_id = $into where organization_id = $organization and contact_id = $other

-- name: lock_messages
-- Lock the messages of contacts in the order of their keys.
select id from messages
 where organization_id = $organization and contact_id = any($contacts::bigint[])
 order by id
   for no key update

-- name: doubled_messages
-- Queued messages that the one person would get twice: of an enrollment just ended, or beside another of the same
-- run that is under way, has arrived, or is the surviving contact's.
select m.id from messages m
 where m.organization_id = $organization and m.contact_id in ($into, $other) and m.stage = 'queued'
   and m.campaign_id <> 0
   and (exists (select from enrollments e
                 where e.organization_id = $organization and e.id = m.run_id and e.campaign_id = m.campaign_id
                   and e.state = 'dropped' and e.reason = 'merged')
        or exists (select from messages n
                    where n.organization_id = $organization and n.contact_id in ($into, $other)
                      and n.contact_id <> m.contact_id and n.run_id = m.run_id and n.step_id = m.step_id
                      and (n.state in ('claimed', 'unknown', 'accepted', 'sent', 'delivered', 'read')
                           or (n.stage = 'queued' and n.contact_id = $into))))

-- name: move_messages
-- All but those that would be a second one of the same run.
update messages m
   set contact_id = $into
 where m.organization_id = $organization and m.contact_id = $other
   and not exists (select from messages n
                    where n.organization_id = $organization and n.contact_id = $into and n.run_id = m.run_id
                      and n.step_id = m.step_id)

-- name: move_inbound
update inbound_messages set contact_id = $into where organization_id = $organization and contact_id = $other

-- name: forget
-- The other contact is gone, unless a message had to stay with it.
delete from contacts c
 where c.organization_id = $organization and c.id = $other and c.id <> $into
   and not exists (select from messages m where m.organization_id = $organization and m.contact_id = $other)

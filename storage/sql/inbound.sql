-- name: stored
-- Which inbound messages were received before.
select wamid from inbound_messages where organization_id = $organization and wamid = any($wamids::text[])

-- name: by_wamid
-- Messages of ours by the platform's ids.
select id, wamid, contact_id, campaign_id from messages
 where organization_id = $organization and wamid = any($wamids::text[])

-- name: latest
-- For each moment the campaign message its contact got last, at most $within_s seconds before.
select w.place, m.id, m.contact_id, m.campaign_id, m.accepted_at
  from unnest($places::integer[], $contacts::bigint[], $ats::timestamptz[]) as w(place, contact_id, at)
 cross join lateral (
   select m.id, m.contact_id, m.campaign_id, m.accepted_at
     from messages m
    where m.organization_id = $organization and m.contact_id = w.contact_id and m.campaign_id <> 0
      and m.accepted_at >= w.at - $within_s::integer * interval '1 second'
      -- WhatsApp stamps whole seconds: an answer may seem to come before the message.
      and m.accepted_at < w.at + interval '1 second'
    order by m.accepted_at desc, m.id desc
    limit 1) m
 order by w.place, m.accepted_at desc, m.id desc

-- name: keep
-- Store inbound messages in the order given; one that is there already is not returned.
insert into inbound_messages (organization_id, wamid, number_id, contact_id, kind, text, payload, context_id,
                              message_id, campaign_id, meaning, content, at, received_at)
select $organization, i.wamid, i.number_id, i.contact_id, i.kind, i.text, i.payload, i.context_id,
       i.message_id, i.campaign_id, i.meaning, i.content, i.at, $at
  from unnest($wamids::text[], $numbers::text[], $contacts::bigint[], $kinds::text[], $texts::text[],
              $payloads::text[], $context_ids::text[], $messages::bigint[], $campaigns::bigint[], $meanings::text[],
              $contents::jsonb[], $ats::timestamptz[])
       with ordinality as i(wamid, number_id, contact_id, kind, text, payload, context_id, message_id, campaign_id,
                            meaning, content, at, place)
 order by i.place
on conflict (organization_id, wamid) do nothing
returning id

-- name: open_windows
-- Contacts wrote to numbers at $ats: free-form messages are allowed for a while.
insert into service_windows as w (organization_id, number_id, contact_id, last_inbound_at)
select $organization, o.number_id, o.contact_id, o.at
  from unnest($numbers::text[], $contacts::bigint[], $ats::timestamptz[]) as o(number_id, contact_id, at)
 order by o.number_id, o.contact_id
on conflict (organization_id, number_id, contact_id)
do update set last_inbound_at = greatest(w.last_inbound_at, excluded.last_inbound_at)

-- name: stops_on_reply
-- Drips among campaigns $ids that a reply ends.
select id from campaigns
 where organization_id = $organization and id = any($ids::bigint[]) and kind = 'drip'
   and (settings -> 'stop_on_reply')::boolean

-- name: lock_runs
-- Lock, in the order of their keys, the running enrollments of contacts $stopped and of the pairs ($repliers,
-- $campaigns), and those behind messages $answered and behind what is queued for these contacts.
select e.id from enrollments e
 where e.organization_id = $organization
   and e.id = any(array(
         select r.id from enrollments r
          where r.organization_id = $organization and r.state in ('active', 'paused')
            and (r.contact_id = any($stopped::bigint[])
                 or (r.contact_id = any($repliers::bigint[])
                     and (r.contact_id, r.campaign_id) in (select * from unnest($repliers::bigint[], $campaigns::bigint[]))))
         union all
         select r.id from messages m
           join enrollments r on r.organization_id = m.organization_id and r.id = m.run_id and r.campaign_id = m.campaign_id
          where m.organization_id = $organization and m.id = any($answered::bigint[])
         union all
         select r.id from messages m
           join enrollments r on r.organization_id = m.organization_id and r.id = m.run_id and r.campaign_id = m.campaign_id
          where m.organization_id = $organization and m.stage = 'queued' and m.campaign_id <> 0
            and m.contact_id = any($stopped::bigint[] || $repliers::bigint[])))
 order by e.id
   for no key update

-- name: end_runs
-- End those of enrollments $ids that run: as opted out for contacts $stopped, as replied for the pairs.
update enrollments e
   set state = case when e.contact_id = any($stopped::bigint[]) then 'opted_out' else 'replied' end,
       due_at = null, step_id = null, ended_at = $at
 where e.organization_id = $organization and e.id = any($ids::bigint[]) and e.state in ('active', 'paused')
   and (e.contact_id = any($stopped::bigint[])
        or (e.contact_id, e.campaign_id) in (select * from unnest($repliers::bigint[], $campaigns::bigint[])))

-- name: queued
-- Campaign messages still queued: of contacts $stopped, and of the pairs ($repliers, $campaigns).
select m.id from messages m
 where m.organization_id = $organization and m.stage = 'queued' and m.campaign_id <> 0
   and m.contact_id = any($stopped::bigint[])
union
select m.id
  from unnest($repliers::bigint[], $campaigns::bigint[]) as r(contact_id, campaign_id)
  join messages m on m.organization_id = $organization and m.contact_id = r.contact_id
                 and m.campaign_id = r.campaign_id and m.stage = 'queued'

-- name: attach_leaf
select attach_message_leaf($at)

-- name: confirm
-- Queue messages of no campaign, each in the run of the consent it answers, ahead of all campaigns.
insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, priority, due_at, body)
select $organization, new_message_id($second::bigint), c.consent_id, 0, c.contact_id, c.number_id, 'queued', 1, $at, c.body
  from unnest($consents::bigint[], $contacts::bigint[], $numbers::text[], $bodies::text[])
       as c(consent_id, contact_id, number_id, body)

-- name: tell_of_replies
insert into events (organization_id, kind, campaign_id, content, at)
select $organization, 'reply', r.campaign_id, r.content, $at
  from unnest($campaigns::bigint[], $contents::jsonb[]) with ordinality as r(campaign_id, content, place)
 order by r.place

-- name: claimed_under_live_lease
-- Whether a campaign message of contacts $contacts may still be about to start: it is claimed by a living lane.
select exists (
  select from messages m
    join leases l on l.organization_id = m.organization_id and l.name = 'lane:' || m.number_id
                 and l.generation = m.generation
   where m.organization_id = $organization and m.contact_id = any($contacts::bigint[]) and m.campaign_id <> 0
     and m.stage = 'claimed' and l.holder is not null
     and l.renewed_at > clock_timestamp() - $expiry_s::double precision * interval '1 second')

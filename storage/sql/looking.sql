-- name: facts
-- What of contacts decides about a campaign's messages and is filled into them; the service window is that of the
-- number that would send.
select c.id as contact_id, c.name, c.first_name, c.company, c.email, c.attributes, c.timezone,
       c.opted_out_at, c.opted_in_at, c.platform_stopped_at, c.platform_resumed_at, c.blocked_at, c.unblocked_at,
       c.unreachable_at, c.reached_at, c.erased_at, c.promoted_at, c.promoted_campaign_id,
       c.promoted_ats, i.phone, i.bsuid, w.last_inbound_at
  from contacts c
  left join service_windows w
    on w.organization_id = $organization and w.contact_id = c.id
   and w.number_id = coalesce($number, case when c.last_number_id = any($numbers::text[]) then c.last_number_id end,
                              $standard_number)
  left join lateral (select min(value) filter (where kind = 'phone') as phone,
                            min(value) filter (where kind = 'bsuid') as bsuid
                       from contact_identities
                      where organization_id = $organization and contact_id = c.id) i on true
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

-- name: used
-- What of a campaign's rate and daily cap and of the organization's hour is used, and when staff last let it go on.
select c.day_on, c.day_count, c.next_slot_at,
       case when c.state = 'paused' then $at::timestamptz else c.resumed_at end as resumed_at,
       coalesce((select h.count from sending_hours h where h.organization_id = $organization and h.hour = $hour), 0)
         as hour_count,
       (select n.messaging_limit from numbers n
         where n.organization_id = $organization and n.id = coalesce(c.number_id, $standard_number)) as messaging_limit
  from campaigns c
 where c.organization_id = $organization and c.id = $campaign

-- name: runs
-- The latest enrollments of a contact in a campaign, the latest first.
select id, state, reason, step_id, position as place, since_at, due_at, timed, awaits_delivery, enrolled_at, enrolled_by,
       ended_at, properties, sent, delivered, read, replied
  from enrollments
 where organization_id = $organization and campaign_id = $campaign and contact_id = $contact
 order by id desc
 limit $limit

-- name: told
-- The messages of a campaign to a contact, in the order in which they were planned.
select m.id, m.run_id, m.step_id, m.state, m.reason, m.due_at,
       m.deadline_at + (select held_back($organization, $campaign, $at)) as deadline_at, m.number_id, m.attempt, m.tries,
       m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.replied_at, m.clicked_at, m.failed_at, m.settled_at,
       m.unknown_since, m.control_at, m.error_code, m.error, m.resent, m.doubled
  from messages m
 where m.organization_id = $organization and m.contact_id = $contact and m.campaign_id = $campaign
 order by m.id
 limit $limit

-- name: forgotten_before
-- Before when messages may have been forgotten; null: none has been.
select messages_from from organizations where organization_id = $organization

-- name: is_frozen
-- Whether a contact is in the audience of a broadcast that was kept when it started; null: none is kept (any more).
select case when exists (select from frozen_audiences
                          where organization_id = $organization and campaign_id = $campaign)
            then exists (select from frozen_audiences
                          where organization_id = $organization and campaign_id = $campaign
                            and first_contact <= $contact and last_contact >= $contact and $contact = any(contacts)) end

-- name: taps
-- The taps above a campaign that are closed: the organization's, and its numbers'.
select null as number_id, closed_until, closed_why from organizations
 where organization_id = $organization and closed_until > $at
union all
select id, closed_until, closed_why from numbers
 where organization_id = $organization and closed_until > $at

-- name: standings
-- The next $limit active enrollments of a campaign after $after, by id, and the message each waits for.
select e.id, e.contact_id, e.step_id, e.position as place, e.since_at, e.due_at, e.timed, e.properties,
       m.id as message_id, m.step_id as message_step_id, m.due_at as message_due_at,
       m.deadline_at + (select held_back($organization, $campaign, $at)) as deadline_at
  from enrollments e
  left join lateral (
    select id, step_id, due_at, deadline_at from messages
     where organization_id = $organization and contact_id = e.contact_id and run_id = e.id and campaign_id = $campaign
       and stage = 'queued'
     order by id limit 1) m on true
 where e.organization_id = $organization and e.campaign_id = $campaign and e.state = 'active' and e.step_id is not null
   and e.id > $after
 order by e.id limit $limit

-- name: standing_evidence
-- What became of the messages of runs so far, but for those that are queued.
select m.run_id, m.step_id, m.state, m.accepted_at, m.delivered_at, m.read_at, m.replied_at, m.clicked_at
  from unnest($runs::bigint[], $contacts::bigint[]) as r(id, contact_id)
  join messages m on m.organization_id = $organization and m.contact_id = r.contact_id and m.run_id = r.id
                 and m.campaign_id = $campaign and m.state <> 'queued'

-- name: queued_of_broadcast
-- The next $limit messages of a broadcast that wait, after $after, by id.
select id, contact_id, step_id, due_at, deadline_at + (select held_back($organization, $campaign, $at)) as deadline_at
  from messages
 where organization_id = $organization and campaign_id = $campaign and stage = 'queued' and id > $after
   and number_id = any(numbers_of($organization))
 order by id limit $limit

-- name: hold
-- Keep the lease from moving while a transaction claims under it, and read what else closes or limits its number, which
-- no lock protects. No row: it has moved, or the database is another one (the connection may lead to a replica promoted
-- since) and staff have not said yet what may be sent from it.
select l.paced_until, coalesce(n.closed_until > $at, false) as closed, n.messages_per_second, n.messaging_limit,
       exists (select from organizations where organization_id = $organization and closed_until > $at) as all_closed
  from leases l
  left join numbers n on n.organization_id = $organization and n.id = $number
 where l.organization_id = $organization and l.name = $name and l.holder = $holder and l.generation = $generation
   and l.renewed_at >= clock_timestamp() - $expiry_s::double precision * interval '1 second'
   and not database_moved($organization)
   for share of l

-- name: open_campaigns
-- Campaigns that have something due on $number and no closed tap, kept from being paused or cancelled until the claim
-- commits. Those with a rate or a daily cap, or all if $counted, are locked, because the claim reserves of it; a slot of the rate may be
-- reserved until $ahead. One after the other in the order of their keys, whichever of the two a campaign needs.
select (x.c).id, (x.c).type, (x.c).priority, (x.c).settings, (x.c).excluded, (x.c).version, (x.c).next_slot_at, (x.c).day_on,
       (x.c).day_count, (x.c).held_s, (x.c).left_out_before, (select banned_countries($organization)) as banned
  from (select coalesce(kept.c, locked.c) as c
          from (select c.id, $counted::boolean or is_capped(c) as capped
                  from campaigns c
                 where c.organization_id = $organization and may_send(c, $at, $ahead)
                   and exists (select from messages m
                                where m.organization_id = $organization and m.number_id = $number
                                  and m.campaign_id = c.id and m.stage = 'queued' and m.due_at <= $at)
                 order by c.id) o
          -- What it was before it was locked, it may be no longer.
          left join lateral (
            select k as c from campaigns k
             where not o.capped and k.organization_id = $organization and k.id = o.id
               and may_send(k, $at, $ahead) and not is_capped(k)
               for share) kept on true
          left join lateral (
            select l as c from campaigns l
             where o.capped and l.organization_id = $organization and l.id = o.id
               and may_send(l, $at, $ahead) and ($counted::boolean or is_capped(l))
               for no key update) locked on true) x
 where (x.c).id is not null

-- name: due
-- Lock up to $quotas[i] due messages of $campaigns[i] with their contacts, skipping what others hold. Campaign 0
-- stands for replies and confirmations. Attributes, which may be many, only if $named.
select x.*
  from unnest($campaigns::bigint[], $quotas::integer[]) with ordinality as q(campaign_id, quota, place)
 cross join lateral (
   -- In the order in which it is read by place.
   select m.id, m.attempt, nullif(m.campaign_id, 0), m.step_id, m.variant_id, m.run_id, m.contact_id, m.number_id,
          e.id is not null as enrolled,
          coalesce(e.state, 'active') as run, m.deadline_at, m.body, m.content,
          i.phone, i.bsuid, c.name, c.first_name, c.company, c.email, case when $named::boolean then c.attributes end,
          e.properties, c.timezone,
          c.last_message_at, c.promoted_at, c.promoted_campaign_id, c.promoted_ats, w.last_inbound_at,
          c.opted_out_at, c.opted_in_at, c.platform_stopped_at, c.platform_resumed_at, c.blocked_at, c.unblocked_at,
          c.unreachable_at, c.reached_at, c.erased_at,
          m.tries, m.failed_attempt, m.due_at, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.replied_at,
          m.failed_at, m.wamid, m.error_code, m.error, m.doubled
     from messages m
     join contacts c on c.organization_id = m.organization_id and c.id = m.contact_id
     left join enrollments e on e.organization_id = m.organization_id and e.id = m.run_id
                            and e.campaign_id = m.campaign_id
     left join service_windows w on w.organization_id = m.organization_id and w.number_id = m.number_id
                                and w.contact_id = m.contact_id
     left join lateral (select min(value) filter (where kind = 'phone') as phone,
                               min(value) filter (where kind = 'bsuid') as bsuid
                          from contact_identities
                         where organization_id = m.organization_id and contact_id = m.contact_id) i on true
    where m.organization_id = $organization and m.number_id = $number
      and m.campaign_id = q.campaign_id
      and m.stage = 'queued' and m.due_at <= $at
    order by m.due_at, m.id
    limit q.quota
      for no key update of m, c skip locked) x
 order by q.place

-- name: lock_enrollments_if_free
-- Lock enrollments, skipping what others hold: the claim has their messages already, and must not wait.
select id from enrollments
 where organization_id = $organization and id = any($ids::bigint[])
 order by id
   for no key update skip locked

-- name: take
-- Claim messages $ids for the holder of $generation; each claim is a new attempt. Each is sent by that of the templates
-- called $names in $languages that $templates says, counting from 1; null: by none.
-- Remember when contacts were last written to, and of which campaign ($campaigns) if it was promotional, for the
-- cooldown and a cap of $capped messages (0: none). A time that is null is the claim's, as nearly all are. The claim
-- holds the locks of both.
with claimed as (
  update messages m
     set state = 'claimed', attempt = m.attempt + 1, generation = $generation, claimed_at = $at,
         template_name = ($names::text[])[c.template], template_language = ($languages::text[])[c.template]
    from unnest($ids::bigint[], $templates::integer[]) as c(id, template)
   where m.organization_id = $organization and m.id = c.id
)
update contacts c
   set last_message_at = coalesce(p.message_at, $at),
       promoted_at = case when p.campaign_id is null then c.promoted_at else coalesce(p.promoted_at, $at) end,
       promoted_campaign_id = coalesce(p.campaign_id, c.promoted_campaign_id),
       promoted_ats = case when $capped::integer = 0 or p.campaign_id is null then c.promoted_ats
                           else array_append(c.promoted_ats[greatest(1, cardinality(c.promoted_ats) - $capped::integer + 2):],
                                             coalesce(p.promoted_at, $at)) end
  from unnest($contacts::bigint[], $message_ats::timestamptz[], $campaigns::bigint[], $promoted_ats::timestamptz[])
       as p(id, message_at, campaign_id, promoted_at)
 where c.organization_id = $organization and c.id = p.id

-- name: defer
-- Move what may not go yet to the time it may.
update messages m
   set due_at = d.due_at
  from unnest($ids::bigint[], $due_ats::timestamptz[]) as d(id, due_at)
 where m.organization_id = $organization and m.id = d.id

-- name: reserve_slots
-- Take of the rate and the daily cap of a campaign; closes its tap until $closed_until when the day is used up.
update campaigns
   set next_slot_at = $next_slot_at, day_on = $day_on, day_count = $day_count, held_s = held_s + $held_s,
       closed_until = coalesce($closed_until::timestamptz, closed_until),
       closed_why = case when $closed_until::timestamptz is not null then $closed_why else closed_why end
 where organization_id = $organization and id = $campaign

-- name: hour_used
-- How many claims the organization made in the hour of $hour, locked until the claim commits.
insert into sending_hours as s (organization_id, hour, count) values ($organization, $hour, 0)
on conflict (organization_id, hour) do update set count = s.count
returning count

-- name: use_hour
update sending_hours set count = count + $count where organization_id = $organization and hour = $hour

-- name: close_organization
-- Close the tap of all the organization's numbers.
update organizations set closed_until = $until, closed_why = $why where organization_id = $organization

-- name: number_tap
-- The number's own tap and limits.
select coalesce(closed_until > $at, false) as closed, messages_per_second, messaging_limit from numbers
 where organization_id = $organization and id = $number

-- name: inherit
-- Messages a former holder of the lane had claimed are in doubt: its calls may have left.
update messages
   set state = 'unknown', unknown_since = $at, control_at = null
 where organization_id = $organization
   and id = any(array(select id from messages
                       where organization_id = $organization and number_id = $number and stage = 'claimed'
                         and generation < $generation
                       order by id for no key update))

-- name: inbound_since
-- How many messages contacts wrote to the number since $since.
select count(*) from inbound_messages
 where organization_id = $organization and number_id = $number and received_at > $since

-- name: lock_capped_of
-- Lock campaigns whose daily cap the claim of messages $ids has used.
select id from campaigns
 where organization_id = $organization and settings ? 'per_day'
   and id in (select campaign_id from messages where organization_id = $organization and id = any($ids::bigint[]))
 order by id
   for no key update

-- name: lock_contacts
select id from contacts
 where organization_id = $organization and id = any($contacts::bigint[])
 order by id
   for no key update

-- name: give_back
-- Return messages whose call never started to the queue, also when a later holder of the lane took them for doubtful.
-- By attempt: given back twice, the second time must not touch a call that was claimed and started in between.
update messages
   set state = 'queued', unknown_since = null, control_at = null
 where organization_id = $organization
   and id = any(array(select m.id
                        from messages m
                        join unnest($ids::bigint[], $attempts::smallint[]) as g(id, attempt)
                          on g.id = m.id and g.attempt = m.attempt
                       where m.organization_id = $organization and m.stage in ('claimed', 'unknown')
                         and m.generation = $generation
                       order by m.id for no key update of m))
returning id

-- name: give_back_others
-- Return what the holder of $generation has claimed and does not know of.
update messages
   set state = 'queued'
 where organization_id = $organization
   and id = any(array(select id from messages
                       where organization_id = $organization and number_id = $number and stage = 'claimed'
                         and generation = $generation and id <> all($known::bigint[])
                       order by id for no key update))

-- name: forget_claimed
-- Forget the messages that were claimed for contacts and given back: what the last of each noted, where it stands, and
-- the times that a cap counted ($counted_ats of $counted).
update contacts c
   set last_message_at = case when c.last_message_at = p.message_at then p.earlier_message_at
                              else c.last_message_at end,
       promoted_at = case when c.promoted_at = p.promoted_at then p.earlier_at else c.promoted_at end,
       promoted_campaign_id = case when c.promoted_at = p.promoted_at then p.earlier_campaign_id
                                   else c.promoted_campaign_id end,
       promoted_ats = case when g.ats is null then c.promoted_ats
                           else array(select t.at from unnest(c.promoted_ats) with ordinality as t(at, place)
                                       where t.at <> all(g.ats) order by t.place) end
  from unnest($contacts::bigint[], $message_ats::timestamptz[], $earlier_message_ats::timestamptz[],
              $promoted_ats::timestamptz[], $earlier_ats::timestamptz[], $earlier_campaigns::bigint[])
       as p(id, message_at, earlier_message_at, promoted_at, earlier_at, earlier_campaign_id)
  left join (select id, array_agg(at) as ats from unnest($counted::bigint[], $counted_ats::timestamptz[]) as u(id, at)
              group by id) g using (id)
 where c.organization_id = $organization and c.id = p.id

-- name: return_slots
-- Give back of a daily cap; its tap opens again if the cap had closed it.
update campaigns
   set day_count = greatest(0, day_count - $count::integer),
       held_s = case when closed_why = 'per_day' and closed_until > $at then greatest(0, held_s - 86400) else held_s end,
       closed_until = case when closed_why is distinct from 'per_day' then closed_until end,
       closed_why = case when closed_why is distinct from 'per_day' then closed_why end
 where organization_id = $organization and id = $campaign and day_on = $day_on and settings ? 'per_day'

-- name: open_organization
-- Open the organization's tap if it is closed for $why.
update organizations set closed_until = null, closed_why = null
 where organization_id = $organization and closed_why = $why

-- name: steps_of
-- The steps of campaigns, also removed ones, with what they say.
select id, campaign_id, content, fallback, settings, removed_at from steps
 where organization_id = $organization and campaign_id = any($campaigns::bigint[])

-- name: outranked
-- Those of $contacts for whom something of $campaigns is due too.
select distinct m.contact_id from messages m
 where m.organization_id = $organization and m.contact_id = any($contacts::bigint[])
   and m.campaign_id = any($campaigns::bigint[]) and m.stage = 'queued' and m.due_at <= $at

-- name: is_due
-- Whether something on the number is due that no tap holds.
select not coalesce((select closed_until > $at from numbers where organization_id = $organization and id = $number), false)
       and (exists (select from messages m
                     where m.organization_id = $organization and m.number_id = $number and m.campaign_id = 0
                       and m.stage = 'queued' and m.due_at <= $at)
            or (not exists (select from organizations where organization_id = $organization and closed_until > $at)
                and not exists (select from leases where organization_id = $organization and name = 'lane:' || $number::text
                                   and paced_until > $at)
                and exists (select from campaigns c
                             where c.organization_id = $organization and may_send(c, $at, $ahead)
                               and exists (select from messages m
                                            where m.organization_id = $organization and m.number_id = $number
                                              and m.campaign_id = c.id and m.stage = 'queued' and m.due_at <= $at))))

-- name: reasons
-- Why messages of a campaign ended dead, the most frequent first.
select reason, error_code as code, count(*) as count from messages
 where organization_id = $organization and campaign_id = $campaign and stage = 'dead'
 group by 1, 2
 order by 3 desc, 1, 2

-- name: waiting
-- Why those of the next $limit messages of a campaign that failed before wait, the most frequent first.
select q.error_code as code, count(*) as count
  from (select m.error_code, m.failed_at
          from unnest(numbers_of($organization)) as own(number_id)
         cross join lateral (
           select error_code, failed_at from messages
            where organization_id = $organization and number_id = own.number_id and campaign_id = $campaign
              and stage = 'queued'
            order by due_at limit $limit) m) q
 where q.failed_at is not null
 group by 1
 order by 2 desc, 1

-- name: page
-- Messages of a campaign that ended dead, the latest planned first, behind message $before (null: from the first).
select m.id, m.contact_id, m.step_id, m.reason, m.error_code as code, m.error, m.attempt, m.settled_at,
       coalesce(c.name, c.first_name) as name,
       (select min(value) from contact_identities i
         where i.organization_id = $organization and i.contact_id = m.contact_id and i.kind = 'phone') as phone
  from messages m
  left join contacts c on c.organization_id = m.organization_id and c.id = m.contact_id
 where m.organization_id = $organization and m.campaign_id = $campaign and m.stage = 'dead'
   and m.id < coalesce($before::bigint, 9223372036854775807)
 order by m.id desc
 limit $limit

-- name: choosable
-- Contacts (of $contacts, null: of all) with a message of a campaign that may be tried anew, sorted. Mirrors
-- engine.redrive.obstacle but for what changes under way; whoever tries them anew asks that, under locks.
select distinct m.contact_id
  from messages m
  join contacts c on c.organization_id = m.organization_id and c.id = m.contact_id
  left join enrollments e on e.organization_id = m.organization_id and e.id = m.run_id and e.campaign_id = m.campaign_id
 where m.organization_id = $organization and m.campaign_id = $campaign and m.stage = 'dead'
   and m.reason <> 'unanswered'
   and ($contacts::bigint[] is null or m.contact_id = any($contacts::bigint[]))
   and left_out_because(c, $promotional, (select banned_countries($organization))) is null
   and coalesce(e.state, 'active') in ('active', 'paused', 'completed')
 order by 1

-- name: lock_campaign
select kind, state, type from campaigns where organization_id = $organization and id = $campaign for no key update

-- name: lock_contacts
-- Lock contacts in the order of their keys, so that a STOP comes before or after, and return their consent, and whether their country is banned.
select id, opted_out_at, opted_in_at, platform_stopped_at, platform_resumed_at, blocked_at, unblocked_at,
       unreachable_at, reached_at, erased_at, coalesce(country = any(banned_countries($organization)), false) as banned
  from contacts
 where organization_id = $organization and id = any($contacts::bigint[])
 order by id
   for no key update

-- name: dead_of
-- What ended dead of a campaign for contacts.
select id from messages
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and campaign_id = $campaign
   and stage = 'dead'
 order by id

-- name: facts
-- What decides about messages $ids beside themselves: their enrollment, and whether the person has the same step by
-- another message, will have it, or has a later one that is tried anew instead.
select m.id, coalesce(e.state, 'active') as run,
       exists (select from messages o
                where o.organization_id = $organization and o.contact_id = m.contact_id
                  and o.campaign_id = m.campaign_id and o.step_id = m.step_id and o.id <> m.id
                  and (o.state not in ('dead', 'skipped', 'cancelled') or (o.stage = 'dead' and o.id > m.id))) as elsewhere
  from messages m
  left join enrollments e on e.organization_id = m.organization_id and e.id = m.run_id and e.campaign_id = m.campaign_id
 where m.organization_id = $organization and m.id = any($ids::bigint[])

-- name: begin_anew
-- Give messages $ids, whose locks the caller holds, as long a time before their deadline as they had at first, and count their calls from here.
update messages
   set deadline_at = $at::timestamptz + (deadline_at - coalesce(redriven_at, to_timestamp(id >> 30))),
       redriven_at = $at, anew_after = attempt
 where organization_id = $organization and id = any($ids::bigint[])

-- name: reopen
-- Have a completed broadcast run again, for what is open of it now.
update campaigns
   set state = 'running', settled_at = null, ended_at = null, version = version + 1, updated_at = $at
 where organization_id = $organization and id = $campaign and state = 'completed'
returning id

-- name: silent
-- Messages in doubt whose silence counts: a later call on the number was heard of $grace ago, and WhatsApp holds
-- no answers to their template back to judge its quality.
select m.id, m.campaign_id, coalesce(c.settings ->> 'unknown', $policy) as policy
  from messages m
  left join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
 where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'unknown'
   and m.control_at <= $at::timestamptz - $grace::interval
   and not exists (select from templates t
                    where t.organization_id = $organization and t.name = m.template_name
                      and t.language = m.template_language
                      and t.held_at > $at::timestamptz - interval '24 hours')
 order by m.id
 limit $limit

-- name: uncontrolled
-- Messages in doubt for an hour in which nothing was heard of the number.
select m.id, m.campaign_id
  from messages m
 where m.organization_id = $organization and m.number_id = any(numbers_of($organization)) and m.stage = 'unknown'
   and m.control_at is null and m.unknown_since <= $at::timestamptz - interval '1 hour'
 order by m.id
 limit $limit

-- name: note_resent
update messages set resent = resent + 1 where organization_id = $organization and id = any($ids::bigint[])

-- name: leave_to_staff
-- Staff are asked about these; nothing more happens by itself.
update messages set control_at = 'infinity'
 where organization_id = $organization and id = any($ids::bigint[]) and stage = 'unknown'

-- name: note_held
-- WhatsApp holds messages of templates back to judge their quality first.
update templates t set held_at = $at
  from unnest($names::text[], $languages::text[]) as h(name, language)
 where t.organization_id = $organization and t.name = h.name and t.language = h.language and t.gone_at is null
   and (t.held_at is null or t.held_at < $at)

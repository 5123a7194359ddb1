-- name: states
-- What is known of our numbers: what the platform reports, and their taps while they are closed.
select id, phone, messages_per_second, quality, messaging_limit, verified_name,
       case when closed_until > $at then closed_until end as closed_until,
       case when closed_until > $at then closed_why end as closed_why,
       account ->> 'can_send' as can_send,
       coalesce((select array_agg(r) from jsonb_array_elements_text(account -> 'reasons') as r), '{}') as reasons
  from numbers
 where organization_id = $organization
 order by id

-- name: account
-- What was known of a number's account.
select messaging_limit as "limit", account ->> 'can_send' as can_send from numbers
 where organization_id = $organization and id = $number

-- name: organization_tap
-- The tap of all numbers; no row: it is open.
select closed_until, closed_why from organizations where organization_id = $organization and closed_until > $at

-- name: know
-- Configured numbers, before any message can be of them.
insert into numbers as n (organization_id, id, phone, updated_at)
select $organization, k.id, k.phone, $at from unnest($ids::text[], $phones::text[]) as k(id, phone)
 order by k.id
on conflict (organization_id, id) do update set phone = excluded.phone where n.phone <> excluded.phone

-- name: strays
-- Numbers no longer configured, on which nobody sends, that messages still wait for.
select n.id
  from numbers n
  left join leases l on l.organization_id = n.organization_id and l.name = 'lane:' || n.id
 where n.organization_id = $organization and n.id <> all($configured::text[])
   and (l.holder is null or l.renewed_at < clock_timestamp() - $expiry_s::double precision * interval '1 second')
   and (exists (select from messages m
                 where m.organization_id = $organization and m.number_id = n.id and m.stage = 'queued')
        or exists (select from messages m
                    where m.organization_id = $organization and m.number_id = n.id and m.stage = 'claimed'))
 order by n.id

-- name: move
-- Let up to $limit messages queued for $number wait for the number they would be planned for now.
update messages m
   set number_id = coalesce(
         (select c.number_id from campaigns c
           where c.organization_id = $organization and c.id = m.campaign_id and c.number_id = any($configured::text[])),
         (select c.last_number_id from contacts c
           where c.organization_id = $organization and c.id = m.contact_id and c.last_number_id = any($configured::text[])),
         $standard)
  from (select id from messages
         where organization_id = $organization and number_id = $number and stage = 'queued'
         order by id limit $limit
           for no key update skip locked) stray
 where m.organization_id = $organization and m.id = stray.id

-- name: members
-- The contacts a condition means, sorted. Here and below its predicate stands for "true /* meant */".
select c.id from contacts c
 where c.organization_id = $organization and (true /* meant */)
 order by c.id

-- name: differing
-- Those a condition means who are not on a list, and, as the negative of their ids, those on it whom it does not mean.
with meant as materialized (
  select c.id from contacts c where c.organization_id = $organization and (true /* meant */))
select coalesce(m.id, -l.contact_id) as id
  from meant m
  full join (select contact_id from list_members where organization_id = $organization and list_id = $list::bigint) l
    on l.contact_id = m.id
 where m.id is null or l.contact_id is null
 order by 1

-- name: preview
-- How many a condition means, and the first $limit of them. Found once, for both.
with meant as materialized (
  select c.id from contacts c where c.organization_id = $organization and (true /* meant */))
select (select count(*) from meant) as count, array(select id from meant order by id limit $limit::integer) as first

-- name: among
-- Those of $contacts that a condition means, sorted.
select c.id from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[]) and (true /* meant */)
 order by c.id

-- name: reach
-- How many of those a condition means may be written to, and how many not by reason.
select coalesce(left_out_because(c, $promotional::boolean, (select banned_countries($organization))), '') as reason, count(*) as count
  from contacts c
 where c.organization_id = $organization and (true /* meant */)
 group by 1

-- name: unsaid
-- To how many of those a condition means, who may be written to and are not left out for being in another drip ($active)
-- or for a message of another campaign after $promoted_since ($recent), something cannot be said, by why: they lack a
-- value of $tokens, the cooldown or a cap of $cap_count messages in $cap_s seconds (0: none) keeps them until after
-- $deadline_at, or ($free_form) they have not written after $written_since to the number that would send.
with meant as (
  select case when exists (select from unnest($tokens::text[]) as t(name)
                            where case when t.name = 'phone'
                                       then not exists (select from contact_identities i
                                                         where i.organization_id = $organization and i.contact_id = c.id
                                                           and i.kind = 'phone')
                                       else lacks(t.name, c.name, c.first_name, c.company, c.email, c.attributes) end)
              then 'missing_value'
              when capped.until > greatest(cooled.until, $due_at::timestamptz) and capped.until > $deadline_at::timestamptz
              then 'frequency_cap'
              when cooled.until > $due_at::timestamptz and cooled.until > $deadline_at::timestamptz then 'cooldown'
              when $free_form::boolean
               and not exists (select from service_windows w
                                where w.organization_id = $organization and w.contact_id = c.id
                                  and w.number_id = coalesce($number::text,
                                                             case when c.last_number_id = any($numbers::text[])
                                                                  then c.last_number_id end,
                                                             $standard_number::text)
                                  and w.last_inbound_at > $written_since::timestamptz)
              then 'window_closed' end as reason
    from contacts c
   cross join lateral (
     select case when $promotional and c.promoted_campaign_id is distinct from $campaign::bigint
                 then c.promoted_at + $cooldown_s::bigint * interval '1 second' end as until) cooled
   cross join lateral (
     select case when $promotional and $cap_count::integer > 0
                 then (select t.at + $cap_s::bigint * interval '1 second' from unnest(c.promoted_ats) as t(at)
                        where t.at + $cap_s::bigint * interval '1 second' > $due_at::timestamptz
                        order by t.at desc offset $cap_count::integer - 1 limit 1) end as until) capped
   where c.organization_id = $organization and (true /* meant */)
     and left_out_because(c, $promotional::boolean, (select banned_countries($organization))) is null
     and not ($active::boolean and exists (select from enrollments e
                                            where e.organization_id = $organization and e.contact_id = c.id
                                              and e.campaign_id <> $campaign::bigint and e.state in ('active', 'paused')))
     and not ($recent::boolean and c.promoted_at is not null and c.promoted_at > $promoted_since::timestamptz
              and c.promoted_campaign_id is distinct from $campaign::bigint))
select reason, count(*) as count from meant where reason is not null group by reason order by reason

-- name: lacking
-- How many of those a condition means have no value for each of $tokens; those nobody lacks are absent.
select t.name, count(*) as count
  from contacts c
 cross join unnest($tokens::text[]) as t(name)
 where c.organization_id = $organization and (true /* meant */)
   and case when t.name = 'phone'
            then not exists (select from contact_identities i
                              where i.organization_id = $organization and i.contact_id = c.id and i.kind = 'phone')
            else lacks(t.name, c.name, c.first_name, c.company, c.email, c.attributes) end
 group by t.name

-- name: lacking_under_way
-- The same of those under way in a campaign who have not come to $place of its order.
select t.name, count(*) as count
  from enrollments e
  join contacts c on c.organization_id = e.organization_id and c.id = e.contact_id
 cross join unnest($tokens::text[]) as t(name)
 where e.organization_id = $organization and e.campaign_id = $campaign and e.state in ('active', 'paused')
   and e.position < $place
   and case when t.name = 'phone'
            then not exists (select from contact_identities i
                              where i.organization_id = $organization and i.contact_id = c.id and i.kind = 'phone')
            else lacks(t.name, c.name, c.first_name, c.company, c.email, c.attributes) end
 group by t.name

-- name: freeze
-- Keep whom a broadcast is for, up to contact $up_to, in chunks of $size.
insert into frozen_audiences (organization_id, campaign_id, first_contact, last_contact, contacts)
select $organization, $campaign::bigint, min(id), max(id), array_agg(id order by id)
  from (select c.id, (row_number() over (order by c.id) - 1) / $size::integer as chunk
          from contacts c
         where c.organization_id = $organization and c.id <= $up_to::bigint and (true /* meant */)) meant
 group by chunk

-- name: thaw
-- Forget whom an ended or planned broadcast was for.
delete from frozen_audiences where organization_id = $organization and campaign_id = $campaign

-- name: last_contact
select max(id) from contacts where organization_id = $organization

-- name: known_phones
-- Those of $phones that some contact has.
select value from contact_identities
 where organization_id = $organization and kind = 'phone' and value = any($phones::text[])

-- name: follow
-- Note who of the contacts after $after up to $until has come into a segment and who has left it; with $tell those who
-- came are told to automations, and else only those who became contacts since $since. Who comes again within an hour of
-- leaving is one deeper: that is what a loop looks like. (not in: hashed whatever is thought to be in the tables.)
with meant as materialized (
  select c.id, c.created_at from contacts c
   where c.organization_id = $organization and c.id > $after::bigint and c.id <= $until::bigint and (true /* meant */)),
came as (
  insert into segment_presence as p (organization_id, segment_id, contact_id, here, since_at)
  select $organization, $segment, m.id, true, $at
    from meant m
   where m.id not in (select k.contact_id from segment_presence k
                       where k.organization_id = $organization and k.segment_id = $segment and k.here
                         and k.contact_id > $after::bigint and k.contact_id <= $until::bigint)
   order by m.id
  on conflict (organization_id, segment_id, contact_id)
  do update set here = true, since_at = excluded.since_at,
                depth = case when p.since_at > excluded.since_at - interval '1 hour' then p.depth + 1 else 0 end
  returning contact_id, depth),
went as (
  update segment_presence p set here = false, since_at = $at
   where p.organization_id = $organization and p.segment_id = $segment and p.here
     and p.contact_id > $after::bigint and p.contact_id <= $until::bigint
     and p.contact_id not in (select id from meant))
insert into occurrences (organization_id, kind, contact_id, value, depth, at)
select $organization, 'segment_joined', c.contact_id, $segment::text, c.depth, $at
  from came c
  join meant m on m.id = c.contact_id
 where $tell::boolean or m.created_at >= $since::timestamptz
 order by c.contact_id

-- name: reached
-- The contacts that phones reach, as phones or as WhatsApp ids, and whether they are opted out.
select i.kind, i.value, c.id, coalesce(c.opted_out_at >= coalesce(c.opted_in_at, '-infinity'), false) as opted_out
  from contact_identities i
  join contacts c on c.organization_id = i.organization_id and c.id = i.contact_id
 where i.organization_id = $organization
   and ((i.kind = 'phone' and i.value = any($phones::text[]))
        or (i.kind = 'wa_id' and i.value = any($wa_ids::text[])))

-- name: add_contacts
-- Make a contact of each phone that reaches nobody, with its identity and tags, each told to triggers by one
-- occurrence; of several transactions that add one phone, one does. Returns those made.
with given as materialized (
  select nextval('contacts_id_seq') as id, g.*
    from unnest($phones::text[], $names::text[], $first_names::text[], $companies::text[], $emails::text[],
                $languages::text[], $timezones::text[], $timezones_from::text[], $countries::text[],
                $attributes::jsonb[])
         with ordinality as g(phone, name, first_name, company, email, language, timezone, timezone_from,
                              country, attributes, place)
   where not exists (select from contact_identities i
                      where i.organization_id = $organization and i.kind = 'wa_id' and i.value = substr(g.phone, 2))),
identified as (
  insert into contact_identities (organization_id, kind, value, contact_id, created_at)
  select $organization, 'phone', g.phone, g.id, $at from given g order by g.phone
  on conflict do nothing
  returning value, contact_id),
created as (
  insert into contacts (organization_id, id, name, first_name, company, email, language, timezone, timezone_from,
                        country, attributes, source, created_at, updated_at)
  select $organization, g.id, g.name, g.first_name, g.company, g.email, g.language, g.timezone, g.timezone_from,
         g.country, g.attributes, $source, $at, $at
    from given g join identified i on i.contact_id = g.id
  returning id),
tagged as (
  insert into contact_tags (organization_id, tag, contact_id, added_at)
  select $organization, t.tag, i.contact_id, $at
    from unnest($tagged_phones::text[], $tags::text[]) as t(phone, tag)
    join identified i on i.value = t.phone
  on conflict do nothing
  returning contact_id, tag),
told as (
  insert into occurrences (organization_id, kind, contact_id, value, at)
  select $organization, o.kind, o.contact_id, o.value, $at
    from (select 'contact_created' as kind, c.id as contact_id, '' as value from created c
          union all
          select 'tag_added', t.contact_id, t.tag from tagged t) o
   order by o.contact_id, o.kind, o.value)
select i.value as phone, i.contact_id as id, coalesce(t.count, 0) as tags
  from identified i
  left join (select contact_id, count(*) as count from tagged group by contact_id) t on t.contact_id = i.contact_id

-- name: fill_contacts
-- Write what is said of contacts over what was known; what is not said stays. The caller holds their locks.
update contacts c
   set name = coalesce(g.name, c.name), first_name = coalesce(g.first_name, c.first_name),
       company = coalesce(g.company, c.company), email = coalesce(g.email, c.email),
       language = coalesce(g.language, c.language), timezone = coalesce(g.timezone, c.timezone),
       timezone_from = case when g.timezone is not null then 'attribute' else c.timezone_from end,
       attributes = c.attributes || g.attributes, updated_at = $at
  from unnest($contacts::bigint[], $names::text[], $first_names::text[], $companies::text[], $emails::text[],
              $languages::text[], $timezones::text[], $attributes::jsonb[])
       as g(id, name, first_name, company, email, language, timezone, attributes)
 where c.organization_id = $organization and c.id = g.id

-- name: remove_facts
-- Remove fields and attributes of a contact. The caller holds its lock.
update contacts
   set name = case when 'name' = any($removed::text[]) then null else name end,
       first_name = case when 'first_name' = any($removed::text[]) then null else first_name end,
       company = case when 'company' = any($removed::text[]) then null else company end,
       email = case when 'email' = any($removed::text[]) then null else email end,
       language = case when 'language' = any($removed::text[]) then null else language end,
       timezone = case when 'timezone' = any($removed::text[]) then $timezone_of_phone else timezone end,
       timezone_from = case when 'timezone' = any($removed::text[])
                            then case when $timezone_of_phone::text is not null then 'phone' end
                            else timezone_from end,
       attributes = attributes - $removed::text[],
       updated_at = $at
 where organization_id = $organization and id = $contact

-- name: profile
-- A contact, the file it came with, and the kinds of consent it has given or withdrawn.
select id, name, first_name, company, email, attributes, language, timezone, timezone_from, source, created_at,
       (select i.name from imports i
         where i.organization_id = $organization and i.id = substring(source from '^import:([0-9]{1,18})$')::bigint) as file,
       opted_out_at, opted_in_at, platform_stopped_at, platform_resumed_at, blocked_at, unblocked_at,
       unreachable_at, reached_at, erased_at
  from contacts
 where organization_id = $organization and id = $contact

-- name: identities
select kind, value from contact_identities
 where organization_id = $organization and contact_id = $contact
 order by array_position(array['phone', 'wa_id', 'bsuid', 'parent_bsuid'], kind), value

-- name: tags_of
select tag from contact_tags where organization_id = $organization and contact_id = $contact order by tag

-- name: acts_of
-- The last act of each kind in the ledger, the latest first.
select kind, at, channel, text, actor, reference
  from (select distinct on (kind) kind, at, channel, text, actor, reference, id from consents
         where organization_id = $organization and contact_id = $contact
         order by kind, at desc, id desc) last
 order by at desc, id desc

-- name: messages_of
-- The last messages of a contact, the latest first.
select m.id, m.state, m.reason, m.due_at, m.accepted_at, m.delivered_at, m.read_at, m.settled_at,
       c.name as campaign, m.content ->> 'name' as template,
       case when s.removed_at is null
            then (select count(*) from steps t
                   where t.organization_id = $organization and t.campaign_id = s.campaign_id and t.removed_at is null
                     and t.position <= s.position) end as step
  from messages m
  left join campaigns c on c.organization_id = m.organization_id and c.id = m.campaign_id
  left join steps s on s.organization_id = m.organization_id and s.id = m.step_id
 where m.organization_id = $organization and m.contact_id = $contact
 order by m.id desc limit $limit

-- name: enrollments_of
-- The last enrollments of a contact, the latest first.
select e.state, e.reason, e.due_at, e.enrolled_at, e.ended_at, e.sent, c.name as campaign
  from enrollments e
  join campaigns c on c.organization_id = e.organization_id and c.id = e.campaign_id
 where e.organization_id = $organization and e.contact_id = $contact
 order by e.id desc limit $limit

-- name: called
-- Up to $limit contacts whose name or first name begins as $beginning says (a pattern of LIKE).
select c.id, c.name, c.first_name, c.company, c.email,
       (select min(i.value) from contact_identities i
         where i.organization_id = $organization and i.contact_id = c.id and i.kind = 'phone') as phone,
       coalesce(c.opted_out_at >= coalesce(c.opted_in_at, '-infinity'), false) as opted_out
  from contacts c
 where c.organization_id = $organization and c.erased_at is null
   and (c.name ilike $beginning or c.first_name ilike $beginning)
 order by c.id limit $limit

-- name: with_text
-- Contacts that have $pattern in name, first name, company, e-mail address or phone, or the phone's twin: the first $limit, and how
-- many there are in all.
with found as (
  select c.id from contacts c
   where c.organization_id = $organization and c.erased_at is null
     and (c.name ilike $pattern or c.first_name ilike $pattern or c.company ilike $pattern or c.email ilike $pattern)
  union
  select i.contact_id from contact_identities i
   where i.organization_id = $organization and i.kind in ('phone', 'wa_id') and (i.value like $digits or i.value like $twin))
select c.id, c.name, c.first_name, c.company, c.email,
       (select min(i.value) from contact_identities i
         where i.organization_id = $organization and i.contact_id = c.id and i.kind = 'phone') as phone,
       coalesce(c.opted_out_at >= coalesce(c.opted_in_at, '-infinity'), false) as opted_out,
       (select count(*) from found) as total
  from (select id from found order by id limit $limit) f
  join contacts c on c.organization_id = $organization and c.id = f.id
 order by c.id

-- name: listed
-- What lists show of contacts, by id.
select c.id, c.name, c.first_name, c.company, c.email,
       (select min(i.value) from contact_identities i
         where i.organization_id = $organization and i.contact_id = c.id and i.kind = 'phone') as phone,
       coalesce(c.opted_out_at >= coalesce(c.opted_in_at, '-infinity'), false) as opted_out
  from contacts c
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

-- name: keep
-- Store an event of the platform; no row: it was there already.
insert into platform_events (organization_id, key, kind, content, at, received_at)
values ($organization, $key, $kind, $content::jsonb, $event_at, $at)
on conflict (organization_id, key) do nothing
returning id

-- name: set_template
-- Change what is given of a template, unless it is known as of a later second than the event: WhatsApp stamps whole
-- seconds.
update templates
   set status = coalesce($status::text, status), category = coalesce($category::text, category),
       quality = coalesce($quality::text, quality), synced_at = greatest(synced_at, $event_at)
 where organization_id = $organization and name = $name and language = $language and gone_at is null
   and date_trunc('second', synced_at) <= $event_at
returning id

-- name: knows_template
select exists (select from templates
                where organization_id = $organization and name = $name and language = $language and gone_at is null)

-- name: campaigns_of_template
-- Campaigns that send, or would after a pause, with a step of the template, or one that falls back to it.
select distinct c.id from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 cross join lateral (values (s.content), (s.fallback)) as u(content)
 where c.organization_id = $organization and c.state in ('active', 'running', 'paused')
   and u.content ->> 'type' = 'template' and u.content ->> 'name' = $name and u.content ->> 'language' = $language
 order by c.id

-- name: stopped_campaigns
-- Campaigns of $ids that a template stopped, where all their templates are approved.
select c.id from campaigns c
 where c.organization_id = $organization and c.id = any($ids::bigint[]) and starts_with(c.closed_why, $why)
   and not exists (select from steps s
                    cross join lateral (values (s.content), (s.fallback)) as u(content)
                     join templates t on t.organization_id = s.organization_id and t.name = u.content ->> 'name'
                                     and t.language = u.content ->> 'language' and t.gone_at is null
                    where s.organization_id = $organization and s.campaign_id = c.id and s.removed_at is null
                      and u.content ->> 'type' = 'template' and t.status <> 'APPROVED')
   and c.closed_until > $at
 order by c.id

-- name: set_numbers
-- Change what is given of numbers; one not known yet is added.
insert into numbers as n (organization_id, id, phone, messages_per_second, messaging_limit, updated_at)
select $organization, o.id, o.phone, $messages_per_second::integer, $messaging_limit::text, $at::timestamptz
  from unnest($ids::text[], $phones::text[]) as o(id, phone)
 order by o.id
on conflict (organization_id, id) do update
   set messages_per_second = coalesce(excluded.messages_per_second, n.messages_per_second),
       messaging_limit = coalesce(excluded.messaging_limit, n.messaging_limit), updated_at = excluded.updated_at

-- name: stopped_numbers
-- Numbers of $ids that are stopped for something beginning with $why.
select id from numbers
 where organization_id = $organization and id = any($ids::text[]) and starts_with(closed_why, $why)
   and closed_until > $at
 order by id

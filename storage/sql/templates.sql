-- name: of_name
select content, status, quality from templates
 where organization_id = $organization and name = $name and gone_at is null
 order by language

-- name: names
select distinct name from templates where organization_id = $organization and gone_at is null order by 1

-- name: listed
-- All templates with the campaigns that use them.
select t.content, t.status, t.quality,
       array(select distinct c.name
               from steps s
               join campaigns c on c.organization_id = $organization and c.id = s.campaign_id and c.state <> 'archived'
              cross join lateral (values (s.content), (s.fallback)) as u(content)
              where s.organization_id = $organization and s.removed_at is null and u.content ->> 'type' = 'template'
                and u.content ->> 'name' = t.name and u.content ->> 'language' = t.language
              order by 1) as used_by
  from templates t
 where t.organization_id = $organization and t.gone_at is null
 order by t.name, t.language

-- name: by_status
select status, count(*) as count from templates
 where organization_id = $organization and gone_at is null
 group by status
 order by status

-- name: attach_leaf
select attach_message_leaf($at)

-- name: send_to_one
-- Queue a message of no campaign to one contact, ahead of all campaigns. Its run is its own.
with made as (select new_message_id($second::bigint) as id)
insert into messages (organization_id, id, run_id, step_id, contact_id, number_id, state, priority, due_at, content)
select $organization, made.id, -made.id, 0, c.id,
       case when c.last_number_id = any($numbers::text[]) then c.last_number_id else ($numbers::text[])[1] end,
       'queued', 1, $at, $content
  from made join contacts c on c.organization_id = $organization and c.id = $contact
returning number_id

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
              where s.organization_id = $organization and s.removed_at is null and s.content ->> 'type' = 'template'
                and s.content ->> 'name' = t.name and s.content ->> 'language' = t.language
              order by 1) as used_by
  from templates t
 where t.organization_id = $organization and t.gone_at is null
 order by t.name, t.language

-- name: by_status
select status, count(*) as count from templates
 where organization_id = $organization and gone_at is null
 group by status
 order by status

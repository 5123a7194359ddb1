-- name: take
-- Take the next $limit occurrences that nobody else is taking; they are gone once this commits.
delete from occurrences
 where organization_id = $organization
   and id in (select id from occurrences
               where organization_id = $organization
               order by id limit $limit
                 for update skip locked)
returning id, kind, contact_id, value, at, campaign_id, step_id, properties, depth

-- name: note
-- Write what happened to contacts, in the order given.
insert into occurrences (organization_id, kind, contact_id, value, campaign_id, step_id, properties, at)
select $organization, o.kind, o.contact_id, o.value, o.campaign_id, o.step_id, o.properties, $at
  from unnest($kinds::text[], $contacts::bigint[], $values::text[], $campaigns::bigint[], $steps::bigint[],
              $properties::jsonb[])
       with ordinality as o(kind, contact_id, value, campaign_id, step_id, properties, place)
 order by o.place

-- name: reached
-- Write what messages have reached. What arrives by itself is as deep as the enrollment it came of; a reply is a
-- person's own act, with which everything begins anew.
insert into occurrences (organization_id, kind, contact_id, campaign_id, step_id, depth, at)
select $organization, o.kind, o.contact_id, o.campaign_id, o.step_id,
       case when o.kind = 'replied' then 0 else coalesce(e.depth, 0) end, $at
  from unnest($kinds::text[], $contacts::bigint[], $campaigns::bigint[], $steps::bigint[], $runs::bigint[])
       with ordinality as o(kind, contact_id, campaign_id, step_id, run_id, place)
  left join enrollments e on e.organization_id = $organization and e.id = o.run_id and e.campaign_id = o.campaign_id
 order by o.place

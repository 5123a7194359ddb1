-- name: attributes
-- The names of all attributes that some contact has.
select distinct jsonb_object_keys(attributes) as name from contacts
 where organization_id = $organization and attributes <> '{}'

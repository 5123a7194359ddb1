-- name: attributes
-- The names of all attributes there are: whoever gives a contact one gives it a type first.
select name from attributes where organization_id = $organization

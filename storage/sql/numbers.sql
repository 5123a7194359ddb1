-- name: states
-- What is known of our numbers: what the platform reports, and their taps while they are closed.
select id, phone, messages_per_second, quality, messaging_limit, verified_name,
       case when closed_until > $at then closed_until end as closed_until,
       case when closed_until > $at then closed_why end as closed_why
  from numbers
 where organization_id = $organization
 order by id

-- name: organization_tap
-- The tap of all numbers; no row: it is open.
select closed_until, closed_why from organizations where organization_id = $organization and closed_until > $at

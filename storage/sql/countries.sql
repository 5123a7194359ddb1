-- name: ban
-- Let nobody of a country be written to; no row: it is so already.
insert into country_bans (organization_id, country, banned_at) values ($organization, $country, $at)
on conflict do nothing
returning country

-- name: of
-- The countries of contacts; those of none are absent.
select id, country from contacts
 where organization_id = $organization and id = any($contacts::bigint[]) and country is not null

-- name: banned
select banned_countries($organization)

-- name: bans
-- Countries nobody of which is written to, since when, and how many contacts that leaves out.
select b.country, b.banned_at as since,
       (select count(*) from contacts c where c.organization_id = $organization and c.country = b.country) as contacts
  from country_bans b
 where b.organization_id = $organization
 order by b.country

-- name: open
-- Let a country be written to again; no row: it may be.
delete from country_bans where organization_id = $organization and country = $country
returning country

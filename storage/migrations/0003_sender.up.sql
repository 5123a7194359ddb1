-- A sender to trust: limits on how many people are written to.

-- == Limits on people ==

-- Who has a place under a limit on unique contacts, such as messaging_limit or contacts_per_day.
create table places (
  organization_id text not null,
  cap text not null,
  contact_id bigint not null,
  bucket timestamptz not null, -- the minute, or the first instant of the day, in which it was last taken
  uses integer not null, -- by how many messages in that bucket
  earlier timestamptz, -- the bucket before, to go back to if they are given back
  primary key (organization_id, cap, contact_id)
);
create index places_by_age on places (organization_id, bucket);
-- How many places were taken by bucket. Organizations of one portfolio count its limit together, in rows of the first.
create table place_counts (
  organization_id text not null,
  cap text not null,
  bucket timestamptz not null,
  count integer not null,
  primary key (organization_id, cap, bucket)
);
call protect_tenant_table('places', 'select');
call protect_tenant_table('place_counts', 'select');

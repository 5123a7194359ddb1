-- A sender to trust: what sending keeps in mind so that it may be relied on.

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

-- == A database that was restored, or promoted ==

-- Which database this is: the cluster, its timeline, the database in it, and the tables of a restore into the same
-- database. A restart and a crash change nothing of it; a restore, a promotion and an upgrade of the cluster do.
-- A part that the server does not tell is left out.
create function database_identity() returns text
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
  cluster text := '-';
  timeline text := '-';
begin
  begin
    cluster := (select system_identifier::text from pg_control_system());
  exception
    when insufficient_privilege or feature_not_supported or undefined_function then null;
  end;
  begin
    -- The checkpoint's timeline may be the old one for some seconds after a promotion.
    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  exception
    when insufficient_privilege or feature_not_supported or undefined_function then null;
  end;
  return format('%s/%s/%s/%s', cluster, timeline, (select oid from pg_database where datname = current_database()),
                'public.organizations'::regclass::oid);
end $$;

alter table organizations
  add column database_identity text, -- of the database that it last sent from; null: none yet
  add column moved_at timestamptz, -- when the database was found to be another one; null: staff have decided, or it is not
  add column moved_to text; -- its identity then

-- Whether nothing may be sent until staff say what becomes of what was due before.
create function database_moved(organization text) returns boolean
language sql stable as $$
  select exists (select from public.organizations
                  where organization_id = organization and database_identity <> public.database_identity())
$$;
grant execute on function database_identity, database_moved to dripline_bot;

alter table campaigns
  add column left_out_before timestamptz, -- what was due by then is left out: the database was restored after
  add column restored_at timestamptz; -- what was due by then staff are asked about; null: nothing

-- == What failed ==
create index messages_dead on messages (organization_id, campaign_id, id) where state = 'dead';
alter table messages add column redriven_at timestamptz; -- when staff last had it tried anew
alter table errands drop constraint errands_kind_check;
alter table errands add constraint errands_kind_check
  check (kind in ('enroll', 'unenroll', 'tag', 'untag', 'optout', 'optin', 'list add', 'list remove', 'retry',
                  'segment refresh', 'attribute check', 'attribute type'));

-- == The brake ==
alter table campaigns
  add column brake_since timestamptz, -- a person let it go on then; null: nobody had to
  add column brake_accepted bigint not null default 0; -- what its statistics of that hour on had counted by then
alter table numbers
  add column braked_at timestamptz; -- when it was stopped for the quality it still has; null: not for that
create index messages_dead_lately on messages (organization_id, campaign_id, settled_at) where state = 'dead';
-- The hours since then, of campaigns that have run for years.
create index campaign_stats_by_hour on campaign_stats (organization_id, campaign_id, hour);
create index inbound_messages_stops on inbound_messages (organization_id, campaign_id, received_at) where meaning = 'stop';

-- == Names ==
-- How a name is compared (engine.names.folded), so that two that look alike cannot be made in the same instant either.
-- Null: of before there was one; it is compared in small letters.
alter table campaigns add column name_key text;
alter table contact_lists add column name_key text;
alter table segments add column name_key text;
alter table media add column name_key text;
drop index campaigns_by_name, contact_lists_by_name, segments_by_name, media_by_name;
create unique index campaigns_by_name on campaigns (organization_id, coalesce(name_key, lower(name))) where state <> 'archived';
create unique index contact_lists_by_name on contact_lists (organization_id, coalesce(name_key, lower(name)));
create unique index segments_by_name on segments (organization_id, coalesce(name_key, lower(name)));
create unique index media_by_name on media (organization_id, coalesce(name_key, lower(name)));

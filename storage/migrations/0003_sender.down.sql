-- == Pauses ==
drop function paused_so_far;
alter table enrollments drop column campaign_paused_s;
alter table campaigns drop column paused_s;

-- == Countries ==
drop function left_out_because(contacts, boolean, text[]), banned_countries;
drop table country_bans;

-- == Names ==
drop index campaigns_by_name, contact_lists_by_name, segments_by_name, media_by_name;
alter table media drop column name_key;
alter table segments drop column name_key;
alter table contact_lists drop column name_key;
alter table campaigns drop column name_key;
create unique index campaigns_by_name on campaigns (organization_id, lower(name)) where state <> 'archived';
create unique index contact_lists_by_name on contact_lists (organization_id, lower(name));
create unique index segments_by_name on segments (organization_id, lower(name));
create unique index media_by_name on media (organization_id, lower(name));

-- == The brake ==
drop index inbound_messages_stops, campaign_stats_by_hour, messages_dead_lately;
alter table numbers drop column braked_at;
alter table campaigns drop column brake_accepted, drop column brake_since;

-- == What failed ==
alter table errands drop constraint errands_kind_check;
delete from errands where kind in ('retry', 'segment refresh', 'attribute check', 'attribute type');
alter table errands add constraint errands_kind_check
  check (kind in ('enroll', 'unenroll', 'tag', 'untag', 'optout', 'optin', 'list add', 'list remove'));
alter table messages drop column redriven_at, drop column anew_after;
drop index messages_dead;

-- == A database that was restored, or promoted ==
alter table campaigns drop column restored_at, drop column left_out_before;
drop function database_moved;
alter table organizations drop column moved_to, drop column moved_at, drop column database_identity;
drop function database_identity;
-- == What senders must hear ==
drop table revocations;
-- == Upkeep ==
drop index messages_again;
drop function counts_of;
-- == Limits on people ==
drop table place_counts, places;

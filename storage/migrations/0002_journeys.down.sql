-- == Templates and media ==
drop function media_in_use;
alter table messages drop column content, drop column template_language, drop column template_name;
drop table template_drafts, media_ids, media;

-- == Automations ==
alter table enrollments drop column depth;
revoke update on occurrences from dripline_bot;
delete from occurrences where kind not in ('contact_created', 'tag_added');
alter table occurrences drop column depth, drop column properties, drop column step_id, drop column campaign_id,
  drop constraint occurrences_kind;
alter table occurrences add constraint occurrences_kind_check check (kind in ('contact_created', 'tag_added'));
drop trigger dates_of_changed on contacts;
drop trigger dates_of_new on contacts;
drop function note_changed_dates;
drop table dates_changed, dates_due, segment_presence, segments_followed, automations;

-- == Telling staff ==
drop index events_by_kind;
alter table campaigns drop column card_final;

-- == Campaign life: schedules, recurrence ==
drop index campaigns_scheduled, audit_log_by_subject;
alter table contacts drop column promoted_ats;
alter table campaigns drop column excluded, drop column series_id, drop column scheduled_by, drop column look_at,
  drop column scheduled_at, drop column schedule;

-- == Journeys: steps and enrollments ==
drop index campaigns_to_look_again;
drop index campaigns_to_rewalk;
drop function lacks(text, text, text, text, text, jsonb);
drop function held_back;
drop function is_capped(campaigns), may_send(campaigns, timestamptz, timestamptz);
alter table campaigns drop column resumed_at, drop column held_s;
alter table campaigns drop column looked_id, drop column looked_due_at, drop column look_again_since;
alter table campaigns drop column rewalk_cursor;
update enrollments e
   set position = (select count(*) from steps s
                    where s.organization_id = e.organization_id and s.campaign_id = e.campaign_id
                      and s.position <= e.position);
update steps s
   set position = n.place
  from (select organization_id, id, row_number() over (partition by organization_id, campaign_id order by position, id) as place
          from steps) n
 where s.organization_id = n.organization_id and s.id = n.id;
alter table enrollments drop column paused_by, drop column paused_at, drop column properties, drop column retraced,
  drop column awaits_delivery, drop column timed, drop column since_at, alter column position type integer;
drop table step_revisions;
alter table steps drop column moved_at, drop column version, drop column settings, drop column fallback,
  drop column conditions, drop column timing, alter column position type integer;

-- == Errands ==
drop table errands;

-- == Imports and exports ==
drop table exports;
alter table import_rows drop column did;
drop index imports_open;
update imports set state = 'imported' where state in ('undoing', 'undone');
alter table imports drop column undone_by, drop column stays_blob_id, drop column list_id, drop column reading,
  drop column rows, drop column failures, drop column next_try_at, drop constraint imports_state;
alter table imports add constraint imports_state_check
  check (state in ('uploaded', 'judging', 'judged', 'importing', 'imported', 'refused', 'discarded'));
create index imports_open on imports (organization_id, id) where state in ('uploaded', 'judging', 'importing');

-- == Audience: lists and segments ==
drop table frozen_audiences, segments, list_members, contact_lists;
drop index clicks_by_campaign;

-- == Contacts: typed attributes, and what segments ask of a contact ==
alter table messages drop column clicked_at;
drop table clicks, links, conversations;
alter table contacts drop column last_reply_at, drop column last_message_at, drop column conversation_count,
  drop column country;
drop table attributes;

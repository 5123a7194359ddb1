-- The role dripline_bot stays: it belongs to the cluster, and another database may use it.
drop function left_out_because(contacts, boolean);
drop table audit_log, tasks, sending_hours, leases, webhook_failures, slack_requests, slack_posts, events, campaign_stats,
  platform_events, inbound_messages, messages, enrollments, steps, campaigns, templates, import_rows, imports,
  blob_chunks, blobs, occurrences, consents, service_windows, contact_tags, contact_identities, contacts, numbers,
  organizations;
drop procedure protect_tenant_table(regclass, text);
drop function attach_message_leaf(timestamptz), oldest_message_second(), drop_empty_message_leaf(timestamptz),
  new_message_id(bigint),
  numbers_of(text);
drop sequence message_sequence;

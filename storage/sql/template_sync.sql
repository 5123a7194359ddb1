-- name: retire_remade
-- The same name and language under a new id: the old one was deleted and made again.
update templates o set gone_at = $at
  from unnest($ids::text[], $names::text[], $languages::text[]) as l(id, name, language)
 where o.organization_id = $organization and o.name = l.name and o.language = l.language and o.id <> l.id
   and o.gone_at is null

-- name: save_templates
-- Take over a page of the platform's list, asked for at $as_of: new ones are added, known ones updated. What a
-- webhook has said of a template since is newer than the page.
insert into templates as t (organization_id, id, name, language, category, status, quality, content, synced_at)
select $organization, l.id, l.name, l.language, l.category, l.status, l.quality, l.content, $as_of
  from unnest($ids::text[], $names::text[], $languages::text[], $categories::text[], $statuses::text[],
              $qualities::text[], $contents::jsonb[])
       as l(id, name, language, category, status, quality, content)
 order by l.id
on conflict (organization_id, id) do update
   set name = excluded.name, language = excluded.language, content = excluded.content, gone_at = null,
       category = case when t.synced_at > excluded.synced_at then t.category else excluded.category end,
       status = case when t.synced_at > excluded.synced_at then t.status else excluded.status end,
       quality = case when t.synced_at > excluded.synced_at then t.quality else excluded.quality end,
       synced_at = greatest(t.synced_at, excluded.synced_at)

-- name: retire_absent
-- What the platform no longer listed at $as_of is gone.
update templates set gone_at = $at
 where organization_id = $organization and gone_at is null and not id = any($ids::text[]) and synced_at <= $as_of

-- name: save_number
-- What the platform says of a number now.
insert into numbers as n (organization_id, id, phone, messages_per_second, quality, messaging_limit, verified_name, account, updated_at)
values ($organization, $id, $phone, $messages_per_second, $quality, $messaging_limit, $verified_name, $account, $at)
on conflict (organization_id, id) do update
   set phone = excluded.phone, messages_per_second = coalesce(excluded.messages_per_second, n.messages_per_second),
       quality = excluded.quality, messaging_limit = coalesce(excluded.messaging_limit, n.messaging_limit),
       verified_name = coalesce(excluded.verified_name, n.verified_name),
       account = excluded.account, updated_at = excluded.updated_at

-- name: know_organization
-- Make sure the configured organization has its row, and that the row knows the database it is in.
insert into organizations (organization_id, created_at, database_identity) values ($organization, $at, database_identity())
on conflict (organization_id) do update set database_identity = excluded.database_identity
 where organizations.database_identity is null

-- name: task_done
-- Note the end of a task that began at $begun; a request made meanwhile stays open.
insert into tasks as t (organization_id, name, requested_at, done_at, result)
values ($organization, $name, $begun, $begun, $result)
on conflict (organization_id, name) do update set done_at = excluded.done_at, result = excluded.result

-- name: task_wanted
-- Ask for a task unless it was done since $since; one that met a problem is tried again after $again.
insert into tasks as t (organization_id, name, requested_at)
values ($organization, $name, $at)
on conflict (organization_id, name) do update set requested_at = excluded.requested_at
 where t.requested_at <= t.done_at
   and (t.done_at < $since or (t.result ? 'problem' and t.done_at < $again))

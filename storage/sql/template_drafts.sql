-- name: of_name
select id, draft, state, reason, advice, template_id, problem, edited_ats, created_by, submitted_at, submitted_by,
       decided_at
  from template_drafts
 where organization_id = $organization and name = $name
 order by language

-- name: lock
-- The draft of a name and language, locked.
select id, draft, state, reason, advice, template_id, problem, edited_ats, created_by, submitted_at, submitted_by,
       decided_at
  from template_drafts
 where organization_id = $organization and name = $name and language = $language
   for no key update

-- name: names
select distinct name from template_drafts where organization_id = $organization order by 1

-- name: get
select id, draft, state, reason, advice, template_id, problem, edited_ats, created_by, submitted_at, submitted_by,
       decided_at
  from template_drafts
 where organization_id = $organization and id = $draft

-- name: unlisted
-- Drafts WhatsApp does not list yet, or lists as they were before, sorted by name.
select id, draft, state, reason, advice, template_id, problem, edited_ats, created_by, submitted_at, submitted_by,
       decided_at
  from template_drafts
 where organization_id = $organization and state in ('draft', 'submitted', 'rejected')
 order by name, language

-- name: save
-- Write a draft; one that was submitted before keeps what the platform knows of it.
insert into template_drafts as d (organization_id, name, language, draft, state, template_id, created_at, created_by)
values ($organization, $name, $language, $content, 'draft', $template, $at, $actor)
on conflict (organization_id, name, language) do update
   set draft = excluded.draft, state = 'draft', template_id = coalesce(excluded.template_id, d.template_id),
       problem = null
returning id

-- name: submit
-- Let the worker bring a draft to the platform.
update template_drafts
   set state = 'submitted', submitted_at = $at, submitted_by = $actor, next_try_at = $at, tries = 0, problem = null,
       reason = null, advice = null, decided_at = null
 where organization_id = $organization and id = $draft

-- name: discard
delete from template_drafts
 where organization_id = $organization and id = $draft and state not in ('submitted', 'pending')

-- name: take
-- The draft that waits longest for the platform, nobody else's until $until.
update template_drafts d
   set next_try_at = $until, tries = d.tries + 1, problem = null
 where d.organization_id = $organization
   and d.id = (select id from template_drafts
                where organization_id = $organization and state = 'submitted' and next_try_at <= $at
                order by next_try_at, id limit 1
                  for no key update skip locked)
returning d.id, d.draft, d.state, d.reason, d.advice, d.template_id, d.problem, d.edited_ats, d.created_by,
          d.submitted_at, d.submitted_by, d.decided_at, d.tries

-- name: taken_over
-- The platform has it; $edited: it was approved before, which the platform allows only so often.
update template_drafts
   set state = 'pending', template_id = $template, next_try_at = null, problem = null,
       edited_ats = case when $edited then edited_ats || $at::timestamptz else edited_ats end
 where organization_id = $organization and id = $draft and state = 'submitted'

-- name: refused
-- The platform did not take it: it is a draft again.
update template_drafts
   set state = 'draft', next_try_at = null, problem = $problem
 where organization_id = $organization and id = $draft and state = 'submitted'

-- name: later
-- The platform could not be reached; the worker tries again at $again.
update template_drafts
   set next_try_at = $again, problem = $problem
 where organization_id = $organization and id = $draft and state = 'submitted'

-- name: decide
-- Settle pending drafts whose templates the platform has decided about since; of one template, where $name is given.
update template_drafts d
   set state = case when t.status = 'REJECTED' then 'rejected' else 'approved' end, decided_at = $at,
       reason = case when t.status = 'REJECTED'
                     then coalesce($reason::text, nullif(t.content ->> 'rejected_reason', 'NONE')) end,
       advice = case when t.status = 'REJECTED' then $advice::text end
  from templates t
 where d.organization_id = $organization and d.state = 'pending'
   and t.organization_id = d.organization_id and t.id = d.template_id and t.gone_at is null
   and t.status in ('APPROVED', 'REJECTED')
   and ($name::text is null or (t.name = $name::text and t.language = $language::text))
returning d.id, d.name, d.language, d.state, d.reason, d.advice, d.submitted_by

-- name: waiting_for
-- Campaigns with a step of the template, not put away, who made them, and in which language they use it.
select distinct c.id, c.name, c.actor, u.content ->> 'language' as language
  from campaigns c
  join steps s on s.organization_id = c.organization_id and s.campaign_id = c.id and s.removed_at is null
 cross join lateral (values (s.content), (s.fallback)) as u(content)
 where c.organization_id = $organization and c.state in ('draft', 'scheduled', 'active', 'running', 'paused')
   and u.content ->> 'type' = 'template' and u.content ->> 'name' = $name
 order by c.name, c.id

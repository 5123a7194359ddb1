-- name: lock_campaign
-- Keep a campaign from changing until this commits, and return what decides who may enroll.
select kind, state, type, coalesce(settings ->> 'reentry', 'never') as reentry,
       coalesce(settings ->> 'mode', 'passive') as mode
  from campaigns
 where organization_id = $organization and id = $campaign
   for share

-- name: first_step
-- The step enrollments begin with; no row: the campaign has none.
select id, after_s from steps
 where organization_id = $organization and campaign_id = $campaign and removed_at is null
 order by position limit 1

-- name: lock_contacts
-- Lock contacts in the order of their keys.
select id from contacts
 where organization_id = $organization and id = any($contacts::bigint[])
 order by id
   for no key update

-- name: enroll
-- Enroll those of $contacts who may, and say of all what became of them. The consent part mirrors
-- engine.consent.Consent.against; a property test compares them.
with judged as (
  select c.id,
         case when c.erased_at is not null then 'erased'
              when c.opted_out_at >= coalesce(c.opted_in_at, '-infinity') then 'opted_out'
              when c.blocked_at >= coalesce(c.unblocked_at, '-infinity') then 'blocked'
              when c.unreachable_at >= coalesce(c.reached_at, '-infinity') then 'unreachable'
              when $promotional and c.platform_stopped_at >= coalesce(c.platform_resumed_at, '-infinity') then 'platform_stopped'
              when $reentry = 'never' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id = $campaign)
                then 'already'
              when $reentry = 'after' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id = $campaign
                        and e.state in ('active', 'paused'))
                then 'already'
              when $mode = 'skip' and exists (
                     select from enrollments e
                      where e.organization_id = $organization and e.contact_id = c.id and e.campaign_id <> $campaign
                        and e.state in ('active', 'paused'))
                then 'elsewhere'
              else 'enrolled'
         end as outcome
    from contacts c
   where c.organization_id = $organization and c.id = any($contacts::bigint[])),
inserted as (
  insert into enrollments (organization_id, campaign_id, contact_id, state, beside, step_id, due_at, enrolled_at, enrolled_by)
  select $organization, $campaign, j.id, 'active',
         exists (select from enrollments e
                  where e.organization_id = $organization and e.contact_id = j.id and e.campaign_id = $campaign
                    and e.state in ('active', 'paused') and not e.beside),
         $step, $due_at, $at, $by
    from judged j
   where j.outcome = 'enrolled'
   order by j.id)
select outcome, array_agg(id order by id) as contacts from judged group by outcome

-- name: running
-- Lock the enrollments of $contacts that have not ended: in $campaign, or with $elsewhere in every other.
select id, campaign_id, contact_id from enrollments
 where organization_id = $organization and contact_id = any($contacts::bigint[]) and state in ('active', 'paused')
   and (campaign_id = $campaign) <> $elsewhere
 order by id
   for no key update

-- name: drop
-- End enrollments for $reason before their last step; the caller holds their locks.
update enrollments
   set state = 'dropped', reason = $reason, step_id = null, due_at = null, ended_at = $at
 where organization_id = $organization and id = any($ids::bigint[]) and state in ('active', 'paused')

-- name: queued_of
-- The queued messages of enrollments.
select m.id
  from unnest($ids::bigint[], $campaigns::bigint[], $contacts::bigint[]) as e(id, campaign_id, contact_id)
  join messages m on m.organization_id = $organization and m.contact_id = e.contact_id and m.run_id = e.id
                 and m.campaign_id = e.campaign_id and m.state = 'queued'

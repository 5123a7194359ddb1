-- name: facts
-- What of contacts decides about a campaign's messages and is filled into them; the service window is that of the
-- number that would send.
select c.id as contact_id, c.name, c.first_name, c.company, c.email, c.attributes, c.timezone,
       c.opted_out_at, c.opted_in_at, c.platform_stopped_at, c.platform_resumed_at, c.blocked_at, c.unblocked_at,
       c.unreachable_at, c.reached_at, c.erased_at, c.promoted_at, c.promoted_campaign_id,
       i.phone, i.bsuid, w.last_inbound_at
  from contacts c
  left join service_windows w
    on w.organization_id = $organization and w.contact_id = c.id
   and w.number_id = coalesce($number, case when c.last_number_id = any($numbers::text[]) then c.last_number_id end,
                              $standard_number)
  left join lateral (select min(value) filter (where kind = 'phone') as phone,
                            min(value) filter (where kind = 'bsuid') as bsuid
                       from contact_identities
                      where organization_id = $organization and contact_id = c.id) i on true
 where c.organization_id = $organization and c.id = any($contacts::bigint[])
 order by c.id

-- name: used
-- What of a campaign's daily cap and of the organization's hour is used.
select c.day_on, c.day_count,
       coalesce((select h.count from sending_hours h where h.organization_id = $organization and h.hour = $hour), 0)
         as hour_count
  from campaigns c
 where c.organization_id = $organization and c.id = $campaign

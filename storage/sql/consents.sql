-- name: append
-- Append acts to the ledger, in the order given.
insert into consents (organization_id, contact_id, kind, at, channel, text, reference, recorded_at)
select $organization, a.contact_id, a.kind, a.at, a.channel, a.text, a.reference, $at
  from unnest($contacts::bigint[], $kinds::text[], $ats::timestamptz[], $channels::text[], $texts::text[],
              $references::text[])
       with ordinality as a(contact_id, kind, at, channel, text, reference, place)
 order by a.place
returning id

-- name: append_new
-- Append acts that are not in the ledger yet; the caller holds the contacts' locks.
insert into consents (organization_id, contact_id, kind, at, channel, text, reference, recorded_at)
select distinct on (a.contact_id, a.kind, a.at, a.reference)
       $organization, a.contact_id, a.kind, a.at, a.channel, a.text, a.reference, $at::timestamptz
  from unnest($contacts::bigint[], $kinds::text[], $ats::timestamptz[], $channels::text[], $texts::text[],
              $references::text[])
       as a(contact_id, kind, at, channel, text, reference)
 where not exists (select from consents c
                    where c.organization_id = $organization and c.contact_id = a.contact_id and c.at = a.at
                      and c.kind = a.kind and c.reference = a.reference)

-- The whole that an item is a part of: reports see at each item whether its purchase's money has to be parted at all. Pence.
alter table fhir.purchase_item add column total bigint;

-- Purchases that were stored before their items were kept as rows. Amounts are read from the text, and days begin in London.
insert into fhir.purchase_item (claim, active, created, item, net, quantity, service, provider, category)
select c.id, c.claim ->> 'status' = 'active', (extract(epoch from c.created) * 1000)::bigint, coalesce((i.value ->> 'sequence')::int, i.place::int), round((i.value #>> '{net,value}')::numeric * 100)::bigint,
  coalesce((i.value #>> '{quantity,value}')::numeric, 1), s.service, nullif(regexp_replace(h.service #>> '{providedBy,reference}', '^Organization/', ''), ''), coalesce(own.category, other.category)
from (
  select t.id, t.res::json as claim, case
      when d.day like '%T%' then d.day::timestamptz
      else (rpad(d.day, 10, substr('0000-01-01', length(d.day) + 1))::timestamp at time zone 'Europe/London') end as created
  from fhir."Claim" t cross join lateral (select t.res::json ->> 'created' as day) d
  where t.res like '%/StructureDefinition/ext-budget"%' and t.res::json ->> 'use' <> 'preauthorization' and d.day is not null
    and not exists (select from fhir.purchase_item p where p.claim = t.id)) c
cross join lateral json_array_elements(c.claim -> 'item') with ordinality i (value, place)
left join lateral (select regexp_replace(e.value #>> '{valueReference,reference}', '^HealthcareService/', '') as service
  from json_array_elements(i.value -> 'extension') e where e.value ->> 'url' like '%/StructureDefinition/ext-directory-entry' limit 1) s on true
left join lateral (select t.res::json as service from fhir."HealthcareService" t where t.id = s.service and t.res is not null) h on true
left join lateral (select k.value ->> 'code' as category from json_array_elements(h.service -> 'category') g, json_array_elements(g.value -> 'coding') k
  where k.value ->> 'system' like '%/CodeSystem/directory-category' limit 1) own on true
left join lateral (select k.value ->> 'code' as category from (values (i.value -> 'category'), (i.value -> 'productOrService')) g (concept), json_array_elements(g.concept -> 'coding') k
  where k.value ->> 'system' like '%/CodeSystem/directory-category' limit 1) other on true
where i.value #>> '{net,value}' is not null
on conflict (claim, item) do nothing;

update fhir.purchase_item i set total = t.total from (select claim, sum(net) as total from fhir.purchase_item group by claim) t where t.claim = i.claim;
alter table fhir.purchase_item alter column total set not null;

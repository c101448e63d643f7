-- The rows whose date is a long one: longer than a day, which nearly none is. A search for what lasts until a moment (`ge`, `gt`, `ap`) finds the short ones
-- among those that begin at most a day before it, and the long ones here, by how long they are (src/search/date-reach.ts): each class of
-- lengths has a bound of its own, so that one stay of years does not have the years before the moment looked through.
do $body$
declare
  t text;
begin
  for t in select tablename from pg_tables where schemaname = 'fhir' and tablename ~ '^[A-Z]' loop
    execute format($ddl$
      create index on fhir.%I (
        (case when date_hi - date_lo <= 2764800000 then 1 when date_hi - date_lo <= 31708800000 then 2 when date_hi - date_lo <= 317088000000 then 3 else 4 end),
        date_lo desc nulls last, id desc
      ) where date_hi - date_lo > 86400000
    $ddl$, t);
    execute format('create index on fhir.%I (subject, date_lo desc nulls last, id desc) where date_hi - date_lo > 86400000 and subject is not null', t);
  end loop;
end
$body$;

create index date_index_long on fhir.date_index (
  param,
  (case when hi - lo <= 2764800000 then 1 when hi - lo <= 31708800000 then 2 when hi - lo <= 317088000000 then 3 else 4 end),
  lo, id
) where hi - lo > 86400000;

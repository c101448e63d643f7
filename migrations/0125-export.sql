-- What a bulk export gives out, as ids: the resources are read when a file is downloaded, as they were at the export's moment
-- (src/jobs/export.ts). Gone with their job. Distributed by job.
create table fhir.export_page (
  job text collate "C",
  page integer,
  type text collate "C" not null,
  -- With spaces between.
  ids text /*lz4*/ not null,
  primary key (job, page)
);

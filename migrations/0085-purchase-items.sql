-- What was bought, item by item, as reports sum it: kept with the Claim in the transaction that writes it. Amounts are pence.
create table fhir.purchase_item (
  net bigint not null,
  -- Start (ms) of Claim.created.
  created bigint not null,
  -- Claim.item.sequence.
  item integer not null,
  active boolean not null,
  claim text collate "C" not null,
  -- Logical ids of the HealthcareService, and of the Organization that provided it then.
  service text collate "C",
  provider text collate "C",
  -- Code of directory-category that the service had then.
  category text,
  quantity numeric not null,
  primary key (claim, item)
);
create index purchase_item_service on fhir.purchase_item (service, created) where service is not null;
create index purchase_item_provider on fhir.purchase_item (provider, created) where provider is not null;
create index purchase_item_created on fhir.purchase_item (created);

-- When each budget is to be reviewed next, and the Task that says so. One row per budget that was paid from or reviewed. Distributed by account.
create table fhir.budget_review (
  -- The due date was set when money of the budget had been paid already; else the first payment may bring it forward.
  after_payment boolean not null,
  account text collate "C" primary key,
  -- Logical id of the Task that is due; null where none is: the budget is closed, or about to be.
  task text collate "C"
);

-- Budgets whose basis no longer fits because of the patient's age, each told once. Distributed by account.
create table fhir.budget_outgrown (
  account text collate "C" not null,
  -- The code of eligibility-basis that was outgrown.
  basis text collate "C" not null,
  task text collate "C" not null,
  primary key (account, basis)
);

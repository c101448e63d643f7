-- The money of personal health budgets: what each line holds, and every movement that made it so. All amounts are pence.
-- Everything that money depends on is distributed by account.

-- One row per budget (an Account marked phb or joint-budget). Its row is what all who move money of the budget wait for.
create table fhir.budget_account (
  opened bigint not null,
  -- Sums over its lines; changed in the statement that changes the lines.
  allocated bigint not null default 0,
  committed bigint not null default 0,
  spent bigint not null default 0,
  disbursed bigint not null default 0,
  -- How many ledger rows there are, and the moment (ms) of the last: the next is never earlier.
  entries bigint not null default 0,
  posted bigint not null default 0,
  -- servicePeriod in milliseconds, until exclusive.
  period_from bigint not null,
  period_until bigint not null,
  account text collate "C" primary key,
  -- phb or joint-budget, and Account.status.
  kind text not null,
  state text not null,
  patient text collate "C" not null,
  -- Logical id of the Organization; a joint budget may have none.
  owner text collate "C",
  policy text,
  funding text,
  basis text,
  -- The joint budget that this one is a part of.
  parent text collate "C"
);
create index budget_account_patient on fhir.budget_account (patient);
create index budget_account_owner on fhir.budget_account (owner) where owner is not null;
create index budget_account_parent on fhir.budget_account (parent) where parent is not null;

-- One row per line (ext-allocation). Changed by one function only: post in src/budgets/ledger.ts.
create table fhir.budget_line (
  allocated bigint not null default 0,
  committed bigint not null default 0,
  spent bigint not null default 0,
  -- Advances to the holder less what came back of them.
  disbursed bigint not null default 0,
  position integer not null,
  -- A direct payment, through a purchase already made; and any line of a budget whose policy is not to block.
  may_overdraw boolean not null,
  -- No line of the budget any more: it takes no new money.
  ended boolean not null default false,
  account text collate "C" not null,
  line text collate "C" not null,
  -- notional, third-party, direct-payment or unallocated.
  model text not null,
  -- Reference to who holds it: Organization/1.
  holder text collate "C",
  primary key (account, line),
  constraint budget_line_sums check (allocated >= 0 and committed >= 0 and spent >= 0 and disbursed >= 0),
  -- The promise that no budget is overspent stands here, whatever a program may do.
  constraint budget_line_available check (may_overdraw or allocated - committed - spent >= 0)
);
create index budget_line_holder on fhir.budget_line (holder) where holder is not null;

-- Every movement of money, in the order made: number counts from 1 without a gap. Rows are added and never changed.
create table fhir.ledger (
  number bigint not null,
  at bigint not null,
  -- As shown; below zero only where an adjustment takes away.
  amount bigint not null,
  -- What it changed of the line's sums.
  allocated bigint not null,
  committed bigint not null,
  spent bigint not null,
  disbursed bigint not null,
  -- Of the whole account, after this row.
  available_after bigint not null,
  account text collate "C" not null,
  id text collate "C" not null,
  line text collate "C" not null,
  kind text not null,
  actor text not null,
  role text not null,
  organization text,
  -- Logical ids of the Claim, its item (sequence), the PaymentNotice and the Provenance of the act.
  claim text collate "C",
  item integer,
  notice text collate "C",
  provenance text collate "C",
  -- The ledger row that this one takes back.
  reverses text collate "C",
  primary key (account, id),
  unique (account, number)
);
create index ledger_at on fhir.ledger (account, at);
create index ledger_claim on fhir.ledger (claim) where claim is not null;

-- What each Claim holds of each line: what is reserved, what was paid (gross) and what came back.
create table fhir.claim_commitment (
  committed bigint not null default 0,
  paid bigint not null default 0,
  refunded bigint not null default 0,
  account text collate "C" not null,
  claim text collate "C" not null,
  line text collate "C" not null,
  primary key (account, claim, line),
  constraint claim_commitment_sums check (committed >= 0 and paid >= 0 and refunded >= 0 and refunded <= paid)
);
create index claim_commitment_claim on fhir.claim_commitment (claim);

-- The identifiers of purchases, each once: `system|value`. Distributed by key.
create table fhir.purchase_key (
  key text collate "C" primary key,
  claim text collate "C" not null
);

-- Requests that were carried out, by their X-Request-ID: what is needed to give the first answer again. Distributed by key.
create table fhir.request_key (
  made bigint not null,
  status integer not null,
  updated bigint,
  -- A hash of client, X-Request-ID, method and URL; and one of the body with what else the answer depends on.
  key text collate "C" primary key,
  content text not null,
  version text,
  location text,
  -- JSON object of further headers.
  headers text,
  -- Where the body is the stored version of a resource: Type/id/version. Else its text.
  resource text collate "C",
  body text /*lz4*/,
  outcome boolean not null
);
create index request_key_made on fhir.request_key (made);

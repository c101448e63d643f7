-- When money first left a budget: its first review is due three months later. Set once, by the statement that moves the money.
alter table fhir.budget_account add column first_paid bigint;
update fhir.budget_account b set first_paid = (select min(e.at) from fhir.ledger e where e.account = b.account and e.kind in ('spend', 'advance'));

-- Whether the first review after a payment has been seen to: those it has not are found without reading every budget.
alter table fhir.budget_account add column reviewed boolean not null default false;
update fhir.budget_account b set reviewed = true from fhir.budget_review r where r.account = b.account and r.after_payment;
create index budget_account_unreviewed on fhir.budget_account (account) where first_paid is not null and not reviewed;

-- The ledger is only ever added to: the user as whom the server runs, though the table is its own, may not change or remove a row. A superuser
-- may (the embedded database has no other user); what one changes, `doctor` finds.
revoke update, delete, truncate on fhir.ledger from current_user;

-- What a row changes of its line follows from what it shows: its kind and its amount. An adjustment alone may be below zero.
alter table fhir.ledger add constraint ledger_effects check (
  (amount > 0 or (kind = 'adjustment' and amount < 0))
  and committed = case kind when 'commit' then amount when 'release' then -amount when 'spend' then -amount else 0 end
  and spent = case kind when 'spend' then amount when 'refund' then -amount else 0 end
  and case kind
    when 'clawback' then allocated in (0, -amount) and disbursed in (0, -amount) and allocated + disbursed < 0
    when 'advance' then allocated = 0 and disbursed = amount
    when 'transfer-out' then allocated = -amount and disbursed = 0
    when 'allocation' then allocated = amount and disbursed = 0
    when 'adjustment' then allocated = amount and disbursed = 0
    when 'transfer-in' then allocated = amount and disbursed = 0
    when 'commit' then allocated = 0 and disbursed = 0
    when 'release' then allocated = 0 and disbursed = 0
    when 'spend' then allocated = 0 and disbursed = 0
    when 'refund' then allocated = 0 and disbursed = 0
    else false
  end);

"""The rules of the books that no program may break, whoever connects.

They are plain triggers on purpose: `pgtrigger.ignore` could switch a managed trigger off for a session.
"""

from django.db import migrations

KEYS = """
ALTER TABLE ledger_transfer
  ADD CONSTRAINT ledger_transfer_debit_currency FOREIGN KEY (debit_id, currency)
    REFERENCES ledger_account (id, currency),
  ADD CONSTRAINT ledger_transfer_credit_currency FOREIGN KEY (credit_id, currency)
    REFERENCES ledger_account (id, currency);
ALTER TABLE ledger_balance SET (fillfactor = 70);
"""

APPEND_ONLY = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_append_only';
END $$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_entry_no_truncate BEFORE TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE ON ledger_transfer
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_transfer_no_truncate BEFORE TRUNCATE ON ledger_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_periodclose_append_only BEFORE UPDATE OR DELETE ON ledger_periodclose
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_periodclose_no_truncate BEFORE TRUNCATE ON ledger_periodclose
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""

BALANCES = """
CREATE FUNCTION ledger_refuse_balance_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a balance moves only by a transfer: direct % refused', TG_OP
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_balance_by_transfer_only';
END $$;
CREATE TRIGGER ledger_balance_guard BEFORE INSERT OR UPDATE OR DELETE ON ledger_balance
  FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION ledger_refuse_balance_change();
CREATE TRIGGER ledger_balance_no_truncate BEFORE TRUNCATE ON ledger_balance
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_balance_change();

CREATE FUNCTION ledger_open_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_balance (account_id, normal, bounded, debits_posted, credits_posted,
                              debits_pending, credits_pending, version)
  VALUES (NEW.id, NEW.normal, NEW.bounded, 0, 0, 0, 0, 0);
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_account_open AFTER INSERT ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_open_balance();

CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR (NEW.id, NEW.kind, NEW.currency, NEW.owner, NEW.shard, NEW.normal, NEW.bounded, NEW.opened_at)
     IS DISTINCT FROM (OLD.id, OLD.kind, OLD.currency, OLD.owner, OLD.shard, OLD.normal, OLD.bounded, OLD.opened_at) THEN
    RAISE EXCEPTION 'a ledger account never changes what it is: % refused', TG_OP
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_account_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_account_fixed BEFORE UPDATE OR DELETE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();
CREATE TRIGGER ledger_account_no_truncate BEFORE TRUNCATE ON ledger_account
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_account();
"""

TRANSFERS = """
CREATE FUNCTION ledger_apply_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad bigint;
  moved bigint;
  touched bigint;
BEGIN
  SELECT count(*) INTO touched FROM (
    SELECT debit_id FROM new_rows UNION SELECT credit_id FROM new_rows) t;

  PERFORM 1 FROM ledger_balance b
   WHERE b.account_id IN (SELECT debit_id FROM new_rows UNION SELECT credit_id FROM new_rows)
   ORDER BY b.account_id FOR NO KEY UPDATE;

  SELECT a.id INTO bad FROM ledger_account a
   WHERE a.closed_at IS NOT NULL
     AND a.id IN (SELECT debit_id FROM new_rows UNION SELECT credit_id FROM new_rows) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger account % is closed', bad
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_closed';
  END IF;

  IF EXISTS (SELECT 1 FROM new_rows WHERE pending_id IS NOT NULL) THEN
    SELECT n.id INTO bad FROM new_rows n JOIN ledger_transfer p ON p.id = n.pending_id
     WHERE p.phase <> 'pending' OR p.debit_id <> n.debit_id OR p.credit_id <> n.credit_id
        OR n.amount > p.amount OR (n.phase = 'void' AND n.amount <> p.amount) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'transfer % does not fit the hold it resolves', bad
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_hold_fits';
    END IF;
    SELECT n.id INTO bad FROM new_rows n JOIN ledger_transfer p ON p.id = n.pending_id
     WHERE n.phase = 'post' AND p.expires_at <= n.created_at LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'transfer % posts an expired hold', bad
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_hold_expired';
    END IF;
  END IF;

  UPDATE ledger_balance b
     SET debits_posted = b.debits_posted + d.dp, debits_pending = b.debits_pending + d.dn,
         credits_posted = b.credits_posted + d.cp, credits_pending = b.credits_pending + d.cn,
         version = b.version + 1
    FROM (
      SELECT account_id, sum(posted * is_debit) AS dp, sum(held * is_debit) AS dn,
             sum(posted * (1 - is_debit)) AS cp, sum(held * (1 - is_debit)) AS cn
        FROM (
          SELECT CASE side WHEN 1 THEN n.debit_id ELSE n.credit_id END AS account_id, side AS is_debit,
                 CASE WHEN n.phase IN ('single', 'post') THEN n.amount ELSE 0 END AS posted,
                 CASE n.phase WHEN 'pending' THEN n.amount WHEN 'single' THEN 0 ELSE -p.amount END AS held
            FROM new_rows n LEFT JOIN ledger_transfer p ON p.id = n.pending_id
           CROSS JOIN (VALUES (0), (1)) AS sides(side)) legs
       GROUP BY account_id) d
   WHERE b.account_id = d.account_id;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> touched THEN
    RAISE EXCEPTION '% balances for % accounts', moved, touched
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_missing';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_transfer_apply AFTER INSERT ON ledger_transfer
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_transfers();
"""

PERIODS = """
CREATE FUNCTION ledger_refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_periodclose WHERE closed_through >= NEW.effective_at) THEN
    RAISE EXCEPTION 'the books are closed at %', NEW.effective_at
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_open_period BEFORE INSERT ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_closed_period();
"""

UNDO = """
DROP FUNCTION IF EXISTS ledger_refuse_change, ledger_refuse_balance_change, ledger_open_balance,
  ledger_guard_account, ledger_apply_transfers, ledger_refuse_closed_period CASCADE;
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_debit_currency,
  DROP CONSTRAINT ledger_transfer_credit_currency;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [
        migrations.RunSQL(
            KEYS + APPEND_ONLY + BALANCES + TRANSFERS + PERIODS, reverse_sql=UNDO
        )
    ]

-- Takes the columns out again. Whatever was written into them since is lost: that is what the dump is for.
\set ON_ERROR_STOP on
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders DROP COLUMN IF EXISTS discount_amount;
ALTER TABLE orders DROP COLUMN IF EXISTS discount_code;
COMMIT;

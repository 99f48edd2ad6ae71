-- Adds the columns. Nullable and without a default, so no row is rewritten.
\set ON_ERROR_STOP on
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS discount_code varchar(50);
ALTER TABLE orders ADD COLUMN IF NOT EXISTS discount_amount numeric(10, 2);
COMMIT;

-- Adds the two discount columns. Both may be null and have no default, so no row is rewritten and version 1 of
-- the service does not notice. A lock that is not to be had soon is given up, so that customers never queue.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '3s';
SET LOCAL client_min_messages = warning;
ALTER TABLE cart.cart
    ADD COLUMN IF NOT EXISTS discount_code varchar(50),
    ADD COLUMN IF NOT EXISTS discount_amount numeric(10, 2);
COMMIT;

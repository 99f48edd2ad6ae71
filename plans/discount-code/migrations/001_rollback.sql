-- The way back from 001_add_discount_columns.sql. Codes that customers entered are written to a file first
-- (WORK_DIR/discounts-taken-back-<run>.csv), since dropping a column forgets them.
\set ON_ERROR_STOP on
\set folder work
\getenv folder WORK_DIR
\set run by-hand
\getenv run ORCHESTRATE_RUN_ID
\set file :folder /discounts-taken-back- :run .csv

SELECT count(*) = 2 AS columns_exist
FROM information_schema.columns
WHERE table_schema = 'cart' AND table_name = 'cart' AND column_name IN ('discount_code', 'discount_amount') \gset

BEGIN;
SET LOCAL lock_timeout = '3s';
SET LOCAL client_min_messages = warning;
\if :columns_exist
    LOCK TABLE cart.cart IN ACCESS EXCLUSIVE MODE;
    SELECT count(*) > 0 AS codes_entered FROM cart.cart WHERE discount_code IS NOT NULL \gset
    \if :codes_entered
        COPY (SELECT id, discount_code, discount_amount FROM cart.cart WHERE discount_code IS NOT NULL ORDER BY id)
            TO STDOUT WITH (FORMAT csv, HEADER) \g :file
    \endif
\endif
ALTER TABLE IF EXISTS cart.cart
    DROP COLUMN IF EXISTS discount_amount,
    DROP COLUMN IF EXISTS discount_code;
COMMIT;

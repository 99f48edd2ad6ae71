-- Passes when psql exits with 0.
\set ON_ERROR_STOP on
SELECT 1;

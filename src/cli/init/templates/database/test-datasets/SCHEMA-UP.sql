-- After the change: both columns are there and may be empty.
\set ON_ERROR_STOP on
DO $$
BEGIN
    ASSERT (SELECT count(*) FROM information_schema.columns
            WHERE table_name = 'orders' AND column_name IN ('discount_code', 'discount_amount')
              AND is_nullable = 'YES') = 2,
        'the new columns are not there, or not nullable';
END
$$;

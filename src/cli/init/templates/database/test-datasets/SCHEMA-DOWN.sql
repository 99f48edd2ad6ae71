-- After the way back: neither column is there.
\set ON_ERROR_STOP on
DO $$
BEGIN
    ASSERT (SELECT count(*) FROM information_schema.columns
            WHERE table_name = 'orders' AND column_name IN ('discount_code', 'discount_amount')) = 0,
        'a new column is still there';
END
$$;

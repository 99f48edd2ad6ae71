-- After the undo of the schema change: neither column is there.
\set ON_ERROR_STOP on
DO $$
BEGIN
    ASSERT (SELECT count(*) FROM information_schema.columns
            WHERE table_schema = 'cart' AND table_name = 'cart' AND column_name LIKE 'discount%') = 0,
        'a discount column is still there';
END
$$;

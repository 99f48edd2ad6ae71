#!/usr/bin/env bash
# Both columns are there, of the right type, and may be null.
source scripts/common.sh

found=$(sql "SELECT column_name, data_type, is_nullable,
                    coalesce(character_maximum_length::text, numeric_precision || ',' || numeric_scale)
             FROM information_schema.columns
             WHERE table_schema = 'cart' AND table_name = 'cart' AND column_name LIKE 'discount%'
             ORDER BY column_name")
wanted='discount_amount|numeric|YES|10,2
discount_code|character varying|YES|50'
[[ $found == "$wanted" ]] || fail "columns are not as wanted:
$found"
echo "both columns are as wanted"

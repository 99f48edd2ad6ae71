#!/usr/bin/env bash
# The dump is whole, unchanged since it was taken, and holds every cart.
source scripts/common.sh

(cd "$work/backup" && sha256sum --check --quiet SHA256SUMS)
grep --quiet '^-- PostgreSQL database dump complete' "$work/backup/cart.sql" || fail "the dump is not complete"
# Lines between COPY cart.cart and its end are carts, their first field the id.
dumped=$(sed -n '/^COPY cart\.cart (/,/^\\\.$/p' "$work/backup/cart.sql" | sed '1d;$d' | cut -f1 | sort -n)
missing=$(comm -23 <(sort "$work/backup/cart-ids") <(sort <<< "$dumped") | wc -l)
((missing == 0)) || fail "$missing carts are missing from the dump"
echo "the dump holds all $(wc -l < "$work/backup/cart-ids") carts"

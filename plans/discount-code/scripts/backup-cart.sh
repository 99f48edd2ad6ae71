#!/usr/bin/env bash
# Dumps schema cart, with a list of the carts that the dump must hold and checksums of both.
source scripts/common.sh

rm -rf "$work/backup.new"
mkdir -p "$work/backup.new"
# The list is taken first: carts are added and never removed, so the dump holds at least these.
sql "COPY (SELECT id FROM cart.cart ORDER BY id) TO STDOUT" > "$work/backup.new/cart-ids"
pg_dump --schema=cart --no-owner --clean --if-exists "$DATABASE_URL" > "$work/backup.new/cart.sql"
(cd "$work/backup.new" && sha256sum cart-ids cart.sql > SHA256SUMS)
sync "$work/backup.new"/*
rm -rf "$work/backup"
mv -T "$work/backup.new" "$work/backup"
echo "backed up $(wc -l < "$work/backup/cart-ids") carts, $(wc -c < "$work/backup/cart.sql") bytes"

#!/usr/bin/env bash
# Dumps the table to backup/orders.dump. The old dump stays until the new one is whole.
set -euo pipefail
: "${DATABASE_URL:?the database to dump}"

mkdir -p backup
pg_dump --format=custom --table=orders --file=backup/orders.dump.new "$DATABASE_URL"
sync backup/orders.dump.new
mv backup/orders.dump.new backup/orders.dump
echo "dumped $(wc -c < backup/orders.dump) bytes"

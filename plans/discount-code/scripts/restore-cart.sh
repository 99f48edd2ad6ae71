#!/usr/bin/env bash
# The way back from the backup: restores it if carts were lost, then withdraws it.
# A table that lost nothing is left alone, since restoring would forget the carts filled since.
source scripts/common.sh

if [[ ! -d $work/backup ]]; then
  echo "no backup was taken: nothing to undo"
  exit 0
fi

lost=all
if [[ $(sql "SELECT to_regclass('cart.cart') IS NOT NULL AND to_regclass('cart.cart_item') IS NOT NULL") == t ]]; then
  lost=$(comm -23 <(sort "$work/backup/cart-ids") \
    <(sql "COPY (SELECT id FROM cart.cart) TO STDOUT" | sort) | wc -l)
fi

if [[ $lost == 0 ]]; then
  echo "no cart was lost: the backup is not needed"
else
  echo "carts lost: $lost; restoring the backup"
  (cd "$work/backup" && sha256sum --check --quiet SHA256SUMS)
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction "$DATABASE_URL" \
    --file "$work/backup/cart.sql" > /dev/null
fi

mkdir -p "$work/withdrawn"
withdrawn=$(mktemp -d "$work/withdrawn/${ORCHESTRATE_RUN_ID:-by-hand}.XXXXXX")
mv "$work/backup" "$withdrawn/"
echo "withdrew the backup to $withdrawn"

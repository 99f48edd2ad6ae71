#!/usr/bin/env bash
# The system before the migration: schema `cart` with 200 carts, and CartService version 1 serving them.
# Does only what is missing, so it can be run again.
source "$(dirname "$0")/scripts/common.sh"

if [[ $(sql "SELECT to_regclass('cart.cart') IS NULL") == t ]]; then
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction "$DATABASE_URL" --file migrations/000_initial.sql
  echo "created schema cart with $(sql "SELECT count(*) FROM cart.cart") carts"
fi

mkdir -p "$work/cart"
if [[ ! -L $work/cart/live || $(readlink "$work/cart/live") == blue ]]; then
  start_service "$work/cart/blue" cart.py --version 1
  ln -sfn blue "$work/cart/live"
fi

#!/usr/bin/env bash
# Everything back by hand, for the day when nothing else is to be had. Each part may be run again.
source scripts/common.sh
export WORK_DIR=$work
if [[ -d $work/flags ]]; then
  scripts/configure-feature-flag.sh --percentage 0 --users all
fi
scripts/rollback-cart-service.sh
scripts/rollback-discount-service.sh
psql --no-psqlrc --quiet "$DATABASE_URL" --file migrations/001_rollback.sql
scripts/restore-cart.sh

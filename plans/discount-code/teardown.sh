#!/usr/bin/env bash
# Ends the services, drops the schema and forgets the work folder. What runs recorded (.orchestrate) is kept.
source "$(dirname "$0")/scripts/common.sh"

for home in "$work/cart/green" "$work/cart/blue" "$work/discount"; do
  stop_service "$home"
done
sql "SET client_min_messages = warning; DROP SCHEMA IF EXISTS cart CASCADE"
rm -rf "$work"

#!/usr/bin/env bash
# After the way back: the customers are at version 1, and each one that was backed up is there unchanged.
set -euo pipefail
shop=work/shop
declare -A live
while IFS= read -r line; do live[$line]=yes; done < "$shop/data/customers.csv"
while IFS= read -r line; do
  [[ ${live[$line]:-} == yes ]] || { echo "missing or changed: $line" >&2; exit 1; }
done < "$shop/backup/customers.csv"
echo "all backed-up lines are in the live file"

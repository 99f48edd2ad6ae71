#!/usr/bin/env bash
# convert.sh --country CODE: adds the column $COLUMN. A file that has it is left alone.
set -euo pipefail
: "${COLUMN:?the name of the column}"

if head -n 1 data/customers.csv | grep -q ",$COLUMN\$"; then
  echo "the column is there"
  exit 0
fi
awk -v column="$COLUMN" -v value="$2" '{ print $0 "," (NR == 1 ? column : value) }' data/customers.csv > data/customers.csv.new
sync data/customers.csv.new
mv data/customers.csv.new data/customers.csv

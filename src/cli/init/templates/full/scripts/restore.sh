#!/usr/bin/env bash
# Puts the copy back in one motion.
set -euo pipefail

cp backup/customers.csv data/customers.csv.new
sync data/customers.csv.new
mv data/customers.csv.new data/customers.csv

#!/usr/bin/env bash
# What a reader that knows nothing of the new column does.
set -euo pipefail

cut -d, -f2 data/customers.csv | grep -q Ada

#!/usr/bin/env bash
# Prints how many customers of the copy are not in the file.
set -euo pipefail

comm -23 <(cut -d, -f1 backup/customers.csv | sort) <(cut -d, -f1 data/customers.csv | sort) | wc -l

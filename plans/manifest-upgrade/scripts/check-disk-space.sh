#!/usr/bin/env bash
# Room for the archive and the backups: 1.2 times the artifacts, and a fifth of what can be used stays free.
source scripts/common.sh
mkdir -p "$work"

needed=$(($(du --summarize --bytes "$app/artifacts" | cut -f 1) * 12 / 10))
for folder in "$app" "$work"; do
  # As df reckons its percentage: what is reserved for root counts for nothing.
  read -r used available < <(df --block-size=1 --output=used,avail "$folder" | tail -n 1)
  reserve=$(((used + available) / 5))
  ((available - needed >= reserve)) ||
    fail "$folder: $needed bytes are needed and $reserve must stay free, but $available are free"
  echo "$folder: $needed bytes are needed and $reserve must stay free; $available are free"
done

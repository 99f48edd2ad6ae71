#!/usr/bin/env bash
# DiscountService is healthy, shows its counts, and wrote no error.
source scripts/common.sh
url=$(< "$work/discount/url")
get "$url/healthz"
get "$url/metrics"
! grep error "$work/discount/log" || fail "there are errors in $work/discount/log"

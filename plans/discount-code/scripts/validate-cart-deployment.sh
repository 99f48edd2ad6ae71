#!/usr/bin/env bash
# Traffic goes to version 2, no request failed while it was moved, and the flag is off.
source scripts/common.sh
get "$(< "$work/cart/live/url")/healthz" | grep '"version": 2'
grep '"failed": 0' "$work/uptime.json"
grep '"percentage": 0' "$work/flags/discount-enabled.json"

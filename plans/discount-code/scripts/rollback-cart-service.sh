#!/usr/bin/env bash
# The way back from deploy-cart-service.sh: traffic returns to blue, then green ends.
source scripts/common.sh
if [[ $(readlink "$work/cart/live") != blue ]]; then
  scripts/switch-traffic.sh green blue
fi
stop_service "$work/cart/green"
rm -rf "$work/cart/green" "$work/flags" "$work/uptime.json"

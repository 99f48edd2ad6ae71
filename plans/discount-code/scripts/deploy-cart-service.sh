#!/usr/bin/env bash
# Blue/green: starts version 2 as green, and moves traffic to it once it is healthy. The flag is off, so customers
# see what they saw before. Requests go on throughout, and each one that fails is counted (uptime.json).
source scripts/common.sh

mkdir -p "$work/flags"
scripts/configure-feature-flag.sh --percentage 0 --users all
start_service "$work/cart/green" cart.py --version 2 --flag "$work/flags/discount-enabled.json" --discount "$work/discount"
scripts/traffic.py --work "$work" uptime -- scripts/switch-traffic.sh blue green

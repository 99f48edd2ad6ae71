#!/usr/bin/env bash
# Starts DiscountService. Nobody calls it yet.
source scripts/common.sh
start_service "$work/discount" discount.py --rules services/discounts.json

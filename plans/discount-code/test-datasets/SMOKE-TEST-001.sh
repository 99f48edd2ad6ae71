#!/usr/bin/env bash
# A customer looks at a cart and sees no trace of discounts. FAIL_STEP=STEP-2-2 expects one all the same.
source scripts/common.sh
cart=$(get "$(< "$work/cart/live/url")/carts/7")
echo "$cart"
if [[ ${FAIL_STEP:-none} == STEP-2-2 ]]; then
  [[ $cart == *discount* ]] || fail "no discount shown (you asked for this with FAIL_STEP=STEP-2-2)"
fi
[[ $cart == *'"total"'* && $cart != *discount* ]] || fail "the cart does not look as before"

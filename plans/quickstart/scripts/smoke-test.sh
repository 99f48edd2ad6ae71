#!/usr/bin/env bash
# Uses the shop as a customer would. FAIL=smoke also asks for a customer who does not exist.
source scripts/common.sh

[[ $("$shop/current/shop" version) == v2 ]] || fail "customers do not use v2"
[[ $("$shop/current/shop" greet 1) == "Hello Ada (GB)" ]] || fail "customer 1 is greeted wrongly"
[[ $("$shop/current/shop" greet 9) == "Hello Plato (GR)" ]] || fail "customer 9 is greeted wrongly"

if [[ ${FAIL:-no} == smoke ]]; then
  "$shop/current/shop" greet 4711 || fail "customer 4711 is not greeted (you asked for this with FAIL=smoke)"
fi
echo "every customer asked was greeted"

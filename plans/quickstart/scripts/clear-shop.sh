#!/usr/bin/env bash
# The way back from lay-out-shop.sh: the earlier shop returns, or there is no shop as before.
source scripts/common.sh
linger

if [[ -e $shop/.laid-out-by && $(< "$shop/.laid-out-by") == "$run" ]]; then
  rm -rf "$shop"
  echo "took the shop of this run away"
fi
if [[ -e work/earlier/$run/shop ]]; then
  mv -T "work/earlier/$run/shop" "$shop"
  rmdir "work/earlier/$run"
  echo "put the earlier shop back"
fi
rm -rf work/shop.new
rmdir --ignore-fail-on-non-empty work/earlier work 2> /dev/null || true

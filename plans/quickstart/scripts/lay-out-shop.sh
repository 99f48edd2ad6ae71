#!/usr/bin/env bash
# Lays out a practice shop at version 1. A shop from an earlier run is set aside, not lost.
source scripts/common.sh
linger

if [[ -e $shop/.laid-out-by && $(< "$shop/.laid-out-by") == "$run" ]]; then
  echo "the shop of this run stands already"
  exit 0
fi

mkdir -p work
rm -rf work/shop.new
cp -R shop work/shop.new
rm -r work/shop.new/releases/v2             # version 2 is not delivered yet
ln -s releases/v1 work/shop.new/current
printf '%s' "$run" > work/shop.new/.laid-out-by

if [[ -e $shop ]]; then
  mkdir -p "work/earlier/$run"
  mv -T "$shop" "work/earlier/$run/shop"
  echo "set the earlier shop aside: work/earlier/$run/shop"
fi
mv -T work/shop.new "$shop"
echo "laid out $shop: $("$shop/current/shop" version), customers in $(header_of "$customers")"

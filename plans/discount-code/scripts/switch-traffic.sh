#!/usr/bin/env bash
# Moves all traffic in one motion: switch-traffic.sh FROM TO
source scripts/common.sh
from=${1:?from which colour?} to=${2:?to which colour?}

live=$(readlink "$work/cart/live")
if [[ $live == "$to" ]]; then
  echo "traffic goes to $to already"
  exit 0
fi
[[ $live == "$from" ]] || fail "traffic goes to $live, not to $from"
healthy "$work/cart/$to" || fail "$to is not healthy: traffic stays with $from"
ln -sfn "$to" "$work/cart/live.new"
mv -fT "$work/cart/live.new" "$work/cart/live"
echo "traffic goes to $to"

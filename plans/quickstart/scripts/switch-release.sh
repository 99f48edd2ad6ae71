#!/usr/bin/env bash
# Points customers at another release in one motion: switch-release.sh v2
source scripts/common.sh
release=${1:?which release?}
linger

[[ -x $shop/releases/$release/shop ]] || fail "$release is not installed"
ln -sfn "releases/$release" "$shop/current.new"
mv -fT "$shop/current.new" "$shop/current"
echo "customers now use $("$shop/current/shop" version)"

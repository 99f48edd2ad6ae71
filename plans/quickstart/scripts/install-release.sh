#!/usr/bin/env bash
# Delivers a release beside the running one: install-release.sh v2
source scripts/common.sh
release=${1:?which release?}
linger

rm -rf "$shop/releases/$release.new"
cp -R "shop/releases/$release" "$shop/releases/$release.new"
rm -rf "$shop/releases/$release"
mv -T "$shop/releases/$release.new" "$shop/releases/$release"
echo "installed $release; customers still use $("$shop/current/shop" version)"

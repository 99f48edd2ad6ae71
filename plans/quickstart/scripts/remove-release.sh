#!/usr/bin/env bash
# The way back from install-release.sh: remove-release.sh v2
source scripts/common.sh
release=${1:?which release?}
linger

[[ $(readlink "$shop/current") != "releases/$release" ]] || fail "$release is in use: it stays"
rm -rf "$shop/releases/$release" "$shop/releases/$release.new"
echo "removed $release"

#!/usr/bin/env bash
# The engine keeps its promises on a small tree of its own: forwards, again, and back. Nothing of the real tree is touched.
source scripts/common.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

./generate.py "$folder/tree" --manifests 40 --odd 50 --seed 3 > /dev/null
cp -a "$folder/tree" "$folder/before"
cd "$folder"
same() {
  diff --recursive --exclude .orchestrate --exclude '*.backup' "$1" "$2"
}

manifest migrate tree --target-version 1.2.0 --dry-run > /dev/null
same before tree || fail "a dry run has changed something"
manifest migrate tree --target-version 1.2.0 --yes
manifest verify tree --require-version 1.2.0
cp -a tree once
manifest migrate tree --target-version 1.2.0 --yes
same once tree || fail "a second run has changed something"
manifest restore tree --yes
same before tree || fail "restore did not bring everything back"
echo "forwards, again and back: as promised"

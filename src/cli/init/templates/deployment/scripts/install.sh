#!/usr/bin/env bash
# Puts release $NEW into live/releases without anybody noticing. May be run again at any time.
set -euo pipefail
: "${NEW:?the release to install}"

mkdir -p live/releases
rm -rf "live/releases/$NEW.new"
cp -R "releases/$NEW" "live/releases/$NEW.new"
rm -rf "live/releases/$NEW"
mv "live/releases/$NEW.new" "live/releases/$NEW"
echo "installed $NEW"

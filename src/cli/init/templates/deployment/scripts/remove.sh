#!/usr/bin/env bash
# The way back from install.sh. Refuses while users are on the release.
set -euo pipefail
: "${NEW:?the release to remove}"

if [[ "$(cat live/current)" == "$NEW" ]]; then
  echo "remove.sh: $NEW is in use" >&2
  exit 1
fi
rm -rf "live/releases/$NEW" "live/releases/$NEW.new"
echo "removed $NEW"

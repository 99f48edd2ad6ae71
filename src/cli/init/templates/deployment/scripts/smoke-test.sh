#!/usr/bin/env bash
# smoke-test.sh VERSION: exit 0 if users get what this release says.
set -euo pipefail

release=$(cat live/current)
folder=live/releases/$release
# The release that was there before this plan may live elsewhere.
[[ -d $folder ]] || folder=releases/$release
answer=$(bash "$folder/app.sh")
if [[ "$answer" != "hello from $1" ]]; then
  echo "smoke-test.sh: users got: $answer" >&2
  exit 1
fi

#!/usr/bin/env bash
# The system before the migration: app/artifacts with manifests of versions 1.0.0, 1.1.0 and 1.2.0. Arguments go to
# generate.py, for example --manifests 100000, or --corrupted 2. A tree that is there already is left alone.
source "$(dirname "$0")/scripts/common.sh"

if [[ -e $app/artifacts ]]; then
  echo "$app/artifacts is there already"
else
  ./generate.py "$app" "$@"
fi

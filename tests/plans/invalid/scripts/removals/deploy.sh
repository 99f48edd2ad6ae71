#!/usr/bin/env bash
# Deploys one part, or all of them.
set -euo pipefail
if [ "$1" = all ]; then
  for part in api shop; do
    rm -rf "old/$part"
    scripts/removals/deploy.sh "$part"
  done
  exit
fi
mkdir -p "live/$1"
cp -R "build/$1/." "live/$1/"

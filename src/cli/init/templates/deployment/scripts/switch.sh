#!/usr/bin/env bash
# switch.sh VERSION: users get this release, in one motion.
set -euo pipefail

printf '%s\n' "$1" > live/current.new
mv live/current.new live/current
echo "users are on $1"

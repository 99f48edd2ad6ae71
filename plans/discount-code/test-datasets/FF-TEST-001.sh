#!/usr/bin/env bash
# The flag can be set and read, tried on a flag of its own. What makes no sense is refused.
set -euo pipefail
WORK_DIR=$(mktemp -d)
export WORK_DIR
trap 'rm -rf "$WORK_DIR"' EXIT

scripts/configure-feature-flag.sh --percentage 5 --users internal
[[ $(< "$WORK_DIR/flags/discount-enabled.json") == '{"percentage": 5, "users": "internal"}' ]]
for wrong in "--percentage 101 --users all" "--percentage -1 --users all" "--percentage 5 --users nobody"; do
  # shellcheck disable=SC2086  # the words are arguments
  if scripts/configure-feature-flag.sh $wrong 2> /dev/null; then
    echo "accepted: $wrong" >&2
    exit 1
  fi
done

#!/usr/bin/env bash
# Removes the tree to practise on, and what was made of it. What runs recorded (.orchestrate of this folder) is kept.
source "$(dirname "$0")/scripts/common.sh"
rm -rf "$app/artifacts" "$app/.orchestrate" "$work"

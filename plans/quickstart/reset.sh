#!/usr/bin/env bash
# Forgets every practice shop. What runs recorded (.orchestrate) is kept.
set -euo pipefail
rm -rf "$(dirname "$0")/work"

#!/usr/bin/env bash
# Makes room: the release that is named goes.
set -euo pipefail
root=live/releases
rm -rf "$root/$1"

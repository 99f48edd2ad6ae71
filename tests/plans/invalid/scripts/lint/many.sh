#!/usr/bin/env bash
set -euo pipefail
rm -rf "$dir/"
rm -rf "$dir/"
rm -rf "$dir/"
rm -rf "$dir/"
rm -rf "$dir/"
echo "é" $dir

#!/usr/bin/env bash
set -euo pipefail
mkdir -p "live/$1"
cp -R "build/$1/." "live/$1/"

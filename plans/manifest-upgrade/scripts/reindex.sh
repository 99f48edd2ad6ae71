#!/usr/bin/env bash
# Brings the index up to date with the tree. It is secondary: it can be dropped and made anew from the files at any time.
source scripts/common.sh
mkdir -p "$work"
manifest index "$app" --migrations migrations --database "$index"
scripts/check-index.py

#!/usr/bin/env bash
# Ends too early.
if [[ -e release ]]; then
  echo "é there"

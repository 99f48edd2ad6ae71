#!/usr/bin/env bash
# After the undo of the migration to 1.2.0: every file is what it is in the archive.
source scripts/common.sh
scripts/compare.py --restored

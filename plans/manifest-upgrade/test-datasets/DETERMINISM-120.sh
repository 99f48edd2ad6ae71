#!/usr/bin/env bash
# After the migration to 1.2.0: identities, inputs, outputs and every member of old are what they were in the archive.
source scripts/common.sh
scripts/compare.py --version 1.2.0

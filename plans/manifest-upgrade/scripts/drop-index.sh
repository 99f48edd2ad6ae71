#!/usr/bin/env bash
# The way back from reindex.sh: the manifests change next, and an index that is not there cannot be out of date.
source scripts/common.sh
rm -f "$index" "$index-wal" "$index-shm"
echo "dropped the index"

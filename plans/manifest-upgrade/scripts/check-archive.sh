#!/usr/bin/env bash
# The archive is whole, and the artifacts are what it holds.
source scripts/common.sh
(cd "$work" && sha256sum --check --quiet "$archive.sha256")
tar --compare --gzip --file "$archive" --directory "$app"

#!/usr/bin/env bash
# The way back from archive.sh. The archive goes only while the artifacts are what it holds: until then it may be needed.
source scripts/common.sh

if [[ ! -e $archive ]]; then
  rm -f "$archive.new" "$archive.sha256" "$archive.sha256.new"
  echo "there is no archive: nothing to undo"
  exit 0
fi

(cd "$work" && sha256sum --check --quiet "$archive.sha256") || fail "the archive is damaged: it stays"
scripts/compare.py --restored || fail "the artifacts are not what they were: the archive stays"
rm "$archive" "$archive.sha256"
echo "withdrew the archive"

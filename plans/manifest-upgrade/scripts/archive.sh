#!/usr/bin/env bash
# Packs the artifacts and proves that the archive holds what is there.
source scripts/common.sh

mkdir -p "$work"
[[ ! -e $archive ]] || fail "$archive is there already: an archive is never overwritten"
tar --create --gzip --file "$archive.new" --directory "$app" --sort=name artifacts
tar --compare --gzip --file "$archive.new" --directory "$app"
(cd "$work" && sha256sum "$(basename "$archive").new" | sed 's/\.new$//' > "$archive.sha256.new")
sync "$archive.new" "$archive.sha256.new"
mv -T "$archive.sha256.new" "$archive.sha256"
mv -T "$archive.new" "$archive"
sync "$work"
echo "packed $(tar --list --gzip --file "$archive" | grep --count '/manifest\.json$') files named manifest.json, $(stat --format %s "$archive") bytes"

#!/usr/bin/env bash
# For the day on which a migrated manifest is found missing or damaged: puts its backup in its place. The damaged file is
# kept beside it. `manifest restore` leaves such files alone, since it cannot tell damage from somebody's work.
source scripts/common.sh

# A BOM is odd, not damage.
is_whole() {
  python3 -c 'import json, sys; json.loads(open(sys.argv[1], "rb").read().decode("utf-8-sig"))' "$1" 2> /dev/null
}

restored=0
while IFS= read -r -d '' backup; do
  manifest=${backup%.backup}
  if [[ -e $manifest ]] && is_whole "$manifest"; then
    continue
  fi
  is_whole "$backup" || fail "$backup is damaged too: take it from $archive"
  if [[ -e $manifest ]]; then
    mv --no-clobber -T "$manifest" "$manifest.damaged"
  fi
  cp --preserve=all "$backup" "$manifest.new"
  sync "$manifest.new"
  mv -T "$manifest.new" "$manifest"
  sync "$(dirname "$manifest")"
  echo "restored $manifest"
  ((++restored))
done < <(find "$app/artifacts" -name inputs -prune -o -name manifest.json.backup -type f -print0)
echo "restored $restored manifests; migrate again to bring them up to date"

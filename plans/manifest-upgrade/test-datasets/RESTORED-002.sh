#!/usr/bin/env bash
# After the undo of a migration to 1.3.0: manifests are at 1.2.0, or at 1.3.0 where an earlier step took them there.
source scripts/common.sh
manifest verify "$app" --migrations migrations
python3 -c 'import sys; sys.path.insert(0, "scripts")
from tree import manifests, parse
found = {parse(path.read_bytes())["schema_version"] for path in manifests()}
sys.exit(None if found <= {"1.2.0", "1.3.0"} and "1.2.0" in found else f"versions are {found}")'

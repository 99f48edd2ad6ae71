#!/usr/bin/env python3
"""Raises versioned JSON manifests, and takes them back from their copies.

    manifests.py check | backup | check-backups | migrate | verify VERSION | restore | drop-backups
"""

import json
import os
import sys
from pathlib import Path

ROOT = Path("documents")
OLD, NEW = "1.0.0", "1.1.0"


def raise_version(manifest):
    """What the new version has: change this. Only add fields; whoever reads the old ones must find them as they were."""
    manifest.setdefault("tags", [])
    manifest["schema_version"] = NEW
    return manifest


def manifests():
    return sorted(ROOT.glob("**/manifest.json"))


def copy_of(path):
    return path.with_name(path.name + ".backup")


def read(path):
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: {error}")
    if not isinstance(manifest, dict) or "schema_version" not in manifest:
        sys.exit(f"{path}: there is no schema_version")
    return manifest


def replace(path, data):
    """The new bytes are on the disk before the name points to them."""
    beside = path.with_name(path.name + ".new")
    with open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def check():
    for path in manifests():
        if read(path)["schema_version"] not in (OLD, NEW):
            sys.exit(f"{path}: the version is neither {OLD} nor {NEW}")


def backup():
    for path in manifests():
        if not copy_of(path).exists():
            replace(copy_of(path), path.read_bytes())


def check_backups():
    missing = [str(path) for path in manifests() if not copy_of(path).is_file()]
    if missing:
        sys.exit("no copy: " + ", ".join(missing))


def migrate():
    for path in manifests():
        before = read(path)
        if before["schema_version"] == NEW:
            continue
        after = raise_version(json.loads(json.dumps(before)))
        changed = [key for key in before if key != "schema_version" and before[key] != after.get(key)]
        if changed:
            sys.exit(f"{path}: would change {', '.join(changed)}; nothing was written")
        replace(path, (json.dumps(after, indent=2, ensure_ascii=False) + "\n").encode())
        print(f"{path}: {before['schema_version']} -> {NEW}")


def verify(version):
    wrong = [str(path) for path in manifests() if read(path)["schema_version"] != version]
    if wrong or not manifests():
        sys.exit(f"not at {version}: " + (", ".join(wrong) or "there are no manifests"))


def restore():
    for path in manifests():
        if copy_of(path).is_file():
            replace(path, copy_of(path).read_bytes())


def drop_backups():
    for path in manifests():
        copy_of(path).unlink(missing_ok=True)


VERBS = {
    "check": check,
    "backup": backup,
    "check-backups": check_backups,
    "migrate": migrate,
    "verify": verify,
    "restore": restore,
    "drop-backups": drop_backups,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    VERBS[sys.argv[1]](*sys.argv[2:])

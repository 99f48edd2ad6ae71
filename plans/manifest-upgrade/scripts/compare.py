#!/usr/bin/env python3
"""Compares the tree with the archive that was made before the migration.

    compare.py --version 1.2.0              every file: manifests migrated and otherwise the same, all else byte for byte
    compare.py --version 1.2.0 --sample 25  so many manifests, picked at random, each one shown
    compare.py --restored                   every file byte for byte as it was
"""

import argparse
import os
import random
import sys

from tree import IDENTITY, app, archived, digest, is_manifest, parse


def judge(name, before, after, version):
    """Everything that is wrong with a migrated manifest, in sentences."""
    try:
        old = parse(before)
    except ValueError:
        # What could not be read before was none of the migration's business.
        return [] if before == after else ["it was unreadable and has been written to"]
    new = parse(after)
    wrong = [f"{field} has changed" for field in IDENTITY if old.get(field) != new.get(field)]
    if new.get("schema_version") != version:
        wrong.append(f"version is {new.get('schema_version')}, not {version}")
    for field, value in old.items():
        if field not in ("schema_version", "migration_history") and new.get(field, ...) != value:
            wrong.append(f"{field} was lost or changed")
    if before == after:
        return wrong
    kept, history = old.get("migration_history", []), new.get("migration_history", [])
    added = history[len(kept):]
    if history[: len(kept)] != kept or not added:
        return wrong + ["migration_history has no new entry, or an old one has changed"]
    if added[0]["from_version"] != old["schema_version"] or added[-1]["to_version"] != version:
        wrong.append("migration_history does not lead from the old version to the new one")
    if added[0]["checksum_before"] != digest(before):
        wrong.append("checksum_before is not that of the file in the archive")
    if not all(entry.get("applied_at") and entry.get("changes") for entry in added):
        wrong.append("an entry of migration_history says not when or not what")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--restored", action="store_true")
    arguments = parser.parse_args()

    files = archived()
    if arguments.sample:
        # A run's id makes the choice repeatable for that run, and another one next time.
        dice = random.Random(os.environ.get("ORCHESTRATE_RUN_ID"))
        files = [(name, content) for name, content in files if is_manifest(name)]
        files = dice.sample(files, min(arguments.sample, len(files)))
    problems, same, migrated = [], 0, 0
    for name, before in files:
        path = app / name
        if not path.is_file():
            problems.append(f"{path} is gone")
            continue
        after = path.read_bytes()
        if is_manifest(name) and not arguments.restored:
            wrong = judge(name, before, after, arguments.version)
            problems += [f"{path}: {sentence}" for sentence in wrong]
            migrated += before != after
            if arguments.sample:
                print(f"{path}: {'; '.join(wrong) or 'right'}")
        elif before != after:
            problems.append(f"{path} has changed")
        same += before == after
    print(f"{same} files as in the archive, {migrated} manifests migrated, {len(problems)} problems")
    if not same and not migrated:
        problems.append("the archive holds nothing to compare with")
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The straightforward engine, as a team writes it that needs one: what `orchestrate manifest migrate` is measured against.

    engine.py FOLDER        migrates every manifest.json below FOLDER to 1.2.0, and prints how many there were

It does for each file what the documented engine does: parse, check, transform a copy, check again, append to
`migration_history` with checksums, back up, write a temporary file, fsync, replace. One file after the other.
"""

import copy
import datetime
import hashlib
import json
import os
import shutil
import sys
from collections import deque
from pathlib import Path


class Migration:
    from_version = to_version = ""
    changes = []

    def transform(self, manifest):
        raise NotImplementedError

    def validate_before(self, manifest):
        errors = []
        if manifest.get("schema_version") != self.from_version:
            errors.append(f"expected version {self.from_version}, found {manifest.get('schema_version')}")
        errors.extend(f"{field} is missing" for field in ("run_id", "job_id") if not manifest.get(field))
        return errors

    def validate_after(self, before, after):
        errors = []
        if after.get("schema_version") != self.to_version:
            errors.append(f"version is {after.get('schema_version')}, not {self.to_version}")
        for field in ("run_id", "job_id", "job_ref"):
            if after.get(field) != before.get(field):
                errors.append(f"{field} has changed")
        for field, value in before.items():
            if field != "schema_version" and after.get(field) != value:
                errors.append(f"{field} was lost or changed")
        return errors


class AddSnapshots(Migration):
    from_version, to_version = "1.0.0", "1.1.0"
    changes = ["Add input_snapshots", "Add inputs_hash"]

    def transform(self, manifest):
        manifest.setdefault("input_snapshots", {})
        manifest.setdefault("inputs_hash", None)
        manifest["schema_version"] = self.to_version
        return manifest


class AddChain(Migration):
    from_version, to_version = "1.1.0", "1.2.0"
    changes = ["Add chain_metadata"]

    def transform(self, manifest):
        manifest.setdefault("chain_metadata", {"is_chainable_stage": False, "prior_stages": []})
        manifest["schema_version"] = self.to_version
        return manifest


class AddBoth(Migration):
    from_version, to_version = "1.0.0", "1.2.0"
    changes = AddSnapshots.changes + AddChain.changes

    def transform(self, manifest):
        manifest = AddSnapshots().transform(manifest)
        return AddChain().transform(manifest)


class Registry:
    def __init__(self):
        self.steps = {}
        for migration in (AddSnapshots(), AddChain(), AddBoth()):
            self.steps.setdefault(migration.from_version, []).append(migration)

    def path(self, start, target):
        """The fewest migrations that lead from one version to the other, or None."""
        queue, seen = deque([(start, [])]), {start}
        while queue:
            version, so_far = queue.popleft()
            if version == target:
                return so_far
            for migration in self.steps.get(version, []):
                if migration.to_version not in seen:
                    seen.add(migration.to_version)
                    queue.append((migration.to_version, so_far + [migration]))
        return None


def checksum(manifest):
    canonical = json.dumps(manifest, sort_keys=True).encode()
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


class Engine:
    def __init__(self, target):
        self.target = target
        self.registry = Registry()
        self.counts = {"migrated": 0, "current": 0, "failed": 0}

    def migrate_all(self, folder):
        for path in sorted(Path(folder).rglob("manifest.json")):
            if "inputs" in path.parts:
                continue
            try:
                self.counts[self.migrate(path)] += 1
            except (OSError, ValueError) as error:
                self.counts["failed"] += 1
                print(f"{path}: {error}", file=sys.stderr)

    def migrate(self, path):
        with open(path, encoding="utf-8") as file:
            original = json.load(file)
        start = original.get("schema_version")
        if start == self.target:
            return "current"
        hops = self.registry.path(start, self.target)
        if hops is None:
            raise ValueError(f"no way from {start} to {self.target}")
        manifest, changes = original, []
        for migration in hops:
            self.expect(migration.validate_before(manifest))
            after = migration.transform(copy.deepcopy(manifest))
            self.expect(migration.validate_after(manifest, after))
            manifest = after
            changes.append(migration.changes)
        entry = {
            "from_version": start,
            "to_version": self.target,
            "applied_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "changes": changes,
            "checksum_before": checksum(original),
            "checksum_after": checksum(manifest),
        }
        manifest.setdefault("migration_history", []).append(entry)
        self.write(path, manifest)
        return "migrated"

    @staticmethod
    def expect(errors):
        if errors:
            raise ValueError("; ".join(errors))

    @staticmethod
    def write(path, manifest):
        backup = path.with_name(path.name + ".backup")
        shutil.copy2(path, backup)
        with open(backup, "rb") as file:
            os.fsync(file.fileno())
        temporary = path.with_name(path.name + ".tmp")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)


def main():
    engine = Engine("1.2.0")
    engine.migrate_all(sys.argv[1])
    # Every file and name is on disk before the engine says so.
    os.sync()
    print(json.dumps(engine.counts))
    return 0 if engine.counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The index says of each manifest what the file says, and knows no other."""

import contextlib
import sqlite3
import sys

from tree import IDENTITY, app, manifests, parse, work

FIELDS = ("schema_version",) + IDENTITY

wanted, unreadable = {}, 0
for path in manifests():
    try:
        document = parse(path.read_bytes())
    except ValueError:
        unreadable += 1
        continue
    wanted[str(path.relative_to(app))] = tuple(document.get(field) for field in FIELDS)

with contextlib.closing(sqlite3.connect(f"file:{work / 'index.sqlite'}?mode=ro", uri=True)) as index:
    rows = index.execute(f"SELECT path, {', '.join(FIELDS)} FROM manifests").fetchall()
found = {path: tuple(rest) for path, *rest in rows}

differing = sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
for path in differing[:20]:
    print(f"{path}: the file says {wanted.get(path)}, the index {found.get(path)}", file=sys.stderr)
print(f"{len(found)} manifests in the index, {len(wanted)} in the tree, {unreadable} unreadable, {len(differing)} differ")
sys.exit(1 if differing or not wanted else 0)

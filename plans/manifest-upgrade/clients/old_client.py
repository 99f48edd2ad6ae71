#!/usr/bin/env python3
"""A client from the days of version 1.0: it knows the fields of then, needs them, and ignores all others.

    old_client.py FOLDER      reads every manifest below FOLDER as it always has
"""

import dataclasses
import json
import pathlib
import sys


@dataclasses.dataclass(frozen=True)
class Run:
    job_id: str
    run_id: str
    job_ref: str
    status: str
    artifacts: dict

    @classmethod
    def read(cls, path):
        members = json.loads(path.read_text(encoding="utf-8-sig"))
        known = {field.name: members[field.name] for field in dataclasses.fields(cls)}
        run = cls(**known)
        if not (run.job_id and run.run_id and run.status in ("queued", "running", "succeeded", "failed")):
            raise ValueError("job_id, run_id or status cannot be")
        return run


def main():
    read, failed = 0, 0
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("manifest.json")):
        if "inputs" in path.parts:
            continue
        try:
            Run.read(path)
            read += 1
        except (KeyError, ValueError) as error:
            failed += 1
            print(f"{path}: {error!r}", file=sys.stderr)
    print(f"the old client reads {read} manifests, and fails at {failed}")
    return 0 if read and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

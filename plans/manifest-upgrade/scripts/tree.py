"""What the checks in Python share: the tree, and the archive that was made of it."""

import hashlib
import json
import os
import pathlib
import sys
import tarfile

sys.dont_write_bytecode = True

app = pathlib.Path("app")
work = pathlib.Path(os.environ.get("WORK_DIR") or "work")
IDENTITY = ("run_id", "job_id", "job_ref")


def is_manifest(path):
    """Whether a path below the application's folder is one that migrates."""
    path = pathlib.PurePosixPath(path)
    return path.name == "manifest.json" and "inputs" not in path.parts


def manifests():
    """All manifests of the tree, in order."""
    return sorted(path for path in app.glob("artifacts/**/manifest.json") if is_manifest(path.relative_to(app)))


def parse(content):
    """A document with its numbers as they are written, so that none is rounded before it is compared."""
    return json.loads(content.decode("utf-8-sig"), parse_int=lambda text: ("number", text), parse_float=lambda text: ("number", text))


def archived():
    """Path and bytes of each file that the archive holds."""
    with tarfile.open(work / "artifacts.tar.gz") as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()

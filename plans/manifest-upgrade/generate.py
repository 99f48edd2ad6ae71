#!/usr/bin/env python3
"""Makes a tree of run manifests as teams have them: artifacts/<job_id>/<run_id>/manifest.json and what lies beside it.

    generate.py FOLDER                                      127 manifests: 100 of 1.0.0, 15 of 1.1.0, 12 of 1.2.0
    generate.py FOLDER --manifests 100000 --seed 7
    generate.py FOLDER --versions 1.0.0=3,1.2.0=1           three of 1.0.0 to one of 1.2.0
    generate.py FOLDER --corrupted 3 --unknown 2            so many of them cannot be migrated
    generate.py FOLDER --odd 0 --beside nothing             all written as Python writes them, nothing else in the tree

The same arguments make the same bytes. Prints what it made as one line of JSON.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import re
import sys

RUNS_OF_A_JOB = 8
VERSIONS = "1.0.0=100,1.1.0=15,1.2.0=12"
UNKNOWN = ("9.9.9", "0.9.0")

# What stands in the templates for a value that each manifest has of its own.
OWN = re.compile(r"@(\w+)@")
# Numbers as people and programs write them. A parser that makes floats of them could not give them back.
BARE = re.compile(r'"#([^"#]*)#"')

NOTES = (
    "Grüße aus Köln: ½ Ton höher, naïve – “déjà vu”",
    "夏の終わりの歌 (Sommerende), Entwurf №3 🎵",
    "plain words, a tab\t, a quote \", a back\\slash and a line\nend",
    "рабочая заметка: проверить бас и хвост реверба",
)


def file_entry(name):
    return {"path": name, "sha256": "@hash@", "bytes": "#@size@#", "media_type": "text/plain"}


def document(version, note):
    """The members of a manifest of this version, in the order in which the programs wrote them."""
    members = {
        "schema_version": version,
        "job_id": "@job@",
        "run_id": "@run@",
        "job_ref": "jobs/@job@/brief.yaml",
        "job_type": "instagram_copy",
        "brand": "nordlicht",
        "queue_job_id": "q-@short@",
        "status": "succeeded",
        "started_at": "@started@",
        "finished_at": "@finished@",
        "params": {
            "model": "writer-large",
            "temperature": "#1.0#",
            "top_p": "#0.950#",
            "frequency_penalty": "#-0.0#",
            "seed": "#@seed@#",
            "max_tokens": 900,
            "stop": ["\n\n", "END"],
        },
        "doctrine": {"doctrine_id": "prompts/instagram_copy", "version": "v1.0.0", "sha256": "@hash@"},
        "inputs": {name: file_entry(f"inputs/{name}") for name in ("brief.resolved.json", "context.txt", "model_config.json")},
        "artifacts": {f"caption_{n:02}": file_entry(f"outputs/caption_{n:02}.txt") for n in range(1, 7)},
        "stages": [
            {
                "name": name,
                "started_at": "@started@",
                "tokens": {"prompt": 1180, "completion": "#@size@#"},
                "cost_usd": "#0.00@size@0#",
                "attempts": 1,
                "warnings": [],
            }
            for name in ("retrieve", "draft", "judge", "polish")
        ],
        "note": note,
        "trace_id": "@hash@",
        "error": None,
    }
    if version != "1.0.0":
        members["input_snapshots"] = {"context": {"path": "inputs/context.txt", "sha256": "@hash@"}}
        members["inputs_hash"] = "sha256:@hash@"
    if version not in ("1.0.0", "1.1.0"):
        members["chain_metadata"] = {"is_chainable_stage": False, "prior_stages": []}
    return members


def text(members, newline=True, **style):
    # `OWN` marks inside strings stay strings; those inside `#...#` become bare numbers.
    style.setdefault("ensure_ascii", False)
    return BARE.sub(r"\1", json.dumps(members, **style)) + ("\n" if newline else "")


def odd_numbers(members):
    # `json.dumps` cannot write these.
    return {**members, "limits": {"most": "#1e400#", "id": "#123456789012345678901234567890#", "least": "#-1.50E-07#"}}


def last_member_first(members):
    return dict(reversed(members.items()))


# Layouts that are met in the field, the plain one first.
STYLES = (
    lambda m: text(m, indent=2, ensure_ascii=True),
    lambda m: text(m, indent=4),
    lambda m: text(m, indent="\t"),
    lambda m: text(m, separators=(",", ":")),
    lambda m: text(m, newline=False),
    lambda m: text(m, indent=2).replace("\n", "\r\n"),
    lambda m: text(m, indent=2, newline=False),
    lambda m: "\ufeff" + text(m, indent=2),
    lambda m: text(m, indent=2, ensure_ascii=True).replace("/", "\\/"),
    lambda m: text(odd_numbers(m), indent=2),
    lambda m: text(last_member_first(m), indent=2),
    lambda m: text(m, indent=2, separators=(" , ", " : ")),
    lambda m: text({**m, "nested": {"schema_version": "0.0.1", "run_id": "not this one"}}, indent=3),
)

# What makes a manifest unreadable; each one is refused and left alone.
CORRUPTIONS = (
    lambda b: b[: len(b) // 2],
    lambda b: b.replace(b'"run_id"', b'"job_id"', 1),
    lambda b: b.replace(b"1.0,", b"NaN,", 1),
    lambda b: b.rstrip()[:-1] + b",}\n",
    lambda b: b"// kept by hand\n" + b,
    lambda b: b.replace(b'"succeeded"', b'"\\ud83d"', 1),
    lambda b: b"",
    lambda b: b.replace(b'"nordlicht"', b'"nordlicht\xff"', 1),
    lambda b: b + b,
)


class Templates:
    """Each combination of version, note and layout, taken apart at the values that each manifest has of its own."""

    def __init__(self, versions):
        self._parts = {}
        for version in versions:
            for n, note in enumerate(NOTES):
                for s, style in enumerate(STYLES):
                    self._parts[version, n, s] = OWN.split(style(document(version, note)))

    def write(self, version, note, style, own):
        parts = self._parts[version, note, style]
        # Odd places hold names.
        return "".join(own(part) if at % 2 else part for at, part in enumerate(parts)).encode()


class Own:
    """The values of one manifest: all from the seed and its number."""

    def __init__(self, seed, number):
        self.digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
        job = number // RUNS_OF_A_JOB
        when = f"2026-{1 + job % 12:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}"
        self._turn = 0
        self._values = {
            "job": f"ig-{job:06}",
            "run": self.digest[:24],
            "short": self.digest[24:36],
            "seed": str(10**18 + int(self.digest[:14], 16)),
            "started": f"{when}:07Z",
            "finished": f"{when}:41.250+00:00",
        }
        self.job, self.run = self._values["job"], self._values["run"]
        # Says which layout, note and so on; no two of them from the same digits.
        self.layout, self.note, self.odd = (int(self.digest[at : at + 4], 16) for at in (40, 44, 48))

    def __call__(self, name):
        if name == "hash":
            self._turn += 5
            at = self._turn % 64
            return self.digest[at:] + self.digest[:at]
        if name == "size":
            self._turn += 1
            return str(1 + int(self.digest[self._turn % 60 :][:3], 16))
        return self._values[name]


def put(path, content):
    with open(path, "xb", buffering=0) as file:
        written = file.write(content)
    if written != len(content):
        raise OSError(f"{path}: only {written} of {len(content)} bytes were written")
    return written


def make_runs(task):
    folder, seed, odd, beside, versions, first, kinds = task
    templates, files, size, job_made = Templates(versions), 0, 0, None
    for number, kind in enumerate(kinds, first):
        own = Own(seed, number)
        job = f"{folder}/{own.job}"
        if job != job_made:
            os.mkdir(job)
            job_made = job
        run = f"{job}/{own.run}"
        os.mkdir(run)
        style = 1 + own.layout % (len(STYLES) - 1) if own.odd % 100 < odd else 0
        content = templates.write(kind if kind in versions else versions[0], own.note % len(NOTES), style, own)
        if kind == "corrupted":
            # Those of the plain layout can be told from others of their number by their bytes alone.
            plain = templates.write(versions[0], own.note % len(NOTES), 0, own)
            content = CORRUPTIONS[number % len(CORRUPTIONS)](plain)
        written = [(f"{run}/manifest.json", content)]
        if beside != "nothing":
            written.append((f"{run}/brief.yaml", f"schema_version: 1.0.0\njob_id: {own.job}\nbrand: nordlicht\n".encode()))
        if beside == "everything":
            os.mkdir(f"{run}/inputs")
            os.mkdir(f"{run}/outputs")
            written.append((f"{run}/inputs/context.txt", f"context of {own.digest}\n".encode()))
            written.append((f"{run}/outputs/caption_01.txt", f"{NOTES[own.note % len(NOTES)]}\n{own.digest}\n".encode()))
            if own.odd % 4 == 0:
                # What an earlier stage handed over is an input. It is hashed, and nobody may ever touch it.
                prior = templates.write(versions[0], 0, 0, own) if own.odd % 8 else b"{not json"
                written.append((f"{run}/inputs/manifest.json", prior))
        for path, content in written:
            files += 1
            size += put(path, content)
    return files, size


def apportion(shares, total):
    """How many there are of each version: whole numbers in these shares, the largest remainders rounded up."""
    whole = sum(shares.values())
    exact = {version: total * share / whole for version, share in shares.items()}
    counts = {version: int(share) for version, share in exact.items()}
    by_remainder = sorted(shares, key=lambda version: counts[version] - exact[version])
    for version in by_remainder[: total - sum(counts.values())]:
        counts[version] += 1
    return counts


def shares(words):
    pairs = (word.partition("=") for word in words.split(","))
    return {version: int(share) for version, _, share in pairs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where `artifacts` is made; must not hold one yet")
    parser.add_argument("--manifests", type=int, default=127)
    parser.add_argument("--versions", type=shares, default=shares(VERSIONS), help=f"shares (default {VERSIONS})")
    parser.add_argument("--corrupted", type=int, default=0, help="how many cannot be read")
    parser.add_argument("--unknown", type=int, default=0, help="how many have a version that nobody knows")
    parser.add_argument("--odd", type=int, default=20, help="percentage of manifests in an unusual layout")
    parser.add_argument("--beside", choices=("everything", "brief", "nothing"), default="everything")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    total = arguments.manifests
    counts = apportion(arguments.versions, total - arguments.corrupted - arguments.unknown)
    kinds = [version for version, count in counts.items() for _ in range(count)]
    kinds += ["corrupted"] * arguments.corrupted
    kinds += [UNKNOWN[n % len(UNKNOWN)] for n in range(arguments.unknown)]
    random.Random(arguments.seed).shuffle(kinds)

    folder = f"{arguments.folder}/artifacts"
    os.makedirs(folder)
    versions = list(arguments.versions) + list(UNKNOWN)
    # Whole jobs, so that no two workers make the same folder.
    portion = RUNS_OF_A_JOB * 250
    tasks = [
        (folder, arguments.seed, arguments.odd, arguments.beside, versions, first, kinds[first : first + portion])
        for first in range(0, total, portion)
    ]
    if len(tasks) > 1:
        with concurrent.futures.ProcessPoolExecutor() as workers:
            made = list(workers.map(make_runs, tasks))
    else:
        made = [make_runs(task) for task in tasks]
    report = {
        "manifests": total,
        "versions": counts,
        "corrupted": arguments.corrupted,
        "unknown": arguments.unknown,
        "files": sum(files for files, _ in made),
        "bytes": sum(size for _, size in made),
    }
    json.dump(report, sys.stdout)
    print()


if __name__ == "__main__":
    main()

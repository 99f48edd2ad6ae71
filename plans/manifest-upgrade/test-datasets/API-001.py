#!/usr/bin/env python3
"""Both endpoints answer as before: a run that was migrated can be had, and a new one can be started."""

import json
import pathlib
import sys
import tempfile
import threading
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
sys.path[:0] = ["scripts", "clients"]

from api import serve
from tree import app, manifests, parse, work


def ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=data), timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found}, wanted {wanted}")


with tempfile.TemporaryDirectory() as scratch:
    server = serve(app, work / "index.sqlite", scratch)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    asked = 0
    for path in manifests()[:: max(1, len(manifests()) // 20)]:
        run = parse(path.read_bytes())
        status, answer = ask("GET", f"{url}/jobs/{run['run_id']}")
        expect(f"GET of {path}", status, 200)
        for field in ("job_id", "run_id", "status", "schema_version"):
            expect(f"{field} of {path}", answer[field], run[field])
        asked += 1
    expect("GET of a run that is not there", ask("GET", f"{url}/jobs/none")[0], 404)
    status, answer = ask("POST", f"{url}/jobs/run", {"job_id": "ig-900001"})
    expect("POST", status, 201)
    made = pathlib.Path(scratch, "artifacts", "ig-900001", answer["run_id"], "manifest.json")
    expect("what POST wrote", json.loads(made.read_text())["status"], "queued")
    server.shutdown()
    server.server_close()
print(f"GET answers for {asked} runs, POST starts a new one")

"""The application's API, as far as manifests matter to it.

    GET /jobs/<id>      the manifest of a run, or of the first run of a job, found by the index and read from the file
    POST /jobs/run      {"job_id": ...}: a new run of version 1.2.0
"""

import contextlib
import http.server
import json
import pathlib
import sqlite3
import uuid


def serve(app, index, new_runs):
    """A server on a free port. New runs are written below `new_runs`, so that a test does not add to the tree."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.path.removeprefix("/jobs/")
            with contextlib.closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)) as database:
                row = database.execute(
                    "SELECT path FROM manifests WHERE run_id = ?1 OR job_id = ?1 ORDER BY path LIMIT 1", (wanted,)
                ).fetchone()
            if row is None:
                self.answer(404, {"error": f"nobody knows {wanted}"})
            else:
                self.answer(200, json.loads((app / row[0]).read_text(encoding="utf-8-sig")))

        def do_POST(self):
            brief = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            run = {"schema_version": "1.2.0", "job_id": brief["job_id"], "run_id": uuid.uuid4().hex[:24], "status": "queued"}
            folder = pathlib.Path(new_runs) / "artifacts" / run["job_id"] / run["run_id"]
            folder.mkdir(parents=True)
            (folder / "manifest.json").write_text(json.dumps(run, indent=2) + "\n")
            self.answer(201, {"run_id": run["run_id"], "status": run["status"]})

        def answer(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

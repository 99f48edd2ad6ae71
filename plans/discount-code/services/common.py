"""What both services share: an HTTP server that counts, and one that knows when it is no longer wanted.

A service binds port 0 and writes its address to `<home>/url` once it answers, so copies never collide. It ends
by itself when `<home>/pid` no longer names it: a stopped service cannot linger, even if its folder was deleted.
Only the standard library is used.
"""

import json
import os
import pathlib
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refused(Exception):
    """A request that cannot be served; carries the HTTP status that says why."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Counters:
    """Numbers that `/metrics` shows."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "errors": 0}

    def add(self, name, amount=1):
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + amount

    def snapshot(self):
        with self._lock:
            return dict(self._counts)


def write_atomically(path, text):
    """Readers see the old file or the new one, never half of it."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    os.replace(temporary, path)


def serve(home, routes, health, describe):
    """Answers `routes` ([(method, pattern, handler)]) until told to stop.

    A handler takes the pattern's groups and the decoded body, and returns what to send as JSON. `health` raises
    if the service cannot do its work. `describe` is shown by /healthz and /metrics.
    """
    home = pathlib.Path(home)
    counters = Counters()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # One packet per answer: two would wait for each other's acknowledgement.
        disable_nagle_algorithm = True

        def log_message(self, format, *arguments):
            pass  # The log is for errors; counts are in /metrics.

        def answer(self, status, body):
            data = (json.dumps(body) + "\n").encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle_any(self):
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if self.path == "/healthz":
                try:
                    health()
                except Exception as error:
                    return self.answer(503, {**describe, "healthy": False, "why": str(error)})
                return self.answer(200, {**describe, "healthy": True})
            if self.path == "/metrics":
                return self.answer(200, {**describe, **counters.snapshot()})
            counters.add("requests")
            try:
                body = json.loads(raw) if raw else {}
                for method, pattern, handler in routes:
                    match = re.fullmatch(pattern, self.path)
                    if method == self.command and match:
                        return self.answer(200, handler(counters, *match.groups(), body))
                raise Refused(404, f"nothing is at {self.command} {self.path}")
            except Refused as refused:
                # The caller's mistake is an answer, not an error of ours.
                return self.answer(refused.status, {"error": str(refused)})
            except Exception as error:
                counters.add("errors")
                print(f"error: {self.command} {self.path}: {error!r}", file=sys.stderr, flush=True)
                return self.answer(500, {"error": "internal error"})

        do_GET = do_POST = do_DELETE = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    wanted = threading.Event()

    def stop(*_):
        wanted.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    def watch():
        while not wanted.wait(1.0):
            try:
                mine = (home / "pid").read_text().strip() == str(os.getpid())
            except OSError:
                mine = False
            if not mine:
                stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    write_atomically(home / "pid", f"{os.getpid()}\n")
    write_atomically(home / "url", f"http://127.0.0.1:{server.server_address[1]}\n")
    threading.Thread(target=watch, daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    server.server_close()

"""What the tests in Python share: the live CartService."""

import json
import os
import pathlib
import urllib.error
import urllib.request

work = pathlib.Path(os.environ.get("WORK_DIR") or "work")


def ask(method, path, body=None):
    """Status and decoded answer of one request."""
    url = (work / "cart" / "live" / "url").read_text().strip()
    request = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def expect(what, found, wanted):
    """Stops the test with a sentence if the two differ."""
    if found != wanted:
        raise SystemExit(f"{what}: found {found}, wanted {wanted}")

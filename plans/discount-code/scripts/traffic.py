#!/usr/bin/env python3
"""Traffic of the shop: asks the live CartService for carts, and judges what comes back.

    traffic.py latency --max-ms 250           the slowest twentieth of requests is still fast enough
    traffic.py observe --seconds 1 --share 5  for a while: errors stay below 0.1 %, so many carts use discounts
    traffic.py uptime -- COMMAND...           runs a command under traffic and counts requests that fail
    traffic.py error-rate                     prints the share of failed requests since the service started
"""

import argparse
import http.client
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

CARTS = range(1, 201)
MAX_ERROR_PERCENT = 0.1


class Live:
    """A connection to whichever service is live; follows when traffic is moved."""

    def __init__(self, work):
        self._url = work / "cart" / "live" / "url"
        self._at = None
        self._connection = None

    def cart(self, number):
        """The cart, or None if the request failed."""
        try:
            at = self._url.read_text().strip()
            if at != self._at:
                self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(at).netloc, timeout=5)
                self._at = at
            self._connection.request("GET", f"/carts/{number}")
            response = self._connection.getresponse()
            body = response.read()
            return json.loads(body) if response.status == 200 else None
        except (OSError, http.client.HTTPException):
            self._at = None
            return None


def latency(work, arguments):
    live, took = Live(work), []
    for number in CARTS:
        begun = time.monotonic()
        if live.cart(number) is None:
            sys.exit(f"cart {number} could not be had")
        took.append((time.monotonic() - begun) * 1000)
    p95 = sorted(took)[len(took) * 95 // 100]
    print(f"{len(took)} requests, 95 % within {p95:.1f} ms (limit {arguments.max_ms} ms)")
    return p95 <= arguments.max_ms


def observe(work, arguments):
    live, until = Live(work), time.monotonic() + arguments.seconds
    asked = failed = discounted = 0
    # Whole rounds over all carts, so that the share is exact.
    while asked == 0 or time.monotonic() < until:
        for number in CARTS:
            cart = live.cart(number)
            asked += 1
            failed += cart is None
            discounted += cart is not None and "discount_amount" in cart
    error_percent, share = 100 * failed / asked, 100 * discounted / asked
    print(f"{asked} requests: {failed} failed ({error_percent:.2f} %, limit {MAX_ERROR_PERCENT} %), "
          f"{discounted} used discounts ({share:.1f} %, wanted {arguments.share} %)")
    return error_percent < MAX_ERROR_PERCENT and share == arguments.share


def uptime(work, arguments):
    counts, stop = {"requests": 0, "failed": 0}, threading.Event()

    def ask():
        live = Live(work)
        while not stop.is_set():
            for number in CARTS:
                if stop.is_set():
                    break
                counts["requests"] += 1
                counts["failed"] += live.cart(number) is None

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        done = subprocess.run(arguments.command, check=False)
    finally:
        stop.set()
        asking.join()
    temporary = work / "uptime.json.new"
    temporary.write_text(json.dumps(counts) + "\n")
    os.replace(temporary, work / "uptime.json")
    print(f"while traffic moved: {counts['requests']} requests, {counts['failed']} failed")
    return done.returncode == 0


def error_rate(work, _arguments):
    url = (work / "cart" / "live" / "url").read_text().strip()
    with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:
        metrics = json.load(answer)
    if metrics["requests"] == 0:
        sys.exit("no requests yet: there is no error rate")
    print(f"{100 * metrics['errors'] / metrics['requests']:.3f}")
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(os.environ.get("WORK_DIR") or "work"))
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("latency")
    verb.add_argument("--max-ms", type=float, required=True)
    verb.set_defaults(run=latency)
    verb = verbs.add_parser("observe")
    verb.add_argument("--seconds", type=float, default=float(os.environ.get("OBSERVE_SECONDS") or 1))
    verb.add_argument("--share", type=float, required=True)
    verb.set_defaults(run=observe)
    verb = verbs.add_parser("uptime")
    verb.add_argument("command", nargs="+")
    verb.set_defaults(run=uptime)
    verb = verbs.add_parser("error-rate")
    verb.set_defaults(run=error_rate)
    arguments = parser.parse_args()
    sys.exit(0 if arguments.run(arguments.work, arguments) else 1)


main()

#!/usr/bin/env python3
"""What customers could do before the migration, they still can: each total is what the database says."""

import decimal
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

work = pathlib.Path(os.environ.get("WORK_DIR") or "work")
url = (work / "cart" / "live" / "url").read_text().strip()
answer = subprocess.run(
    ["psql", "--no-psqlrc", "-At", "-F", " ", os.environ["DATABASE_URL"], "-c",
     "SELECT cart_id, sum(quantity * unit_price)::numeric(12,2) FROM cart.cart_item GROUP BY 1 ORDER BY 1 LIMIT 50"],
    check=True, capture_output=True, text=True).stdout

checked = 0
for line in answer.splitlines():
    number, total = line.split()
    with urllib.request.urlopen(f"{url}/carts/{number}", timeout=5) as response:
        cart = json.load(response)
    if decimal.Decimal(cart["sum"]) != decimal.Decimal(total):
        sys.exit(f"cart {number}: the service says {cart['sum']}, the database {total}")
    checked += 1
if checked == 0:
    sys.exit("there are no carts to check")

try:
    urllib.request.urlopen(f"{url}/carts/999999", timeout=5)
    sys.exit("a cart that does not exist was served")
except urllib.error.HTTPError as error:
    if error.code != 404:
        sys.exit(f"a cart that does not exist answers {error.code}, not 404")
print(f"{checked} carts have the sum that the database says")

#!/usr/bin/env python3
"""Totals are right to the cent, whatever the code: reckoned here a second time, in whole cents."""

from shop import ask, expect

INTERNAL = (1, 2, 3, 4, 100, 101, 102, 103, 104, 200)


def cents(text):
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


checked = 0
for number in INTERNAL:
    full = cents(ask("GET", f"/carts/{number}")[1]["sum"])
    for code, off in (("WELCOME10", (full * 10 + 50) // 100), ("HALFPRICE", (full + 1) // 2), ("FIVER", min(500, full))):
        status, cart = ask("POST", f"/carts/{number}/discount", {"code": code})
        expect(f"cart {number} with {code}", status, 200)
        expect(f"total of cart {number} with {code}", cents(cart["total"]), full - off)
        checked += 1
    ask("DELETE", f"/carts/{number}/discount")
print(f"{checked} totals are right to the cent")

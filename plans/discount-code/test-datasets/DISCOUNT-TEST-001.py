#!/usr/bin/env python3
"""Internal users can use a discount code; wrong codes are refused; customers outside the rollout see nothing."""

from shop import ask, expect

INTERNAL, CUSTOMER = 3, 57

status, before = ask("GET", f"/carts/{INTERNAL}")
expect("an internal cart", status, 200)

status, cart = ask("POST", f"/carts/{INTERNAL}/discount", {"code": "HALFPRICE"})
expect("a valid code", status, 200)
expect("the code of the cart", cart["discount_code"], "HALFPRICE")
status, cart = ask("DELETE", f"/carts/{INTERNAL}/discount")
expect("taking the code back", (status, cart), (200, before))

for code, why in (("SUMMER24", "expired"), ("NOSUCH", "unknown")):
    expect(f"an {why} code", ask("POST", f"/carts/{INTERNAL}/discount", {"code": code})[0], 422)
expect("a code that is none", ask("POST", f"/carts/{INTERNAL}/discount", {"code": "'; --"})[0], 400)
expect("the cart after refusals", ask("GET", f"/carts/{INTERNAL}")[1], before)

expect("a customer outside", ask("POST", f"/carts/{CUSTOMER}/discount", {"code": "FIVER"})[0], 404)
expect("what that customer sees", sorted(ask("GET", f"/carts/{CUSTOMER}")[1]), ["id", "sum", "total"])
print("codes work inside the rollout and nowhere else")

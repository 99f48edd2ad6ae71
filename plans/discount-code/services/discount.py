"""DiscountService: tells what a discount code takes off a sum.

    POST /validate {"code": "WELCOME10", "sum": "40.00"}  ->  {"code": "WELCOME10", "amount": "4.00"}
"""

import argparse
import decimal
import json
import pathlib

from common import Refused, serve

CENT = decimal.Decimal("0.01")


def amount_off(rules, code, total):
    """What a code takes off a sum: half cents are rounded up, and never more than the sum."""
    rule = rules.get(code)
    if rule is None:
        raise Refused(404, f"there is no discount code {code}")
    if rule.get("expired"):
        raise Refused(410, f"the discount code {code} has expired")
    if "percent" in rule:
        off = (total * rule["percent"] / 100).quantize(CENT, rounding=decimal.ROUND_HALF_UP)
    else:
        off = decimal.Decimal(rule["amount"])
    return min(off, total)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True, help="folder for pid, url and log")
    parser.add_argument("--rules", required=True, help="the discount codes, as JSON")
    arguments = parser.parse_args()
    rules = json.loads(pathlib.Path(arguments.rules).read_text())

    def validate(counters, body):
        try:
            total = decimal.Decimal(body["sum"])
            code = str(body["code"])
        except (KeyError, decimal.InvalidOperation) as error:
            raise Refused(400, "a code and a sum are needed") from error
        off = amount_off(rules, code, total)
        counters.add("validations")
        return {"code": code, "amount": str(off)}

    def health():
        if not rules:
            raise RuntimeError("no discount codes")

    serve(arguments.home, [("POST", "/validate", validate)], health, {"service": "discount", "version": 1})


main()

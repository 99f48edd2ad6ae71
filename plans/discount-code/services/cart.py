"""CartService, in two versions.

    GET  /carts/<id>            ->  {"id": 7, "sum": "40.00", "total": "40.00"}
    POST /carts/<id>/discount   {"code": "WELCOME10"}        (version 2)
    DELETE /carts/<id>/discount                              (version 2)

Version 1 does not know the discount columns. Version 2 uses them only for users for whom the flag
`discount-enabled` is on; for everybody else it is version 1.
"""

import argparse
import decimal
import json
import pathlib
import urllib.error
import urllib.request

from common import Refused, serve
from database import Database, code as sql_code, money, number


class Flag:
    """The rollout of the discount feature, read anew for each request."""

    def __init__(self, path):
        self._path = pathlib.Path(path)

    def is_on(self, user, group):
        """Whether this user is in the rollout. No flag file means off."""
        try:
            flag = json.loads(self._path.read_text())
        except FileNotFoundError:
            return False
        if flag["users"] == "internal" and group != "internal":
            return False
        # Internal users come first, whatever the percentage; the others by their number, so that whoever is in at
        # 25 % stays in at 100 %.
        return flag["percentage"] > 0 and (group == "internal" or user % 100 < flag["percentage"])


class Cart:
    """Carts in PostgreSQL."""

    def __init__(self, version, flag, discount_url):
        self.database = Database()
        self.version = version
        self.flag = flag
        self.discount_url = discount_url

    def _load(self, cart):
        rows = self.database.rows(
            "SELECT c.user_id, c.user_group, coalesce(sum(i.quantity * i.unit_price), 0)::numeric(12,2) "
            "FROM cart.cart c LEFT JOIN cart.cart_item i ON i.cart_id = c.id "
            f"WHERE c.id = {number(cart)} GROUP BY c.id")
        if not rows:
            raise Refused(404, f"there is no cart {cart}")
        user, group, total = rows[0]
        return int(user), group, decimal.Decimal(total)

    def show(self, counters, cart, _body):
        user, group, total = self._load(cart)
        answer = {"id": int(cart), "sum": str(total), "total": str(total)}
        if self.version < 2 or not self.flag.is_on(user, group):
            return answer
        counters.add("discount_path")
        code, off = self.database.rows(
            f"SELECT discount_code, coalesce(discount_amount, 0) FROM cart.cart WHERE id = {number(cart)}")[0]
        # The sum may have fallen since the code was entered; a total is never negative.
        off = min(decimal.Decimal(off), total)
        return {**answer, "discount_code": code or None, "discount_amount": str(off), "total": str(total - off)}

    def _allowed(self, counters, cart):
        user, group, total = self._load(cart)
        if not self.flag.is_on(user, group):
            raise Refused(404, "discounts are not available for this cart")
        counters.add("discount_path")
        return total

    def apply(self, counters, cart, body):
        total = self._allowed(counters, cart)
        code = str(body.get("code", ""))
        try:
            quoted = sql_code(code)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        request = urllib.request.Request(
            self.discount_url() + "/validate", method="POST",
            data=json.dumps({"code": code, "sum": str(total)}).encode())
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                off = json.load(response)["amount"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    raise Refused(422, json.load(error)["error"]) from error
            raise
        self.database.rows(
            f"UPDATE cart.cart SET discount_code = {quoted}, discount_amount = {money(off)} WHERE id = {number(cart)}")
        return self.show(counters, cart, None)

    def remove(self, counters, cart, _body):
        self._allowed(counters, cart)
        self.database.rows(
            f"UPDATE cart.cart SET discount_code = NULL, discount_amount = NULL WHERE id = {number(cart)}")
        return self.show(counters, cart, None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True, help="folder for pid, url and log")
    parser.add_argument("--version", required=True, type=int, choices=(1, 2))
    parser.add_argument("--flag", help="file of the flag (version 2)")
    parser.add_argument("--discount", help="home of the discount service (version 2)")
    arguments = parser.parse_args()
    if arguments.version == 2 and not (arguments.flag and arguments.discount):
        parser.error("version 2 needs --flag and --discount")

    def discount_url():
        return pathlib.Path(arguments.discount, "url").read_text().strip()

    cart = Cart(arguments.version, Flag(arguments.flag or ""), discount_url)
    routes = [("GET", r"/carts/(\d+)", cart.show)]
    if arguments.version == 2:
        routes += [("POST", r"/carts/(\d+)/discount", cart.apply), ("DELETE", r"/carts/(\d+)/discount", cart.remove)]

    def health():
        cart.database.rows("SELECT 1 FROM cart.cart LIMIT 1")

    serve(arguments.home, routes, health, {"service": "cart", "version": arguments.version})


main()

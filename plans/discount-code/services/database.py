"""One psql process per service, kept open: PostgreSQL without a driver.

Only values that were checked before (`number`, `code`, `money`) go into a statement.
"""

import decimal
import os
import re
import subprocess
import threading
import uuid


class DatabaseError(Exception):
    """The statement failed, or psql is gone."""


def number(value):
    """A whole number as SQL."""
    return str(int(value))


def code(value):
    """A discount code as SQL: letters, digits and dashes, so that quoting it is safe."""
    if not re.fullmatch(r"[A-Z0-9-]{1,50}", value):
        raise ValueError(f"not a discount code: {value!r}")
    return f"'{value}'"


def money(value):
    """An amount with two digits as SQL."""
    return format(decimal.Decimal(value).quantize(decimal.Decimal("0.01")), "f")


class Database:
    """Runs statements one at a time; starts psql again when it has died."""

    def __init__(self):
        self._lock = threading.Lock()
        self._psql = None

    def _open(self):
        if self._psql is None or self._psql.poll() is not None:
            self._psql = subprocess.Popen(
                ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t",
                 "--variable=ON_ERROR_STOP=0", os.environ["DATABASE_URL"]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return self._psql

    def rows(self, statement):
        """The rows of one statement, each a list of strings."""
        end = uuid.uuid4().hex
        with self._lock:
            psql = self._open()
            try:
                # psql says itself whether the statement failed; its messages may be in any language.
                psql.stdin.write(f"{statement};\n\\echo {end} :ERROR\n")
                psql.stdin.flush()
            except OSError as error:
                raise DatabaseError(f"psql is gone: {error}") from error
            lines = []
            while True:
                line = psql.stdout.readline()
                if not line:
                    raise DatabaseError("psql ended: " + " ".join(lines))
                line = line.rstrip("\n")
                if line.startswith(end):
                    failed = line.endswith("true")
                    break
                lines.append(line)
        if failed:
            raise DatabaseError(" ".join(lines))
        return [line.split("\t") for line in lines]

"""One pool, one transaction at a time per thread of work, rows as dictionaries.

What PostgreSQL refuses for its own reasons (gone, restarting, out of
connections) becomes `Unavailable`, so that a door answers 503 and nobody
mistakes a lost database for a wrong question.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from svidok.base import NotFound, Unavailable

Row = dict[str, Any]


class Transaction:
    """A transaction in progress. It commits when its `with` block ends, and is rolled back by any error."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection

    def all(self, query: str, **params: object) -> list[Row]:
        """Every row."""
        return self.connection.execute(query, params).fetchall()

    def all_planned_once(self, query: str, **params: object) -> list[Row]:
        """Every row, by one plan for any params, made the first time a connection is asked and kept by it.

        For partitioned tables: there a plan costs more than what it finds, and the partitions that
        the params rule out are left out when it runs.
        """
        with self.connection.pipeline():
            self.connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor = self.connection.execute(query, params, prepare=True)
            self.connection.execute("SET LOCAL plan_cache_mode = auto")
            return cursor.fetchall()

    def maybe(self, query: str, **params: object) -> Row | None:
        """The first row, or nothing."""
        return self.connection.execute(query, params).fetchone()

    def one(self, query: str, **params: object) -> Row:
        """The first row; `NotFound` where there is none."""
        row = self.maybe(query, **params)
        if row is None:
            raise NotFound("not-found", "There is no such row. Check the id.")
        return row

    def run(self, query: str, **params: object) -> int:
        """Run it for its effect; how many rows it touched."""
        return self.connection.execute(query, params).rowcount

    def run_many(self, query: str, params: Iterable[Mapping[str, object]]) -> None:
        """Run it once for each set of params, pipelined."""
        with self.connection.cursor() as cursor:
            cursor.executemany(query, list(params))

    def copy(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Stream `rows` into a `COPY … FROM STDIN` statement."""
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def stream(self, query: str, *, batch: int = 1000, **params: object) -> Iterator[Row]:
        """Rows through a server-side cursor, so that memory stays flat."""
        with self.connection.cursor(name="stream") as cursor:
            cursor.itersize = batch
            cursor.execute(query, params)
            yield from cursor


class Database:
    """A pool of connections to one PostgreSQL."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Row]], url: str) -> None:
        self._pool = pool
        self.url = url

    @classmethod
    def open(cls, url: str, *, size: int = 8, wait_s: float = 5.0) -> "Database":
        """Open a pool of at most `size` connections; asking for one waits `wait_s` at most."""
        pool = ConnectionPool(
            url,
            connection_class=psycopg.Connection[Row],
            min_size=0,
            max_size=size,
            timeout=wait_s,
            kwargs={"row_factory": dict_row, "connect_timeout": max(2, int(wait_s)), "options": "-c timezone=UTC"},
            check=ConnectionPool.check_connection,
            open=True,
        )
        return cls(pool, url)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction on a connection of its own. Raises `Unavailable` when PostgreSQL does not answer."""
        try:
            with self._pool.connection() as connection, connection.transaction():
                yield Transaction(connection)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable("database-unavailable", "The database does not answer. Try again shortly.") from error

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

"""One connection, one transaction, named queries, migrations, our own PostgreSQL. Blind to the product."""

from svidok.db.connection import Database, Row, Transaction
from svidok.db.migrate import migrate
from svidok.db.queries import Queries

__all__ = ["Database", "Queries", "Row", "Transaction", "migrate"]

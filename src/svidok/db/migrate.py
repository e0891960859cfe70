"""Bring the schema up to date.

Each room owns one PostgreSQL schema of its own name, and the numbered files in
`<room>/migrations/0001_what_it_does.sql`. A file that has been applied is
never edited: its hash is kept, and a changed file refuses the start.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources

from svidok.base import Conflict
from svidok.db.connection import Database

_ADVISORY_LOCK = 0x7376_6964  # "svid": two processes that start at once migrate one after the other

_REGISTER = """
CREATE TABLE IF NOT EXISTS public.migration (
    room       text NOT NULL,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room, name)
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of one room."""

    room: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def find_migrations(packages: list[str]) -> list[Migration]:
    """The migrations of `packages` (lowest floor first), each room's in the order of their names."""
    found: list[Migration] = []
    for package in packages:
        folder = resources.files(package).joinpath("migrations")
        if not folder.is_dir():
            continue
        files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
        found += [Migration(package.rpartition(".")[2], f.name, f.read_text("utf-8")) for f in files]
    return found


def migrate(database: Database, packages: list[str]) -> list[str]:
    """Apply what is missing, all in one transaction; the names of those applied."""
    applied: list[str] = []
    with database.transaction() as tx:
        tx.run(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        tx.run(_REGISTER)
        known = {(row["room"], row["name"]): row["sha256"] for row in tx.all("SELECT * FROM public.migration")}
        for migration in find_migrations(packages):
            have = known.get((migration.room, migration.name))
            if have == migration.sha256:
                continue
            if have is not None:
                raise Conflict(
                    "migration-changed",
                    f"{migration.room}/{migration.name} was edited after it was applied. Restore it; add a new file.",
                )
            tx.connection.execute(migration.sql.encode())
            tx.run(
                "INSERT INTO public.migration (room, name, sha256) VALUES (%(room)s, %(name)s, %(sha256)s)",
                room=migration.room,
                name=migration.name,
                sha256=migration.sha256,
            )
            applied.append(f"{migration.room}/{migration.name}")
    return applied

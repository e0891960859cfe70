"""From a fact in a transaction to a leaf in the log.

`enter` is called by whoever has something to state, in the transaction that
makes it true. `sequence_once` is called once a second by one process: it takes
what waits, appends it as one batch, and writes the leaf indices back. Dying
between the two loses nothing and doubles nothing: the next call reads the tail
of the log and writes the indices it finds there.
"""

from datetime import datetime
from uuid import UUID

from svidok.base import new_id
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger.entry import JSON, Entry, commit
from svidok.ledger.log import Log, LogDamaged

_SQL = Queries.of("svidok.ledger")

BATCH = 4096  # entries in one append; a country's seals and looks of several seconds


def enter(
    tx: Transaction, *, kind: str, subject: UUID, payload: dict[str, JSON], at: datetime, after: UUID | None = None
) -> UUID:
    """State `payload` about `subject`; the entry's id. It is true when, and only when, `tx` commits.

    Entries go into the log by their ids, and two of one millisecond in no order that was meant. Where it must come
    later than another one that is committed or in `tx`, that one is `after`.
    """
    entry_id = new_id()
    if after is not None and entry_id <= after:
        entry_id = UUID(int=after.int + 1)
    written, salt, commitment = commit(payload)
    tx.run(
        _SQL["enter"],
        id=entry_id,
        kind=kind,
        subject=subject,
        at=at,
        payload=written,
        salt=salt,
        commitment=commitment,
    )
    return entry_id


def sequence_once(database: Database, log: Log) -> int:
    """Put what waits into `log` as one batch; how many entries that were.

    Raises `LogDamaged` where the database knows of entries that the log does
    not have: the log was rolled back, and must not grow from there; and
    `Unavailable` where another process writes to the folder.
    """
    with database.transaction() as tx:
        if not tx.one(_SQL["take_sequencer_lock"])["taken"]:
            return 0
        with log.writing():  # reads the checkpoint anew: another process may have been the sequencer meanwhile
            _catch_up(tx, log)
            rows = tx.all(_SQL["waiting"], most=BATCH)
            indices = log.append([_entry(row).leaf_bytes() for row in rows])
        _write_indices(tx, [(row["id"], index) for row, index in zip(rows, indices, strict=True)])
        return len(rows)


def count_waiting(tx: Transaction) -> int:
    """How many statements are not in the log yet."""
    return int(tx.one(_SQL["count_waiting"])["waiting"])


def entry_by_id(tx: Transaction, entry_id: UUID) -> Row:
    """The row of one entry; `NotFound` where there is none."""
    return tx.one(_SQL["entry_by_id"], id=entry_id)


def entries_about(tx: Transaction, subjects: list[UUID]) -> list[Row]:
    """The rows of the entries about `subjects` that are in the log and can be opened, in their order."""
    return tx.all(_SQL["entries_about"], subjects=subjects)


def mute(tx: Transaction, *, subject: UUID, kind: str) -> int:
    """Destroy payload and salt of the statements of `kind` about `subject`; how many those were."""
    return tx.run(_SQL["mute"], subject=subject, kind=kind)


def _catch_up(tx: Transaction, log: Log) -> None:
    known = int(tx.one(_SQL["next_index"])["next"])
    if known > log.size:
        raise LogDamaged("checkpoint", f"covers {log.size} entries where the database knows of {known}")
    logged = [(Entry.parse(log.entry(index)).id, index) for index in range(known, log.size)]
    _write_indices(tx, logged)


def _write_indices(tx: Transaction, placed: list[tuple[UUID, int]]) -> None:
    if placed:
        tx.run_many(_SQL["set_index"], [{"id": entry_id, "leaf_index": index} for entry_id, index in placed])


def _entry(row: Row) -> Entry:
    return Entry(
        id=row["id"], kind=row["kind"], subject=row["subject"], at=row["at"], commitment=bytes(row["commitment"])
    )

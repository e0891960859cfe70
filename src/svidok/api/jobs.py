"""Long work behind the door: runs in threads, tells how far it is, and stops when its owner says so."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import structlog

from svidok.base import Clock, SvidokError, new_id
from svidok.db import Database, Queries, Row

log = structlog.get_logger("jobs")
_SQL = Queries.of("svidok.access")


class Cancelled(Exception):
    """The owner does not want it any more."""


class Progress:
    """How a job tells how far it is. Raises `Cancelled` where it should stop."""

    def __init__(self, database: Database, job_id: UUID) -> None:
        self._database, self._job_id = database, job_id

    def __call__(self, done: int, total: int | None = None, says: str = "") -> None:
        with self._database.transaction() as tx:
            row = tx.one(_SQL["job_progress"], id=self._job_id, done=done, total=total, says=says)
        if row["cancelling"]:
            raise Cancelled


Work = Callable[[Progress], Any]


class Jobs:
    """The jobs of this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="job")

    def forget_interrupted(self) -> None:
        """Say of jobs that a restart interrupted that they failed."""
        with self._database.transaction() as tx:
            tx.run(_SQL["orphan_jobs"], at=self._clock.now())

    def start(self, kind: str, owner_id: UUID, work: Work, *, total: int | None = None) -> UUID:
        """Begin `work`; the job's id. What it returns (JSON) is kept as the result."""
        job_id = new_id()
        with self._database.transaction() as tx:
            tx.run(_SQL["add_job"], id=job_id, kind=kind, owner_id=owner_id, total=total, at=self._clock.now())
        self._pool.submit(self._run, job_id, kind, work)
        return job_id

    def of(self, owner_id: UUID) -> list[Row]:
        """The latest jobs of somebody."""
        with self._database.transaction() as tx:
            return tx.all(_SQL["jobs_of"], owner_id=owner_id)

    def one(self, job_id: UUID) -> Row:
        """One job; `NotFound` where there is none."""
        with self._database.transaction() as tx:
            return tx.one(_SQL["job"], id=job_id)

    def cancel(self, job_id: UUID, owner_id: UUID) -> None:
        """Ask a job to stop."""
        with self._database.transaction() as tx:
            tx.run(_SQL["cancel_job"], id=job_id, owner_id=owner_id)

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job_id: UUID, kind: str, work: Work) -> None:
        state, result, says = "done", None, ""
        try:
            result = work(Progress(self._database, job_id))
        except Cancelled:
            state = "cancelled"
        except SvidokError as error:
            state, says = "failed", error.message
        except Exception as error:
            log.exception("job failed", kind=kind)
            state, says = "failed", f"{type(error).__name__}"
        with self._database.transaction() as tx:
            tx.run(_SQL["end_job"], id=job_id, state=state, says=says, at=self._clock.now(),
                   result=json.dumps(result, default=str))  # fmt: skip

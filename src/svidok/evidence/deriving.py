"""Make what browsers show of what came in, in a process of its own that may fall over and take nothing with it.

The copy is marked as derived and hashed; the original is not touched. A file
that no decoder of ours reads has no copy, and is an exhibit all the same.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from svidok.access import Actor
from svidok.base import BadInput
from svidok.db import Database
from svidok.evidence import custody
from svidok.evidence.custody import SQL
from svidok.evidence.model import Happened
from svidok.evidence.vault import Vault

Tell = Callable[[int, int | None], None]
"""Told how far it is, of how much. Raises where the work is not wanted any more."""


def run_worker(
    module: str,
    arguments: Sequence[str],
    *,
    given: bytes = b"",
    tell: Tell = lambda *_: None,
    take: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a worker; its last line, as it printed it. Each line goes to `take`. Whatever ends us early ends it too.

    Raises `BadInput` with what it complained of.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    said: dict[str, Any] = {}
    try:
        if process.stdin is None or process.stdout is None:
            raise BadInput("worker-failed", "The worker did not start. Try again.")
        process.stdin.write(given)
        process.stdin.close()
        for line in process.stdout:
            said = json.loads(line)
            take(said)
            if "done" in said:
                tell(int(said["done"]), said.get("total"))
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise BadInput("not-decodable", str(said.get("problem") or "This file cannot be decoded; it is kept as it is."))
    return said


def make_playable(
    database: Database, vault: Vault, *, actor: Actor, exhibit_id: UUID, at: datetime, tell: Tell = lambda *_: None
) -> str | None:
    """Make the copy that browsers show; its media type, or nothing where the file holds no picture and no sound."""
    with database.transaction() as tx:
        row = tx.one(SQL["exhibit_by_id"], id=exhibit_id)
    if row["playable_path"] is not None:
        return str(row["playable_type"])
    made = vault.workshop(f"{exhibit_id}.playable")
    made.unlink(missing_ok=True)
    try:
        said = run_worker("svidok.media.derive", [str(vault.open_path(row["path"])), str(made)], tell=tell)
        return _keep(database, vault, actor=actor, exhibit_id=exhibit_id, made=made, said=said, at=at)
    except BadInput:
        return None
    finally:
        made.unlink(missing_ok=True)


def _keep(
    database: Database, vault: Vault, *, actor: Actor, exhibit_id: UUID, made: Path, said: dict[str, Any], at: datetime
) -> str:
    media_type = str(said["media_type"])
    stored = vault.keep(made, f"{exhibit_id.hex[:2]}/{exhibit_id}.playable")
    with database.transaction() as tx:
        tx.run(
            SQL["add_playable"], exhibit_id=exhibit_id, path=stored.path, media_type=media_type,
            size_bytes=stored.size_bytes, sha256=stored.sha256, how=str(said["how"]), at=at,
        )  # fmt: skip
        custody.add(
            tx, exhibit_id=exhibit_id, actor=actor, kind=Happened.COPY_MADE, at=at,
            what={"copy_sha256": stored.sha256.hex(), "how": str(said["how"]), "media_type": media_type},
        )  # fmt: skip
    return media_type

"""Scans are destroyed by the retention rule of the customs service alone: a row and a ledger entry, then the deed.

The class is that of the service's policy pack; without a pack, or without a
rule of its class, every scan is kept. A scan has no channel of its own. It is
held by whatever holds all channels at its time, or a camera of its lane (of its
checkpoint, as long as it belongs to no procedure), and by a complaint about its
procedure that is not decided, or whose holds stand. Its time is that of its
procedure with its own. The law is asked again right before the deed.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from svidok.base import Span
from svidok.base.disk import sync_folder
from svidok.customs.checkpoints import SQL
from svidok.customs.scans import SCANNED
from svidok.db import Database, Row, Transaction
from svidok.governance import Disposal, Footage, Verdict, decide_disposal
from svidok.ledger import JSON, enter
from svidok.ledger.register import mute
from svidok.recording.judging import Governance, LawInForce
from svidok.recording.volumes import bears

DISPOSAL_DECIDED = "customs.scan-disposal-decided"
DISPOSAL_DONE = "customs.scan-disposal-done"
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanDisposer:
    """Destroys what is due of the scans on the volumes of one machine."""

    database: Database
    judge: Governance
    node: str

    def sweep(self, *, at: datetime) -> int:
        """Destroy what the rule says is due; how many scans. What was decided and not done is done first."""
        done = self._finish(at)
        for row in self._due(at):
            if self._decide(row["id"], at):
                done += self._finish(at)
        return done

    def _due(self, at: datetime) -> Iterator[Row]:
        """Scans that a rule reaches, page by page, so that those that are held keep no later one from its turn."""
        after = UUID(int=0)
        while True:
            with self.database.transaction() as tx:
                before = _due_before(tx, self.judge.read(tx, at=at))
                rows = [] if before is None else tx.all(
                    SQL["scans_due"], node=self.node, before=before, after=after, most=_PAGE
                )  # fmt: skip
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1]["id"]

    def _decide(self, scan_id: UUID, at: datetime) -> bool:
        """Write down that a scan goes, where the law says so now."""
        with self.database.transaction() as tx:
            row = tx.maybe(SQL["scan_to_judge"], id=scan_id)
            if row is None:
                return False  # somebody else decided, or is about to
            decided = judge_scan(row, self.judge.read(tx, at=at, channel_id=scan_id))  # of classes it needs none
            if decided.verdict is not Verdict.DESTROY:
                return False
            told: dict[str, JSON] = {"scan": str(scan_id), "rules": [str(one) for one in decided.grounds]}
            entry_id = enter(tx, kind=DISPOSAL_DECIDED, subject=scan_id, payload=told, at=at)
            tx.run(SQL["add_scan_disposal"], scan_id=scan_id, at=at, grounds=json.dumps(told), entry_id=entry_id)
        return True

    def _finish(self, at: datetime) -> int:
        """Do what was decided; one whose volume is away waits until it is back."""
        with self.database.transaction() as tx:
            waiting = tx.all(SQL["scan_disposals_waiting"], node=self.node)
        done = 0
        for row in waiting:
            root = Path(row["volume_path"])
            if not bears(root, row["volume_id"]):
                continue
            _destroy(root / row["path"])
            with self.database.transaction() as tx:
                if tx.run(SQL["scan_disposal_done"], scan_id=row["scan_id"], at=at):
                    tx.run(SQL["scan_disposed"], id=row["scan_id"], at=at)
                    enter(tx, kind=DISPOSAL_DONE, subject=row["scan_id"], payload={"scan": str(row["scan_id"])}, at=at)
                    mute(tx, subject=row["scan_id"], kind=SCANNED)
                    done += 1
        return done


def judge_scan(row: Row, law: LawInForce) -> Disposal:
    """What is to be done with a scan, by the law in force. Pure; `row` is one of `scan_to_judge`."""
    span = Span(
        min(row["taken_at"], row["start_at"] or row["taken_at"]), max(row["taken_at"], row["end_at"] or row["taken_at"])
    )
    if row["complaints"]:
        return Disposal(verdict=Verdict.KEEP_HELD, grounds=tuple(row["complaints"]), due_at=None)
    holds = [replace(one, channel_id=None) for one in law.holds if one.channel_id in (None, *row["channels"])]
    footage = Footage(channel_id=row["id"], retention_class=row["retention_class"] or "", span=span)
    return decide_disposal(footage, rules=law.rules, holds=holds, at=law.at)


def _due_before(tx: Transaction, law: LawInForce) -> datetime | None:
    """The instant before which a scan may be due; nothing where no rule says so."""
    pack = tx.maybe(SQL["customs_class"])
    if pack is None:
        return None
    kept_for = [rule.keep_for for rule in law.rules if rule.retention_class == pack["retention_class"]]
    return law.at - max(kept_for) if kept_for else None


def _destroy(path: Path) -> None:
    """The file and the picture made of it, durably."""
    for one in (path, path.with_suffix(".picture.jpg")):
        with contextlib.suppress(FileNotFoundError):
            one.unlink()
    if path.parent.is_dir():
        sync_folder(path.parent)

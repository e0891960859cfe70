"""Originals of worn cameras are destroyed by retention rules alone: a row and a ledger entry, then the deed.

The rules and holds are governance's, by the retention class in the policy pack
of the service. The law is asked again right before the deed, because a hold
may have been placed since. There is no other way out of the vault.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.receiving import CLIP_KEPT
from svidok.bodyworn.vault import Vault
from svidok.db import Database, Queries, Row
from svidok.governance import Footage, Verdict, decide_disposal
from svidok.ledger import JSON, enter
from svidok.ledger.register import mute
from svidok.recording.judging import Governance, LawInForce

SQL = Queries.of("svidok.bodyworn")
DISPOSAL_DECIDED = "worn.disposal-decided"
DISPOSAL_DONE = "worn.disposal-done"
_PAGE = 200


def sweep(database: Database, vault: Vault, judge: Governance, *, at: datetime) -> int:
    """Destroy what the rules say is due; how many clips. What was decided and not done is done first."""
    done = _finish(database, vault, at=at)
    for row in _due(database, judge, at):
        if _decide(database, judge, row, at=at):
            done += _finish(database, vault, at=at)
    return done


def _due(database: Database, judge: Governance, at: datetime) -> Iterator[Row]:
    """Clips that a rule reaches, page by page, so that those that are held keep no later one from its turn."""
    after = UUID(int=0)
    while True:
        with database.transaction() as tx:
            rows = [
                row
                for group in judge.read(tx, at=at).due()
                for row in tx.all(
                    SQL["clips_due"], channels=list(group.channels), before=group.before, after=after, most=_PAGE
                )
            ]
        rows = sorted(rows, key=lambda row: UUID(str(row["id"])))[:_PAGE]
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1]["id"]


def _decide(database: Database, judge: Governance, row: Row, *, at: datetime) -> bool:
    """Write down that a clip goes, where the law still says so."""
    with database.transaction() as tx:
        law = judge.read(tx, at=at, channel_id=row["channel_id"])
        grounds = _grounds(law, row)
        if grounds is None:
            return False
        told: dict[str, JSON] = {"clip": str(row["id"]), "rules": [str(one) for one in grounds]}
        entry_id = enter(tx, kind=DISPOSAL_DECIDED, subject=row["id"], payload=told, at=at)
        tx.run(SQL["add_clip_disposal"], clip_id=row["id"], at=at, grounds=json.dumps(told), entry_id=entry_id)
    return True


def _grounds(law: LawInForce, row: Row) -> tuple[UUID, ...] | None:
    footage = Footage(
        channel_id=row["channel_id"], retention_class=law.classes.get(row["channel_id"], ""),
        span=Span(row["start_at"], row["end_at"]),
    )  # fmt: skip
    decided = decide_disposal(footage, rules=law.rules, holds=law.holds, at=law.at)
    return decided.grounds if decided.verdict == Verdict.DESTROY else None


def _finish(database: Database, vault: Vault, *, at: datetime) -> int:
    with database.transaction() as tx:
        waiting = tx.all(SQL["disposals_waiting"])
    done = 0
    for row in waiting:
        if any(vault.file(volume, row["path"]) is None for volume in row["volumes"]):
            continue  # a volume that holds it is away: it is not destroyed before every copy is
        copies = vault.destroy(row["path"])
        with database.transaction() as tx:
            enter(tx, kind=DISPOSAL_DONE, subject=row["clip_id"], payload={"copies": copies}, at=at)
            mute(tx, subject=row["clip_id"], kind=CLIP_KEPT)
            tx.run(SQL["clip_disposed"], id=row["clip_id"], at=at)
            tx.run(SQL["disposal_done"], id=row["clip_id"], at=at)
        done += 1
    return done

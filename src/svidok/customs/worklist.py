"""What is missing, as rows that people work off: found by the check, arrived after all, or explained, never removed.

A row says what a procedure lacks, why and since when, and is stated in the
ledger when it is found. Someone may say why it is missing; it leaves the list
and stays in every figure. New kinds of lack at a checkpoint raise an alarm,
which is cleared when nothing of that kind is left to work off.
"""

from datetime import datetime, timedelta
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, NotFound, new_id
from svidok.customs import procedures, scans
from svidok.customs.checkpoints import SQL
from svidok.customs.completeness import LANE_WITHIN, Completeness, Finding, check
from svidok.customs.evidence import gather, rules_of
from svidok.customs.importing import mark_due, wall_day
from svidok.db import Database, Row, Transaction
from svidok.ledger import enter
from svidok.recording import facts
from svidok.recording.store import enter_facts

MISSING_FOUND = "customs.missing"
ALARM = "customs-missing"
_AT_ONCE = 50
_AGAIN = timedelta(minutes=10)
_DOCKED_LATELY = timedelta(hours=1)  # so long is looked again at once whenever somebody's camera came back
_STILL_ARRIVING = timedelta(days=60)


def check_due(database: Database, *, at: datetime) -> int:
    """Check every procedure whose time has come, then those that lack something; how many were checked."""
    with database.transaction() as tx:
        scans.attach_waiting(tx)
        tx.run(SQL["docked_lately"], at=at, since=at - _DOCKED_LATELY)
    done = 0
    while True:
        with database.transaction() as tx:
            ids = [row["id"] for row in tx.all(SQL["procedures_to_check"], at=at, before=at - LANE_WITHIN,
                                               most=_AT_ONCE)]  # fmt: skip
            for procedure_id in ids:
                check_one(tx, procedure_id, at=at)
        done += len(ids)
        if len(ids) < _AT_ONCE:
            break
    with database.transaction() as tx:
        lacking = tx.all(SQL["procedures_lacking"], since=at - _STILL_ARRIVING)
    for row in lacking:
        with database.transaction() as tx:
            check_one(tx, row["procedure_id"], at=at)
    return done


def check_one(tx: Transaction, procedure_id: UUID, *, at: datetime) -> Completeness:
    """Check one procedure and enter what came of it."""
    row = procedures.one(tx, procedure_id)
    procedure = procedures.procedure_of(row)
    rules = rules_of(tx, row)
    found = check(procedure, rules, gather(tx, procedure, rules, at=at), at=at)
    changed = _enter(tx, row, found, at)
    until = found.awaited_until
    tx.run(SQL["checked"], id=procedure_id, settled=until is None, check_at=min(at + _AGAIN, until or at))
    if changed:
        mark_due(tx, [(procedure.checkpoint_id, wall_day(procedure.told.start_at))])
        _alarm(tx, row["checkpoint_id"], row["checkpoint"], at)
    return found


def _enter(tx: Transaction, row: Row, found: Completeness, at: datetime) -> bool:
    """Rows for what is missing and was not; an end for what has come. Whether anything changed."""
    have = {(one["requirement"], one["subject"]): one for one in tx.all(SQL["missing_of"], id=row["id"])}
    lacking = {(str(one.requirement), one.subject): one for one in found.lacking}
    changed = False
    for key, finding in lacking.items():
        before = have.get(key)
        if before is None:
            _add(tx, row, finding, at)
        elif before["arrived_at"] is None and _same(before, finding):
            continue
        else:
            tx.run(SQL["missing_again"], id=before["id"], cause=finding.cause, detail=finding.grounds,
                   missing_ms=finding.missing // timedelta(milliseconds=1))  # fmt: skip
        changed = True
    for key, before in have.items():
        if key not in lacking and before["arrived_at"] is None:
            tx.run(SQL["missing_arrived"], id=before["id"], at=at)
            changed = True
    return changed


def _same(before: Row, finding: Finding) -> bool:
    known = (before["cause"], before["missing_ms"])
    return known == (finding.cause, finding.missing // timedelta(milliseconds=1))


def _add(tx: Transaction, row: Row, finding: Finding, at: datetime) -> None:
    missing_id = new_id()
    milliseconds = finding.missing // timedelta(milliseconds=1)
    entry_id = enter(
        tx, kind=MISSING_FOUND, subject=row["id"], at=at,
        payload={"requirement": str(finding.requirement), "subject": finding.subject, "cause": finding.cause,
                 "missing_ms": milliseconds, "since": finding.since.isoformat()},
    )  # fmt: skip
    tx.run(
        SQL["add_missing"], id=missing_id, procedure_id=row["id"], checkpoint_id=row["checkpoint_id"],
        start_at=row["start_at"], requirement=str(finding.requirement), subject=finding.subject, cause=finding.cause,
        missing_ms=milliseconds, detail=finding.grounds, since=finding.since, at=at, entry_id=entry_id,
    )  # fmt: skip


def _alarm(tx: Transaction, checkpoint_id: UUID, code: str, at: datetime) -> None:
    """One alarm for each kind of lack of a checkpoint, for as long as some of it is left to work off."""
    standing = {row["subject"] for row in tx.all(SQL["alarms_of"], code=ALARM, starts=f"{code} · %")}
    open_now = {
        f"{code} · {row['requirement']} · {row['cause']}": int(row["n"])
        for row in tx.all(SQL["open_kinds"], checkpoint_id=checkpoint_id)
    }
    news: list[facts.AnyFact] = [
        facts.AlarmRaised(code=ALARM, subject=subject, at=at, details={"procedures": n})
        for subject, n in open_now.items()
        if subject not in standing
    ]
    news += [facts.AlarmCleared(code=ALARM, subject=subject, at=at) for subject in standing - set(open_now)]
    enter_facts(tx, news)


def explain(tx: Transaction, *, actor: Actor, missing_id: UUID, explanation: str, at: datetime) -> None:
    """Say why it is missing: it leaves the list, and stays missing in every figure."""
    require(actor, "explain_missing")
    if len(explanation.strip()) < 5:
        raise BadInput("reason-needed", "Say in a few words why it is missing.")
    row = tx.maybe(SQL["explain_missing"], id=missing_id, by=actor.id, says=explanation.strip()[:1000], at=at)
    if row is None:
        raise NotFound("missing-not-open", "There is nothing open with this id: it came, or somebody explained it.")
    audit.record(
        tx, actor=actor, action="explain_missing", at=at, to_whom="",
        what={"missing": str(missing_id), "explanation": explanation.strip()[:300]},
    )  # fmt: skip
    checkpoint = tx.one(SQL["checkpoint_by_id"], id=row["checkpoint_id"])
    _alarm(tx, checkpoint["id"], checkpoint["code"], at)


def open_list(tx: Transaction, *, checkpoint_id: UUID | None, explained: bool = False, most: int = 300) -> list[Row]:
    """What is missing and not worked off, longest first; names no officer and no plate."""
    rows = tx.all(SQL["missing_list"], checkpoint_id=checkpoint_id, explained=explained, most=most)
    for row in rows:
        if row["requirement"] == "body-camera":
            row["subject"] = ""  # whose camera it is stands on the procedure's page, which asks for a purpose
    return rows


def awaited(tx: Transaction, *, checkpoint_id: UUID | None) -> int:
    """How many procedures wait for evidence that may still come."""
    return int(tx.one(SQL["count_awaited"], checkpoint_id=checkpoint_id)["n"])


def missing_of(tx: Transaction, procedure_id: UUID) -> list[Row]:
    """What one procedure lacks or lacked."""
    return tx.all(SQL["missing_of"], id=procedure_id)


def told(found: Completeness) -> list[dict[str, object]]:
    """Every finding, as a page shows it."""
    return [
        {"requirement": str(one.requirement), "subject": one.subject, "verdict": str(one.verdict), "cause": one.cause,
         "missing_ms": one.missing // timedelta(milliseconds=1), "since": one.since, "grounds": one.grounds}
        for one in found.findings
    ]  # fmt: skip

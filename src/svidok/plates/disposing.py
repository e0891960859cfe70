"""Reads go when their retention rule says so, and by nothing else: a row and a ledger entry, then the deed.

Two classes, each with its own rule: `plate-read` for reads that hit nothing,
`plate-hit` for those that did, which are set aside when their day goes. Where
no rule states its legal basis, nothing goes. A hold that touches a day keeps all of
it. A plate of which no read is left goes from the register of plates too.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from svidok.base import Span, new_id
from svidok.db import Database, Transaction
from svidok.governance import LegalHold, RetentionRule
from svidok.governance.keeping import holds, rules
from svidok.ledger import JSON, enter
from svidok.plates import store
from svidok.plates.devices import SQL as DEVICES
from svidok.plates.model import HIT_CLASS, PLATE_CLASS
from svidok.plates.pictures import Pictures
from svidok.plates.store import SQL

DECIDED, DONE = "plates.disposal-decided", "plates.disposal-done"
DAY, KEPT = "day", "kept"  # what is disposed of: reads without a hit and the day's partition; then those that hit


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A day whose time is over, and by which rule."""

    day: date
    what: str
    rule_id: UUID
    legal_basis: str


def due(
    days: Iterable[tuple[date, str]], *, rules: Sequence[RetentionRule], holds: Sequence[LegalHold], at: datetime
) -> list[Due]:
    """Which of `days` go at `at`. Pure. The longest rule of a class decides; no rule, nothing goes."""
    found = []
    for day, what in sorted(days):
        covering = [rule for rule in rules if rule.retention_class == (PLATE_CLASS if what == DAY else HIT_CLASS)]
        start, end = store.bounds(day)
        if not covering or any(hold.span.touches(Span(start, end)) for hold in holds):
            continue
        longest = max(covering, key=lambda rule: rule.keep_for)
        if at >= end + longest.keep_for:
            found.append(Due(day=day, what=what, rule_id=longest.id, legal_basis=longest.legal_basis))
    return found


def sweep(database: Database, pictures: Pictures, *, at: datetime) -> list[Due]:
    """Finish what was decided before, then dispose of what is due now; what that was."""
    with database.transaction() as tx:
        pending = {(row["day"], row["what"]): row["id"] for row in tx.all(SQL["pending_disposals"])}
    for (day, what), disposal_id in pending.items():
        _carry_out(database, pictures, disposal_id, day, what, at)
    with database.transaction() as tx:
        found = due(_candidates(tx), rules=rules(tx), holds=holds(tx), at=at)
    for one in found:
        disposal_id = _decide(database, one, at)
        _carry_out(database, pictures, disposal_id, one.day, one.what, at)
    return found


def _candidates(tx: Transaction) -> list[tuple[date, str]]:
    kept = tx.all("SELECT DISTINCT (taken_at AT TIME ZONE 'UTC')::date AS day FROM plates.kept_read")
    partitions = store.days(tx)
    return [(day, DAY) for day in partitions] + [(row["day"], KEPT) for row in kept]


def _decide(database: Database, one: Due, at: datetime) -> UUID:
    disposal_id = new_id()
    grounds: dict[str, JSON] = {"rule": str(one.rule_id), "legal_basis": one.legal_basis}
    with database.transaction() as tx:
        entry_id = enter(
            tx, kind=DECIDED, subject=disposal_id, payload={"day": f"{one.day}", "what": one.what, **grounds}, at=at
        )
        # A day may get reads again after it went (a device that was away for long): then it is disposed of anew.
        tx.run("DELETE FROM plates.disposal WHERE day = %(day)s AND what = %(what)s AND done_at IS NOT NULL",
               day=one.day, what=one.what)  # fmt: skip
        tx.run(
            SQL["decide_day"], id=disposal_id, day=one.day, what=one.what, at=at, grounds=json.dumps(grounds),
            entry_id=entry_id,
        )  # fmt: skip
    return disposal_id


def _carry_out(database: Database, pictures: Pictures, disposal_id: UUID, day: date, what: str, at: datetime) -> None:
    """The deed: rows, then pictures; doing it twice does no harm."""
    start, end = store.bounds(day)
    with database.transaction() as tx:
        plates = store.plates_of_day(tx, day)
        if what == DAY:
            count = int(tx.one(SQL["count_day"], start=start, end=end)["n"])
            kept = tx.run(SQL["keep_hits_of_day"], start=start, end=end)
            store.drop_day(tx, day)
            gone = count - kept
        else:
            gone = tx.run(SQL["drop_kept_of_day"], start=start, end=end)
            tx.run(SQL["drop_hits_of_day"], start=start, end=end)
        staying = [row["id"] for row in tx.all(DEVICES["pictures_to_keep"], start=start, end=end)]
    pictures.drop_day(day, keep=staying)
    store.forget_plates(database, plates)
    with database.transaction() as tx:
        enter(tx, kind=DONE, subject=disposal_id, payload={"day": f"{day}", "what": what, "reads": gone}, at=at)
        tx.run(SQL["day_done"], id=disposal_id, at=at, reads=gone)

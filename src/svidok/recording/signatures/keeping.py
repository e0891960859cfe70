"""Judge what was sealed, keep the verdict, state it in the ledger, and raise an alarm where a camera's word fails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from uuid import UUID

from svidok.base import Span, Unavailable
from svidok.db import Database, Queries, Row, Transaction
from svidok.ledger import JSON, enter
from svidok.media.signing import Authenticity
from svidok.recording import facts as f
from svidok.recording.reading import Located, located
from svidok.recording.signatures.judging import Judged, judge
from svidok.recording.store import enter_facts

SQL = Queries.parse(resources.files(__package__).joinpath("queries.sql").read_text("utf-8"))

DEVICE_JUDGED = "device.judged"
PAGE = 100
_SETTLED = timedelta(seconds=6)  # by then the next segment has the document that speaks of this one's last group
_STOPPED, _NOT_AUTHENTIC = "device-stopped-signing", "device-not-authentic"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureJudge:
    """Judges the footage of one machine, from `since` on. `roots`: trusted makers' certificates in PEM."""

    database: Database
    node: str
    roots: bytes
    since: datetime = _BEGINNING

    def round(self, *, at: datetime, cancelled: Callable[[], bool] = lambda: False) -> int:
        """Judge what was sealed and is settled by `at`; how many signed segments that were."""
        after, after_id, size, signed = _BEGINNING, UUID(int=0), PAGE, 0
        while size == PAGE and not cancelled():
            with self.database.transaction() as tx:
                rows = tx.all(
                    SQL["unjudged"], node=self.node, since=self.since, after=after, after_id=after_id, most=PAGE
                )
            size = len(rows)
            for row in rows:
                after, after_id = row["start_at"], row["id"]
                if row["end_at"] + _SETTLED <= at:
                    signed += self._one(row, at)
        return signed

    def _one(self, row: Row, at: datetime) -> bool:
        one = located(row)
        before, after = self._neighbours(one)
        try:
            found = judge(one, before=before, after=after, roots=self.roots)
        except (OSError, Unavailable):
            return False  # its volume is away, and its recorder says so; the next round tries again
        with self.database.transaction() as tx:
            keep(tx, one, found, at=at)
        return found.signed

    def _neighbours(self, one: Located) -> tuple[Located | None, Located | None]:
        segment = one.segment
        with self.database.transaction() as tx:
            rows = tx.all(
                SQL["neighbours"], channel_id=segment.channel_id, recording_id=segment.recording_id,
                start=segment.start_at,
            )  # fmt: skip
        near = [located(row) for row in rows]
        before = next((other for other in near if other.segment.start_at < segment.start_at), None)
        return before, next((other for other in near if other.segment.start_at > segment.start_at), None)


def keep(tx: Transaction, one: Located, found: Judged, *, at: datetime) -> None:
    """Write a verdict down; a signed one is stated in the ledger too."""
    segment = one.segment
    told: dict[str, JSON] = {"segment": str(segment.id), **stated(found)}
    entry_id = enter(tx, kind=DEVICE_JUDGED, subject=segment.id, payload=told, at=at) if found.signed else None
    alarms = _alarms(tx, one, found, at)
    tx.run(
        SQL["add_verdict"], segment_id=segment.id, channel_id=segment.channel_id, at=at, signed=found.signed,
        entry_id=entry_id, **columns(found),
    )  # fmt: skip
    if alarms:
        enter_facts(tx, alarms)


def stated(found: Judged) -> dict[str, JSON]:
    """What the ledger is told of a verdict, besides what it is about. Pure."""
    signer = found.signer
    return {
        "grounds": list(found.grounds), **_counts(found), "fingerprint": signer.fingerprint.hex() if signer else None,
        "trust": str(signer.trust) if signer else None,
    }  # fmt: skip


def columns(found: Judged) -> dict[str, object]:
    """What a row keeps of a verdict, besides what it is about. Pure."""
    signer = found.signer
    return {
        "grounds": found.grounds, **_counts(found), "signer": signer.subject if signer else None,
        "fingerprint": signer.fingerprint if signer else None, "trust": str(signer.trust) if signer else None,
    }  # fmt: skip


def _counts(found: Judged) -> dict[str, int]:
    return {
        "authentic": found.count(Authenticity.AUTHENTIC), "missing": found.count(Authenticity.MISSING),
        "not_authentic": found.count(Authenticity.NOT_AUTHENTIC), "pending": found.pending,
    }  # fmt: skip


def _alarms(tx: Transaction, one: Located, found: Judged, at: datetime) -> list[f.AnyFact]:
    segment = one.segment
    last = tx.maybe(SQL["last_signed"], channel_id=segment.channel_id, before=segment.start_at)
    return alarms_of(
        found, signed_before=last is not None and last["signed"], subject=str(segment.channel_id),
        what={"segment": str(segment.id)}, at=at,
    )  # fmt: skip


def alarms_of(
    found: Judged, *, signed_before: bool, subject: str, what: dict[str, str | int], at: datetime
) -> list[f.AnyFact]:
    """A camera that signed and does not any more, and one whose word is not true; and when either is over.

    `what`: the footage that it is about.
    """
    if found.signed:
        wrong = found.count(Authenticity.NOT_AUTHENTIC) > 0 or found.off
        details = {**what, "why": ", ".join(found.grounds)}
        return [
            f.AlarmCleared(code=_STOPPED, subject=subject, at=at),
            f.AlarmRaised(code=_NOT_AUTHENTIC, subject=subject, at=at, details=details)
            if wrong
            else f.AlarmCleared(code=_NOT_AUTHENTIC, subject=subject, at=at),
        ]
    return [f.AlarmRaised(code=_STOPPED, subject=subject, at=at, details=what)] if signed_before else []


def verdicts_between(tx: Transaction, channel_id: UUID, span: Span) -> list[Row]:
    """What was found of each segment that touches `span`, in order."""
    return tx.all(SQL["verdicts_between"], channel_id=channel_id, start=span.start, end=span.end)


def is_signed(tx: Transaction, channel_id: UUID, span: Span) -> bool:
    """Whether any footage that touches `span` is signed by its camera."""
    return bool(tx.one(SQL["is_signed"], channel_id=channel_id, start=span.start, end=span.end)["yes"])

"""What is counted for `/metrics`: our own door, and how the ledger stands. No people, no addresses: see the trail."""

from pathlib import Path

from prometheus_client import Counter, Gauge

from svidok.ledger.cosigning import read_note
from svidok.ledger.gathering import COSIGNED
from svidok.recording.wardens import Alarm

LOOKS = Counter("svidok_looks", "Lines of the trail written before something was shown.", ["action"])
REFUSALS = Counter("svidok_refusals", "Requests that were refused or failed, by the code of the error.", ["code"])
ALARMS = Gauge("svidok_alarms", "Alarms that stand, by what they are of.", ["code"])
LEDGER = Gauge("svidok_ledger_entries", "Entries of the ledger that its last checkpoint covers.")
COSIGNED_ENTRIES = Gauge(
    "svidok_ledger_cosigned_entries", "Entries that enough witnesses countersigned; 0: none are asked."
)


def count_standing(alarms: list[Alarm], ledger: Path) -> None:
    """Take over which alarms stand, and how far ledger and witnesses are."""
    ALARMS.clear()
    for alarm in alarms:
        if alarm.cleared_at is None:
            ALARMS.labels(alarm.code).inc()
    for gauge, name in ((LEDGER, "checkpoint"), (COSIGNED_ENTRIES, COSIGNED)):
        path = ledger / name
        gauge.set(read_note(path.read_bytes()).size if path.exists() else 0)

"""The demonstration's case can be entered, and its picture is one that browsers show."""

from pathlib import Path

from svidok.app import demo_evidence
from svidok.app.settings import Settings
from svidok.evidence import cases


def test_the_case_of_the_demonstration(bureau, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    lead = bureau.people["stranger"]
    demo_evidence.seed(bureau.database, settings, investigator=lead, supervisor=bureau.people["chief"], at=bureau.now)
    with bureau.database.transaction() as tx:
        (row,) = cases.cases_of(tx, actor=lead, at=bureau.now)
        told = tx.one(
            "SELECT e.scan, p.media_type FROM evidence.exhibit e JOIN evidence.playable p ON p.exhibit_id = e.id "
            "WHERE e.case_id = %(id)s",
            id=row["id"],
        )
    assert (row["exhibits"], row["standing"], told["scan"]) == (1, "lead", "not-scanned")
    assert told["media_type"] == "image/jpeg"

"""Who sees a case, what each may do in it, and what a grant that is limited in time and history hides."""

from datetime import UTC, datetime, timedelta

import pytest

from svidok.base import Forbidden, NotFound, Span
from svidok.evidence import cases, exhibits
from svidok.evidence.model import Standing
from svidok.governance import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_strangers_are_told_that_there_is_no_case(bureau) -> None:
    case = f"/api/cases/{bureau.case_id}"
    assert bureau.ask("lead", "GET", case).json()["standing"] == "lead"
    assert bureau.ask("stranger", "GET", case).status_code == 404
    assert bureau.ask("barred", "GET", case).status_code == 403
    assert bureau.ask("auditor", "GET", case).status_code == 403
    mine = [one["id"] for one in bureau.ask("mate", "GET", "/api/cases").json()["items"]]
    assert mine == [str(bureau.case_id)]
    assert bureau.ask("barred", "GET", "/api/cases").json()["items"] == []


def test_a_case_is_not_looked_into_for_another(bureau) -> None:
    with bureau.database.transaction() as tx:
        other = open_reference(
            tx, actor=bureau.people["chief"], kind=ReferenceKind.CASE, number=f"x{bureau.case_id.hex[:9]}", title="t",
            legal_basis="Act 1, art. 2", at=bureau.now,
        )  # fmt: skip
        chosen = choose_purpose(tx, actor=bureau.people["lead"], reference_id=other.id, reason="to see", at=bureau.now)
    refused = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}", purpose=str(chosen.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "purpose-other-case")


def test_a_reader_sees_their_stretch_of_history_until_their_grant_ends(bureau, yard, clip) -> None:
    yard.record(clip, NOON)
    yard.record(clip, later(4), first=4)
    reader, lead = bureau.people["reader"], bureau.people["lead"]
    with bureau.database.transaction() as tx:
        for start in (0, 4):
            exhibits.book_footage(
                tx, actor=lead, case_id=bureau.case_id, channel_id=yard.channel_id,
                span=Span(later(start), later(start + 4)), title=f"from {start}", at=bureau.now,
            )  # fmt: skip
        cases.let_in(
            tx, actor=lead, case_id=bureau.case_id, login=reader.login, standing=Standing.READER, reason="an inquiry",
            until_at=bureau.now + timedelta(days=1), history=Span(NOON, later(4)), at=bureau.now,
        )  # fmt: skip
    told = bureau.ask("reader", "GET", f"/api/cases/{bureau.case_id}").json()
    assert [one["title"] for one in told["exhibits"]] == ["from 0"]
    with bureau.database.transaction() as tx:
        rows = exhibits.exhibits_of(
            tx, cases.admit(tx, actor=lead, action="view_cases", case_id=bureau.case_id, at=bureau.now)
        )
        hidden = next(row["id"] for row in rows if row["title"] == "from 4")
        with pytest.raises(Forbidden):
            cases.admit(tx, actor=reader, action="book_exhibit", case_id=bureau.case_id, at=bureau.now)
        with pytest.raises(NotFound):
            cases.admit(
                tx, actor=reader, action="view_cases", case_id=bureau.case_id, at=bureau.now + timedelta(days=2)
            )
    assert bureau.ask("reader", "GET", f"/api/exhibits/{hidden}").status_code == 404
    assert bureau.ask("reader", "GET", f"/api/exhibits/{hidden}/media").status_code == 404
    added = {"channel_id": str(yard.channel_id), "start": NOON.isoformat(), "end": later(1).isoformat(), "title": "t"}
    booked = bureau.ask("reader", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=added)
    assert booked.status_code == 403


def test_nobody_changes_their_own_standing_and_a_case_keeps_a_lead(bureau) -> None:
    lead = bureau.people["lead"]
    case = f"/api/cases/{bureau.case_id}/members"
    own = {"login": lead.login, "standing": "reader", "reason": "to rest a while"}
    assert bureau.ask("lead", "POST", case, json=own).json()["code"] == "own-standing"
    assert bureau.ask("lead", "POST", f"{case}/{lead.id}/end").json()["code"] == "last-lead"
    other = {"login": bureau.people["mate"].login, "standing": "lead", "reason": "takes the case over"}
    assert bureau.ask("mate", "POST", case, json=other).status_code == 403
    assert bureau.ask("lead", "POST", case, json=other).status_code == 201
    assert bureau.ask("lead", "POST", f"{case}/{lead.id}/end").status_code == 201
    assert bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").status_code == 404


def test_a_closed_case_takes_nothing_more(bureau, yard, clip) -> None:
    yard.record(clip, NOON)
    assert bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/close", json={"reason": "sent to court"}).is_success
    added = {"channel_id": str(yard.channel_id), "start": NOON.isoformat(), "end": later(2).isoformat(), "title": "t"}
    refused = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=added)
    assert refused.json()["code"] == "case-closed"
    noted = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/notes", json={"text": "one more"})
    assert noted.json()["code"] == "case-closed"

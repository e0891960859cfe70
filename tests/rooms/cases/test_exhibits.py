"""Exhibits of footage: held against disposal, found changed when they are, chained in custody, handed from hand to hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from svidok.base import Conflict, Span
from svidok.evidence import custody, exhibits
from svidok.evidence.model import Happened
from svidok.governance import keeping
from svidok.recording.judging import Governance
from svidok.recording.sweeper import Sweeper

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_OTHERS = "replace(encode(payload, 'escape'), 'lead', 'mate')::bytea"
FAR = NOON + timedelta(days=400)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def footage(bureau, yard, clip) -> str:
    """An exhibit of the middle of two sealed segments, booked in through the door."""
    yard.record(clip, NOON)
    yard.record(clip, later(4), first=4)
    yard.record(clip, later(60), first=0)
    told = {
        "channel_id": str(yard.channel_id), "start": later(2).isoformat(), "end": later(7).isoformat(),
        "title": "The car leaves",
    }  # fmt: skip
    booked = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=told)
    assert booked.status_code == 201, booked.text
    again = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=told)
    assert again.json() == booked.json()
    return str(booked.json()["id"])


def test_the_footage_of_an_exhibit_outlives_its_retention_rule(bureau, yard, footage) -> None:
    with bureau.database.transaction() as tx:
        rule_id = keeping.make_rule(
            tx, actor=bureau.people["chief"], retention_class="street", keep_days=30, legal_basis="Act 1, art. 2",
            at=bureau.now,
        )  # fmt: skip
        keeping.agree_to_rule(tx, actor=bureau.people["barred"], rule_id=rule_id, at=bureau.now)
    judge = Governance(classes=lambda tx, channel_id: {yard.channel_id: "street"})
    swept = Sweeper(database=bureau.database, judge=judge, node=yard.node).sweep(at=FAR)
    assert (swept.done, swept.kept) == (1, {"keep-held": 2})
    assert [yard.media(number).exists() for number in range(3)] == [True, True, False]
    told = bureau.ask("lead", "GET", f"/api/exhibits/{footage}").json()
    assert told["intact"] == "same"


def test_footage_that_is_not_what_was_booked_in_is_said_to_be_changed(bureau, yard, footage) -> None:
    with bureau.database.transaction() as tx:
        tx.run("UPDATE recording.segment SET state = 'disposed' WHERE id = %(id)s", id=yard.segments[0].segment_id)
    assert bureau.ask("lead", "GET", f"/api/exhibits/{footage}").json()["intact"] == "changed"


def test_it_plays_by_ranges_and_each_look_is_one_line_of_custody(bureau, footage) -> None:
    whole = bureau.ask("lead", "GET", f"/api/exhibits/{footage}/media")
    assert whole.content[4:8] == b"ftyp"
    part = bureau.ask("lead", "GET", f"/api/exhibits/{footage}/media", headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    bureau.ask("mate", "GET", f"/api/exhibits/{footage}/media")
    told = bureau.ask("mate", "GET", f"/api/exhibits/{footage}").json()
    assert [(one["kind"], one["actor"]) for one in told["custody"]] == [
        ("booked", "Name of lead"), ("viewed", "Name of lead"), ("viewed", "Name of mate"),
    ]  # fmt: skip
    assert told["broken_at"] is None
    overseen = bureau.ask("auditor", "GET", f"/api/custody/{footage}").json()
    assert overseen["custody"] == told["custody"]
    assert bureau.ask("auditor", "GET", f"/api/exhibits/{footage}/media").status_code == 403


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (f"UPDATE evidence.custody SET payload = {_OTHERS} WHERE exhibit_id = %(id)s AND number = 1", 1),
        (f"UPDATE ledger.entry SET payload = {_OTHERS} WHERE subject = %(id)s AND kind = 'custody.booked'", 1),
        ("DELETE FROM evidence.custody WHERE exhibit_id = %(id)s AND number = 2", 2),
        ("UPDATE evidence.custody SET number = 9 WHERE exhibit_id = %(id)s AND number = 3", 3),
        ("UPDATE evidence.custody SET hash = sha256('x') WHERE exhibit_id = %(id)s AND number = 2", 2),
    ],
)  # fmt: skip
def test_a_chain_that_was_touched_breaks_where_it_was(bureau, footage, change: str, found: int) -> None:
    for who in ("lead", "mate"):
        bureau.ask(who, "GET", f"/api/exhibits/{footage}/media")
    with bureau.database.transaction() as tx:
        assert tx.run(change, id=footage) == 1
        assert custody.broken_at(UUID(footage), custody.rows_of(tx, UUID(footage))) == found


def test_lines_of_one_moment_stand_in_their_order_in_time_and_in_the_log(bureau, yard, footage) -> None:
    """Whose line is second may have begun first, and a millisecond holds many lines: a stranger finds a chain."""
    with bureau.database.transaction() as tx:
        for number in range(40):
            custody.add(
                tx, exhibit_id=UUID(footage), actor=bureau.people["lead"], kind=Happened.VIEWED, what={},
                at=bureau.now + timedelta(seconds=60, milliseconds=-number),
            )  # fmt: skip
    yard.sequence()
    with bureau.database.transaction() as tx:
        rows = custody.rows_of(tx, UUID(footage))
    assert len(rows) == 41
    for name in ("at", "entry_at", "leaf_index"):
        assert [row[name] for row in rows] == sorted(row[name] for row in rows), name
    assert custody.broken_at(UUID(footage), rows) is None


def test_a_still_is_tied_to_the_footage_it_was_taken_from(bureau, footage) -> None:
    told = {"instant": later(3.5).isoformat(), "title": "The plate"}
    booked = bureau.ask("lead", "POST", f"/api/exhibits/{footage}/stills", json=told)
    assert booked.status_code == 201, booked.text
    shown = bureau.ask("lead", "GET", f"/api/exhibits/{booked.json()['id']}/media")
    assert shown.content[:3] == b"\xff\xd8\xff"
    original = bureau.ask("lead", "GET", f"/api/exhibits/{footage}").json()["custody"][1]
    assert (original["kind"], original["what"]["made"]["exhibit"]) == ("derived", booked.json()["id"])
    beyond = {"instant": later(30).isoformat(), "title": "Nothing"}
    assert (
        bureau.ask("lead", "POST", f"/api/exhibits/{footage}/stills", json=beyond).json()["code"] == "instant-outside"
    )


def test_an_exhibit_is_theirs_who_accept_it(bureau, footage) -> None:
    offers, mate = f"/api/exhibits/{footage}/transfers", bureau.people["mate"]
    told = {"to_login": mate.login, "reason": "goes to the laboratory"}
    assert bureau.ask("mate", "POST", offers, json=told).json()["code"] == "not-custodian"
    offered = bureau.ask("lead", "POST", offers, json=told).json()["id"]
    assert bureau.ask("lead", "POST", offers, json=told).json()["code"] == "transfer-open"
    decide = f"/api/transfers/{offered}"
    assert bureau.ask("lead", "POST", decide, json={"how": "accepted"}).json()["code"] == "not-yours"
    assert bureau.ask("stranger", "POST", decide, json={"how": "accepted"}).status_code == 404
    assert bureau.ask("mate", "POST", decide, json={"how": "refused"}).json()["code"] == "reason-needed"
    assert bureau.ask("mate", "POST", decide, json={"how": "accepted"}).is_success
    assert bureau.ask("mate", "POST", decide, json={"how": "accepted"}).json()["code"] == "transfer-decided"
    told_case = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()
    assert told_case["exhibits"][0]["custodian"] == mate.name
    assert [one["state"] for one in told_case["transfers"]] == ["accepted"]
    kinds = [one["kind"] for one in bureau.ask("lead", "GET", f"/api/custody/{footage}").json()["custody"]]
    assert kinds == ["booked", "offered", "accepted"]


def test_notes_are_struck_out_and_stay(bureau, footage) -> None:
    case = f"/api/cases/{bureau.case_id}"
    told = {"text": "the car turns left", "exhibit_id": footage, "instant": later(3).isoformat()}
    noted = bureau.ask("mate", "POST", f"{case}/notes", json=told).json()["id"]
    assert bureau.ask("lead", "POST", f"/api/notes/{noted}/strike").is_success
    shown = bureau.ask("mate", "GET", case).json()["notes"]
    assert [(one["text"], one["struck_at"] is not None) for one in shown] == [("the car turns left", True)]


def test_nothing_is_booked_in_where_nothing_was_recorded(bureau, yard) -> None:
    with bureau.database.transaction() as tx, pytest.raises(Conflict):
        exhibits.book_footage(
            tx, actor=bureau.people["lead"], case_id=bureau.case_id, channel_id=yard.channel_id,
            span=Span(NOON, later(4)), title="t", at=bureau.now,
        )  # fmt: skip
    with bureau.database.transaction() as tx:
        assert keeping.holds(tx) == [one for one in keeping.holds(tx) if one.channel_id != yard.channel_id]

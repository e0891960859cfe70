"""What leaves is chosen by one, approved by another, shown exactly, checked by a stranger, and taken out by name."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from svidok.app.bundle_means import bundle_means
from svidok.app.settings import Settings
from svidok.base import Span
from svidok.evidence.bundle.verify import TRUST_FILE, verify_bundle
from svidok.evidence.bundle.zipped import open_bundle
from svidok.evidence.disclosing import _verdict

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOTE = b"A statement of a witness.\n" * 30


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def asked(bureau, yard, clip) -> str:
    """A disclosure of a part of some footage and of a file."""
    yard.record(clip, NOON)
    yard.record(clip, later(4), first=4)
    case = f"/api/cases/{bureau.case_id}"
    told = {"channel_id": str(yard.channel_id), "start": NOON.isoformat(), "end": later(8).isoformat(), "title": "Yard"}
    footage = bureau.ask("lead", "POST", f"{case}/exhibits/footage", json=told).json()["id"]
    paper = bureau.upload("lead", NOTE, name="пояснення.txt", title="Statement")["id"]
    wish = {
        "to_name": "Court of Lviv", "reason": "hearing of 1 December", "legal_basis": "Criminal Procedure Code, art. 290",
        "items": [{"exhibit_id": footage, "start": later(2).isoformat(), "end": later(6).isoformat()}, {"exhibit_id": paper}],
    }  # fmt: skip
    done = bureau.ask("lead", "POST", f"{case}/disclosures", json=wish)
    assert done.status_code == 201, done.text
    return str(done.json()["id"])


def make(bureau, yard, disclosure: str) -> dict:
    """The job that makes the bundle, run beside the ledger's sequencer."""
    settings = Settings(data=bureau.services.data, ledger_origin="test.invalid/yard")
    (settings.ledger / "verifier.key").write_text(yard.log.verifier.text() + "\n")
    settings.keys.mkdir(exist_ok=True)
    bureau.services.bundle_means = bundle_means(settings, at=bureau.now)
    begun = bureau.ask("lead", "POST", f"/api/disclosures/{disclosure}/bundle")
    assert begun.status_code == 201, begun.text
    while (row := bureau.services.jobs.one(begun.json()["job"]))["ended_at"] is None:
        yard.sequence()
    return row


def test_a_signing_camera_s_range_goes_on_to_its_signature_and_the_bundle_stays_true(
    bureau, yard, clip, tmp_path: Path
) -> None:
    """The signature over the last group comes with the next: held, disclosed, and told; judged late, nothing moves."""
    ids = [yard.record(clip, NOON), yard.record(clip, later(4), first=4)]

    def book(start: float, end: float) -> str:
        told = {"channel_id": str(yard.channel_id), "start": later(start).isoformat(), "end": later(end).isoformat(),
                "title": "Yard"}  # fmt: skip
        booked = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/exhibits/footage", json=told)
        assert booked.status_code == 201, booked.text
        return str(booked.json()["id"])

    early = book(1, 3.9)
    with yard.database.transaction() as tx:
        for segment_id in ids:
            tx.run("INSERT INTO recording.device_verdict (segment_id, channel_id, judged_at, signed, authentic, "
                   "not_authentic, grounds, signer) VALUES (%(s)s, %(c)s, %(at)s, true, 4, 0, '{}', 'CN=x')",
                   s=segment_id, c=yard.channel_id, at=bureau.now)  # fmt: skip
    whole = book(1, 3.95)
    shown = {one["id"]: one for one in bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()["exhibits"]}
    assert [datetime.fromisoformat(shown[one]["end_at"]) for one in (early, whole)] == [later(3.9), later(5)]
    assert bureau.ask("lead", "GET", f"/api/exhibits/{early}").json()["intact"] == "same"
    wish = {"to_name": "Court", "reason": "hearing", "legal_basis": "Code, art. 290",
            "items": [{"exhibit_id": one} for one in (early, whole)]}  # fmt: skip
    asked = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/disclosures", json=wish).json()["id"]
    assert bureau.ask("chief", "POST", f"/api/disclosures/{asked}/decision", json={"approve": True}).is_success
    assert make(bureau, yard, asked)["state"] == "done"
    out = tmp_path / "signed.zip"
    out.write_bytes(bureau.ask("lead", "GET", f"/api/disclosures/{asked}/bundle").content)
    files = open_bundle(out)
    with files.open(TRUST_FILE) as file:
        report = verify_bundle(files, file.read())
    assert not [fault for fault in report.faults if str(fault.verdict) == "invalid"], report.faults


def test_a_disclosure_leaves_whole_and_a_stranger_finds_it_true(bureau, yard, asked, tmp_path: Path) -> None:
    path = f"/api/disclosures/{asked}"
    shown = bureau.ask("chief", "GET", path)
    assert shown.status_code == 200, shown.text
    told = shown.json()
    assert [(one["title"], one["kind"]) for one in told["items"]] == [("Yard", "footage"), ("Statement", "file")]
    assert told["items"][0]["bytes"] > 1000
    assert set(told["names"]) == {"Name of lead", "Court of Lviv"}
    assert told["may_decide"]
    assert bureau.ask("lead", "POST", f"{path}/bundle").status_code == 503
    assert make_refused(bureau, yard, asked) == "disclosure-not-approved"
    assert bureau.ask("chief", "POST", f"{path}/decision", json={"approve": True}).is_success
    row = make(bureau, yard, asked)
    assert row["state"] == "done", row
    assert bureau.ask("stranger", "GET", f"{path}/bundle").status_code == 404
    taken = bureau.ask("lead", "GET", f"{path}/bundle")
    assert taken.status_code == 200, taken.text
    archive = zipfile.ZipFile(io.BytesIO(taken.content))
    assert archive.read(next(name for name in archive.namelist() if name.endswith(".txt") and "files" in name)) == NOTE
    out = tmp_path / "out.zip"
    out.write_bytes(taken.content)
    files = open_bundle(out)
    with files.open(TRUST_FILE) as file:
        report = verify_bundle(files, file.read())
    assert not [fault for fault in report.faults if str(fault.verdict) == "invalid"], report.faults
    kinds = [one["kind"] for one in bureau.ask("auditor", "GET", f"/api/custody/{_footage(bureau)}").json()["custody"]]
    assert kinds == ["booked", "disclosed"]
    assert [one["name"] for one in bureau.ask("lead", "GET", path).json()["handed_over"]] == ["Name of lead"]


def make_refused(bureau, yard, disclosure: str) -> str:
    row = make(bureau, yard, disclosure)
    assert row["state"] == "failed"
    return "disclosure-not-approved" if "not approved" in row["says"] else row["says"]


def _footage(bureau) -> str:
    told = bureau.ask("lead", "GET", f"/api/cases/{bureau.case_id}").json()
    return next(one["id"] for one in told["exhibits"] if one["kind"] == "footage")


def test_four_eyes_and_not_of_the_same_kind(bureau, asked) -> None:
    path = f"/api/disclosures/{asked}/decision"
    assert bureau.ask("lead", "POST", path, json={"approve": True}).status_code == 403
    assert bureau.ask("mate", "POST", path, json={"approve": True}).status_code == 403
    assert bureau.ask("barred", "POST", path, json={"approve": True}).status_code == 404
    assert [one["id"] for one in bureau.ask("chief", "GET", "/api/disclosures").json()["items"]] == [asked]
    assert bureau.ask("barred", "GET", "/api/disclosures").status_code == 200
    assert asked not in {one["id"] for one in bureau.ask("barred", "GET", "/api/disclosures").json()["items"]}
    refused = bureau.ask("chief", "POST", path, json={"approve": False})
    assert refused.json()["code"] == "reason-needed"
    assert bureau.ask("chief", "POST", path, json={"approve": False, "says": "too much of it"}).is_success
    assert bureau.ask("chief", "POST", path, json={"approve": True}).json()["code"] == "disclosure-decided"


def test_what_was_found_wanting_or_lies_outside_cannot_be_chosen(bureau, asked) -> None:
    case = f"/api/cases/{bureau.case_id}/disclosures"
    wish = {"to_name": "Court", "reason": "a hearing", "legal_basis": "an act, art. 1"}
    beyond = {"exhibit_id": _footage(bureau), "start": NOON.isoformat(), "end": later(60).isoformat()}
    assert bureau.ask("lead", "POST", case, json=wish | {"items": [beyond]}).json()["code"] == "span-outside"
    assert bureau.ask("lead", "POST", case, json=wish | {"items": []}).json()["code"] == "items-needed"
    with bureau.database.transaction() as tx:
        tx.run(
            "UPDATE evidence.exhibit SET scan = 'infected' WHERE kind = 'file' AND case_id = %(id)s", id=bureau.case_id
        )
        row = tx.one("SELECT id FROM evidence.exhibit WHERE kind = 'file' AND case_id = %(id)s", id=bureau.case_id)
    bad = {"items": [{"exhibit_id": str(row["id"])}]}
    assert bureau.ask("lead", "POST", case, json=wish | bad).json()["code"] == "file-not-clean"


def test_what_the_camera_itself_signed_is_told_with_its_grounds(yard, clip) -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    ids = [yard.record(clip, noon + timedelta(seconds=4 * n), first=4 * n, count=4) for n in range(3)]
    span = Span(noon, noon + timedelta(seconds=12))

    def told() -> tuple[str, ...] | None:
        with yard.database.transaction() as tx:
            found = _verdict(tx, yard.channel_id, span)
        return tuple(str(one) for one in found.findings) if found else None

    def judged(segment_id, *, signed: bool, wrong: int = 0, grounds: tuple[str, ...] = ()) -> None:
        with yard.database.transaction() as tx:
            tx.run(
                "INSERT INTO recording.device_verdict (segment_id, channel_id, judged_at, signed, authentic, "
                "not_authentic, grounds, signer) VALUES (%(s)s, %(c)s, %(at)s, %(signed)s, 4, %(wrong)s, %(g)s, 'CN=x')",
                s=segment_id, c=yard.channel_id, at=noon, signed=signed, wrong=wrong, g=list(grounds),
            )  # fmt: skip

    assert told() is None
    judged(ids[0], signed=True)
    assert told() == ("authentic",)
    judged(ids[1], signed=True, grounds=("signer-untrusted", "nal-units-missing"))
    assert told() == ("missing-nal", "untrusted-key")
    judged(ids[2], signed=False)
    assert told() == ("missing-nal", "not-signed", "untrusted-key")

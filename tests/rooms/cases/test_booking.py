"""Reads and scans become exhibits: by whoever may see them and work in the case, for good, and they leave in a bundle."""

import io
import shutil
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from tests.rooms.cases.test_disclosure import make

from svidok.access import Role, accounts
from svidok.api.plates_parts import plates_of
from svidok.base import new_id
from svidok.customs import checkpoints, scans
from svidok.customs.scans import Incoming, Place, ScanTold
from svidok.evidence.bundle.verify import TRUST_FILE, verify_bundle
from svidok.evidence.bundle.zipped import open_bundle
from svidok.plates.model import Read, Source
from svidok.plates.store import Reads


def image(form: str, colour: str = "red") -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (64, 32), colour).save(into, form)
    return into.getvalue()


@pytest.fixture
def read(bureau) -> Read:
    """A read of today with its picture."""
    taken_at = bureau.now - timedelta(minutes=10)
    pictures = plates_of(bureau.services).pictures
    one = Read(
        id=new_id(), camera_id=new_id(), taken_at=taken_at, received_at=taken_at, plate="LA4242AA", as_read="LA4242AA",
        confidence=0.97, source=Source.CONTRACT, country="UA", alternatives=(("LA4242AB", 0.02),),
        image=pictures.put(image("JPEG"), taken_at=taken_at),
    )  # fmt: skip
    Reads(bureau.database).add([one])
    return one


@pytest.fixture
def scan(bureau, yard) -> UUID:
    """A scan that came to a checkpoint, with the picture made of it."""
    place, now = Place(volume_id=yard.volume_id, root=yard.volume), bureau.now
    with bureau.database.transaction() as tx:
        admin = accounts.add_account(
            tx, by=None, login=f"a-{new_id().hex[-12:]}", name="Admin", password=None, roles=[Role.ADMINISTRATOR],
            unit_id=None, at=now,
        )  # fmt: skip
        code = f"UA{new_id().hex[-6:].upper()}"
        post = checkpoints.add_checkpoint(
            tx, actor=admin, code=code, name_uk="Пост", name_en="Post", plates_due=False, body_due=False,
            upload_within=timedelta(hours=12), at=now,
        )  # fmt: skip
        _, secret = checkpoints.add_source(tx, actor=admin, name=code, checkpoints=[post], at=now)
        source = checkpoints.source_of(tx, secret, at=now)
        coming = Incoming(place)
        coming.write(image("PNG", "blue"))
        path = coming.keep(at=now)
        told = ScanTold(checkpoint=code, device="MS-7", taken_at=now - timedelta(minutes=5), plate="LA4242AA")
        scan_id = scans.enter_scan(tx, source, told, coming, path, at=now)
    assert scans.derive(bureau.database, scan_id)["picture"]
    return scan_id


def book_read(bureau, read: Read, who: str = "lead", **more: Any) -> Any:
    told = {"case_id": str(bureau.case_id), "title": "LA 4242 AA", "taken_at": read.taken_at.isoformat(), **more}
    return bureau.ask(who, "POST", f"/api/plates/reads/{read.id}/exhibits", json=told)


def book_scan(bureau, scan: UUID, who: str = "lead", **more: Any) -> Any:
    told = {"case_id": str(bureau.case_id), "title": "Scan of the van", **more}
    return bureau.ask(who, "POST", f"/api/customs/scans/{scan}/exhibits", json=told)


def test_a_read_is_an_exhibit_that_outlives_its_day(bureau, read) -> None:
    made = book_read(bureau, read)
    assert made.status_code == 201, made.text
    exhibit = made.json()["id"]
    assert book_read(bureau, read, "mate").json()["id"] == exhibit
    shutil.rmtree(bureau.services.data / "plates")  # its time is over
    shown = bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}").json()
    assert (shown["kind"], shown["intact"], shown["broken_at"]) == ("read", "same", None)
    assert next(line["kind"] for line in shown["custody"]) == "booked"
    facts = shown["facts"]
    assert (facts["plate"], facts["alternatives"], facts["country"]) == ("LA4242AA", [["LA4242AB", 0.02]], "UA")
    with bureau.database.transaction() as tx:
        number = tx.one("SELECT number FROM governance.reference WHERE id = %(id)s", id=bureau.reference_id)["number"]
    assert facts["looked_under"] == number
    media = bureau.ask("mate", "GET", f"/api/exhibits/{exhibit}/media")
    assert (media.status_code, media.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(media.content)).size == (64, 32)


def test_a_read_without_its_picture_is_booked_in_as_its_record(bureau, read) -> None:
    shutil.rmtree(bureau.services.data / "plates")
    exhibit = book_read(bureau, read).json()["id"]
    kept = bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}/original")
    assert kept.json()["plate"] == "LA4242AA"
    assert bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}/media").json()["code"] == "no-playable-copy"


def test_a_scan_is_kept_as_it_came_and_shown_by_its_picture(bureau, scan) -> None:
    made = book_scan(bureau, scan)
    assert made.status_code == 201, made.text
    exhibit = made.json()["id"]
    assert book_scan(bureau, scan).json()["id"] == exhibit
    assert bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}/original").content == image("PNG", "blue")
    assert bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}/media").headers["content-type"] == "image/jpeg"
    kinds = [line["kind"] for line in bureau.ask("lead", "GET", f"/api/exhibits/{exhibit}").json()["custody"]]
    assert kinds[:2] == ["booked", "copy-made"]


def test_a_scan_that_is_not_what_was_stated_is_not_taken_for_it(bureau, scan, yard) -> None:
    with bureau.database.transaction() as tx:
        _, path = scans.located(tx, scan)
    path.chmod(0o600)
    path.write_bytes(image("PNG", "green"))
    assert book_scan(bureau, scan).json()["code"] == "scan-changed"


def test_only_whoever_may_see_it_and_works_in_the_case_books_it_in(bureau, read, scan) -> None:
    for book, what in ((book_read, read), (book_scan, scan)):
        assert book(bureau, what, "stranger").status_code == 404
        assert book(bureau, what, "barred").status_code in (403, 404)
        assert book(bureau, what, "auditor").status_code == 403
    assert book_read(bureau, read, "reader").status_code == 403  # an operator searches no plates
    with bureau.database.transaction() as tx:
        assert not tx.all("SELECT FROM evidence.exhibit WHERE case_id = %(id)s", id=bureau.case_id)


def test_both_leave_in_a_bundle_as_files_that_a_stranger_finds_true(bureau, yard, read, scan, tmp_path) -> None:
    items = [{"exhibit_id": book(bureau, what).json()["id"]} for book, what in ((book_read, read), (book_scan, scan))]
    wish = {"to_name": "Court", "reason": "the hearing", "legal_basis": "Code, art. 290", "items": items}
    asked = bureau.ask("lead", "POST", f"/api/cases/{bureau.case_id}/disclosures", json=wish).json()["id"]
    assert bureau.ask("chief", "POST", f"/api/disclosures/{asked}/decision", json={"approve": True}).is_success
    row = make(bureau, yard, asked)
    assert row["state"] == "done", row
    out = tmp_path / "out.zip"
    out.write_bytes(bureau.ask("lead", "GET", f"/api/disclosures/{asked}/bundle").content)
    names = [name for name in zipfile.ZipFile(out).namelist() if "/files/" in name]
    assert {name[-4:] for name in names} == {".jpg", ".png"}
    files = open_bundle(out)
    with files.open(TRUST_FILE) as file:
        report = verify_bundle(files, file.read())
    assert not [fault for fault in report.faults if str(fault.verdict) == "invalid"], report.faults

"""The redaction editor in a real Chromium: what `web/e2e/redaction.mjs` draws, sizes and silences is what the rows say."""

import subprocess
from pathlib import Path

import pytest
from tests.web.conftest import Hub

from svidok.base import SystemClock
from svidok.evidence import arriving, cases, deriving, redactions
from svidok.evidence.custody import SQL
from svidok.evidence.model import DataSubjects, Source
from svidok.evidence.vault import Vault
from svidok.governance import ReferenceKind
from svidok.governance.purposes import open_reference


@pytest.fixture
def redaction(hub: Hub, tmp_path: Path) -> str:
    """Two seconds of a test picture with a tone, whose search found nobody."""
    film, database, lead = tmp_path / "in.mp4", hub.services.database, hub.people["investigator"]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=2", "-f", "lavfi", "-i",
         "sine=440:d=2", "-c:v", "libx264", "-c:a", "aac", film], check=True,
    )  # fmt: skip
    vault, now, data = Vault(hub.services.data / "exhibits"), SystemClock().now(), film.read_bytes()
    told = arriving.Told(
        name="in.mp4", size_bytes=len(data), media_type="video/mp4", title="Двір", source=Source.PUBLIC,
        obtained="електронною поштою",
    )  # fmt: skip
    with database.transaction() as tx:
        reference = open_reference(
            tx, actor=hub.people["supervisor"], kind=ReferenceKind.CASE, number="2026-77", title="Крадіжка",
            legal_basis="КПК України, ст. 214", at=now,
        )  # fmt: skip
        case_id = cases.open_case(
            tx, actor=lead, reference_id=reference.id, data_subjects=[DataSubjects.WITNESS], summary="", at=now
        )
        upload = arriving.announce(tx, vault, actor=lead, case_id=case_id, told=told, at=now)
    arriving.receive(database, vault, actor=lead, upload_id=upload, offset=0, piece=data)
    exhibit = arriving.finish(database, vault, actor=lead, upload_id=upload, at=now)
    arriving.scan_exhibit(database, vault, actor=lead, exhibit_id=exhibit, socket=None, at=now)
    assert deriving.make_playable(database, vault, actor=lead, exhibit_id=exhibit, at=now) == "video/mp4"
    made = redactions.begin(database, vault, actor=lead, exhibit_id=exhibit, at=now)
    redactions.propose(database, vault, actor=lead, redaction_id=made, at=now)
    return str(made)


@pytest.mark.timeout(300)
def test_covers_are_drawn_sized_and_moved_and_sound_is_taken_out(hub: Hub, redaction: str, tmp_path: Path) -> None:
    hub.walk("redaction.mjs", tmp_path, redaction=redaction)
    with hub.services.database.transaction() as tx:
        row = tx.one(SQL["redaction_by_id"], id=redaction)
        (cover,) = [one for one in tx.all(SQL["covers_of"], redaction_id=redaction) if one["kind"] == "region"]
    assert (row["state"], row["mute"], row["silences"]) == ("asked", False, [[0, 440]])
    (picture, x, y, width, height), *_ = cover["keys"]
    assert picture == 0
    assert width > 210  # drawn 160 wide, drawn out by 60 with the handle, then by the keys
    assert 90 < height < 110
    assert 70 < x < 90
    assert 50 < y < 70

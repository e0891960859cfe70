"""A shift at a checkpoint in real Chromium: the dock's tablet, what is missing, a complaint that finds its footage, the report."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.rooms.bodyworn.conftest import serving
from tests.web.conftest import Hub

from svidok.api.docks import DockDoor
from svidok.app import demo_bodyworn, demo_customs
from svidok.app.settings import Settings, load_settings
from svidok.base import Span, SystemClock
from svidok.bodyworn import issuing
from svidok.bodyworn.keys import door_keys
from svidok.bodyworn.resuming import Uploads
from svidok.bodyworn.tending import Tender, enrol_vault
from svidok.customs import worklist
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.governance import ReferenceKind, purposes
from svidok.recording import facts as f
from svidok.recording.store import enter_facts
from svidok.recording.volumes import enrol

LANES = (
    "number;name_uk;kind;owner;region_code\nLV-0008;Смуга 1;plate;customs;UA46060250010015970\n"
    "LV-0009;Зала;overview;customs;UA46060250010015970\n"
)


class Ahead(SystemClock):
    """A clock five minutes ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


def a_day_that_was(hub: Hub, settings: Settings, folder: Path, address: str) -> datetime:
    """Enter the demonstration's control of an hour and a half ago, and two who work now; when the control began."""
    database, now = hub.services.database, hub.services.clock.now()
    service, boss = hub.people["administrator"], hub.people["supervisor"]
    safe = Safe(folder / "credentials.key")
    import_cameras(database, LANES.encode(), actor=service, safe=safe, at=now, progress=lambda *_: None)
    then = now - timedelta(minutes=90)
    demo_bodyworn.seed(database, settings, supervisor=boss, service=service, at=then)
    demo_customs.seed(database, settings, service=service, at=then)
    with database.transaction() as tx:
        purposes.open_reference(
            tx, actor=boss, kind=ReferenceKind.DUTY, number="Ч-1", title="Чергування зміни", legal_basis="МКУ, ст. 324",
            at=now,
        )  # fmt: skip
        for badge in ("М-1041", "М-1042"):
            officer = issuing.find_officer(tx, badge)["id"]
            issuing.plan_shift(
                tx, actor=boss, officer_id=officer, checkpoint=demo_bodyworn.CHECKPOINT, at=now,
                span=Span(now - timedelta(minutes=5), now + timedelta(hours=4)),
            )  # fmt: skip
    secret, began, _ = demo_customs.secret_file(settings).read_text().split()
    assert demo_customs.bring_scan(address, secret, demo_customs.control(datetime.fromisoformat(began))[0])
    return datetime.fromisoformat(began)


@pytest.mark.timeout(600)
def test_a_shift_at_a_checkpoint(hub: Hub, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, clock = hub.services.database, SystemClock()
    monkeypatch.setattr(demo_bodyworn, "CONTROL_MINUTES", 4)
    monkeypatch.setattr(demo_customs, "HISTORY_DAYS", 3)
    footage = enrol(scratch / "worn-footage", node="hub", quota_bytes=None, known_id=None)
    seen = f.VolumeSeen(volume_id=footage.id, node="hub", path=footage.path, quota_bytes=None, used_bytes=0,
                        free_bytes=1 << 30, state="ready", at=clock.now())  # fmt: skip
    with database.transaction() as tx:
        enter_facts(tx, [seen])
    vault = enrol_vault(database, [tmp_path / "first", tmp_path / "second"], node="hub", at=clock.now())
    settings = load_settings(data=tmp_path / "data")
    keys = door_keys(settings.keys, host="127.0.0.1", at=clock.now())
    tender = Tender(database=database, vault=vault, keys=keys, clock=clock, node="hub")
    door = DockDoor(
        database=database, vault=vault, uploads=Uploads(database=database, vault=vault), clock=clock,
        token_key=keys.token_key, categories=(),
    )  # fmt: skip
    with serving(door, keys) as docks:
        settings.dock_port, settings.port = int(docks.rpartition(":")[2]), int(hub.address.rpartition(":")[2])
        start = a_day_that_was(hub, settings, tmp_path, hub.address)
        cameras = [(serial, fault) for _, _, _, serial, fault in demo_bodyworn.OFFICERS if fault != "none"]
        control = Span(start, start + timedelta(minutes=demo_bodyworn.CONTROL_MINUTES))
        demo_bodyworn.offload_all(settings, clock, cameras, control)
    while tender.copy_waiting() + tender.read_waiting():
        pass
    worklist.check_due(database, at=Ahead().now())
    monkeypatch.setattr(hub.services, "clock", Ahead())  # no dock has sent anything for a while
    wall = [(start + timedelta(minutes=m)).astimezone(ZoneInfo("Europe/Kyiv")).strftime("%Y-%m-%dT%H:%M")
            for m in (-5, 10)]  # fmt: skip
    hub.walk("customs.mjs", tmp_path, **{"from": wall[0], "to": wall[1]})
    for language, words in (("uk", "вивантаження перервано"), ("en", "upload broken off")):
        done = subprocess.run(
            ["pdftotext", "-layout", str(tmp_path / f"report-{language}.pdf"), "-"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert words in " ".join(done.stdout.split()), done.stdout
    with database.transaction() as tx:
        worn = tx.all(
            "SELECT o.badge, d.number, i.returned_at IS NOT NULL AS back FROM bodyworn.issue i "
            "JOIN bodyworn.officer o ON o.id = i.officer_id JOIN bodyworn.device d ON d.camera_id = i.camera_id "
            "WHERE i.issued_at > %(at)s ORDER BY 1", at=clock.now() - timedelta(minutes=30),
        )  # fmt: skip
    assert [tuple(row.values()) for row in worn] == [("М-1041", "BW-06", True), ("М-1042", "BW-04", False)]

"""The demonstration's checkpoint: officers with worn cameras, a dock, and one control that is over.

Its clips are uploaded over TLS by a dock that is not there, as any dock would:
one camera was switched off for 40 seconds, one is pulled out in the middle of
its last clip. One more officer works lane 1 for an hour; then their camera is
returned and docked too, and the day is over.
"""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import structlog

from svidok.access import Actor, accounts
from svidok.app.settings import Settings
from svidok.base import Clock, Span
from svidok.bodyworn import docks, issuing
from svidok.bodyworn.keys import door_keys
from svidok.bodyworn.model import PauseKind, Service
from svidok.cli.worn import client_of, offload
from svidok.db import Database, Transaction
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.simulate.docking import manifest_of
from svidok.simulate.region import LVIV
from svidok.simulate.worn import WornCamera

log = structlog.get_logger("demo")

DOCK_PORT = 18490
CHECKPOINT = "Рава-Руська"
RETENTION_CLASS = "customs-worn"
BASIS = "Митний кодекс України, ст. 324 (демонстрація)"
CONTROL_MINUTES = 12
OUT_MINUTES = 60
OFFICERS = (
    ("М-1041", "Тарас Гнатів", "BW-01", "ACC8E0A10001", "none"),
    ("М-1042", "Оксана Дмитрів", "BW-02", "ACC8E0A10002", "switched-off"),
    ("М-1043", "Ігор Савчук", "BW-03", "ACC8E0A10003", "pulled"),
    ("М-1044", "Наталія Кравець", "BW-04", "ACC8E0A10004", "none"),
)
OUT = ("М-1045", "Роман Тимків", "BW-05", "ACC8E0A10005")
SPARE = ("BW-06", "ACC8E0A10006")


def seed(database: Database, settings: Settings, *, supervisor: Actor, service: Actor, at: datetime) -> None:
    """Enter the checkpoint: cameras, officers, shifts, issues, and the dock's connection file."""
    cameras = [(camera, serial) for _, _, camera, serial, *_ in (*OFFICERS, OUT)] + [SPARE]
    safe = Safe(settings.keys / "credentials.key")
    import_cameras(database, _csv(cameras).encode(), actor=service, safe=safe, at=at, progress=lambda *_: None)
    start = at.replace(microsecond=0) - timedelta(minutes=CONTROL_MINUTES + 10)
    end = start + timedelta(minutes=CONTROL_MINUTES)
    with database.transaction() as tx:
        issuing.set_pack(
            tx, actor=supervisor, service=Service.CUSTOMS, retention_class=RETENTION_CLASS, legal_basis=BASIS, at=at,
            pause_kinds=[PauseKind.PERSONAL_NEEDS, PauseKind.STATE_SECRET],
            hold_reasons=["criminal-case", "administrative-case", "complaint", "lawyers-request", "inquiry"],
        )  # fmt: skip
        for camera, serial in cameras:
            issuing.enrol_camera(
                tx, actor=service, number=camera, serial=serial, service=Service.CUSTOMS, checkpoint=CHECKPOINT, at=at
            )
        first = tx.one(accounts.SQL["account_by_login"], login="officer")["id"]
        for number, (badge, name, camera, _, _) in enumerate(OFFICERS):
            _worn(tx, supervisor, badge, name, camera, Span(start, end), account_id=None if number else first)
            issuing.take_back(tx, actor=supervisor, camera=camera, at=end + timedelta(minutes=1))
        badge, name, camera, _ = OUT
        _worn(tx, supervisor, badge, name, camera, out_shift(start))
        made = docks.make_dock(tx, actor=service, name="Док-станція 1", checkpoint=CHECKPOINT, at=at)
    keys = door_keys(settings.keys, host=settings.dock_host, at=at)
    told = docks.connection_file(
        made, origin=f"https://{settings.dock_host}:{settings.dock_port or DOCK_PORT}",
        certificates=[keys.certificate_der()], public_key_pem=keys.content_public_pem(), key_id=keys.content_key_id(),
        version="demo",
    )  # fmt: skip
    kept = _connection(settings)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch(mode=0o600)
    kept.write_bytes(told)
    kept.with_suffix(".start").write_text(start.isoformat())


def out_shift(start: datetime) -> Span:
    """The shift of the officer who works on when the control that began at `start` is over."""
    begin = start + timedelta(minutes=CONTROL_MINUTES + 7)
    return Span(begin, begin + timedelta(minutes=OUT_MINUTES))


def dock(settings: Settings, clock: Clock) -> None:
    """Upload what cameras recorded: of the control as soon as the door is open, of lane 1 when its shift is over."""
    kept = _connection(settings)
    if not kept.exists():
        return
    start = datetime.fromisoformat(kept.with_suffix(".start").read_text())
    span, (badge, _, camera, serial) = out_shift(start), OUT
    if not kept.with_suffix(".done").exists():
        offload_all(
            settings,
            clock,
            [(one[3], one[4]) for one in OFFICERS],
            Span(start, start + timedelta(minutes=CONTROL_MINUTES)),
        )
        _stand_in_dock(settings, clock, SPARE[1])
        kept.with_suffix(".done").touch()
    if not kept.with_suffix(".over").exists():
        while clock.now() < span.end or not _give_back(settings, badge, camera):
            time.sleep(5.0)
        offload_all(settings, clock, [(serial, "none")], span)
        kept.with_suffix(".over").touch()


def offload_all(settings: Settings, clock: Clock, cameras: list[tuple[str, str]], span: Span) -> None:
    """Upload what these cameras recorded in a span, each with its fault."""
    client = client_of(json.loads(_connection(settings).read_text("utf-8")))
    while True:
        try:
            client.sign_in()
            break
        except OSError:
            time.sleep(1.0)
    for serial, fault in cameras:
        offload(
            client, serial, start=span.start, seconds=span.duration.total_seconds(), clip_s=120, fault=fault,
            fault_s=40, door="tus", now=clock.now, cache=settings.data / "demo" / "scenes",
        )  # fmt: skip
    log.info("docked", cameras=len(cameras))


def _stand_in_dock(settings: Settings, clock: Clock, serial: str) -> None:
    """A camera that nobody wore is in the dock, and has nothing to send."""
    client = client_of(json.loads(_connection(settings).read_text("utf-8")))
    client.sign_in()
    told = manifest_of(WornCamera(serial=serial, clips=()), {}, clock.now())
    client.ask("POST", "/dock/v1/manifests", {"Content-Type": "application/json"}, told)


def _give_back(settings: Settings, badge: str, camera: str) -> bool:
    """The officer returns the camera at the tablet; whether it is back."""
    passwords = json.loads((settings.data / "demo" / "accounts.json").read_text("utf-8"))
    with httpx.Client(base_url=f"http://{settings.host}:{settings.port}", timeout=60) as tablet:
        try:
            entered = tablet.post("/api/session", json={"login": "officer", "password": passwords["officer"]})
            if entered.status_code >= 300:
                return False
            headers = {"X-Svidok-CSRF": entered.json()["csrf"]}
            said = tablet.post("/api/worn/return", json={"badge": badge, "camera": camera}, headers=headers)
        except httpx.HTTPError:
            return False
    return said.status_code < 300 or said.json().get("code") == "camera-not-out"


def _worn(
    tx: Transaction,
    supervisor: Actor,
    badge: str,
    name: str,
    camera: str,
    span: Span,
    *,
    account_id: UUID | None = None,
) -> None:
    officer = issuing.add_officer(
        tx,
        actor=supervisor,
        badge=badge,
        name=name,
        service=Service.CUSTOMS,
        at=span.start,
        card=f"RFID-{badge}",
        account_id=account_id,
    )
    issuing.plan_shift(tx, actor=supervisor, officer_id=officer, checkpoint=CHECKPOINT, span=span, at=span.start)
    issuing.issue(tx, actor=supervisor, badge=badge, camera=camera, at=span.start - timedelta(minutes=2))


def _connection(settings: Settings) -> Path:
    return settings.data / "demo" / "svidok-connection.json"


def _csv(cameras: list[tuple[str, str]]) -> str:
    header = "number;name_uk;name_en;site;kind;owner;katotth;lawful_basis;retention_class;maker;model;serial;life"
    lines = [
        f"{number};Натільна камера {number};Body-worn camera {number};{CHECKPOINT};body_worn;customs;{LVIV};{BASIS};"
        f"{RETENTION_CLASS};Axis;W120;{serial};planned"
        for number, serial in cameras
    ]
    return "\n".join([header, *lines]) + "\n"

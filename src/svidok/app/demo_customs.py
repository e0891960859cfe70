"""The demonstration's customs: two months that were worked, one control that is over, and a lane that goes on.

The control is that of `demo_bodyworn`: its four officers, one procedure each.
The scan of one of them is missing. Afterwards, while the last officer is on
shift and as soon as the camera of lane 1 records, a customs system that is not
there tells of a further procedure every few minutes, over HTTP with the secret
of its source, as any would.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import structlog

from svidok.access import Actor
from svidok.app import demo_bodyworn
from svidok.app.settings import Settings
from svidok.base import Clock, SvidokError
from svidok.cli.simulate_customs import send
from svidok.customs import checkpoints, importing
from svidok.customs.sums import sum_due
from svidok.db import Database
from svidok.simulate.border import Border, play_day
from svidok.simulate.cargo import scan

log = structlog.get_logger("demo")

CODE = "UA209140"
SCANNER = "MS-7"
HISTORY_DAYS = 56
PILOT_DAYS = 28  # so long ago the work became quicker, as the demonstration tells it
SCAN_WITHIN = timedelta(minutes=14)  # after the control: time for the one scan that is brought once all has started
_EVERY_S = 180.0
_LANE = "LV-0008"
_LANES = (("1", _LANE), ("2", "LV-0009"), ("3", ""), ("4", ""), ("5", ""), ("6", ""))


def seed(database: Database, settings: Settings, *, service: Actor, at: datetime) -> None:
    """Enter the checkpoint, its lanes and source, the months that were worked, and the control that is over."""
    start = at.replace(microsecond=0) - timedelta(minutes=demo_bodyworn.CONTROL_MINUTES + 10)
    with database.transaction() as tx:
        channels = {row["number"]: row["id"] for row in tx.all(
            "SELECT c.number, h.id FROM fleet.channel h JOIN fleet.camera c ON c.id = h.camera_id")}  # fmt: skip
        checkpoint_id = checkpoints.add_checkpoint(
            tx, actor=service, code=CODE, name_uk="МПП «Рава-Руська»", name_en="Rava-Ruska crossing", plates_due=False,
            body_due=True, upload_within=timedelta(hours=12), scan_within=SCAN_WITHIN, at=start,
        )  # fmt: skip
        for code, camera in _LANES:
            lane_id = checkpoints.add_lane(
                tx, actor=service, checkpoint_id=checkpoint_id, code=code, name_uk=f"Смуга {code}",
                name_en=f"Lane {code}", at=start,
            )  # fmt: skip
            if camera in channels:
                checkpoints.set_lane_cameras(
                    tx, actor=service, lane_id=lane_id, channel_ids=[channels[camera]], at=start
                )
        _, secret = checkpoints.add_source(
            tx, actor=service, name="Митна система (демо)", checkpoints=[checkpoint_id], at=start
        )
        source = checkpoints.source_of(tx, secret, at=start)
        for back in range(HISTORY_DAYS, -1, -1):
            border = Border(code=CODE, lanes=tuple(code for code, _ in _LANES), per_day=150,
                            pace=1.0 if back > PILOT_DAYS else 0.9)  # fmt: skip
            rows = [one for one in play_day(border, (at - timedelta(days=back)).date())
                    if datetime.fromisoformat(one["ended_at"]) < start]  # fmt: skip
            importing.take(tx, source, list(enumerate(rows, start=1)), at=at)
        importing.take(tx, source, list(enumerate(control(start), start=1)), at=at)
    sum_due(database)
    kept = secret_file(settings)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(f"{secret}\n{start.isoformat()}\n{channels[_LANE]}\n")


def control(start: datetime) -> list[dict[str, Any]]:
    """One procedure for each officer of the control; two lorries whose scan is due."""
    begin = start + timedelta(seconds=30)
    end = start + timedelta(minutes=demo_bodyworn.CONTROL_MINUTES, seconds=-30)
    kinds = (("lorry", "BC 1041 HA"), ("car", "BC 1042 HB"), ("bus", "BC 1043 HC"), ("lorry", "BC 1044 HE"))
    told = []
    for number, ((badge, *_), (kind, plate)) in enumerate(zip(demo_bodyworn.OFFICERS, kinds, strict=True), start=1):
        told.append({
            "number": f"{CODE}/{start:%y%m%d}/D-{number}", "checkpoint": CODE, "lane": str(number + 2), "kind": kind,
            "direction": "in", "plate": plate, "officers": [badge], "scan_due": kind == "lorry", "outcome": "released",
            "declaration": f"26UA209140D{number:04d}" if kind == "lorry" else None,
            "queued_at": (begin - timedelta(minutes=9 * number)).isoformat(), "started_at": begin.isoformat(),
            "ended_at": end.isoformat(), "steps": _steps(begin, end, scan=kind == "lorry"), "irregularities": [],
        })  # fmt: skip
    return told


def _steps(begin: datetime, end: datetime, *, scan: bool) -> list[dict[str, str]]:
    names = ["radiation", "documents", *(["scan"] if scan else []), "inspection", "release"]
    part = (end - begin) / len(names)
    return [
        {"kind": name, "started_at": (begin + n * part).isoformat(), "ended_at": (begin + (n + 1) * part).isoformat()}
        for n, name in enumerate(names)
    ]


def play(settings: Settings, clock: Clock) -> None:
    """Bring the one scan there is, then tell of a procedure on lane 1 every few minutes, until the shift is over."""
    kept = secret_file(settings)
    if not kept.exists():
        return
    secret, began, channel = kept.read_text().split()
    address = f"http://{settings.host}:{settings.port}"
    start = datetime.fromisoformat(began)
    first, shift_end = control(start)[0], demo_bodyworn.out_shift(start).end
    while not bring_scan(address, secret, first):
        time.sleep(2.0)
    while not any(next((volume / channel).rglob("*.mp4"), None) for volume in settings.volumes()):
        time.sleep(2.0)  # the lane opens when its camera records
    while True:
        time.sleep(_EVERY_S)
        end = clock.now().replace(microsecond=0) - timedelta(seconds=8)
        if end > shift_end:
            return
        try:
            send(address, secret, [further(first, end)], form="json")
        except SvidokError as error:
            log.info("the hub does not listen", why=error.message)


def further(first: dict[str, Any], end: datetime) -> dict[str, Any]:
    """One more procedure of the officer on lane 1, over at `end`."""
    begin = end - timedelta(seconds=150)
    return first | {
        "number": f"{CODE}/{end:%y%m%d}/L-{end:%H%M%S}", "lane": "1", "kind": "car", "declaration": None,
        "plate": f"BC {end:%M%S} TT", "officers": [demo_bodyworn.OUT[0]], "scan_due": False,
        "queued_at": (end - timedelta(minutes=14)).isoformat(), "started_at": begin.isoformat(),
        "ended_at": end.isoformat(), "steps": _steps(begin, end, scan=False),
    }  # fmt: skip


def bring_scan(address: str, secret: str, told: dict[str, Any]) -> bool:
    """The scanner brings the scan of a procedure; whether it was taken."""
    step = next(one for one in told["steps"] if one["kind"] == "scan")
    taken_at = datetime.fromisoformat(step["started_at"])
    query = {"checkpoint": CODE, "device": SCANNER, "taken_at": taken_at.isoformat(), "procedure": told["number"]}
    try:
        answer = httpx.post(
            f"{address}/api/customs/intake/scans", params=query, timeout=90,
            content=scan(seed=1, serial=SCANNER, taken_at=taken_at), headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip
    except httpx.HTTPError:
        return False
    return answer.status_code == 201


def secret_file(settings: Settings) -> Path:
    """Where the secret of the demonstration's source lies, with when its day began and the channel of lane 1."""
    return settings.data / "demo" / "customs.secret"

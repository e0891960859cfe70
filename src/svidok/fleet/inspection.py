"""Looking a camera over: probe it, keep what was found, and judge its weaknesses."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, new_id
from svidok.db import Database, Row, Transaction
from svidok.fleet.credentials import Safe
from svidok.fleet.drivers import onvif
from svidok.fleet.posture import Facts, findings, weak_login
from svidok.fleet.registry import SQL, maker_policy


def inspect(
    database: Database, safe: Safe, *, actor: Actor, camera_id: UUID, now: Callable[[], datetime]
) -> dict[str, Any]:
    """Probe a camera over ONVIF, keep its facts and judge it; what was found. Raises `CameraAnswer`."""
    require(actor, "probe_camera")
    with database.transaction() as tx:
        row = tx.one(SQL["camera_by_id"], id=camera_id)
    if not row["address"]:
        raise BadInput("address-missing", "This camera has no ONVIF address.")
    username, password = safe.open(camera_id, row["sealed_login"])
    found = onvif.probe(row["address"], username=username, password=password, now=now)
    facts = dict(row["facts"]) | {
        "profiles": list(found.profiles), "tls_offered": found.secure, "steerable": found.steerable,
        "weak_login": weak_login(username, password) if username else None,
    }  # fmt: skip
    with database.transaction() as tx:
        tx.run(
            SQL["set_facts"], camera_id=camera_id, maker=found.maker, model=found.model, firmware=found.firmware,
            serial=found.serial, facts=json.dumps(facts),
        )  # fmt: skip
        audit.record(tx, actor=actor, action="probe_camera", at=now(), to_whom="", what={"camera": str(camera_id)})
        judge(tx, camera_id=camera_id, at=now())
    return {
        "maker": found.maker, "model": found.model, "firmware": found.firmware, "serial": found.serial,
        "profiles": list(found.profiles), "offset_ms": found.offset_ms, "steerable": found.steerable,
        "streams": [{"url": s.url, "codec": s.codec, "width": s.width, "height": s.height} for s in found.streams],
    }  # fmt: skip


def judge(tx: Transaction, *, camera_id: UUID | None, at: datetime) -> int:
    """Judge one camera, or all, by what is known of them; how many weaknesses stand."""
    makers, vulnerable = maker_policy(tx), vulnerable_firmware(tx)
    standing = 0
    for row in tx.all(SQL["cameras_due_for_posture"], id=camera_id):
        found = findings(_facts(row), makers=makers, vulnerable=vulnerable)
        standing += len(found)
        tx.run(SQL["clear_findings"], camera_id=row["id"], at=at, standing=[finding.code for finding in found])
        if found:
            tx.run_many(
                SQL["add_finding"],
                [
                    {"id": new_id(), "camera_id": row["id"], "code": finding.code, "severity": finding.severity,
                     "details": json.dumps(finding.details), "at": at}
                    for finding in found
                ],
            )  # fmt: skip
    return standing


def vulnerable_firmware(tx: Transaction) -> list[dict[str, str]]:
    """The administrator's list of vulnerable firmware."""
    row = tx.maybe(SQL["policy"], key="firmware")
    return list(row["value"]) if row else []


def set_policies(
    tx: Transaction, *, actor: Actor, makers: dict[str, str] | None, firmware_csv: str | None, at: datetime
) -> None:
    """Set the makers policy (deny, isolate, allow) and the firmware list (CSV: maker,model,firmware,advisory)."""
    require(actor, "manage_settings")
    if makers is not None:
        if set(makers.values()) - {"deny", "isolate", "allow"}:
            raise BadInput("policy-form", "A maker is deny, isolate or allow.")
        tx.run(SQL["set_policy"], key="makers", value=json.dumps(makers), at=at)
    if firmware_csv is not None:
        rows = list(csv.DictReader(io.StringIO(firmware_csv.lstrip("\ufeff"))))
        if rows and not {"maker", "firmware"} <= set(rows[0]):
            raise BadInput("firmware-header", "The first line must name maker, model, firmware, advisory.")
        tx.run(SQL["set_policy"], key="firmware", value=json.dumps(rows), at=at)
    audit.record(
        tx, actor=actor, action="manage_settings", at=at, to_whom="",
        what={"makers": makers is not None, "firmware": firmware_csv is not None},
    )  # fmt: skip
    judge(tx, camera_id=None, at=at)


def _facts(row: Row) -> Facts:
    facts = row["facts"]
    return Facts(
        urls=row["urls"] or [], maker=row["maker"], model=row["model"], firmware=row["firmware"],
        profiles=facts.get("profiles", []), tls_offered=facts.get("tls_offered"), weak_login=facts.get("weak_login"),
        clock_offset_ms=row["clock_offset_ms"],
    )  # fmt: skip

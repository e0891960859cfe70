"""A vehicle is read, hits a hotlist, is judged at the desk, searched for a case, and its journey shown by leave; in real Chromium."""

import base64
import json
import urllib.request
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image, ImageDraw
from tests.web.conftest import Hub

from svidok.governance import ReferenceKind, purposes
from svidok.incidents.raising import raise_waiting
from svidok.plates import devices, hotlist_file, hotlists
from svidok.plates.model import Source

_WANTED = "BC7731KM"


def picture(text: str) -> str:
    image = Image.new("RGB", (640, 360), "#223")
    ImageDraw.Draw(image).text((250, 170), text, fill="white")
    out = BytesIO()
    image.save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def post(hub: Hub, secret: str, reads: list[dict[str, object]]) -> None:
    request = urllib.request.Request(
        f"{hub.address}/api/devices/reads", data=json.dumps({"reads": reads}).encode(), method="POST",
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read())["rejected"] == []


@pytest.mark.timeout(400)
def test_a_vehicle_from_read_to_journey(hub: Hub, fleet: dict[str, UUID], tmp_path: Path) -> None:
    services, now = hub.services, hub.services.clock.now()
    with services.database.transaction() as tx:
        boss = hub.people["supervisor"]
        purposes.open_reference(
            tx, actor=boss, kind=ReferenceKind.CASE, number="1107", title="Викрадення авто", legal_basis="КПК, ст. 214",
            at=now,
        )  # fmt: skip
        list_id = hotlists.make(tx, actor=boss, name="Викрадені", legal_basis="Закон 1, ст. 25", see_units=[], at=now)
        entry = hotlist_file.entry_of(
            plate=_WANTED, reason="викрадено вчора", priority="normal", instructions="викликати наряд",
            expires_at=now + timedelta(days=9), at=now,
        )  # fmt: skip
        hotlists.add(tx, actor=hub.people["investigator"], list_id=list_id, new=[entry], at=now)
        cameras = {row["number"]: row["id"] for row in tx.all("SELECT number, id FROM fleet.camera")}
        _, secret = devices.add(
            tx, actor=hub.people["administrator"], name="north", source=Source.CONTRACT, topic=None,
            cameras={"a": cameras["A-1"], "b": cameras["A-2"]}, at=now,
        )  # fmt: skip
    for ago, camera, plate in ((50, "a", _WANTED), (20, "b", _WANTED), (19, "b", "BC7781KM"), (1, "a", _WANTED)):
        at = now - timedelta(minutes=ago)
        post(hub, secret, [{
            "plate": plate, "confidence": 0.93, "taken_at": at.isoformat(), "camera": camera,
            "pictures": {"overview": picture(plate), "patch": picture(plate)},
        }])  # fmt: skip
    assert raise_waiting(services.database, at=services.clock.now())
    hub.walk("plates.mjs", tmp_path)
    with services.database.transaction() as tx:
        states = {row["state"] for row in tx.all("SELECT state FROM incidents.alert")}
        looks = tx.all("SELECT DISTINCT action FROM access.audit WHERE purpose_id IS NOT NULL")
    assert "confirmed" in states
    assert {"search_plates", "trace_plate", "judge_alert"} <= {row["action"] for row in looks}

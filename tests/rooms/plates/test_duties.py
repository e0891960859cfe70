"""What the intake role does for plates: reads pulled from cameras, alerts raised and told, days summed."""

import asyncio
from pathlib import Path
from typing import Any

from tests.rooms.incidents.test_alerts import wanted
from tests.rooms.plates.conftest import CAMERAS, Station

from svidok.app.roles.plates import PlateDuties
from svidok.app.settings import Settings
from svidok.base import SystemClock
from svidok.bus import Bus

CLOCK = SystemClock()


def message(plate: str | None, *, topic: str = "tns1:RuleEngine/Recognition/LicensePlate") -> dict[str, Any]:
    """A message as the PullPoint's driver reads it."""
    data = {"PlateNumber": plate, "Likelihood": "0.91"} if plate else {}
    return {"topic": topic, "utc_time": CLOCK.now().isoformat(), "source": {"VideoSource": "v1"}, "data": data}


def test_what_a_camera_tells_by_pullpoint_becomes_reads_and_alerts(
    station: Station, tmp_path: Path, nats_url: str
) -> None:
    wanted(station, "QA1111AA")
    broken = message(None) | {"data": 7}

    async def go() -> list[bytes]:
        bus = await Bus.connect(nats_url, "intake")
        duties = PlateDuties(Settings(data=tmp_path), station.database, bus)
        news: list[bytes] = []

        async def take(_subject: str, body: bytes) -> None:
            news.append(body)

        end = await bus.subscribe("news.alert", take)
        await duties.hear(CAMERAS[1], [message("QA1111AA"), message("QA2222AA"), message(None), broken,
                                       message("QA3333AA", topic="tns1:VideoSource/MotionAlarm")])  # fmt: skip
        await duties.raise_alerts()
        async with asyncio.timeout(30):
            while not news:
                await asyncio.sleep(0.02)
        await asyncio.to_thread(duties.tidy)
        await duties.tell()
        await end()
        await bus.close()
        return news

    assert len(asyncio.run(go())) == 1
    with station.database.transaction() as tx:
        rows = tx.all("SELECT p.text, r.source, r.camera_id FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id "
                      "ORDER BY p.text")  # fmt: skip
        aside = tx.one("SELECT device_id, code FROM plates.rejected")
    assert [(row["text"], row["source"]) for row in rows] == [("QA1111AA", "onvif"), ("QA2222AA", "onvif")]
    assert {row["camera_id"] for row in rows} == {CAMERAS[1]}
    assert (aside["device_id"], aside["code"]) == (CAMERAS[1], "body-form")

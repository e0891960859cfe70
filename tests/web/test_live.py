"""Live pictures in a real Chromium, from a recorder's side that this test plays over the real bus."""

from pathlib import Path
from uuid import UUID

import pytest
from tests.web.broadcast import Stream, on_air
from tests.web.conftest import Hub
from tests.web.footage import clock_clip

from svidok.base import SystemClock
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import open_reference

HEVC = "hvc1.1.6.L93.B0"


@pytest.mark.timeout(300)
def test_what_is_open_follows_its_purpose_and_its_codec(
    hub: Hub, fleet: dict[str, UUID], nats_url: str, tmp_path: Path
) -> None:
    with hub.services.database.transaction() as tx:
        for number in ("17", "18"):
            open_reference(
                tx, actor=hub.people["supervisor"], kind=ReferenceKind.CASE, number=number, title="Справа",
                legal_basis="КПК, ст. 93", at=SystemClock().now(),
            )  # fmt: skip
        tx.run("INSERT INTO fleet.stream (id, channel_id, role, url) VALUES (gen_random_uuid(), %(id)s, 'main', 'rtsp://127.0.0.1:9/3')",
               id=fleet["A-3"])  # fmt: skip
    clip = clock_clip(tmp_path / "clip.mp4", seconds=20, fps=10)
    streams = [
        Stream(fleet["A-1"], "main", clip), Stream(fleet["A-1"], "sub", clip), Stream(fleet["A-2"], "sub", clip),
        Stream(fleet["A-2"], "main", clip, codec=HEVC), Stream(fleet["A-3"], "main", clip, codec=HEVC),
    ]  # fmt: skip
    with on_air(nats_url, streams, fps=10):
        hub.walk(
            "live.mjs", tmp_path, h264=str(fleet["A-1"]), both=str(fleet["A-2"]), h265=str(fleet["A-3"])
        )  # fmt: skip

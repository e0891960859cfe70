"""Playback in a real Chromium, of footage that says in each picture which one it is."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.web.conftest import Hub
from tests.web.footage import Archive, Shown, archive, clock_clip

from svidok.base import SystemClock
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import open_reference


@pytest.fixture(scope="module")
def store(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    with hub.services.database.transaction() as tx:
        open_reference(
            tx, actor=hub.people["supervisor"], kind=ReferenceKind.CASE, number="17", title="Справа",
            legal_basis="КПК, ст. 93", at=SystemClock().now(),
        )  # fmt: skip
    return archive(hub, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def two(store: Archive, fleet: dict[str, UUID], tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, Shown]:
    """Two cameras: twenty-five pictures a second with a gap, and ten a second a little beside it."""
    folder = tmp_path_factory.mktemp("clips")
    start = SystemClock().now().replace(microsecond=0) - timedelta(minutes=30)
    a = store.channel(fleet["A-1"], clock_clip(folder / "a.mp4", seconds=180, fps=25), start, fps=25, gaps=(1,))
    beside = start + timedelta(milliseconds=437)
    b = store.channel(fleet["A-2"], clock_clip(folder / "b.mp4", seconds=60, fps=10), beside, fps=10)
    return a, b


@pytest.mark.timeout(300)
def test_what_is_told_is_what_is_shown(hub: Hub, two: tuple[Shown, Shown], tmp_path: Path) -> None:
    winter = True  # Europe/Kyiv in November
    hub.walk("playback.mjs", tmp_path, a=asdict(two[0]), b=asdict(two[1]), winter=winter)


@pytest.mark.timeout(300)
def test_an_export_goes_to_disk_and_not_through_the_page(hub: Hub, two: tuple[Shown, Shown], tmp_path: Path) -> None:
    hub.walk("export.mjs", tmp_path, a=asdict(two[0]))
    with hub.services.database.transaction() as tx:
        lines = tx.all("SELECT what FROM access.audit WHERE action = 'export_footage'")
    assert [(one["what"]["channel_id"], "from" in one["what"], "to" in one["what"]) for one in lines] == [
        (two[0].channel, True, True)
    ] * len(lines)
    assert len(lines) == 2  # one for each ticket, none for the links


@pytest.mark.timeout(300)
def test_a_camera_is_found_among_many(hub: Hub, store: Archive, fleet: dict[str, UUID], tmp_path: Path) -> None:
    head = "number;name_uk;name_en;kind;owner;region_code;site;url"
    rows = [
        f"N-{n:04d};Камера {n:04d};Camera {n:04d};overview;police;UA80000000000093317;Вузол {n if n == 31 else 0};rtsp://127.0.0.1:9/{n}"
        for n in range(700)
    ]
    report = import_cameras(
        hub.services.database, "\n".join([head, *rows]).encode(), actor=hub.people["administrator"],
        at=SystemClock().now(), safe=Safe(hub.services.data / "credentials.key"), progress=lambda *_: None,
    )  # fmt: skip
    assert report.taken == 700
    hub.walk("chooser.mjs", tmp_path)

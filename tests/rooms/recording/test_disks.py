"""A recorder heeds what an administrator changes of its volumes while it runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from svidok.base import SystemClock, new_id
from svidok.db import Database
from svidok.recording.disks import Disks
from svidok.recording.model import VolumeState
from svidok.recording.store import enter_facts
from svidok.recording.volumes import enrol
from svidok.recording.wardens import VolumeChange, add_volume, alarms, change_volume, list_volumes, mark_volume


@dataclass(frozen=True)
class Places:
    node: str
    data: Path
    volumes: tuple[Path, ...]
    quota_bytes: int | None = None


@pytest.fixture
def make_with(database: Database, tmp_path: Path) -> Callable[..., Disks]:
    """A recorder's disks as they are at a start, with settings that name these folders."""
    node = f"node-{new_id()}"

    def tell(facts: list) -> None:
        with database.transaction() as tx:
            enter_facts(tx, facts)

    def make(*names: str) -> Disks:
        folders = tuple(tmp_path / name for name in names)
        disks = Disks(Places(node, tmp_path, folders), database, SystemClock(), tell, None)
        disks.enrol()
        return disks

    return make


@pytest.fixture
def make(make_with: Callable[..., Disks]) -> Callable[[], Disks]:
    return lambda: make_with("a")


def standing(database: Database, subject: str) -> list[str]:
    with database.transaction() as tx:
        return [one.code for one in alarms(tx) if one.subject == subject and one.cleared_at is None]


def here(database: Database, disks: Disks) -> dict[str, tuple[str, int | None]]:
    node = disks.there()[0].volume.node
    with database.transaction() as tx:
        return {Path(one.path).name: (one.state, one.quota_bytes) for one in list_volumes(tx) if one.node == node}


def test_a_retired_volume_takes_no_more_and_comes_back(database: Database, make: Callable[[], Disks]) -> None:
    disks = make()
    chosen = disks.pick()
    assert chosen is not None
    with database.transaction() as tx:
        change_volume(tx, chosen.volume.id, VolumeChange(state="retired"))
    disks.tend()
    assert disks.pick() is None
    assert here(database, disks) == {"a": ("retired", None)}
    assert make().pick() is None
    with database.transaction() as tx:
        change_volume(tx, chosen.volume.id, VolumeChange(state="ready", set_quota=True, quota_bytes=10**9))
    disks.tend()
    chosen = disks.pick()
    assert chosen is not None
    assert (chosen.state, chosen.volume.quota_bytes) == (VolumeState.READY, 10**9)
    assert here(database, disks) == {"a": ("ready", 10**9)}


def test_a_volume_that_is_added_is_taken_up(database: Database, make: Callable[[], Disks], tmp_path: Path) -> None:
    disks = make()
    node = disks.there()[0].volume.node
    (tmp_path / "b").mkdir()
    with database.transaction() as tx:
        added = add_volume(tx, node=node, path=str(tmp_path / "b"), quota_bytes=None, volume_id=new_id())
        mark_volume(added)
    disks.tend()
    assert {disk.volume.path for disk in disks.there()} == {str(tmp_path / "a"), str(tmp_path / "b")}
    again = make()
    assert {disk.volume.id for disk in again.there()} == {disk.volume.id for disk in disks.there()}


def test_a_volume_that_is_added_without_its_disk_is_absent(
    database: Database, make: Callable[[], Disks], tmp_path: Path
) -> None:
    disks = make()
    node = disks.there()[0].volume.node
    with database.transaction() as tx:
        add_volume(tx, node=node, path=str(tmp_path / "none"), quota_bytes=None, volume_id=new_id())
    disks.tend()
    assert here(database, disks)["none"] == ("absent", None)


def test_a_volume_that_the_settings_drop_is_read_and_not_written(
    database: Database, tmp_path: Path, make_with: Callable[..., Disks]
) -> None:
    two = make_with("a", "b")
    dropped = next(disk.volume for disk in two.there() if disk.root.name == "b")
    one = make_with("a")
    assert {disk.volume.path: disk.state for disk in one.there()} == {
        str(tmp_path / "a"): VolumeState.READY,
        str(tmp_path / "b"): VolumeState.DROPPED,
    }
    chosen = one.pick()
    assert chosen is not None
    assert chosen.root.name == "a"
    one.tend()
    assert here(database, one) == {"a": ("ready", None), "b": ("dropped", None)}
    assert standing(database, dropped.path) == ["volume-dropped"]

    with database.transaction() as tx:
        change_volume(tx, dropped.id, VolumeChange(state="retired"))
    one.tend()
    assert here(database, one)["b"] == ("retired", None)
    assert standing(database, dropped.path) == []
    with database.transaction() as tx:  # a person wants it kept, whatever the settings say
        change_volume(tx, dropped.id, VolumeChange(state="ready"))
    one.tend()
    again = make_with("a")
    assert here(database, again)["b"] == ("ready", None)


def test_a_volume_that_comes_back_into_the_settings_takes_footage_again(
    database: Database, make_with: Callable[..., Disks]
) -> None:
    for names in (("a", "b"), ("a",), ("a", "b")):
        disks = make_with(*names)
    assert here(database, disks) == {"a": ("ready", None), "b": ("ready", None)}
    assert standing(database, next(d.volume.path for d in disks.there() if d.root.name == "b")) == []


def test_whoever_marks_a_fresh_volume_at_the_same_moment_finds_the_same_id(tmp_path: Path) -> None:
    for round_ in range(30):
        folder = tmp_path / f"disk-{round_}"
        with ThreadPoolExecutor(8) as pool:
            found = {
                volume.id
                for volume in pool.map(
                    lambda n, folder=folder: enrol(folder, node=f"n{n}", quota_bytes=None, known_id=None), range(8)
                )
            }
        assert len(found) == 1
        assert [path.name for path in folder.iterdir()] == [".svidok-volume"]

"""Second copies: made whole, counted, restored, and unreadable once their time is over. On a disk, and in a real bucket."""

import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from svidok.base import Conflict, Unavailable
from svidok.recording.check import How, check
from svidok.recording.copies.conformance import try_lock
from svidok.recording.copies.copier import Copier, rotate
from svidok.recording.copies.envelope import Keeper
from svidok.recording.copies.inventory import take_inventory
from svidok.recording.copies.restoring import Restorer
from svidok.recording.copies.s3 import Bucket, S3Store
from svidok.recording.copies.stores import CopyStore, FolderStore, Stored, parse_target
from svidok.recording.sweeper import DueGroup, Ruling, Sweeper

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def at(seconds: float = 0) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Weed:
    """A SeaweedFS of the test's own."""

    s3: str
    filer: str
    access: str
    secret: str
    process: "subprocess.Popen[bytes]"

    def store(self, name: str, *, lock_for: timedelta | None, made_with_lock: bool = True) -> S3Store:
        bucket = Bucket(
            name=name, prefix="region", endpoint=self.s3, region="us-east-1", access_key=self.access,
            secret_key=self.secret, lock_for=lock_for,
        )  # fmt: skip
        store = S3Store(bucket, lambda: datetime.now(UTC))
        store.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=made_with_lock)
        return store


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    folder = tmp_path_factory.mktemp("weed")
    access, secret = "svidok", secrets.token_hex(16)
    (folder / "s3.json").write_text(json.dumps({"identities": [
        {"name": "svidok", "credentials": [{"accessKey": access, "secretKey": secret}], "actions": ["Admin"]},
    ]}))  # fmt: skip
    keys = ("signing", "signing.read", "filer_signing", "filer_signing.read")
    (folder / "security.toml").write_text("".join(f'[jwt.{k}]\nkey = "{secrets.token_hex(16)}"\n' for k in keys))
    master, volume, filer, s3 = (free_port() for _ in range(4))
    (folder / "data").mkdir()
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            ["weed", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
             f"-master.port={master}", f"-master.port.grpc={free_port()}", f"-volume.port={volume}",
             f"-volume.port.grpc={free_port()}", "-filer", f"-filer.port={filer}", f"-filer.port.grpc={free_port()}",
             "-s3", f"-s3.port={s3}", f"-s3.port.grpc={free_port()}", f"-s3.config={folder / 's3.json'}",
             "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=300", "-master.telemetry=false"],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    found = Weed(f"http://127.0.0.1:{s3}", f"http://127.0.0.1:{filer}", access, secret, process)
    until = time.monotonic() + 90
    while True:
        try:
            found.store(f"ready-{secrets.token_hex(4)}", lock_for=None)
            break
        except (ClientError, BotoCoreError):
            assert process.poll() is None, (folder / "weed.log").read_text()[-2000:]
            assert time.monotonic() < until, (folder / "weed.log").read_text()[-2000:]
            time.sleep(0.5)
    yield found
    process.kill()  # it takes half a minute to end by itself, and nothing of it is kept
    process.wait(30)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CopyStore:
    if request.param == "folder":
        (tmp_path / "second").mkdir()
        made: CopyStore = FolderStore(tmp_path / "second")
    else:
        weed: Weed = request.getfixturevalue("weed")
        made = weed.store(f"copies-{secrets.token_hex(4)}", lock_for=None)
    made.check()
    return made


class Judge:
    """Everything before an instant goes."""

    def __init__(self, channel: UUID, before: datetime) -> None:
        self._channel, self._before = channel, before

    def read(self, tx, *, at, channel_id=None):
        return self

    def due(self):
        return [DueGroup(name="test", channels=[self._channel], before=self._before)]

    def rule(self, segment):
        return Ruling(destroy=segment.end_at <= self._before, verdict="destroy", grounds={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A yard with three segments, and a copier."""

    yard: object
    copier: Copier
    keeper: Keeper

    @property
    def database(self):
        return self.copier.database

    def round(self):
        return self.copier.round(at=lambda: at(100))

    def rows(self) -> list:
        with self.database.transaction() as tx:
            return tx.all("SELECT * FROM recording.copy ORDER BY object")

    def alarms(self) -> set[str]:
        with self.database.transaction() as tx:
            return {row["code"] for row in tx.all("SELECT code FROM recording.alarm WHERE cleared_at IS NULL")}


@pytest.fixture
def copying(make_yard: Callable, clip, store: CopyStore, tmp_path: Path) -> Copying:
    yard = make_yard()
    with yard.database.transaction() as tx:
        tx.run("TRUNCATE recording.copy, recording.inventory, recording.alarm")
    for number in range(3):
        yard.record(clip, at(4 * number), first=4 * number, count=4)
    yard.sequence()
    keeper = Keeper(tmp_path / "keys" / "copies.key")
    return Copying(
        yard=yard, keeper=keeper,
        copier=Copier(database=yard.database, stores=[store], keeper=keeper, node=yard.node),
    )  # fmt: skip


def test_every_sealed_minute_gets_one_whole_copy_that_tells_nothing(copying: Copying, store: CopyStore) -> None:
    assert copying.round().copies == 3
    assert copying.round().copies == 0
    media = copying.yard.media().read_bytes()
    row = copying.rows()[0]
    copied = b"".join(store.read(row["object"]))
    assert media[:64] not in copied
    assert b"ftyp" not in copied
    found = take_inventory(copying.database, store, at=at(), bytes_too=True)
    assert (found.copies, found.missing, found.differing, found.unknown, found.waiting) == (3, 0, 0, 0, 0)


def test_what_is_lost_or_damaged_comes_back_as_it_was_sealed(copying: Copying, store: CopyStore) -> None:
    copying.round()
    yard = copying.yard
    originals = [yard.media(n).read_bytes() for n in range(3)]
    yard.media(0).unlink()
    damaged = bytearray(originals[1])
    damaged[len(damaged) // 2] ^= 1
    yard.media(1).write_bytes(bytes(damaged))
    lost = {one.segment_id for one in check(copying.database, How(ledger=yard.log.folder)).findings}
    told = Restorer(database=copying.database, stores=[store], keeper=copying.keeper).restore(sorted(lost))
    assert (len(told.segments), told.failed) == (2, {})
    assert [yard.media(n).read_bytes() for n in range(3)] == originals
    assert check(copying.database, How(ledger=yard.log.folder)).findings == []
    (kept,) = (yard.volume / "aside").glob("*.damaged")
    assert kept.read_bytes() == bytes(damaged)


def test_a_copy_that_was_changed_is_named_and_never_restored(copying: Copying, store: CopyStore) -> None:
    copying.round()
    row = copying.rows()[0]
    _overwrite(store, row["object"], b"\x00" * row["size_bytes"])
    found = take_inventory(copying.database, store, at=at(), bytes_too=True)
    assert [(one.kind, one.object) for one in found.differences] == [("differing", row["object"])]
    assert "copies-missing" in copying.alarms()
    told = Restorer(database=copying.database, stores=[store], keeper=copying.keeper).restore([row["segment_id"]])
    assert "Block 0" in told.failed[row["segment_id"]]


def test_every_lost_and_every_unknown_object_is_named(copying: Copying, store: CopyStore) -> None:
    copying.round()
    gone = copying.rows()[1]
    assert store.remove(gone["object"])
    _overwrite(store, "0-nobody/knows-it", b"x")
    found = take_inventory(copying.database, store, at=at())
    assert {(one.kind, one.object) for one in found.differences} == {
        ("missing", gone["object"]), ("unknown", "0-nobody/knows-it"),
    }  # fmt: skip
    with copying.database.transaction() as tx:
        (told,) = tx.all("SELECT payload FROM ledger.entry WHERE kind = 'copies.counted'")
    assert json.loads(bytes(told["payload"]))["missing"] == 1
    with copying.database.transaction() as tx:
        tx.run("DELETE FROM recording.copy WHERE object = %(object)s", object=gone["object"])
    copying.round()
    assert take_inventory(copying.database, store, at=at()).complete
    assert "copies-missing" not in copying.alarms()


def test_damaged_footage_is_told_and_not_copied(copying: Copying) -> None:
    media = copying.yard.media(2)
    data = bytearray(media.read_bytes())
    data[-5] ^= 1
    media.write_bytes(bytes(data))
    copied = copying.round()
    assert (copied.copies, copied.damaged) == (2, [copying.yard.segments[2].segment_id])
    assert "footage-damaged" in copying.alarms()


def test_what_is_disposed_of_loses_its_keys_and_then_its_copies(copying: Copying, store: CopyStore) -> None:
    copying.round()
    yard, before = copying.yard, copying.rows()
    backup = {row["segment_id"]: bytes(row["key"]) for row in before}
    Sweeper(database=copying.database, judge=Judge(yard.channel_id, at(4)), node=yard.node).sweep(at=at(200))
    gone, *kept = sorted(copying.rows(), key=lambda row: row["key"] is not None)
    assert gone["key"] is None
    assert all(row["key"] is not None for row in kept)
    assert take_inventory(copying.database, store, at=at()).copies == 2
    assert copying.round().erased == 1
    assert gone["object"] not in {one.name for one in store.listed()}
    assert take_inventory(copying.database, store, at=at()).unknown == 0
    # A backup of the database still holds the wrapped key; turning the keeper's key ends that.
    assert (
        len(copying.keeper.unwrap(backup[gone["segment_id"]], segment_id=gone["segment_id"], target=store.target)) == 32
    )
    assert rotate(copying.database, copying.keeper) == 2
    with pytest.raises(Conflict):
        copying.keeper.unwrap(backup[gone["segment_id"]], segment_id=gone["segment_id"], target=store.target)
    yard.media(2).unlink()
    restorer = Restorer(database=copying.database, stores=[store], keeper=copying.keeper)
    assert restorer.restore([yard.segments[2].segment_id]).failed == {}
    yard.sequence()
    assert check(copying.database, How(ledger=yard.log.folder)).findings == []


def test_dying_between_row_and_object_copies_again_under_the_same_key(copying: Copying, store: CopyStore) -> None:
    copying.round()
    before = copying.rows()[0]
    with copying.database.transaction() as tx:
        tx.run("UPDATE recording.copy SET made_at = NULL WHERE object = %(object)s", object=before["object"])
    assert copying.round().copies == 1
    assert bytes(copying.rows()[0]["sha256"]) == bytes(before["sha256"])
    assert len(list(store.listed())) == 3


def test_footage_of_a_lost_disk_comes_back_on_another(copying: Copying, store: CopyStore, make_yard: Callable) -> None:
    copying.round()
    yard, other = copying.yard, make_yard()
    shutil.rmtree(yard.volume)
    restorer = Restorer(database=copying.database, stores=[store], keeper=copying.keeper, onto=other.volume_id)
    told = restorer.restore([one.segment_id for one in yard.segments])
    assert (len(told.segments), told.failed) == (3, {})
    findings = check(copying.database, How(ledger=yard.log.folder)).findings
    assert {one.code for one in findings} == {"volume-absent"}


def _overwrite(store: CopyStore, name: str, data: bytes) -> None:
    """As somebody would who has the disk or the bucket's keys."""
    if isinstance(store, S3Store):
        store.client.put_object(Bucket=store.bucket_name, Key=store.key(name), Body=data)
    else:
        path = Path(store.target.removeprefix("file://")) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_a_disk_that_is_away_alarms_and_comes_back(make_yard: Callable, clip, tmp_path: Path) -> None:
    yard, root = make_yard(), tmp_path / "second"
    root.mkdir()
    store = FolderStore(root)
    store.check()
    yard.record(clip, at(), count=4)
    copier = Copier(database=yard.database, stores=[store], keeper=Keeper(tmp_path / "copies.key"), node=yard.node)
    root.rename(tmp_path / "pulled-out")
    root.mkdir()
    assert copier.round(at=at).copies == 0
    with yard.database.transaction() as tx:
        assert tx.all("SELECT FROM recording.alarm WHERE code = 'copies-unavailable' AND cleared_at IS NULL")
    root.rmdir()
    (tmp_path / "pulled-out").rename(root)
    assert copier.round(at=at).copies == 1
    with yard.database.transaction() as tx:
        assert not tx.all("SELECT FROM recording.alarm WHERE code = 'copies-unavailable' AND cleared_at IS NULL")


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Conflict, match="their own folder"):
        FolderStore(tmp_path).check()


def test_lists_are_in_the_order_of_bytes(tmp_path: Path) -> None:
    for name in ("a/b/1", "a-b/1", "a/b-c/1", "B/1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    FolderStore(tmp_path)._root.joinpath(".svidok-volume").write_text("copies\n")
    assert list(FolderStore(tmp_path).listed()) == [
        Stored(name=n, size=1) for n in ("B/1", "a-b/1", "a/b-c/1", "a/b/1")
    ]


def test_targets_that_are_none_are_refused() -> None:
    from svidok.base import BadInput

    for text in ("s3:/bucket", "file://relative", "ftp://host/x", "s3://", ""):
        with pytest.raises(BadInput):
            parse_target(text)


# the lock


def test_the_lock_refuses_every_way_to_be_rid_of_an_object(weed: Weed) -> None:
    store = weed.store(f"lock-{secrets.token_hex(4)}", lock_for=timedelta(days=1))
    store.check()
    told = try_lock(store, at=datetime.now(UTC))
    assert [one for one in told if not one.held] == []
    assert len(told) == 9


def test_a_bucket_without_lock_is_not_trusted_with_one(weed: Weed) -> None:
    store = weed.store(f"plain-{secrets.token_hex(4)}", lock_for=timedelta(days=1), made_with_lock=False)
    with pytest.raises(Conflict, match="Object Lock"):
        store.check()


def test_locked_copies_outlive_their_disposal_as_noise(weed: Weed, make_yard: Callable, clip, tmp_path: Path) -> None:
    yard, store = make_yard(), weed.store(f"locked-{secrets.token_hex(4)}", lock_for=timedelta(days=3))
    with yard.database.transaction() as tx:
        tx.run("TRUNCATE recording.copy")
    yard.record(clip, at(), count=4)
    copier = Copier(database=yard.database, stores=[store], keeper=Keeper(tmp_path / "copies.key"), node=yard.node)
    assert copier.round(at=at).copies == 1
    Sweeper(database=yard.database, judge=Judge(yard.channel_id, at(60)), node=yard.node).sweep(at=at(200))
    assert copier.round(at=lambda: datetime.now(UTC)).erased == 0
    with yard.database.transaction() as tx:
        (row,) = tx.all("SELECT * FROM recording.copy")
        (done,) = tx.all("SELECT payload FROM ledger.entry WHERE kind = 'disposal.done'")
    assert row["key"] is None
    assert row["locked_until"] > datetime.now(UTC)
    assert json.loads(bytes(done["payload"]))["copy_keys_destroyed"] == 1
    assert store.remove(row["object"]) is False
    assert b"".join(store.read(row["object"]))  # the bytes are there, and nobody has their key
    found = take_inventory(yard.database, store, at=at())
    assert (found.copies, found.missing, found.unknown) == (0, 0, 0)


def test_the_lock_cannot_be_gone_around_through_the_filer(weed: Weed) -> None:
    """Without the keys of security.toml the filer would delete a locked object for anybody who asks."""
    store = weed.store(f"filer-{secrets.token_hex(4)}", lock_for=timedelta(days=1))
    put = store.client.put_object(
        Bucket=store.bucket_name, Key="evidence.mp4", Body=b"pictures", ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
    )  # fmt: skip
    for path in ("evidence.mp4", "evidence.mp4.versions/?recursive=true", "?recursive=true"):
        for method in ("DELETE", "GET", "POST"):
            request = urllib.request.Request(f"{weed.filer}/buckets/{store.bucket_name}/{path}", method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            assert refused.value.code == 401
    told = store.client.get_object(Bucket=store.bucket_name, Key="evidence.mp4", VersionId=put["VersionId"])
    assert told["Body"].read() == b"pictures"


def test_a_wrong_hash_and_a_wrong_key_are_refused(weed: Weed) -> None:
    store = weed.store(f"hash-{secrets.token_hex(4)}", lock_for=None)
    with pytest.raises(ClientError):
        store.client.put_object(
            Bucket=store.bucket_name,
            Key="x",
            Body=b"pictures",
            ChecksumSHA256=base64.b64encode(os.urandom(32)).decode(),
        )
    stranger = S3Store(
        Bucket(name=store.bucket_name, prefix="", endpoint=weed.s3, region="us-east-1", access_key=weed.access,
               secret_key="guessed", lock_for=None),
        lambda: datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(Unavailable, match="403"):
        stranger.check()

"""Counting finds each thing that is short, names it, states it in the ledger, and raises the alarm."""

import json
import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.rooms.bodyworn.conftest import NODE, Place, make_people

from svidok.base import BadInput, Conflict, Forbidden, Span, SystemClock, new_id
from svidok.bodyworn import disposing, docks, inventory, issuing, watching
from svidok.bodyworn.keys import door_keys
from svidok.bodyworn.model import PauseKind
from svidok.bodyworn.tending import enrol_vault
from svidok.bodyworn.vault import Full
from svidok.fleet import registry
from svidok.governance import keeping
from svidok.recording.judging import Governance
from svidok.simulate.docking import manifest_of
from svidok.simulate.worn import shift_of_camera, write_clip

NOW = SystemClock().now()


def put(place: Place, name: str, body: bytes) -> None:
    client = place.client()
    account = f"/v1/AUTH_{client.account}"
    client.ask("PUT", f"{account}/c_{name}", {"Content-Length": "0"})
    assert client.ask("PUT", f"{account}/c_{name}/{name}.mkv", {}, body).status == 201


def files_of(place: Place, name: str) -> tuple[UUID, Path, Path]:
    with place.database.transaction() as tx:
        row = tx.one("SELECT * FROM bodyworn.clip WHERE name = %(n)s", n=f"{name}.mkv")
    first, second = (
        place.vault.file(row["volume_id"], row["path"]),
        place.vault.file(row["copy_volume_id"], row["path"]),
    )
    assert first is not None
    assert second is not None
    return row["id"], first, second


def test_what_is_short_is_named_and_stated(place: Place) -> None:
    for name in ("whole", "gone", "cut", "flipped", "uncopied"):
        put(place, name, name.encode() * 1000)
    while place.tender.copy_waiting():
        pass
    _, made = inventory.take_inventory(place.database, place.vault, at=NOW, hashing=True)
    assert made.short == []
    lost, first, _ = files_of(place, "gone")
    first.unlink()
    short, _, second = files_of(place, "cut")
    os.truncate(second, 10)
    bad, first, _ = files_of(place, "flipped")
    data = bytearray(first.read_bytes())
    data[7] ^= 1
    first.write_bytes(data)
    inventory_id, made = inventory.demand(place.database, place.vault, actor=place.people.auditor, at=NOW)
    assert sorted(made.short) == sorted(
        [("file-missing", str(lost)), ("copy-size-differs", str(short)), ("file-hash-differs", str(bad))]
    )
    with place.database.transaction() as tx:
        entry = tx.one("SELECT payload FROM ledger.entry WHERE subject = %(s)s", s=inventory_id)
        alarm = tx.one("SELECT details FROM recording.alarm WHERE code = 'worn-shortfall' AND cleared_at IS NULL")
    assert json.loads(bytes(entry["payload"]))["shortfall"] == 3
    assert alarm["details"]["count"] == 3
    with pytest.raises(Forbidden):
        inventory.demand(place.database, place.vault, actor=place.people.officer, at=NOW)


def test_a_row_that_vanished_is_found_by_the_ledger(place: Place) -> None:
    put(place, "vanishing", b"x" * 100)
    clip_id = new_id()
    with place.database.transaction() as tx:  # as if a migration had left it behind
        tx.run(
            "UPDATE ledger.entry SET subject = %(n)s WHERE subject = (SELECT id FROM bodyworn.clip "
            "WHERE name = 'vanishing.mkv')", n=clip_id,
        )  # fmt: skip
    _, made = inventory.take_inventory(place.database, place.vault, at=NOW)
    assert ("row-missing", str(clip_id)) in made.short


def test_a_usb_disk_is_taken_in_by_its_manifest(place: Place, cache: Path, tmp_path: Path) -> None:
    place.camera("USB1")
    camera = shift_of_camera("USB1", start=NOW - timedelta(minutes=5), seconds=60, clip_s=20)
    folder = tmp_path / "disk"
    paths = {clip.name: write_clip(clip, folder, cache=cache) for clip in camera.clips}
    (folder / "manifest.json").write_bytes(manifest_of(camera, paths, NOW))
    paths[camera.clips[0].name].unlink()
    paths[camera.clips[1].name].write_bytes(b"rewritten")
    found = watching.folders(tmp_path)
    assert found == [folder]
    taken = watching.take_folder(place.database, place.vault, folder, dock=place.made.dock, at=NOW)
    assert (taken.kept, taken.missing, taken.differing) == (2, 1, 1)
    again = watching.take_folder(place.database, place.vault, folder, dock=place.made.dock, at=NOW)
    assert (again.kept, again.known, again.missing) == (0, 2, 1)
    with place.database.transaction() as tx:
        states = {
            row["name"]: row["reason"]
            for row in tx.all("SELECT name, reason FROM bodyworn.clip WHERE container = 'USB1'")
        }
    assert states[camera.clips[1].name] == "manifest-hash-differs"
    (folder / "manifest.json").write_text('{"serial": "USB1", "clips": [{"name": "a"}]}')
    with pytest.raises(BadInput) as refused:
        watching.take_folder(place.database, place.vault, folder, dock=place.made.dock, at=NOW)
    assert refused.value.code == "manifest-unfit"


def test_originals_go_by_rule_alone_and_a_hold_keeps_them(place: Place, cache: Path, tmp_path: Path) -> None:
    worn = place.shift("H-1", "HOLD1", NOW - timedelta(days=40), 60)
    put_clip = shift_of_camera("HOLD1", start=worn.start, seconds=60, clip_s=60)
    folder = tmp_path / "hold"
    paths = {clip.name: write_clip(clip, folder, cache=cache) for clip in put_clip.clips}
    (folder / "manifest.json").write_bytes(manifest_of(put_clip, paths, NOW))
    watching.take_folder(place.database, place.vault, folder, dock=place.made.dock, at=NOW)
    while place.tender.copy_waiting():
        pass
    judge = Governance(classes=registry.retention_classes)
    assert disposing.sweep(place.database, place.vault, judge, at=NOW) == 0  # no rule, no destruction
    with place.database.transaction() as tx:
        channel = tx.one("SELECT channel_id FROM bodyworn.device WHERE serial = 'HOLD1'")["channel_id"]
        rule = keeping.make_rule(
            tx, actor=place.people.supervisor, retention_class="customs-worn", keep_days=30, legal_basis="Act 1, art. 2",
            at=NOW,
        )  # fmt: skip
        hold = keeping.place_hold(
            tx, actor=place.people.supervisor, channel_id=channel, span=Span(worn.start, NOW), reason="complaint 7",
            reference_id=None, at=NOW,
        )  # fmt: skip
        other = make_people(tx).supervisor
        keeping.agree_to_rule(tx, actor=other, rule_id=rule, at=NOW)
    assert disposing.sweep(place.database, place.vault, judge, at=NOW) == 0  # held
    with place.database.transaction() as tx:
        keeping.lift_hold(tx, actor=other, hold_id=hold, reason="decided", at=NOW)
    _, first, second = files_of(place, put_clip.clips[0].name.removesuffix(".mkv"))
    assert disposing.sweep(place.database, place.vault, judge, at=NOW) == 1
    assert not first.exists()
    assert not second.exists()
    with place.database.transaction() as tx:
        kinds = {row["kind"]: row["payload"] for row in tx.all(
            "SELECT e.kind, e.payload FROM ledger.entry e JOIN bodyworn.clip c ON c.id = e.subject "
            "WHERE c.container = 'HOLD1'")}  # fmt: skip
    assert kinds["worn.clip-kept"] is None  # mute: what was destroyed, and by which rule, stays stated
    assert kinds["worn.disposal-decided"] is not None


def test_two_keys_of_one_door_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    first, second = (door_keys(tmp_path, host="localhost", at=NOW) for _ in range(2))
    assert first == second
    assert first.certificate_der() == second.certificate_der()


def test_strays_are_put_aside_and_a_full_disk_says_so(place: Place) -> None:
    stray = place.vault.disks[0].root / "X" / "2026-01-01" / "stray.mkv"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"never acknowledged")
    folders = [disk.root for disk in place.vault.disks]
    enrol_vault(place.database, folders, node=NODE, at=NOW)
    assert not stray.exists()
    assert [one.read_bytes() for one in (folders[0] / "aside").iterdir()] == [b"never acknowledged"]
    with pytest.raises(Full) as refused:
        place.vault.begin(expected=1 << 60)
    assert refused.value.status == 507


def test_conflicts_of_issue_are_told(place: Place) -> None:
    start = NOW - timedelta(minutes=5)
    worn = place.shift("C-1", "CONF1", start, 3600, back=False)
    other = place.shift("C-2", "CONF2", start, 3600, back=False)
    people = place.people

    def refused(code: str, **given: str) -> None:
        with pytest.raises(Conflict) as error, place.database.transaction() as tx:
            issuing.issue(tx, actor=people.officer, at=NOW, **given)
        assert error.value.code == code

    refused("officer-has-camera", badge=worn.badge, camera=other.number)
    third = place.camera("CONF3")
    with place.database.transaction() as tx:
        issuing.add_officer(
            tx, actor=people.supervisor, badge="C-3", name="без зміни", service=issuing.Service.CUSTOMS, at=NOW
        )
    refused("camera-is-out", badge="C-3", camera=worn.number)
    refused("no-shift", badge="C-3", camera=third)
    with place.database.transaction() as tx:
        done = issuing.swap(tx, actor=people.officer, badge=worn.badge, camera=third, why="battery", at=NOW)
    assert done.number == third
    with place.database.transaction() as tx:
        issues = tx.all(
            "SELECT why_returned FROM bodyworn.issue WHERE shift_id = %(s)s ORDER BY issued_at", s=worn.shift_id
        )
    assert [row["why_returned"] for row in issues] == ["battery", ""]


def test_a_pause_must_be_lawful(place: Place) -> None:
    worn = place.shift("Q-1", "PAUSE1", NOW - timedelta(minutes=20), 600)
    span = Span(NOW - timedelta(minutes=15), NOW - timedelta(minutes=14))

    def declare(kind: PauseKind) -> None:
        with place.database.transaction() as tx:
            issuing.declare_pause(
                tx,
                actor=place.people.officer,
                shift_id=UUID(worn.shift_id),
                span=span,
                kind=kind,
                reason="needed",
                at=NOW,
            )

    declare(PauseKind.PERSONAL_NEEDS)
    with pytest.raises(Conflict) as refused:
        declare(PauseKind.MILITARY_OBJECT)
    assert refused.value.code == "pause-kind-not-lawful"


def test_a_connection_file_never_speaks_plain_http(place: Place) -> None:
    told = json.loads(
        docks.connection_file(
            place.made, origin=place.url, certificates=[place.keys.certificate_der()], version="1",
            public_key_pem=place.keys.content_public_pem(), key_id=place.keys.content_key_id(),
        )
    )  # fmt: skip
    assert told["WantEncryption"] is True
    assert told["HTTPSCertificate"]
    with pytest.raises(BadInput):
        docks.connection_file(
            place.made, origin="http://dock", certificates=[], version="1", public_key_pem=b"", key_id=""
        )


def test_whoever_dies_between_the_name_and_the_row_goes_on_from_there(place: Place) -> None:
    place.camera("DIED1")
    uploads, body = place.door.uploads, new_id().bytes * 40
    meta = {"name": "died.mkv", "serial": "DIED1"}
    upload_id = uploads.begin(place.made.dock, length=len(body), meta=meta, at=NOW)
    part = uploads.open(place.made.dock, upload_id, offset=0, checksum=None)
    part.write(body)
    assert uploads.close(upload_id, part, checksum=None, whole=True, at=NOW) == len(body)
    root = place.vault.disks[0].root
    staged = root / "incoming" / f"{upload_id.hex}.tus"
    stray = root / "DIED1" / "2026-01-01" / "placed.mkv"
    stray.parent.mkdir(parents=True)
    stray.hardlink_to(staged)  # it was placed, and then the power went
    (root / "incoming" / "half.part").write_bytes(b"half")
    (root / "incoming" / f"{new_id().hex}.tus").write_bytes(b"of no row")
    enrol_vault(place.database, [disk.root for disk in place.vault.disks], node=NODE, at=NOW)
    assert [one.name for one in (root / "incoming").iterdir()] == [staged.name]
    assert not stray.exists()
    said = place.client().ask("HEAD", f"/dock/v1/uploads/{upload_id}")
    assert (said.status, said.headers["upload-offset"]) == (200, str(len(body)))
    with place.database.transaction() as tx:  # who asks hears that all is here: so it must be a clip by now
        (row,) = tx.all("SELECT path, sha256 FROM bodyworn.clip WHERE name = 'died.mkv'")
    assert (root / row["path"]).read_bytes() == body
    assert not staged.exists()

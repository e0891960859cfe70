"""The commands at the terminal: exit codes that a script can use, and words that a person can."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from svidok.access import Role, accounts
from svidok.base import BadInput, Conflict, NotFound, Span, SvidokError, SystemClock, new_id
from svidok.cli.reach import Reach
from svidok.cli.recording import check_command, export_command, verify_command, volumes_group
from svidok.db import Database
from svidok.governance.model import ReferenceKind
from svidok.governance.purposes import choose_purpose, open_reference
from svidok.recording import export, idx
from svidok.recording.wardens import VolumeChange, alarms, change_volume, list_volumes, summary

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def run(yard, database_url: str, tmp_path: Path) -> Callable[..., Result]:
    reach = Reach(
        data=tmp_path, ledger=yard.log.folder, ledger_origin=yard.log.origin, keys=tmp_path, clock=SystemClock(),
        database=lambda: Database.open(database_url, size=1),
    )  # fmt: skip
    return lambda command, *args: CliRunner().invoke(command, [str(one) for one in args], obj=reach)


def test_check_says_nothing_is_wrong_and_then_what_is(yard, clip, run) -> None:
    yard.record(clip, NOON)
    yard.sequence()
    done = run(check_command)
    assert done.exit_code == 0, done.output
    assert "1 segments, 4 fragments" in done.output
    assert "no findings" in done.output
    data = bytearray(yard.media().read_bytes())
    data[-1] ^= 1
    yard.media().write_bytes(data)
    done = run(check_command)
    assert done.exit_code == 1
    assert f"fragment-differs  {yard.media()}" in done.output
    assert "Restore the file from a copy" in done.output
    assert run(check_command, "--quick").exit_code == 0
    assert run(check_command, "--node", "another").exit_code == 0


def test_check_mends_an_index_and_leaves_nothing_to_find(yard, clip, run) -> None:
    yard.record(clip, NOON)
    idx.index_path(yard.media()).unlink()
    assert run(check_command).exit_code == 1
    done = run(check_command, "--mend-indexes")
    assert (done.exit_code, "mended" in done.output) == (0, True)


def test_volumes_are_listed_added_and_retired(yard, run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = run(volumes_group, "add", disk, "--node", "n1", "--quota-gb", 5)
    assert done.exit_code == 0, done.output
    volume = done.output.split()[0]
    assert (disk / ".svidok-volume").read_text().strip() == volume
    assert run(volumes_group, "retire", volume).output.split()[1] == "retired"
    assert f"{volume}  retired" in run(volumes_group, "list").output
    assert run(volumes_group, "retire", volume, "--back").output.split()[1] == "ready"
    assert isinstance(run(volumes_group, "add", disk, "--node", "n1").exception, Conflict)
    assert isinstance(run(volumes_group, "add", disk, "--node", "n2").exception, Conflict)
    assert isinstance(run(volumes_group, "retire", new_id()).exception, NotFound)


def test_what_a_person_may_not_set_is_refused(yard) -> None:
    with yard.database.transaction() as tx:
        for change in (VolumeChange(state="full"), VolumeChange(set_quota=True, quota_bytes=-1)):
            with pytest.raises(BadInput):
                change_volume(tx, yard.volume_id, change)
        assert change_volume(tx, yard.volume_id, VolumeChange(set_quota=True, quota_bytes=10**9)).quota_bytes == 10**9
        assert change_volume(tx, yard.volume_id, VolumeChange(state="retired")).quota_bytes == 10**9
        assert change_volume(tx, yard.volume_id, VolumeChange(set_quota=True)).quota_bytes is None
        assert [one.state for one in list_volumes(tx)] == ["retired"]


def test_the_summary_and_the_alarms(yard, clip) -> None:
    from svidok.recording import facts as f

    yard.record(clip, NOON)
    yard.tell(
        f.RecorderSeen(node="n1", at=NOON, channels=3, recording=2, bytes_per_s=10, waiting=0),
        f.AlarmRaised(code="volume-full", subject="/a", at=NOON, details={"path": "/a"}),
        f.AlarmRaised(code="volume-full", subject="/a", at=NOON),
        f.AlarmRaised(code="volume-absent", subject="/b", at=NOON),
        f.AlarmCleared(code="volume-absent", subject="/b", at=NOON),
    )
    with yard.database.transaction() as tx:
        told = summary(tx)
        standing = [one for one in alarms(tx) if one.cleared_at is None]
    assert [(one.node, one.recording) for one in told.recorders] == [("n1", 2)]
    assert told.oldest_at == NOON
    assert [(one.code, one.subject, one.details) for one in standing] == [("volume-full", "/a", {"path": "/a"})]


def test_an_export_is_verified_with_the_key_alone(yard, clip, run, tmp_path: Path) -> None:
    yard.record(clip, NOON)
    yard.sequence()
    with yard.database.transaction() as tx:
        planned = export.plan(tx, yard.channel_id, Span(NOON, NOON + timedelta(seconds=3)))
    media, sidecar = tmp_path / "a.mp4", tmp_path / "a.proof.json"
    media.write_bytes(b"".join(planned.chunks()))
    sidecar.write_bytes(b"".join(export.prove(yard.database, planned, log_folder=yard.log.folder)))
    key = yard.log.verifier.text()
    done = run(verify_command, media, sidecar, "--key", key)
    assert (done.exit_code, done.output) == (0, "proved: 3 fragments lead to a log of 1 entries\n")
    (tmp_path / "key").write_text(key + "\n")
    assert run(verify_command, media, sidecar, "--key", tmp_path / "key").exit_code == 0
    assert isinstance(run(verify_command, media, sidecar, "--key", "no key").exception, BadInput)
    media.write_bytes(media.read_bytes() + b"x")
    done = run(verify_command, media, sidecar, "--key", key)
    assert (done.exit_code, "altered" in done.output) == (1, True)
    yard.record(clip, NOON + timedelta(seconds=4), first=4)
    with yard.database.transaction() as tx:
        planned = export.plan(tx, yard.channel_id, Span(NOON, NOON + timedelta(seconds=8)))
    media.write_bytes(b"".join(planned.chunks()))
    sidecar.write_bytes(b"".join(export.prove(yard.database, planned, log_folder=yard.log.folder)))
    done = run(verify_command, media, sidecar, "--key", key)
    assert (done.exit_code, "nobody vouches for these pictures" in done.output) == (3, True)
    told = json.loads(sidecar.read_text())
    told["segments"][0]["leaf"] = None
    sidecar.write_text(json.dumps(told))
    assert run(verify_command, media, sidecar, "--key", key).exit_code == 1


def test_an_export_at_the_terminal_needs_what_the_web_needs(yard, clip, run, tmp_path: Path) -> None:
    yard.record(clip, NOON)
    yard.sequence()
    now, password = SystemClock().now(), "a few random words"
    with yard.database.transaction() as tx:
        who = {
            role: accounts.add_account(
                tx, by=None, login=f"{role}-{new_id().hex[-12:]}", name="n", password=password, roles=[role],
                unit_id=None, at=now,
            )
            for role in (Role.SUPERVISOR, Role.OPERATOR, Role.ADMINISTRATOR)
        }  # fmt: skip
        reference = open_reference(
            tx, actor=who[Role.SUPERVISOR], kind=ReferenceKind.CASE, number=str(new_id()), title="t",
            legal_basis="Act 1, art. 2", at=now,
        )  # fmt: skip
        purpose = {
            role: choose_purpose(tx, actor=one, reference_id=reference.id, reason="to see", at=now).id
            for role, one in who.items()
        }

    def take(role: Role, secret: str = password, purpose_id: object = None) -> Result:
        return run(
            export_command, yard.channel_id, "2026-11-20T12:00:00Z", "2026-11-20T12:00:03Z", "--out", tmp_path / "out",
            "--login", who[role].login, "--purpose", purpose_id or purpose[role], "--password", secret,
        )  # fmt: skip

    for refused in (
        take(Role.OPERATOR), take(Role.ADMINISTRATOR), take(Role.SUPERVISOR, "another password"),
        take(Role.SUPERVISOR, purpose_id=purpose[Role.OPERATOR]),
    ):  # fmt: skip
        assert isinstance(refused.exception, SvidokError)
        assert not (tmp_path / "out").exists()
    done = take(Role.SUPERVISOR)
    assert done.exit_code == 0, done.output
    (media,) = (tmp_path / "out").glob("*.mp4")
    sidecar = media.with_name(media.stem + ".proof.json")
    assert run(verify_command, media, sidecar, "--key", yard.log.verifier.text()).exit_code == 0
    with yard.database.transaction() as tx:
        rows = tx.all("SELECT what FROM access.audit WHERE action = 'export_footage' AND actor_id = %(a)s",
                      a=who[Role.SUPERVISOR].id)  # fmt: skip
    assert [row["what"]["channel_id"] for row in rows] == [str(yard.channel_id)]

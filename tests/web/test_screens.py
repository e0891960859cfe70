"""Screen by screen in a real Chromium, against a hub of its own; what each script does is written in `web/e2e`."""

import asyncio
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.web.conftest import Hub

from svidok.access.oidc import Provider
from svidok.api.jobs import Progress
from svidok.app.roles.intake import AlarmNews
from svidok.base import Forbidden, Span, new_id
from svidok.bus import Bus
from svidok.governance.keeping import agree_to_rule, make_rule, place_hold
from svidok.recording import facts as f
from svidok.recording.store import enter_facts
from svidok.recording.wardens import acknowledge, alarms, list_volumes


@pytest.mark.timeout(300)
def test_a_passkey_is_added_used_and_removed(hub: Hub, tmp_path: Path) -> None:
    hub.walk("passkeys.mjs", tmp_path)
    with hub.services.database.transaction() as tx:
        lines = tx.all(
            "SELECT what FROM access.audit WHERE actor_id = %(id)s ORDER BY at", id=hub.people["operator"].id
        )
    told = [line["what"] for line in lines]
    assert {"how": "passkey"} in told
    assert [one["passkey"] for one in told if "passkey" in one] == ["added", "removed"]


@pytest.mark.timeout(300)
def test_an_outside_provider_signs_one_in_or_says_why_not(hub: Hub, tmp_path: Path) -> None:
    from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        for name, groups in (("olena", ["watch"]), ("petro", ["others"])):
            claims = {"groups": groups, "preferred_username": name, "name": f"Name of {name}"}
            httpx.put(f"{issuer}/users/{name}", json=claims).raise_for_status()
        hub.services.oidc = Provider(
            issuer=issuer, client_id="svidok", client_secret="secret", roles={"watch": "operator"}
        )
        hub.walk("oidc.mjs", tmp_path)
    hub.services.oidc = None


@pytest.mark.timeout(300)
def test_storage_shows_what_will_go_and_a_volume_is_retired(hub: Hub, fleet: dict[str, UUID], tmp_path: Path) -> None:
    now = hub.services.clock.now()
    with hub.services.database.transaction() as tx:
        boss = hub.people["supervisor"]
        rule = make_rule(tx, actor=boss, retention_class="street", keep_days=30, legal_basis="Закон 1, ст. 2", at=now)
        agree_to_rule(tx, actor=hub.people["supervisor2"], rule_id=rule, at=now)
        volumes = [seen("/disks/old", "dropped", now), seen("/disks/new", "ready", now)]
        enter_facts(tx, volumes)
        for days, channel in ((24, "A-1"), (25, "A-1"), (26, "A-2")):
            enter_facts(tx, sealed(volumes[0].volume_id, fleet[channel], now - timedelta(days=days)))
        held = now - timedelta(days=25, hours=1)
        place_hold(
            tx, actor=boss, channel_id=fleet["A-1"], span=Span(held, held + timedelta(hours=2)), reason="справа 17",
            reference_id=None, at=now,
        )  # fmt: skip
    hub.walk("storage.mjs", tmp_path)
    with hub.services.database.transaction() as tx:
        states = {one.path: (one.state, one.quota_bytes) for one in list_volumes(tx)}
    assert states == {"/disks/old": ("retired", None), "/disks/new": ("ready", 2**29)}


@pytest.mark.timeout(300)
def test_alarms_and_jobs_are_told_of_as_they_happen(hub: Hub, nats_url: str, tmp_path: Path) -> None:
    def raise_alarm(subject: str) -> None:
        raised = f.AlarmRaised(code="volume-full", subject=subject, at=hub.services.clock.now(), details={})
        with hub.services.database.transaction() as tx:
            enter_facts(tx, [raised])

    def go_on(progress: Progress) -> None:
        for done in range(600):
            progress(10 + done // 10, 100)
            time.sleep(0.2)

    async def meanwhile() -> None:
        bus = await Bus.connect(nats_url, "intake")
        news = AlarmNews(database=hub.services.database, bus=bus)
        await news.tell()
        while not (tmp_path / "ready").exists():
            await asyncio.sleep(0.1)
        raise_alarm("/disks/2")
        await news.tell()
        (tmp_path / "raised").touch()
        await asyncio.sleep(0.5)
        await bus.close()

    raise_alarm("/disks/1")
    job = hub.services.jobs.start("import-cameras", hub.people["operator"].id, go_on)
    beside = threading.Thread(target=lambda: asyncio.run(meanwhile()))
    beside.start()
    try:
        hub.walk("trays.mjs", tmp_path)
    finally:
        (tmp_path / "ready").touch()
        beside.join()
        hub.services.jobs.cancel(job, hub.people["operator"].id)
    with hub.services.database.transaction() as tx:
        taken = {one.subject: one.acknowledged_by for one in alarms(tx)}
        lines = tx.all("SELECT what FROM access.audit WHERE action = 'acknowledge_alarm'")
        with pytest.raises(Forbidden):
            acknowledge(tx, actor=hub.people["auditor"], alarm_id=new_id(), at=hub.services.clock.now())
    assert taken == {"/disks/1": None, "/disks/2": "Name of operator"}
    assert [line["what"]["subject"] for line in lines] == ["/disks/2"]


def seen(path: str, state: str, at: datetime) -> f.VolumeSeen:
    return f.VolumeSeen(
        volume_id=new_id(), node="hub", path=path, quota_bytes=None, used_bytes=10**9, free_bytes=10**10, state=state,
        at=at,
    )  # fmt: skip


def sealed(volume_id: UUID, channel_id: UUID, at: datetime) -> list[f.AnyFact]:
    """A megabyte of footage as its recorder tells of it."""
    recording, segment = new_id(), new_id()
    about = {"segment_id": segment, "recording_id": recording, "channel_id": channel_id, "volume_id": volume_id,
             "path": f"{segment}.mp4", "codec": "avc1", "width": 1, "height": 1}  # fmt: skip
    return [
        f.RecordingBegun(recording_id=recording, channel_id=channel_id, stream_id=new_id(), node="hub", at=at),
        f.SegmentSealed(
            **about, start_at=at, end_at=at + timedelta(minutes=1), size_bytes=2**20, fragments=1, root=bytes(32)
        ),
    ]


@pytest.mark.timeout(300)
def test_the_map_names_the_oblasts(hub: Hub, fleet: dict[str, UUID], tmp_path: Path) -> None:
    hub.walk("map.mjs", tmp_path)


@pytest.mark.timeout(300)
def test_the_fleet_table_is_arranged_and_taken_away(hub: Hub, fleet: dict[str, UUID], tmp_path: Path) -> None:
    hub.walk("fleet.mjs", tmp_path)
    with hub.services.database.transaction() as tx:
        (line,) = tx.all("SELECT what FROM access.audit WHERE what->>'route' LIKE '%%download_table%%'")
    assert line["what"]["kind"] == "plate"

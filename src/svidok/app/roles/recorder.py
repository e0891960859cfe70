"""The recorder role: cameras to disk."""

import asyncio
from uuid import UUID

from svidok.app.roles.parts import CLOCK, connect_bus, open_database, stop_on_signal
from svidok.app.settings import Settings
from svidok.db import Transaction
from svidok.fleet import health, registry
from svidok.fleet.credentials import Safe
from svidok.recording import facts as f
from svidok.recording.judging import Governance
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings
from svidok.recording.sweeper import Sweeper

_GIB = 1024**3


def plan_reader(safe: Safe):  # type: ignore[no-untyped-def]
    """What the fleet wants recorded, in the recorder's words."""

    def read(tx: Transaction) -> Plan:
        return Plan(
            streams=tuple(
                PlannedStream(
                    channel_id=s.channel_id, stream_id=s.stream_id, camera_id=s.camera_id, role=s.role, url=s.url,
                    username=s.username, password=s.password, tls_verify=s.tls_verify,
                )
                for s in registry.streams_to_record(tx, safe)
            )
        )  # fmt: skip

    return read


def take_beats(tx: Transaction, seen: f.RecorderSeen) -> None:
    """Pass the beats of cameras on to the fleet."""
    beats = [health.Heartbeat(camera_id=beat.camera_id, ok=beat.ok, says=beat.says) for beat in seen.beats]
    health.heartbeats(tx, beats, at=seen.at)


async def run_recorder(settings: Settings) -> None:
    """Record until told to stop."""
    database = open_database(settings, size=4)
    bus = await connect_bus(settings, f"recorder {settings.node}")
    sweeper = Sweeper(database=database, judge=Governance(classes=registry.retention_classes), node=settings.node)

    def make_room(volume_id: UUID, wanted_bytes: int) -> int:
        return sweeper.sweep(at=CLOCK.now(), volume_id=volume_id, wanted_bytes=wanted_bytes).freed_bytes

    quota = settings.footage_quota_gib
    recorder = Recorder(
        RecorderSettings(
            node=settings.node, data=settings.data, volumes=tuple(settings.volumes()),
            quota_bytes=quota * _GIB if quota else None,
        ),
        database,
        bus,
        CLOCK,
        plan_reader(Safe(settings.keys / "credentials.key")),
        take_beats,
        make_room,
    )  # fmt: skip
    try:
        await recorder.run(stop_on_signal())
    finally:
        if bus is not None:
            await bus.close()
        await asyncio.to_thread(database.close)

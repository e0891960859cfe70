"""A recorder in a process of its own, with short segments: what stories kill, cut off, or put on another machine.

One argument: JSON with `database_url`, `bus_url`, `data`, `node` and `streams` (channel, address). With `far` true it
first puts an empty file system over `data` (run it under `unshare -m`), so that nobody else sees its footage: that is
what another machine is to us.
"""

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from svidok.app.roles.parts import stop_on_signal
from svidok.base import SystemClock
from svidok.bus import Bus
from svidok.db import Database
from svidok.recording.plan import Plan, PlannedStream
from svidok.recording.recorder import Recorder, RecorderSettings


async def record(told: dict[str, Any]) -> None:
    data = Path(told["data"])
    streams = tuple(
        PlannedStream(
            channel_id=UUID(channel), stream_id=UUID(channel), camera_id=UUID(channel), role="main", url=url,
            username="", password="",
        )
        for channel, url in told["streams"]
    )  # fmt: skip
    database = Database.open(told["database_url"], size=4)
    bus = await Bus.connect(told["bus_url"], told["node"], wait_s=10)
    settings = RecorderSettings(
        node=told["node"], data=data, volumes=(data / "disk",), segment_length=timedelta(seconds=4)
    )
    recorder = Recorder(settings, database, bus, SystemClock(), lambda _tx: Plan(streams=streams))
    await recorder.run(stop_on_signal())
    await bus.close()
    database.close()


def main() -> None:
    told = json.loads(sys.argv[1])
    if told.get("far"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "none", told["data"]], check=True)
    asyncio.run(record(told))


if __name__ == "__main__":
    main()

"""What to record: asked of the database, remembered on disk for the time it is away."""

import os
from pathlib import Path
from uuid import UUID

import msgspec


class PlannedStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of a channel, with all that is needed to open it. `role` is main or sub."""

    channel_id: UUID
    stream_id: UUID
    camera_id: UUID
    role: str
    url: str
    username: str = ""
    password: str = ""
    tls_verify: bool = True


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All streams that this installation should know: `main` ones are recorded, `sub` ones opened for whoever looks."""

    streams: tuple[PlannedStream, ...] = ()

    def main(self) -> dict[UUID, PlannedStream]:
        """The stream to record, by channel."""
        return {stream.channel_id: stream for stream in self.streams if stream.role == "main"}

    def find(self, channel_id: UUID, role: str) -> PlannedStream | None:
        """The stream of a channel in a role, or nothing."""
        wanted = (s for s in self.streams if s.channel_id == channel_id and s.role == role)
        return next(wanted, None)


def remember(plan: Plan, path: Path) -> None:
    """Keep `plan` (it holds passwords: mode 0600) for a start without the database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(plan))
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def recall(path: Path) -> Plan | None:
    """The plan last remembered, or nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None

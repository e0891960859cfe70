"""Identifiers: UUID version 7 (RFC 9562, section 5.7), so that rows sort by the instant they were made."""

import os
import time
from typing import NewType
from uuid import UUID

SiteId = NewType("SiteId", UUID)
CameraId = NewType("CameraId", UUID)
ChannelId = NewType("ChannelId", UUID)
StreamId = NewType("StreamId", UUID)
RecordingId = NewType("RecordingId", UUID)
SegmentId = NewType("SegmentId", UUID)
GapId = NewType("GapId", UUID)
VolumeId = NewType("VolumeId", UUID)
ActorId = NewType("ActorId", UUID)
UnitId = NewType("UnitId", UUID)
PurposeId = NewType("PurposeId", UUID)
EntryId = NewType("EntryId", UUID)


def new_id() -> UUID:
    """Make a UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)

"""A camera as the pages read it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from svidok.db import Row
from svidok.fleet.regions import region_of


class RegionOut(msgspec.Struct):
    """An oblast or raion, by its KATOTTH code."""

    code: str
    name_uk: str
    name_en: str


class SiteOut(msgspec.Struct):
    """Where cameras stand."""

    id: UUID
    name_uk: str
    name_en: str


class StreamOut(msgspec.Struct):
    """One of a channel's streams; width and height in pixels."""

    id: UUID
    role: str
    codec: str
    width: int
    height: int
    fps: int
    record: bool


class FleetChannelOut(msgspec.Struct):
    """A channel and its streams."""

    id: UUID
    number: int
    name: str
    streams: list[StreamOut]


class FindingOut(msgspec.Struct):
    """A weakness that was found."""

    code: str
    severity: str
    since: datetime
    details: dict[str, Any]


class FleetCameraOut(msgspec.Struct, kw_only=True):
    """A camera; degrees, and milliseconds that its clock is ahead. `findings` are told for one camera, not in lists."""

    id: UUID
    number: str
    name_uk: str
    name_en: str
    kind: str
    owner: str
    life: str
    life_since: datetime
    life_reason: str
    last_seen_at: datetime | None
    says: str | None
    site: SiteOut | None
    region: RegionOut
    lat: float | None
    lon: float | None
    heading_deg: float | None
    fov_deg: float | None
    px_m_class: str | None
    lawful_basis: str
    retention_class: str
    maker: str
    model: str
    firmware: str
    serial: str
    address: str
    clock_offset_ms: int | None
    findings: list[FindingOut]
    findings_count: int
    channels: list[FleetChannelOut]
    steerable: bool | None  # nothing: not told in lists


class CamerasOut(msgspec.Struct):
    """A page of cameras; `total` with the first page alone."""

    items: list[FleetCameraOut]
    next: str | None
    total: int | None


class RegionCountOut(msgspec.Struct):
    """The cameras of an oblast by state."""

    code: str
    name_uk: str
    name_en: str
    total: int
    working: int
    silent: int
    destroyed: int
    restored: int


class FleetSummaryOut(msgspec.Struct):
    """The fleet in numbers."""

    total: int
    by_life: dict[str, int]
    by_kind: dict[str, int]
    by_owner: dict[str, int]
    by_region: list[RegionCountOut]
    findings: dict[str, int]


_MADE = {"last_seen_at", "site", "region", "findings", "findings_count", "channels", "steerable"}
_SAME = [name for name in FleetCameraOut.__struct_fields__ if name not in _MADE]
"""What a row calls as the pages do."""


def camera_out(row: Row, channels: list[Row], findings: list[Row] | None, *, steerable: bool | None) -> FleetCameraOut:
    """A camera with its channels and, where they were asked for, its weaknesses. Pure."""
    site = SiteOut(id=row["site_id"], name_uk=row["site_uk"], name_en=row["site_en"]) if row["site_id"] else None
    return FleetCameraOut(
        **{name: row[name] for name in _SAME},
        last_seen_at=row["seen_at"],
        region=_region(row["region_code"]),
        site=site,
        channels=_channels(channels),
        findings=[FindingOut(**one) for one in findings or ()],
        findings_count=row["findings_count"] if findings is None else len(findings),
        steerable=steerable,
    )


def _region(code: str) -> RegionOut:
    region = region_of(code)
    return RegionOut(code, region.name_uk, region.name_en) if region else RegionOut(code, code, code)


def _channels(rows: list[Row]) -> list[FleetChannelOut]:
    found: dict[UUID, FleetChannelOut] = {}
    for row in rows:
        channel = found.setdefault(
            row["channel_id"], FleetChannelOut(id=row["channel_id"], number=row["number"], name=row["name"], streams=[])
        )
        if row["stream_id"]:
            names = StreamOut.__struct_fields__[1:]
            channel.streams.append(StreamOut(row["stream_id"], **{name: row[name] for name in names}))
    return list(found.values())

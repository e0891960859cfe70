"""Footage behind the door: timeline, playback, thumbnails, gaps, volumes, alarms, checks."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, patch, post
from litestar.params import QueryParameter
from litestar.response import Stream

from svidok.access import Actor, audit
from svidok.api import recording_disposal, recording_export, recording_live
from svidok.api.door import Shows, guarded
from svidok.api.jobs import Progress
from svidok.api.services import Services
from svidok.base import BadInput, new_id
from svidok.recording import playback, wardens
from svidok.recording.check import How, Report, check
from svidok.recording.model import Gap
from svidok.recording.reading import gaps_of_all
from svidok.recording.thumbnails import Thumbnails
from svidok.recording.timeline import LONGEST, asked_span, timeline

From = Annotated[datetime, QueryParameter(name="from")]
To = Annotated[datetime, QueryParameter(name="to")]
_NEVER_KEPT = {"Cache-Control": "no-store"}
_TOLD_FINDINGS = 1000
_TELL_EVERY_S = 1.0

_thumbnails = Thumbnails()


class RecordedOut(msgspec.Struct):
    """Unbroken footage."""

    start: datetime
    end: datetime
    recording_id: UUID


class GapOut(msgspec.Struct):
    """Time without footage; no end while it lasts."""

    id: UUID
    channel_id: UUID
    start: datetime
    end: datetime | None
    reason: str
    detail: str


class ClockOut(msgspec.Struct):
    """How far the camera's clock was off."""

    at: datetime
    offset_ms: int
    error_ms: int
    drift_ppm: int
    source: str


class TimelineOut(msgspec.Struct):
    """What a channel has of a span."""

    recorded: list[RecordedOut]
    gaps: list[GapOut]
    clocks: list[ClockOut]


class SegmentOut(msgspec.Struct):
    """A playable segment; fragments as [number, start_us, duration_us, size]."""

    id: UUID
    start: datetime
    end: datetime
    codec: str
    width: int
    height: int
    init_id: str
    fragments: list[tuple[int, int, int, int]]


class ManifestOut(msgspec.Struct):
    """What can be played of a span."""

    segments: list[SegmentOut]
    gaps: list[GapOut]
    unreachable: list[UUID]


class VolumeOut(msgspec.Struct):
    """A volume; sizes in bytes."""

    id: UUID
    node: str
    path: str
    quota_bytes: int | None
    used_bytes: int
    free_bytes: int
    state: str
    seen_at: datetime | None


class RecorderOut(msgspec.Struct):
    """A recorder as it last said."""

    node: str
    seen_at: datetime
    channels: int
    recording: int
    bytes_per_s: int
    waiting: int


class SummaryOut(msgspec.Struct):
    """How recording fares."""

    recording: int
    cameras: int
    bytes_per_s: int
    gaps_open: int
    oldest_at: datetime | None
    recorders: list[RecorderOut]
    volumes: list[VolumeOut]


class AlarmOut(msgspec.Struct):
    """Something a person must look at."""

    id: UUID
    code: str
    subject: str
    raised_at: datetime
    cleared_at: datetime | None
    details: dict[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class GapsOut(msgspec.Struct):
    """Gaps, the latest first."""

    items: list[GapOut]


class AlarmsOut(msgspec.Struct):
    """Alarms, those that stand first."""

    items: list[AlarmOut]


class VolumeIn(msgspec.Struct):
    """A folder of this machine to take footage."""

    path: str
    quota_bytes: int | None = None
    node: str | None = None


class VolumePatch(msgspec.Struct):
    """What shall change; what is left out stays, and a quota of null is none."""

    quota_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    state: str | None = None


class CheckIn(msgspec.Struct):
    """How to check: `quick` leaves the hashing out."""

    quick: bool = False


class JobOut(msgspec.Struct):
    """Long work that was begun."""

    job: UUID


@get("/api/channels/{channel_id:uuid}/timeline", **guarded("view_timeline"), sync_to_thread=True)
def read_timeline(channel_id: UUID, start: From, end: To, services: Services) -> TimelineOut:
    """Footage, gaps and the clock of a channel."""
    span = asked_span(start, end, longest=LONGEST)
    with services.database.transaction() as tx:
        told = timeline(tx, channel_id, span, reach=services.reach)
    return TimelineOut(
        recorded=[RecordedOut(one.span.start, one.span.end, one.recording_id) for one in told.recorded],
        gaps=[_gap(gap) for gap in told.gaps],
        clocks=[
            ClockOut(
                at=one.at, offset_ms=one.reading.offset_us // 1000, error_ms=one.reading.error_us // 1000,
                drift_ppm=one.reading.drift_ppm, source=str(one.reading.source),
            )
            for one in told.clocks
        ],
    )  # fmt: skip


@get("/api/channels/{channel_id:uuid}/playback", **guarded("view_playback"), sync_to_thread=True)
def read_manifest(channel_id: UUID, start: From, end: To, services: Services) -> ManifestOut:
    """What can be played of a span; it shows no picture."""
    span = asked_span(start, end, longest=playback.LONGEST)
    with services.database.transaction() as tx:
        told = playback.manifest(tx, channel_id, span, reach=services.reach)
    return ManifestOut(
        segments=[_segment(part) for part in told.segments],
        gaps=[_gap(gap) for gap in told.gaps],
        unreachable=list(told.unreachable),
    )


def _segment(part: playback.PlayableSegment) -> SegmentOut:
    segment = part.one.segment
    return SegmentOut(
        id=segment.id,
        start=part.span.start,
        end=part.span.end,
        codec=segment.codec,
        width=segment.width,
        height=segment.height,
        init_id=part.init_id,
        fragments=[(number, one.start_us, one.duration_us, one.size) for number, one in part.fragments],
    )


@get(
    "/api/channels/{channel_id:uuid}/playback/{segment:uuid}/init",
    **guarded("view_playback", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def read_init(channel_id: UUID, segment: UUID, services: Services) -> Response[bytes]:
    """The init segment that a player begins with."""
    with services.database.transaction() as tx:
        found = playback.init(tx, channel_id, segment, reach=services.reach)
    return Response(found.read(), media_type="video/mp4", headers=_NEVER_KEPT)


@get(
    "/api/channels/{channel_id:uuid}/playback/{segment:uuid}/media",
    **guarded("view_playback", shows=Shows.FOOTAGE),
    sync_to_thread=True,
)
def read_media(channel_id: UUID, segment: UUID, first: int, last: int, services: Services) -> Stream:
    """Fragments `first` to `last`, inclusive, end to end."""
    with services.database.transaction() as tx:
        found = playback.media(tx, channel_id, segment, first=first, last=last, reach=services.reach).ensure()
    return Stream(found.blocks(), media_type="video/mp4", headers=_NEVER_KEPT | {"Content-Length": str(found.size)})


@get("/api/channels/{channel_id:uuid}/thumbnail", **guarded("view_playback", shows=Shows.FOOTAGE), sync_to_thread=True)
def read_thumbnail(channel_id: UUID, at: datetime, services: Services, width: int = 320) -> Response[bytes]:
    """A small picture of an instant."""
    if at.tzinfo is None:
        raise BadInput("span-no-zone", "Give instants with a zone, for example 2026-11-24T10:00:00Z.")
    picture = _thumbnails.at(services.database, channel_id, at, width=width, reach=services.reach)
    return Response(picture, media_type="image/jpeg", headers=_NEVER_KEPT)


@get("/api/gaps", **guarded("view_fleet"), sync_to_thread=True)
def read_gaps(
    services: Services,
    start: Annotated[datetime | None, QueryParameter(name="from")] = None,
    end: Annotated[datetime | None, QueryParameter(name="to")] = None,
    channel: UUID | None = None,
    limit: int = 100,
) -> GapsOut:
    """The latest gaps of all channels or of one; of the last day where no span is given."""
    now = services.clock.now()
    span = asked_span(start or (end or now) - timedelta(days=1), end or now, longest=LONGEST)
    with services.database.transaction() as tx:
        gaps = gaps_of_all(tx, span, channel_id=channel, most=max(1, min(limit, 1000)))
    return GapsOut([_gap(gap) for gap in gaps])


@get("/api/recording/summary", **guarded("view_system"), sync_to_thread=True)
def read_summary(services: Services) -> SummaryOut:
    """How recording fares as a whole."""
    with services.database.transaction() as tx:
        told = wardens.summary(tx)
    return SummaryOut(
        recording=sum(one.recording for one in told.recorders),
        cameras=sum(one.channels for one in told.recorders),
        bytes_per_s=sum(one.bytes_per_s for one in told.recorders),
        gaps_open=told.gaps_open,
        oldest_at=told.oldest_at,
        recorders=[msgspec.convert(one, RecorderOut, from_attributes=True) for one in told.recorders],
        volumes=[_volume(one) for one in told.volumes],
    )


@get("/api/alarms", **guarded("view_system"), sync_to_thread=True)
def read_alarms(services: Services, limit: int = 200) -> AlarmsOut:
    """The alarms that stand, then those of late."""
    with services.database.transaction() as tx:
        found = wardens.alarms(tx, most=max(1, min(limit, 1000)))
    return AlarmsOut([msgspec.convert(one, AlarmOut, from_attributes=True) for one in found])


@post("/api/alarms/{alarm_id:uuid}/acknowledge", **guarded("acknowledge_alarm"), sync_to_thread=True)
def acknowledge_alarm(alarm_id: UUID, actor: Actor, services: Services) -> dict[str, bool]:
    """I look after it."""
    with services.database.transaction() as tx:
        wardens.acknowledge(tx, actor=actor, alarm_id=alarm_id, at=services.clock.now())
    return {"ok": True}


@post("/api/volumes", **guarded("manage_storage"), sync_to_thread=True)
def add_volume(data: VolumeIn, actor: Actor, services: Services) -> VolumeOut:
    """Give a folder of this machine to its recorder."""
    if data.node not in (None, services.node):
        raise BadInput("volume-elsewhere", "Add it on the machine it is mounted on: svidok volumes add.")
    with services.database.transaction() as tx:
        added = wardens.add_volume(
            tx, node=services.node, path=data.path, quota_bytes=data.quota_bytes, volume_id=new_id()
        )
        _write_down(services, tx, actor, {"volume": str(added.id), "path": added.path, "added": True})
        wardens.mark_volume(added)
    return _volume(added)


@patch("/api/volumes/{volume_id:uuid}", **guarded("manage_storage"), sync_to_thread=True)
def change_volume(volume_id: UUID, data: VolumePatch, actor: Actor, services: Services) -> VolumeOut:
    """Another quota, or out of service and back."""
    given = data.quota_bytes is not msgspec.UNSET
    quota = data.quota_bytes if isinstance(data.quota_bytes, int) else None
    change = wardens.VolumeChange(set_quota=given, quota_bytes=quota, state=data.state)
    with services.database.transaction() as tx:
        changed = wardens.change_volume(tx, volume_id, change)
        what = {"volume": str(volume_id), "quota_bytes": changed.quota_bytes, "state": changed.state}
        _write_down(services, tx, actor, what)
    return _volume(changed)


def _write_down(services: Services, tx: Any, actor: Actor, what: dict[str, Any]) -> None:
    audit.record(tx, actor=actor, action="manage_storage", what=what, at=services.clock.now(), to_whom="")


@post("/api/checks", **guarded("view_storage"), sync_to_thread=True)
def start_check(data: CheckIn, actor: Actor, services: Services) -> JobOut:
    """Prove that database, disk and ledger agree, as a job."""

    def work(progress: Progress) -> dict[str, Any]:
        told = [0.0]

        def tell(done: int, total: int) -> None:
            if time.monotonic() - told[0] > _TELL_EVERY_S:
                told[0] = time.monotonic()
                progress(done, total)

        how = How(ledger=services.ledger_folder, bytes_too=not data.quick, progress=tell)
        return _told(check(services.database, how))

    return JobOut(services.jobs.start("check", actor.id, work))


def _told(report: Report) -> dict[str, Any]:
    """A report as the job keeps it."""
    return {
        "segments": report.segments,
        "fragments": report.fragments,
        "size_bytes": report.size_bytes,
        "skipped": report.skipped,
        "findings_total": len(report.findings),
        "findings": [
            {
                "code": one.code,
                "path": one.path,
                "segment_id": str(one.segment_id) if one.segment_id else None,
                "says": one.says,
                "do": one.do,
            }
            for one in report.findings[:_TOLD_FINDINGS]
        ],
    }


def _gap(gap: Gap) -> GapOut:
    return GapOut(
        id=gap.id, channel_id=gap.channel_id, start=gap.start_at, end=gap.end_at, reason=str(gap.reason),
        detail=gap.detail,
    )  # fmt: skip


def _volume(one: wardens.VolumeStatus) -> VolumeOut:
    return msgspec.convert(one, VolumeOut, from_attributes=True)


ROUTES = [
    read_timeline,
    read_manifest,
    read_init,
    read_media,
    read_thumbnail,
    read_gaps,
    read_summary,
    read_alarms,
    acknowledge_alarm,
    add_volume,
    change_volume,
    start_check,
    *recording_disposal.ROUTES,
    *recording_export.ROUTES,
    *recording_live.ROUTES,
]

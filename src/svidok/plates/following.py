"""Our own reader: follows the footage of plate cameras as it is written, and gives each vehicle to the door once.

It reads what the recorder has synced to disk, not what is on the air: so each
read names the segment that proves it, a stalled camera or a broken picture
costs that piece only, and after a crash the reader begins again where the
earliest vehicle was in sight that it had not told. What it tells has ids made
of the footage, so that telling twice changes nothing. Where PostgreSQL is away,
reads wait and footage is not passed over.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import structlog

from svidok.base import BadInput, Clock, Span, Unavailable, from_us, to_us
from svidok.db import Database, Queries, Row
from svidok.fleet.model import RECORDED_IN
from svidok.media.boxes import parse_head
from svidok.media.frames import pictures as decoded
from svidok.plates.model import Direction, Read, Source
from svidok.plates.pictures import BadPicture, Pictures
from svidok.recording.idx import IndexRecord
from svidok.recording.playback import part_of
from svidok.recording.reading import Located, segments_between
from svidok.vision.grammar import COUNTRIES, NEIGHBOURS
from svidok.vision.tracks import Sighting
from svidok.vision.watching import Watcher, jpegs, vehicle_of

SQL = Queries.parse(resources.files(__package__).joinpath("following.sql").read_text("utf-8"))
log = structlog.get_logger("reader")

_BEGIN_BEFORE_US = 5_000_000  # a camera that was never followed is followed from so long ago
_KNOWN_AGAIN_US = 20_000_000  # a plate told before a crash is not told again so soon
_TURN = 6  # groups of one camera, then the next camera's turn
_THIN_BEHIND_US = 20_000_000
_CHANNELS_S, _SAVE_S = 5.0, 1.0
_VEHICLES = frozenset({"car", "truck", "bus", "motorcycle"})

Keep = Callable[[Sequence[Read]], int]


@dataclass(slots=True, kw_only=True)
class Followed:
    """One channel that is followed, and how far: everything before `next_us` was looked at."""

    channel_id: UUID
    camera_id: UUID
    lat: float | None
    lon: float | None
    heading_deg: int | None
    watcher: Watcher
    next_us: int
    waiting: list[Read] = field(default_factory=list)
    known: dict[str, list[int]] = field(default_factory=dict)
    broken: int = 0
    behind_us: int = 0
    _init: tuple[UUID, bytes] | None = None

    @property
    def begin_again_us(self) -> int:
        """From where footage must be seen again after a crash."""
        untold = [to_us(read.taken_at) - _BEGIN_BEFORE_US for read in self.waiting]
        since = self.watcher.seen_since_us
        return min([self.next_us, *untold, *([] if since is None else [since])])

    def init_of(self, one: Located, size: int) -> bytes:
        """The init segment of a segment, read once."""
        if self._init is None or self._init[0] != one.segment.id:
            self._init = (one.segment.id, part_of(one, 0, size).read())
        return self._init[1]


class Follower:
    """All plate cameras of one machine. One thread; `step` does a little and returns."""

    def __init__(
        self, *, database: Database, keep: Keep, pictures: Pictures, folder: Path, node: str, clock: Clock,
        countries: Sequence[str] = NEIGHBOURS,
    ) -> None:  # fmt: skip
        self._database, self._keep, self._pictures = database, keep, pictures
        self._path, self._node, self._clock = folder / "followed.json", node, clock
        self._countries = tuple(countries)
        self._followed: dict[UUID, Followed] = {}
        self._asked_s = self._saved_s = -1e9
        self._saved: dict[str, int] = {}

    @property
    def followed(self) -> tuple[Followed, ...]:
        """The channels that are followed now."""
        return tuple(self._followed.values())

    def step(self) -> int:
        """Look at what is new of each camera, a few groups of each; how many groups that were. Raises `Unavailable`."""
        now_s = self._clock.monotonic()
        if now_s - self._asked_s > _CHANNELS_S:
            self._find_channels()
            self._asked_s = now_s
        done = sum(self._turn(one) for one in self._followed.values())
        if now_s - self._saved_s > _SAVE_S:
            self._save()
            self._saved_s = now_s
        return done

    def close(self) -> None:
        """Write down how far it came. A vehicle that is in sight is seen again at the next start."""
        self._save()

    def _find_channels(self) -> None:
        with self._database.transaction() as tx:
            rows = {
                row["channel_id"]: row for row in tx.all(SQL["plate_channels"], lives=[str(x) for x in RECORDED_IN])
            }
        for channel_id in set(self._followed) - set(rows):
            del self._followed[channel_id]
        new = [row for channel_id, row in rows.items() if channel_id not in self._followed]
        if new:
            self._take_up(new)

    def _take_up(self, rows: list[Row]) -> None:
        begun = self._begun()
        now_us = to_us(self._clock.now())
        starts = {row["channel_id"]: begun.get(str(row["channel_id"]), now_us - _BEGIN_BEFORE_US) for row in rows}
        since = from_us(min(starts.values()) - _KNOWN_AGAIN_US)
        with self._database.transaction() as tx:
            told = tx.all(SQL["own_reads_since"], since=since, camera_ids=[row["camera_id"] for row in rows])
        for row in rows:
            one = Followed(
                channel_id=row["channel_id"], camera_id=row["camera_id"], lat=row["lat"], lon=row["lon"],
                heading_deg=row["heading_deg"], next_us=starts[row["channel_id"]],
                watcher=Watcher(expected=_expected(row["countries"], self._countries)),
            )  # fmt: skip
            for read in told:
                if read["camera_id"] == one.camera_id:
                    one.known.setdefault(read["text"], []).append(to_us(read["taken_at"]))
            self._followed[one.channel_id] = one
        log.info("following", channels=len(self._followed))

    def _turn(self, one: Followed) -> int:
        if not self._tell(one, []):
            return 0
        now_us = to_us(self._clock.now())
        span = Span(from_us(one.next_us), from_us(max(now_us, one.next_us) + 1_000_000))
        with self._database.transaction() as tx:
            located = [found for found in segments_between(tx, one.channel_id, span) if found.node == self._node]
        done = 0
        for found in located:
            try:
                index = found.index()
            except Unavailable:
                continue  # its volume is away: the recorder raises the alarm, and other footage goes on
            for record in index.records:
                if record.start_us < one.next_us:
                    continue
                if done == _TURN:
                    return done
                one.behind_us = max(0, now_us - record.end_us)
                if not self._tell(one, self._look(one, found, record, index.header.init_size)):
                    return done
                done += 1
        return done

    def _look(self, one: Followed, found: Located, record: IndexRecord, init_size: int) -> list[Sighting]:
        """The vehicles of one group. What cannot be read or decoded is counted and passed over."""
        one.next_us = record.start_us + 1
        told: list[Sighting] = []
        try:
            init = one.init_of(found, init_size)
            fragment = part_of(found, record.offset, record.size).read()
            samples = parse_head(fragment)
            if samples is None or not samples.video.first_is_sync:
                raise BadInput("fragment-unreadable", "This group of pictures does not begin with a whole picture.")
            told.extend(one.watcher.group(
                lambda wanted: decoded(init + fragment, wanted), sizes=samples.video.sizes, start_us=record.start_us,
                duration_us=record.duration_us, source=str(found.segment.id), thin=one.behind_us > _THIN_BEHIND_US,
            ))  # fmt: skip
        except (BadInput, Unavailable) as error:
            one.broken += 1
            if one.broken in (1, 10, 100) or one.broken % 1000 == 0:
                log.warning("group passed over", channel=str(one.channel_id), why=error.message, so_far=one.broken)
        return told

    def _tell(self, one: Followed, new: Sequence[Sighting]) -> bool:
        """Keep what waits and what is new; whether all of it is safe."""
        one.waiting += [self._read(one, sighting) for sighting in new if not _known(one, sighting)]
        if not one.waiting:
            return True
        try:
            self._keep(one.waiting)
        except Unavailable as error:
            log.warning("reads wait", count=len(one.waiting), why=error.message)
            return False
        one.watcher.counts.told += len(one.waiting)
        one.waiting.clear()
        return True

    def _read(self, one: Followed, sighting: Sighting) -> Read:
        vote, best = sighting.vote, sighting.best
        overview, patch, box = jpegs(sighting)
        taken_at = from_us(best.at_us)
        vehicle = vehicle_of(sighting)
        return Read(
            id=uuid5(one.channel_id, f"{vote.text} {sighting.first_us // 1000}"), camera_id=one.camera_id,
            channel_id=one.channel_id, taken_at=taken_at, received_at=self._clock.now(), plate=vote.text,
            as_read=best.plate.text, confidence=vote.confidence, source=Source.OWN, country=vote.country,
            alternatives=vote.alternatives, direction=Direction(sighting.direction),
            heading_deg=_heading(one.heading_deg, sighting.direction), lat=one.lat, lon=one.lon, box=box,
            vehicle=vehicle if vehicle in _VEHICLES else None, segment_id=UUID(best.source),
            image=self._put(overview, taken_at), patch=self._put(patch, taken_at),
        )  # fmt: skip

    def _put(self, picture: bytes, taken_at: datetime) -> UUID | None:
        """Keep a picture; nothing where it cannot be kept: the read is worth more."""
        try:
            return self._pictures.put(picture, taken_at=taken_at)
        except (BadPicture, OSError) as error:
            log.warning("picture not kept", why=str(error))
            return None

    def _begun(self) -> dict[str, int]:
        try:
            kept: Any = json.loads(self._path.read_text("utf-8"))
            return {str(channel): int(at_us) for channel, at_us in kept.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _save(self) -> None:
        now = {**self._saved, **{str(one.channel_id): one.begin_again_us for one in self._followed.values()}}
        if now == self._saved:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(now), "utf-8")
        part.replace(self._path)
        self._saved = now


def _known(one: Followed, sighting: Sighting) -> bool:
    """Whether this vehicle was told before a crash."""
    return any(abs(at_us - sighting.first_us) < _KNOWN_AGAIN_US for at_us in one.known.get(sighting.vote.text, ()))


def _expected(told: object, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """The countries a camera expects, by its facts (`plate_countries`), else those of the installation."""
    named = tuple(one for one in told if one in COUNTRIES) if isinstance(told, list) else ()
    return (*named, *(one for one in otherwise if one not in named))


def _heading(camera_deg: int | None, direction: str) -> float | None:
    """Where the vehicle heads: as the camera looks, or against it."""
    if camera_deg is None or direction == Direction.UNKNOWN:
        return None
    return float(camera_deg if direction == Direction.AWAY else (camera_deg + 180) % 360)

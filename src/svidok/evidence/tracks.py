"""From what was seen on single pictures to covers that move. Pure.

A miss is a leak, so a cover is generous in space and time: it is grown on each
side, goes on through pictures on which nothing was seen, and lasts before and
after what was seen for as long as a head needs to turn away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

PADDING = 0.3
_SAME = 0.15  # shared over joint area from which a box is taken to be the one before, moved
_NEAR = 1.2  # or a middle that moved by no more than so many of its widths
_HEAD = 1 / 3

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something seen on a picture: a face, a person or a plate, as left, top, width and height."""

    picture: int
    kind: str
    box: Box


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover: a box that moves on straight lines from key to key, from picture `first` to picture `last`."""

    kind: str
    first: int
    last: int
    keys: tuple[tuple[int, float, float, float, float], ...]


@dataclass(slots=True)
class _Track:
    kind: str
    seen: list[Sighting] = field(default_factory=list)

    @property
    def last(self) -> Sighting:
        return self.seen[-1]


def propose(
    sightings: Iterable[Sighting], *, width: int, height: int, pictures: int, lost: int, hold: int
) -> list[Cover]:
    """The covers for what was seen: `lost` pictures without a sighting do not end one, and it holds on for `hold`.

    Where a person's face was not seen, the upper third of the person is covered as a head.
    """
    by_picture: dict[int, list[Sighting]] = {}
    for one in sightings:
        by_picture.setdefault(one.picture, []).append(one)
    tracks: list[_Track] = []
    for picture in sorted(by_picture):
        for one in _with_heads(by_picture[picture]):
            _join(tracks, one, lost)
    return [_cover(track, width=width, height=height, pictures=pictures, hold=hold) for track in tracks]


def _with_heads(seen: Sequence[Sighting]) -> list[Sighting]:
    """Faces and plates as they are; of persons without a face of theirs, the head."""
    faces = [one for one in seen if one.kind == "face"]
    told = [one for one in seen if one.kind in ("face", "plate")]
    for one in seen:
        if one.kind != "person":
            continue
        left, top, width, height = one.box
        head = (left, top, width, height * _HEAD)
        if not any(_shared(face.box, head) > 0.5 * face.box[2] * face.box[3] for face in faces):
            told.append(Sighting(one.picture, "head", head))
    return told


def _join(tracks: list[_Track], one: Sighting, lost: int) -> None:
    """Put a sighting to the track that it goes on with, or begin one. A face goes on as a head, and back."""
    best, best_score = None, 0.0
    for track in tracks:
        if track.last.picture >= one.picture or one.picture - track.last.picture > lost:
            continue
        if (track.kind == "plate") != (one.kind == "plate"):
            continue
        score = _likeness(track.last.box, one.box)
        if score < _SAME and not _is_near(track.last.box, one.box):
            continue
        if best is None or score > best_score:
            best, best_score = track, score
    if best is None:
        best = _Track(one.kind)
        tracks.append(best)
    best.seen.append(one)


def _cover(track: _Track, *, width: int, height: int, pictures: int, hold: int) -> Cover:
    keys = []
    for one in track.seen:
        left, top, wide, high = one.box
        pad_x, pad_y = wide * PADDING, high * PADDING
        x, y = max(0.0, left - pad_x), max(0.0, top - pad_y)
        right, bottom = min(float(width), left + wide + pad_x), min(float(height), top + high + pad_y)
        keys.append(
            (one.picture, round(x, 1), round(y, 1), round(max(2.0, right - x), 1), round(max(2.0, bottom - y), 1))
        )
    return Cover(
        kind=track.kind,
        first=max(0, track.seen[0].picture - hold),
        last=min(pictures - 1, track.last.picture + hold),
        keys=tuple(keys),
    )


def _shared(one: Box, other: Box) -> float:
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _likeness(one: Box, other: Box) -> float:
    shared = _shared(one, other)
    joint = one[2] * one[3] + other[2] * other[3] - shared
    return shared / joint if joint > 0 else 0.0


def _is_near(one: Box, other: Box) -> bool:
    size = max(one[2], other[2])
    alike = 0.4 < (one[2] * one[3] + 1) / (other[2] * other[3] + 1) < 2.5
    away_x = abs(one[0] + one[2] / 2 - other[0] - other[2] / 2)
    away_y = abs(one[1] + one[3] / 2 - other[1] - other[3] / 2)
    return alike and max(away_x, away_y) <= _NEAR * size

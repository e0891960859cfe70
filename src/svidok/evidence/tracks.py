"""From what was seen on single pictures to covers that move. Pure.

A miss is a leak, so a cover is generous in space and time: it is grown on each
side, goes on through pictures on which nothing was seen, and lasts before and
after what was seen for as long as a head needs to turn away. Whoever comes in
or goes out was there before and after somebody could be sure of it: in that
time a cover reaches along the way that was gone, and to an edge that is near.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

PADDING = 0.3
_SAME = 0.15  # shared over joint area from which a box is taken to be the one before, moved
_NEAR = 1.2  # or a middle that moved by no more than so many of its widths
_HEAD = 1 / 3  # of a person's height
_HEAD_WIDE = 0.8  # or so much of their width: of somebody cut off by an edge, or bent, more than a third is head
_PACE_LOOKS = 3  # sightings that tell how something came in, or went out
_NEAR_EDGE = 0.75  # of its own size: an edge so near is where it came from, or went to

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

    A person's head is always covered, and with it a face that is within it.
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
    """Plates and faces as they are; of persons the head, which takes in a face that lies within it.

    A face alone would leave hair and ears out, and what is taken for a face on
    the back of a head is often a part of it.
    """
    faces = [one for one in seen if one.kind == "face"]
    heads = []
    for one in seen:
        if one.kind != "person":
            continue
        left, top, width, height = one.box
        head = (left, top, width, min(height, max(height * _HEAD, width * _HEAD_WIDE)))
        inside = [face for face in faces if _shared(face.box, head) > 0.5 * face.box[2] * face.box[3]]
        faces = [face for face in faces if face not in inside]
        heads.append(Sighting(one.picture, "face" if inside else "head", _around([head, *(one.box for one in inside)])))
    return heads + faces + [one for one in seen if one.kind == "plate"]


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
    """What covers a track: a key for each sighting, and before and after them one that reaches further, and stays."""
    frame = (width, height)
    first, last = max(0, track.seen[0].picture - hold), min(pictures - 1, track.last.picture + hold)
    keys = {one.picture: _within(_grown(one.box), frame) for one in track.seen}
    if first < track.seen[0].picture:
        keys[first] = keys[track.seen[0].picture - 1] = _reaching(track.seen[:_PACE_LOOKS], first, frame)
    if last > track.last.picture:
        keys[last] = keys[track.last.picture + 1] = _reaching(track.seen[: -_PACE_LOOKS - 1 : -1], last, frame)
    return Cover(
        kind=track.kind, first=first, last=last,
        keys=tuple((at, *_rounded(keys[at])) for at in sorted(keys)),
    )  # fmt: skip


def _reaching(seen: Sequence[Sighting], to: int, frame: tuple[int, int]) -> Box:
    """A box from the sighting at an end of a track (the first of `seen`) to where it was, or will be, on picture `to`.

    Each side goes on as it went between the sightings, so that what comes
    nearer and grows is met as well; the slowest and the fastest that this gives are both covered.
    """
    end, boxes = seen[0], [_grown(seen[0].box)]
    for other in seen[1:]:
        part = (to - end.picture) / (other.picture - end.picture)
        left, top, right, bottom = (a + (b - a) * part for a, b in zip(_sides(end.box), _sides(other.box), strict=True))
        if right > left and bottom > top:
            boxes.append(_grown((left, top, right - left, bottom - top)))
    left, top, right, bottom = _sides(_around(boxes))
    near_x, near_y = end.box[2] * _NEAR_EDGE, end.box[3] * _NEAR_EDGE
    left, top = (0.0 if left < near_x else left), (0.0 if top < near_y else top)
    right = float(frame[0]) if right > frame[0] - near_x else right
    bottom = float(frame[1]) if bottom > frame[1] - near_y else bottom
    return _within((left, top, right - left, bottom - top), frame)


def _rounded(box: Box) -> Box:
    return round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1)


def _grown(box: Box) -> Box:
    left, top, wide, high = box
    return left - wide * PADDING, top - high * PADDING, wide * (1 + 2 * PADDING), high * (1 + 2 * PADDING)


def _within(box: Box, frame: tuple[int, int]) -> Box:
    """The part of a box that lies in the picture, of two pixels at least."""
    left, top, right, bottom = _sides(box)
    x, y = min(max(0.0, left), frame[0] - 2.0), min(max(0.0, top), frame[1] - 2.0)
    return x, y, max(2.0, min(float(frame[0]), right) - x), max(2.0, min(float(frame[1]), bottom) - y)


def _sides(box: Box) -> Box:
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def _around(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    sides = [_sides(box) for box in boxes]
    left, top = min(one[0] for one in sides), min(one[1] for one in sides)
    return left, top, max(one[2] for one in sides) - left, max(one[3] for one in sides) - top


def joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in their order, those that touch made one.

    >>> joined([(50, 70), (10, 20), (20, 30)])
    [(10, 30), (50, 70)]
    """
    told: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if told and start <= told[-1][1]:
            told[-1] = (told[-1][0], max(end, told[-1][1]))
        else:
            told.append((start, end))
    return told


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

"""One vehicle, seen in many pictures, is one read: plates are followed from picture to picture, and vote.

A track is the same plate at about the same place, or the same text nearby. Its
pictures vote sign by sign, weighted by how sure and how large each was. A track
is told once: when its votes agree surely, or when it is out of sight. Pure but
for the pictures it keeps.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from svidok.vision.grammar import fitting
from svidok.vision.plate_text import cost
from svidok.vision.reading import MAX_ALTERNATIVES, Plate
from svidok.vision.sessions import Picture
from svidok.vision.shapes import Box

TOWARDS, AWAY, UNKNOWN = "towards", "away", "unknown"

_OUT_OF_SIGHT_US = 1_600_000
_PARKED_US = 60_000_000  # so long a plate that stands still is the same one, though nothing moved meanwhile
_NEAR_WIDTHS = 2.6  # how far a plate may go between two pictures, in its own widths
_ALIKE_COST = 7.0  # two errors of reading
_SURE_PICTURES, _SURE = 3, 0.97
_MOST_VOTES = 24
_CERTAIN = 0.995
_GROWS = 1.12
_MOVES_HEIGHTS = 1.0
LEAST_TOLD = 0.4
_ALONE = 0.75  # a plate seen in one picture only must be that sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One plate in one picture: when (microseconds since 1970), where in the whole picture, and the picture itself."""

    at_us: int
    plate: Plate
    picture: Picture
    source: str = ""  # whatever the caller wants back: which piece of footage this was

    @property
    def weight(self) -> float:
        """How much its vote counts."""
        return self.plate.confidence * min(1.5, max(0.3, self.plate.box.height / 24.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What the pictures of a track say together."""

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    country: str | None
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A vehicle that passed: its plate, when it was seen first, best and last, and the picture that shows it best."""

    vote: Vote
    first_us: int
    last_us: int
    best: Look
    direction: str


@dataclass(slots=True)
class Track:
    """A plate that is being followed."""

    looks: list[Look]
    first: Look
    told: bool = False
    last_us: int = 0
    text: str = ""
    heights: list[tuple[int, float, float]] = field(default_factory=list)

    def take(self, look: Look) -> None:
        """One more picture of it. The weakest votes go where there are too many; pictures are kept of the best only."""
        self.last_us = look.at_us
        self.heights.append((look.at_us, look.plate.box.height, look.plate.box.middle[1]))
        self.looks.append(look)
        if len(self.looks) > _MOST_VOTES:
            self.looks.remove(min(self.looks, key=lambda one: one.weight))
        self.text = vote(self.looks).text

    @property
    def box(self) -> Box:
        """Where it was last."""
        return max(self.looks, key=lambda one: one.at_us).plate.box

    def sighting(self) -> Sighting:
        """What is known of it now."""
        said = vote(self.looks)
        showing = [look for look in self.looks if look.plate.text == said.text] or self.looks
        return Sighting(
            vote=said, first_us=self.first.at_us, last_us=self.last_us,
            best=max(showing, key=lambda one: one.weight), direction=direction(self.heights),
        )  # fmt: skip


class Tracks:
    """All plates in sight of one camera."""

    def __init__(self) -> None:
        self._open: list[Track] = []
        self._parked: list[Track] = []

    @property
    def busy(self) -> bool:
        """Whether a plate is in sight that was not told yet."""
        return any(not track.told for track in self._open)

    @property
    def told(self) -> bool:
        """Whether all plates in sight were told already, and there are some."""
        return bool(self._open) and not self.busy

    @property
    def seen_since_us(self) -> int | None:
        """Since when the earliest plate that was not told yet is in sight."""
        return min((track.first.at_us for track in self._open if not track.told), default=None)

    def take(self, looks: Sequence[Look], *, at_us: int) -> Iterator[Sighting]:
        """The plates of a picture taken at `at_us`; the vehicles that can be told now, each once."""
        taken: set[int] = set()
        for look in sorted(looks, key=lambda one: -one.plate.confidence):
            track = self._track_of(look, taken)
            if track is None:
                track = Track(looks=[], first=look)
                self._open.append(track)
            taken.add(id(track))
            track.take(look)
        yield from self._due(at_us)

    def end(self) -> Iterator[Sighting]:
        """Nothing more comes: tell what was not told."""
        yield from self._due(2**62)

    def _track_of(self, look: Look, taken: set[int]) -> Track | None:
        free = [track for track in self._open if id(track) not in taken and _belongs(look, track)]
        if free:
            return min(free, key=lambda track: (cost(track.text, look.plate.text), -track.last_us))
        for track in self._parked:
            if track.text == look.plate.text and _apart(track.box, look.plate.box) < 1.0:
                self._parked.remove(track)
                self._open.append(track)
                return track
        return None

    def _due(self, at_us: int) -> Iterator[Sighting]:
        for track in list(self._open):
            gone = at_us - track.last_us > _OUT_OF_SIGHT_US
            if not track.told and (gone or _is_sure(track)):
                track.told = True
                sighting = track.sighting()
                if _may_be_told(sighting):
                    yield sighting
            if gone:
                self._open.remove(track)
                self._parked.append(track)
                track.looks = track.looks[-1:]
        self._parked = [track for track in self._parked if at_us - track.last_us < _PARKED_US]


def _belongs(look: Look, track: Track) -> bool:
    unlike = cost(track.text, look.plate.text)
    return unlike < _ALIKE_COST and (_apart(track.box, look.plate.box) < _NEAR_WIDTHS or unlike == 0)


def _apart(one: Box, other: Box) -> float:
    """How far two plates are apart, in widths of the wider."""
    (x, y), (u, v) = one.middle, other.middle
    return math.hypot(x - u, y - v) / max(one.width, other.width, 1.0)


def _is_sure(track: Track) -> bool:
    said = vote(track.looks)
    return said.pictures >= _SURE_PICTURES and said.confidence >= _SURE and said.country is not None


def _may_be_told(sighting: Sighting) -> bool:
    least = LEAST_TOLD if sighting.vote.pictures > 1 else _ALONE
    return sighting.vote.confidence >= least and any(sign.isdigit() for sign in sighting.vote.text)


def vote(looks: Sequence[Look]) -> Vote:
    """What pictures of one plate say together, sign by sign and as a whole."""
    weights: dict[str, float] = defaultdict(float)
    for look in looks:
        weights[look.plate.text] += look.weight
        for text, odds in look.plate.alternatives:
            weights[text] += look.weight * odds * 0.5
    by_sign = _by_sign(looks, max(weights, key=lambda text: weights[text]))
    if by_sign not in weights and any(fitting(by_sign)):
        weights[by_sign] = 1.05 * max(weights.values())
    whole = sum(weights.values()) or 1.0
    ranked = sorted(weights.items(), key=lambda one: -one[1])
    text = ranked[0][0]
    saying = [look for look in looks if look.plate.text == text]
    wrong = math.prod(1.0 - min(look.plate.confidence, _CERTAIN) for look in saying) if saying else 0.5
    agreed = sum(look.weight for look in saying) / (sum(look.weight for look in looks) or 1.0) if saying else 0.5
    country = next((look.plate.country for look in saying if look.plate.country), None)
    if country is None:
        country = next((form.country for form in fitting(text)), None) if not saying else None
    others = ranked[1 : MAX_ALTERNATIVES + 1]
    return Vote(
        text=text, confidence=round(min(_CERTAIN, (1.0 - wrong) * (0.4 + 0.6 * agreed)), 4),
        alternatives=tuple((said, round(w / whole, 4)) for said, w in others if w > whole / 1e3),
        country=country, pictures=len(saying),
    )  # fmt: skip


def _by_sign(looks: Sequence[Look], leading: str) -> str:
    """For each place the sign with the most weight, among the pictures that read as many signs as the leading text."""
    places: list[dict[str, float]] = [defaultdict(float) for _ in leading]
    for look in looks:
        if len(look.plate.text) == len(leading):
            for place, sign, sure in zip(places, look.plate.text, look.plate.sure, strict=True):
                place[sign] += look.weight * sure
    return "".join(
        max(place, key=lambda sign: place[sign]) if place else leading[at] for at, place in enumerate(places)
    )


def direction(heights: Sequence[tuple[int, float, float]]) -> str:
    """Where a plate goes that was so high, so far down, at these instants: what grows, or sinks, comes nearer."""
    if len(heights) < 2:
        return UNKNOWN
    ordered = sorted(heights)
    count = max(1, len(ordered) // 3)
    begun, ended = ordered[:count], ordered[-count:]
    high_before, high_after = (sum(h for _, h, _ in part) / len(part) for part in (begun, ended))
    y_before, y_after = (sum(y for *_, y in part) / len(part) for part in (begun, ended))
    if high_after > _GROWS * high_before or y_after - y_before > _MOVES_HEIGHTS * high_after:
        return TOWARDS
    if high_before > _GROWS * high_after or y_before - y_after > _MOVES_HEIGHTS * high_before:
        return AWAY
    return UNKNOWN

"""Cameras and their states as plain values."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What a camera is for."""

    OVERVIEW = "overview"
    PLATE = "plate"
    FACE_CAPABLE = "face_capable"
    BODY_WORN = "body_worn"


class Owner(StrEnum):
    """Whose it is."""

    POLICE = "police"
    MUNICIPALITY = "municipality"
    CUSTOMS = "customs"
    PRIVATE = "private"


class Life(StrEnum):
    """Where a camera is in its life."""

    PLANNED = "planned"
    WORKING = "working"
    SILENT = "silent"
    DAMAGED = "damaged"
    DESTROYED = "destroyed"
    UNDER_REPAIR = "under_repair"
    RESTORED = "restored"
    RETIRED = "retired"


class EventKind(StrEnum):
    """What a camera tells besides its pictures, and what we notice of it."""

    MOTION = "motion"
    TAMPER = "tamper"
    SIGNAL_LOSS = "signal_loss"
    DIGITAL_INPUT = "digital_input"
    OWN_RECORDING = "own_recording"  # the camera records on its own card
    STORAGE_FAILURE = "storage_failure"
    EVENTS_LOST = "events_lost"  # by us: its events cannot be had
    FLOOD = "flood"  # by us: it told more than is kept


RECORDED_IN = frozenset({Life.WORKING, Life.SILENT, Life.RESTORED, Life.PLANNED, Life.DAMAGED})
"""Lives in which the recorder tries to reach a camera. A destroyed one is not asked for until somebody says so."""

LEADS_TO: dict[Life, frozenset[Life]] = {
    Life.PLANNED: frozenset({Life.WORKING, Life.SILENT, Life.DAMAGED, Life.DESTROYED, Life.RETIRED}),
    Life.WORKING: frozenset({Life.SILENT, Life.DAMAGED, Life.DESTROYED, Life.UNDER_REPAIR, Life.RETIRED}),
    Life.SILENT: frozenset(set(Life) - {Life.SILENT, Life.PLANNED, Life.RESTORED}),
    Life.DAMAGED: frozenset({Life.DESTROYED, Life.UNDER_REPAIR, Life.RESTORED, Life.RETIRED, Life.WORKING}),
    Life.DESTROYED: frozenset({Life.UNDER_REPAIR, Life.RESTORED, Life.RETIRED}),
    Life.UNDER_REPAIR: frozenset({Life.RESTORED, Life.DAMAGED, Life.DESTROYED, Life.RETIRED}),
    Life.RESTORED: frozenset({Life.SILENT, Life.DAMAGED, Life.DESTROYED, Life.UNDER_REPAIR, Life.RETIRED}),
    Life.RETIRED: frozenset(),
}


def may_become(before: Life, after: Life) -> bool:
    """Whether a camera that is `before` may become `after`.

    >>> may_become(Life.DESTROYED, Life.RESTORED), may_become(Life.RETIRED, Life.WORKING)
    (True, False)
    """
    return after in LEADS_TO[before]


PX_M_CLASSES: dict[str, tuple[int, str]] = {
    "overview": (20, "monitor 12"),
    "outline": (40, "detect 25"),
    "discern": (80, "observe 62"),
    "perceive": (125, "recognise 125"),
    "characterise": (250, "identify 250"),
    "validate": (500, "identify 250"),
    "scrutinise": (1500, "inspect 1000"),
}
"""Pixels a metre by IEC 62676-4:2025, and the nearest rung of the ladder of 2014, which older papers cite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStream:
    """A stream with all that is needed to open it. Keep it out of logs: it holds a password."""

    channel_id: UUID
    stream_id: UUID
    camera_id: UUID
    role: str
    url: str
    username: str
    password: str
    tls_verify: bool
    retention_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """An oblast, or a city with its status, by KATOTTH code."""

    code: str
    name_uk: str
    name_en: str
    lat: float
    lon: float

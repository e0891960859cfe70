"""What a camera's ONVIF message means, in our words. Pure.

Topics are paths (`tns1:RuleEngine/CellMotionDetector/Motion`), and every maker
hangs branches of its own into the tree. We take the topics that ONVIF names
(Core specification; Profiles S, T, M) and leave the rest: a message nobody
understands is no event. Nothing that a camera sends raises here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from svidok.fleet.model import EventKind

_MOST_SOURCE = 80  # characters kept of what a camera calls its own parts

_TOPICS: tuple[tuple[str, EventKind], ...] = (
    (r"ruleengine/cellmotiondetector/motion", EventKind.MOTION),
    (r"ruleengine/motionregiondetector/motion", EventKind.MOTION),
    (r"videosource/motionalarm", EventKind.MOTION),
    (r"ruleengine/tamperdetector/tamper", EventKind.TAMPER),
    (r"videosource/globalscenechange/\w+", EventKind.TAMPER),
    (r"videosource/imagetoo(blurry|dark|bright)/\w+", EventKind.TAMPER),
    (r"videosource/signalloss(/\w+)?", EventKind.SIGNAL_LOSS),
    (r"device/trigger/digitalinput", EventKind.DIGITAL_INPUT),
    (r"recordingconfig/jobstate", EventKind.OWN_RECORDING),
    (r"device/hardwarefailure/storagefailure", EventKind.STORAGE_FAILURE),
)
_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _TOPICS)
_STATES = ("state", "ismotion", "istamper", "logicalstate", "failed")
_TRUE, _FALSE = {"true", "1", "active", "on"}, {"false", "0", "idle", "inactive", "off", "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a camera told: `active` where it began or lasts, or not at all; `source` is its name for the part.

    `camera_at` is the camera's own time for it. `initial` marks what only says how things stand.
    """

    kind: EventKind
    active: bool | None
    source: str
    camera_at: datetime | None
    initial: bool


def translate(message: Mapping[str, Any]) -> Told | None:
    """The event in a message as `onveef` reads it; nothing where it is none of ours.

    >>> message = {"topic": "tns1:VideoSource/MotionAlarm", "source": {"Source": "v"}, "data": {"State": "true"}}
    >>> told = translate(message)
    >>> told and (told.kind.value, told.active, told.source)
    ('motion', True, 'v')
    """
    kind = _kind(str(message.get("topic", "")))
    if kind is None:
        return None
    operation = str(message.get("property_operation", ""))
    return Told(
        kind=kind,
        active=False if operation == "Deleted" else _active(_items(message.get("data"))),
        source=_source(_items(message.get("source"))),
        camera_at=_instant(str(message.get("utc_time", ""))),
        initial=operation == "Initialized",
    )


class States:
    """What is known to last at one camera, so that an event is told when it begins and when it ends, and not between.

    A camera tells how everything stands each time we subscribe. That something rests is no event then.
    """

    def __init__(self) -> None:
        self._states: dict[tuple[EventKind, str], bool] = {}

    def is_news(self, told: Told) -> bool:
        """Whether `told` changes anything; it is remembered."""
        if told.active is None:
            return True
        key = (told.kind, told.source)
        before = self._states.get(key)
        if before is None and len(self._states) >= 200:
            return False  # a camera that makes up parts for ever
        self._states[key] = told.active
        return told.active != before and not (before is None and told.initial and not told.active)


def _kind(topic: str) -> EventKind | None:
    path = "/".join(part.rpartition(":")[2] for part in topic[:200].lower().split("/"))
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(path)), None)


def _items(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}


def _active(data: dict[str, str]) -> bool | None:
    for name, text in data.items():
        if name.lower() in _STATES:
            value = text.strip().lower()
            return True if value in _TRUE else False if value in _FALSE else None
    return None


def _source(source: dict[str, str]) -> str:
    text = " ".join(source[name] for name in sorted(source))
    return "".join(sign for sign in text if sign.isprintable())[:_MOST_SOURCE].strip()


def _instant(text: str) -> datetime | None:
    """`xs:dateTime`; without a zone it is UTC, as ONVIF demands."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

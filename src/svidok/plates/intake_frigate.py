"""Frigate: what it tells by MQTT of plates, in `<prefix>/events` and `<prefix>/tracked_object_update`. Pure.

While a vehicle is in view Frigate may change its mind about the plate. Each
different plate of one vehicle is one read: nothing waits until the vehicle has
gone, and what was read first is not forgotten for what was read later.
"""

from collections.abc import Mapping
from typing import Any

from svidok.base import from_us
from svidok.plates.intake_contract import shortened
from svidok.plates.intake_submission import Refusal, Submission, bad_body

TOPICS = ("events", "tracked_object_update")
_LATEST_S = 253_402_300_799


def translate(leaf: str, told: Mapping[str, Any]) -> list[Submission | Refusal]:
    """The read in a message on the topic that ends in `leaf`; none where no plate was recognised."""
    if leaf == "events":
        after = told.get("after")
        if not isinstance(after, dict):
            raise bad_body("An event of Frigate has a part `after`.")
        return _event(after)
    if leaf == "tracked_object_update":
        return _update(told) if told.get("type") == "lpr" else []
    return []


def _event(after: Mapping[str, Any]) -> list[Submission | Refusal]:
    inner = after.get("data")
    data = inner if isinstance(inner, dict) else {}
    plate, score = _recognised(after, data)
    if not plate:
        return []
    snapshot = after.get("snapshot")
    at = (snapshot or {}).get("frame_time") if isinstance(snapshot, dict) else None
    speed = after.get("current_estimated_speed") or after.get("average_estimated_speed")
    return [
        _submission(
            after, plate=plate, score=score, at_s=after.get("frame_time") or at, box=after.get("box"),
            vehicle=after.get("label"), speed=speed,
        )
    ]  # fmt: skip


def _recognised(after: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, object]:
    """The plate and its score: beside each other, as a pair, or within `data`, by version."""
    for place in (after, data):
        told = place.get("recognized_license_plate")
        if isinstance(told, list) and len(told) == 2 and isinstance(told[0], str):
            return told[0], told[1]
        if isinstance(told, str) and told:
            return told, place.get("recognized_license_plate_score")
    return "", None


def _update(told: Mapping[str, Any]) -> list[Submission | Refusal]:
    plate = told.get("plate")
    if not isinstance(plate, str) or not plate:
        return []
    return [
        _submission(
            told, plate=plate, score=told.get("score"), at_s=told.get("timestamp"), box=told.get("plate_box"),
            vehicle=None, speed=None,
        )
    ]  # fmt: skip


def _submission(
    told: Mapping[str, Any], *, plate: str, score: object, at_s: object, box: object, vehicle: object, speed: object
) -> Submission | Refusal:
    event, camera = told.get("id"), told.get("camera")
    confidence = _number(score)
    at = _number(at_s)
    if confidence is None or at is None or not 0 <= at <= _LATEST_S or not isinstance(camera, str):
        says = "A plate of Frigate needs camera, score and an instant in seconds."
        return Refusal(code="read-form", says=says, raw=shortened(dict(told)))
    return Submission(
        plate=plate, confidence=confidence, taken_at=from_us(round(at * 1_000_000)),
        key=f"{event} {plate}" if isinstance(event, str) else "", camera=camera, box=_box(box),
        vehicle=vehicle if isinstance(vehicle, str) else None, speed_kmh=_number(speed), raw=shortened(dict(told)),
    )  # fmt: skip


def _box(told: object) -> tuple[float, float, float, float] | None:
    """Frigate writes left, top, right, bottom."""
    sides = [_number(side) for side in told] if isinstance(told, list) and len(told) == 4 else []
    if len(sides) != 4 or any(side is None for side in sides):
        return None
    left, top, right, bottom = (side or 0.0 for side in sides)
    return left, top, right - left, bottom - top


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

"""OpenALPR and Rekor Scout agents: their JSON of one picture (`alpr_results`) or one vehicle (`alpr_group`). Pure.

Confidence comes in per cent, instants in milliseconds since 1970. A region of
two letters may be a state or a country, so it is taken for a country only where
it says which (`eu-de`, `mx-nle`). An agent's other messages (`heartbeat`) hold no read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from svidok.base import from_us
from svidok.plates.intake_contract import MOST_READS, shortened, unpacked
from svidok.plates.intake_submission import Refusal, Submission, bad_body

_LATEST_MS = 253_402_300_799_000  # the end of the calendar
_NO_READS = {"heartbeat", "vehicle", "alpr_alert"}  # an alert repeats a group that came before it


def translate(told: Mapping[str, Any]) -> list[Submission | Refusal]:
    """The reads in one message of an agent. Raises `BadInput` where it is no message of theirs."""
    kind = told.get("data_type")
    if kind == "alpr_group":
        return [_group(told)]
    if kind == "alpr_results" and isinstance(told.get("results"), list):
        return [_result(told, part) for part in told["results"][:MOST_READS]]
    if kind in _NO_READS:
        return []
    raise bad_body("The message is neither alpr_results nor alpr_group.")


def _result(message: Mapping[str, Any], part: object) -> Submission | Refusal:
    if not isinstance(part, dict):
        return _unreadable(message)
    uuid = message.get("uuid")
    return _submission(
        message, part, at_ms=message.get("epoch_time"), key=f"{uuid} {part.get('plate')}" if uuid else "",
        patch=part.get("plate_crop_jpeg"),
    )  # fmt: skip


def _group(message: Mapping[str, Any]) -> Submission | Refusal:
    best = message.get("best_plate")
    part = dict(best) if isinstance(best, dict) else {}
    part.setdefault("plate", message.get("best_plate_number"))
    part.setdefault("confidence", message.get("best_confidence"))
    part.setdefault("region", message.get("best_region"))
    if not part.get("candidates"):
        part["candidates"] = message.get("candidates")
    crop = part.get("plate_crop_jpeg") or message.get("plate_crop_jpeg")
    overview = message.get("overview_jpeg")
    if not overview and message.get("vehicle_crop_jpeg"):
        overview = message["vehicle_crop_jpeg"]
        part.pop("coordinates", None)  # they count from the corner of the whole scene, which did not come
    return _submission(
        message, part, at_ms=message.get("best_uuid_epoch_ms") or message.get("epoch_start"),
        key=_text(message.get("best_uuid")), patch=crop, overview=overview,
    )  # fmt: skip


def _submission(
    message: Mapping[str, Any],
    part: Mapping[str, Any],
    *,
    at_ms: object,
    key: str,
    patch: object,
    overview: object = None,
) -> Submission | Refusal:
    confidence = _number(part.get("confidence"))
    plate = part.get("plate")
    if not isinstance(plate, str) or confidence is None or not isinstance(at_ms, int) or not 0 <= at_ms <= _LATEST_MS:
        return _unreadable(message)
    camera = message.get("camera_id")
    return Submission(
        plate=plate, confidence=confidence / 100.0, taken_at=from_us(at_ms * 1000), key=key,
        camera="" if camera is None else str(camera), country=_country(part.get("region"), message.get("country")),
        alternatives=tuple(_candidates(part.get("candidates"))), vehicle=_vehicle(message.get("vehicle")),
        lat=_place(message.get("gps_latitude")), lon=_place(message.get("gps_longitude")), box=_box(part),
        patch=unpacked(_text(patch)), overview=unpacked(_text(overview)), raw=shortened(dict(message)),
    )  # fmt: skip


def _unreadable(message: Mapping[str, Any]) -> Refusal:
    says = "A result needs plate, confidence and an instant in milliseconds."
    return Refusal(code="read-form", says=says, raw=shortened(dict(message)))


def _country(region: object, trained_for: object) -> str | None:
    """Out of the region, or of the country that the agent is set to; `eu` alone is none."""
    parts = region.split("-") if isinstance(region, str) else []
    if len(parts) >= 2:
        return parts[1].upper() if parts[0] == "eu" else parts[0].upper()
    known = isinstance(trained_for, str) and len(trained_for) == 2 and trained_for != "eu"
    return str(trained_for).upper() if known else None


def _candidates(told: object) -> Iterable[tuple[str, float]]:
    for one in told[:64] if isinstance(told, list) else ():
        confidence = _number(one.get("confidence")) if isinstance(one, dict) else None
        if confidence is not None and isinstance(one.get("plate"), str):
            yield one["plate"], confidence / 100.0


def _vehicle(told: object) -> str | None:
    """The likeliest body type, as `sedan-compact`: its first word says what it is."""
    types = told.get("body_type") if isinstance(told, dict) else None
    if not isinstance(types, list) or not types or not isinstance(types[0], dict):
        return None
    return _text(types[0].get("name")).split("-")[0] or None


def _box(part: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """The upright box around the four corners."""
    corners = part.get("coordinates")
    if not isinstance(corners, list) or len(corners) < 3:
        return None
    xs = [_number(one.get("x")) for one in corners if isinstance(one, dict)]
    ys = [_number(one.get("y")) for one in corners if isinstance(one, dict)]
    known_x, known_y = [x for x in xs if x is not None], [y for y in ys if y is not None]
    if len(known_x) < 3 or len(known_y) < 3:
        return None
    return min(known_x), min(known_y), max(known_x) - min(known_x), max(known_y) - min(known_y)


def _place(value: object) -> float | None:
    """Agents without a receiver write -1 or 0."""
    number = _number(value)
    return None if number in (-1.0, 0.0) else number


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

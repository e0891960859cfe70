"""ONVIF Profile M: `RuleEngine/Recognition/LicensePlate`, as JSON over MQTT (`onvif-ej`) or out of a PullPoint. Pure.

The topic on the broker is `<prefix>/onvif-ej/RuleEngine/Recognition/LicensePlate/&<source>/...`
(ONVIF Core specification, event brokers); the prefix is what tells one device
from another. Cameras write the same elements as plain values, as objects with
`#text` and `@Likelihood`, or as lists of simple items, and all three are understood.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from svidok.plates.intake_contract import shortened, unpacked
from svidok.plates.intake_submission import Refusal, Submission, bad_body, instant
from svidok.plates.model import Direction

PAYLOAD = "onvif-ej"
TOPIC = "RuleEngine/Recognition/LicensePlate"
_DEEPEST = 8
_DIRECTIONS = {
    "towards": Direction.TOWARDS, "approach": Direction.TOWARDS, "approaching": Direction.TOWARDS,
    "inbound": Direction.TOWARDS, "in": Direction.TOWARDS, "front": Direction.TOWARDS,
    "away": Direction.AWAY, "leave": Direction.AWAY, "leaving": Direction.AWAY, "outbound": Direction.AWAY,
    "out": Direction.AWAY, "rear": Direction.AWAY, "back": Direction.AWAY,
}  # fmt: skip
# ISO 3166-1 alpha-3 of the countries whose plates pass here; cameras may write either form
_ALPHA3 = {
    "UKR": "UA", "POL": "PL", "SVK": "SK", "HUN": "HU", "ROU": "RO", "MDA": "MD", "CZE": "CZ", "DEU": "DE",
    "LTU": "LT", "LVA": "LV", "EST": "EE", "BGR": "BG", "ITA": "IT", "ESP": "ES", "FRA": "FR", "NLD": "NL",
    "GBR": "GB", "AUT": "AT", "BEL": "BE", "CHE": "CH", "SVN": "SI", "HRV": "HR", "SRB": "RS", "GRC": "GR",
    "TUR": "TR", "SWE": "SE", "NOR": "NO", "FIN": "FI", "DNK": "DK", "PRT": "PT", "IRL": "IE", "USA": "US",
}  # fmt: skip


def prefix_of(topic: str) -> str | None:
    """The prefix of a topic on which plates are told; nothing for any other topic."""
    prefix, found, rest = topic.partition(f"/{PAYLOAD}/")
    local = "/".join(part.rpartition(":")[2] for part in rest.split("/"))
    return prefix if found and (local == TOPIC or local.startswith(f"{TOPIC}/")) else None


def is_plate(topic: str) -> bool:
    """Whether a PullPoint's topic (`tns1:RuleEngine/Recognition/LicensePlate`) is that of plates."""
    return "/".join(part.rpartition(":")[2] for part in topic.split("/")) == TOPIC


def translate(told: Mapping[str, Any], *, arrived_at: datetime) -> list[Submission | Refusal]:
    """The read in a message. `arrived_at` stands in where the camera writes no instant. Raises `BadInput`."""
    parts, sources = told.get("Data", told.get("data")), told.get("Source", told.get("source"))
    data, source = _flat(parts), _flat(sources)
    if not isinstance(parts, dict | list):
        raise bad_body("An ONVIF event has a part Data.")
    plate = data.get("platenumber") or data.get("plate") or data.get("licenseplate")
    if not plate:
        return []
    written = told.get("UtcTime") or told.get("utc_time")
    taken_at = _utc(written) if written else arrived_at
    likelihood = _likelihood(data)
    raw = shortened(dict(told))
    if taken_at is None or likelihood is None:
        return [Refusal(code="read-form", says="The event needs UtcTime and a Likelihood.", raw=raw)]
    key = data.get("objectid", "")
    return [
        Submission(
            plate=plate, confidence=likelihood, taken_at=taken_at, camera=source.get("videosource", ""),
            key=f"{key} {taken_at.isoformat()} {plate}" if key else "", country=_country(data.get("countrycode")),
            direction=_DIRECTIONS.get(data.get("direction", "").lower(), Direction.UNKNOWN),
            speed_kmh=_speed(data), lane=_whole(data.get("lane")), vehicle=data.get("type") or None,
            overview=unpacked(data.get("image")), patch=unpacked(data.get("plateimage")), raw=raw,
        )
    ]  # fmt: skip


def _flat(value: object) -> dict[str, str]:
    """Every named value at any depth, by its name in small letters; an object's text under the object's name."""
    return dict(_named("", value, 0))


def _named(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        if "Name" in value and "Value" in value:
            yield str(value["Name"]).lower(), _text(value["Value"])
            return
        for key, part in value.items():
            inner = str(key).rpartition(":")[2].lower()
            if inner in ("#text", "text", "value"):
                yield name, _text(part)
            elif inner in ("@likelihood", "likelihood"):
                yield f"{name}@likelihood" if name else "@likelihood", _text(part)
            else:
                yield from _named(inner, part, depth + 1)
    elif isinstance(value, list):
        for part in value[:100]:
            yield from _named(name, part, depth + 1)
    elif name and value is not None:
        yield name, _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float | bool) else ""


def _likelihood(data: Mapping[str, str]) -> float | None:
    """How sure of the plate; where the camera says it only of the whole event, that."""
    for name in ("platenumber@likelihood", "plate@likelihood", "licenseplateinfo@likelihood", "@likelihood",
                 "confidence"):  # fmt: skip
        found = _number(data.get(name))
        if found is not None:
            return found
    return None


def _utc(value: object) -> datetime | None:
    """`xs:dateTime`; without a zone it is UTC, as ONVIF demands."""
    found = instant(value)
    if found is None and isinstance(value, str):
        found = instant(f"{value.strip()}Z")
    return found.astimezone(UTC) if found is not None and 1 < found.year < 9999 else None


def _country(code: str | None) -> str | None:
    return _ALPHA3.get(code.upper(), code) if code else None


def _speed(data: Mapping[str, str]) -> float | None:
    """ONVIF writes metres a second."""
    found = _number(data.get("speed"))
    return found * 3.6 if found is not None else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None

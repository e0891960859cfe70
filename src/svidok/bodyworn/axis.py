"""What names and metadata of the Axis Body Worn Content Destination API mean to us. Pure.

A recording is a container `<user>_<serial>_<trigger time>`, a clip is an
object `<start>_<recording>.mkv` in it. A recording's short number is not an
identity: two cameras may use the same, so a clip gets an id of ours.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote

from svidok.base import Span
from svidok.bodyworn.model import DeviceEventKind
from svidok.bodyworn.receiving import Sent

REJECTED = "RejectedContent_"
SYSTEM, USERS, DEVICES = "System", "Users", "Devices"
ACCOUNTS = {SYSTEM, USERS, DEVICES}
COMPLETE = "Complete"
CAPABILITIES = {
    "Read": {"ReadCategories": True},
    "Store": {
        "StoreUserIDKey": True,
        "StoreBookmarks": True,
        "StoreSignedVideo": True,
        "StoreGNSSTrackRecording": True,
        "StoreRejectedContent": True,
    },
    "StoreAndRead": {"StoreReadSystemID": True},
}
_CONTAINER = re.compile(r"^(?P<user>.+)_(?P<serial>[0-9A-Za-z-]+)_(?P<at>\d{8}T?_?\d{6}Z?)$")
_META = re.compile(r"^x-(?:object|container)-meta-(.+)$")


def meta_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The metadata in the headers of a request: names in lower case without their prefix, values decoded.

    >>> meta_of({"X-Object-Meta-Name": "%D0%86%D1%80%D0%B0", "Accept": "*/*"})
    {'name': 'Іра'}
    """
    found = ((_META.match(name.lower()), value) for name, value in headers.items())
    return {match[1]: unquote(value) for match, value in found if match is not None}


def kind_of(container: str, name: str) -> str:
    """What an object is, by its name.

    >>> [kind_of("u_s_20261125T100000Z", n) for n in ("a_1.mkv", "a_1.key", "bookmark_x_1", "d_t_1_b_gpstrail.json")]
    ['video', 'key', 'bookmark', 'track']
    """
    if container in ACCOUNTS:
        return "system"
    if name.startswith("bookmark_"):
        return "bookmark"
    if name.endswith("_gpstrail.json"):
        return "track"
    ending = name.rpartition(".")[2].lower()
    return {"mkv": "video", "mp4": "video", "key": "key"}.get(ending, "other")


def serial_of(container: str, meta: Mapping[str, str]) -> str:
    """The serial number of the camera: what the metadata says, or the name of the container."""
    if meta.get("bwcserialnumber"):
        return meta["bwcserialnumber"]
    named = _CONTAINER.match(container)
    return named["serial"] if named else ""


def span_of(meta: Mapping[str, str]) -> Span | None:
    """From `StartTime` to `StopTime`, by the camera's clock, or nothing where they are missing or run backwards."""
    start, end = instant_of(meta, "starttime"), instant_of(meta, "stoptime")
    return Span(start, end) if start is not None and end is not None and end >= start else None


def instant_of(meta: Mapping[str, str], name: str) -> datetime | None:
    """An instant of the metadata, in its ISO form or in seconds since 1970."""
    iso = meta.get(f"{name}iso", "")
    try:
        if iso:
            at = datetime.fromisoformat(iso)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(meta[name]), UTC) if meta.get(name) else None
    except (ValueError, OverflowError, OSError):
        return None


def sent_of(container: str, name: str, meta: Mapping[str, str], container_meta: Mapping[str, str]) -> Sent:
    """What an uploaded object is to us."""
    original = meta.get("rejectedcontentoriginalcontainer") or container_meta.get(
        "rejectedcontentoriginalcontainer", ""
    )
    rejected = container.startswith(REJECTED)
    return Sent(
        container=container,
        name=name,
        kind=kind_of(container, name),
        meta=dict(meta),
        serial=serial_of(original or container, container_meta),
        device_span=span_of(meta),
        reason=f"rejected: {container_meta.get('rejectedcontentreason', '')}".rstrip(": ") if rejected else "",
    )


def stop_of(meta: Mapping[str, str]) -> tuple[datetime, DeviceEventKind] | None:
    """When and how the camera stopped recording, by its own clock."""
    at = instant_of(meta, "triggerofftime") or instant_of(meta, "stoptime")
    if at is None:
        return None
    why = meta.get("triggeroff", "").lower()
    if "batter" in why:
        return at, DeviceEventKind.BATTERY_EMPTY
    if "power" in why or "shutdown" in why:
        return at, DeviceEventKind.POWER_OFF
    return at, DeviceEventKind.RECORD_STOP

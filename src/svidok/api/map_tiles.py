"""The customer's own base map: one PMTiles file, announced and served by ranges to whoever may see the map.

The file is opened anew for each request, so it may be replaced while we run. A
file that is not there or has another form is told of, never a reason to fail:
the web app then draws its plain base. The tiles themselves are read by the
browser; nothing here knows what is in them.
"""

import json
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import structlog
from litestar import Request, Response, get
from litestar.response import Stream

from svidok.api.door import guarded
from svidok.api.recording_export import RangeNotThere, parse_range
from svidok.api.services import Services
from svidok.base import NotFound

log = structlog.get_logger("api")

_BLOCK_BYTES = 256 * 1024
_HEADER_BYTES = 127
_MOST_METADATA_BYTES = 1024 * 1024
_GZIP = 2
_KINDS = {1: "vector", 2: "raster", 3: "raster", 4: "raster", 5: "raster"}  # MVT; PNG, JPEG, WebP, AVIF


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOut:
    """The base map that is there: `kind` is none without a file, `problem` is a code where the file is of no use."""

    tiles: bool
    problem: str | None = None
    kind: str | None = None
    min_zoom: int | None = None
    max_zoom: int | None = None
    attribution: str = ""
    layers: tuple[str, ...] = ()


@get("/api/map", **guarded("view_fleet"), sync_to_thread=True)
def read_map(services: Services) -> MapOut:
    """Whether there is a base map of our own, and what its file says of itself."""
    if services.map_tiles is None:
        return MapOut(tiles=False)
    try:
        with services.map_tiles.open("rb") as file:
            return _told(file)
    except OSError as error:
        log.warning("map tiles cannot be read", path=str(services.map_tiles), error=str(error))
        return MapOut(tiles=False, problem="map-tiles-away")


def _told(file: BinaryIO) -> MapOut:
    """What the header and the metadata say (PMTiles, version 3)."""
    header = file.read(_HEADER_BYTES)
    kind = _KINDS.get(header[99]) if len(header) == _HEADER_BYTES and header[:8] == b"PMTiles\x03" else None
    if kind is None:
        return MapOut(tiles=False, problem="map-tiles-form")
    about = _metadata(file, header)
    layers = about.get("vector_layers")
    return MapOut(
        tiles=True, kind=kind, min_zoom=header[100], max_zoom=header[101],
        attribution=re.sub(r"<[^>]*>", "", str(about.get("attribution") or ""))[:200].strip(),
        layers=tuple(str(one.get("id")) for one in layers if isinstance(one, dict)) if isinstance(layers, list) else (),
    )  # fmt: skip


def _metadata(file: BinaryIO, header: bytes) -> dict[str, Any]:
    """The file's own words about itself; empty where they cannot be read, for the tiles may be good all the same."""
    offset, size = (int.from_bytes(header[at : at + 8], "little") for at in (24, 32))
    if size > _MOST_METADATA_BYTES:
        return {}
    try:
        file.seek(offset)
        raw = file.read(size)
        if header[97] == _GZIP:
            raw = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(raw, 8 * _MOST_METADATA_BYTES)
        found = json.loads(raw)
    except (OSError, ValueError, OverflowError, zlib.error):
        return {}
    return found if isinstance(found, dict) else {}


@get("/api/map/tiles", **guarded("view_fleet"), sync_to_thread=True)
def read_tiles(request: Request[Any, Any, Any], services: Services) -> Stream | Response[dict[str, Any]]:
    """The file of the base map, by ranges."""
    if services.map_tiles is None:
        raise NotFound("no-map-tiles", "There is no base map here. Name a file in the setting map_tiles.")
    try:
        file = services.map_tiles.open("rb", buffering=0)
    except OSError as error:
        raise NotFound("map-tiles-away", "The file of the base map is not there. See the setting map_tiles.") from error
    state = os.fstat(file.fileno())
    tag = f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
    wanted = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    try:
        first, last = parse_range(wanted, state.st_size)
    except RangeNotThere as error:
        file.close()
        body = {"code": error.code, "message": error.message, "details": error.details}
        return Response(body, status_code=416, headers=headers | {"Content-Range": f"bytes */{state.st_size}"})
    headers["Content-Length"] = str(last - first)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{state.st_size}"
    return Stream(
        _blocks(file, first, last), media_type="application/vnd.pmtiles", headers=headers,
        status_code=206 if wanted else 200,
    )  # fmt: skip


def _blocks(file: Any, first: int, last: int) -> Iterator[bytes]:
    """The bytes from `first` to `last`, of the file that was open when the answer began."""
    with file:
        file.seek(first)
        while first < last and (block := file.read(min(last - first, _BLOCK_BYTES))):
            first += len(block)
            yield block


ROUTES = [read_map, read_tiles]

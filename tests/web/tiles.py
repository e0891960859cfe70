"""A small PMTiles file (version 3), made by hand: one tile, the same everywhere, as a picture or as vectors."""

import gzip
import io
import json
import struct

from PIL import Image

ZOOMS = 3  # 0, 1 and 2; the map draws the last one larger from there on
_PNG, _MVT = 2, 1
_EXTENT = 4096
KNOWN = ["earth", "landcover", "landuse", "water", "waterway", "buildings", "building", "roads", "transportation",
         "boundaries", "boundary", "places", "place"]  # fmt: skip


def varint(n: int) -> bytes:
    """An unsigned number as protocol buffers and PMTiles write it."""
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def pmtiles(tile: bytes, *, kind: int, about: dict[str, object]) -> bytes:
    """The file: header, root directory, metadata, tile."""
    count = sum(4**zoom for zoom in range(ZOOMS))
    root = gzip.compress(b"".join(varint(n) for n in (1, 0, count, len(tile), 1)))  # one entry for all tiles
    metadata = gzip.compress(json.dumps(about).encode())
    at_metadata = 127 + len(root)
    at_tiles = at_metadata + len(metadata)
    header = b"PMTiles\x03" + struct.pack(
        "<11Q6B4iB2i", 127, len(root), at_metadata, len(metadata), 0, 0, at_tiles, len(tile), count, 1, 1,
        1, 2, 2 if kind == _MVT else 1, kind, 0, ZOOMS - 1,
        -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000, 0, 0, 0,
    )  # fmt: skip
    assert len(header) == 127
    return header + root + metadata + tile


def of_picture(colour: tuple[int, int, int]) -> bytes:
    """A map that is one colour."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(out, "PNG")
    return pmtiles(out.getvalue(), kind=_PNG, about={"attribution": '<a href="x">© Survey of the test</a>'})


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def square(low: int, high: int) -> bytes:
    """A polygon's geometry: a square from `low` to `high` in both directions."""

    def turned(n: int) -> int:
        return n << 1 if n >= 0 else (-n << 1) - 1

    side = high - low
    numbers = [9, turned(low), turned(low), 26, turned(side), 0, 0, turned(side), turned(-side), 0, 15]
    return b"".join(varint(n) for n in numbers)


def layer(called: str, geometry: bytes, form: int, **properties: str) -> bytes:
    """A layer with one feature; `form` is 1 for a point, 3 for a polygon."""
    tags = b"".join(varint(at) * 2 for at in range(len(properties)))  # the first key with the first value, and so on
    feature = field(2, tags) + field(3, form) + field(4, geometry)
    keys = [field(3, key.encode()) for key in properties]
    values = [field(4, field(1, value.encode())) for value in properties.values()]
    return field(
        3, b"".join([field(15, 2), field(1, called.encode()), field(2, feature), *keys, *values, field(5, _EXTENT)])
    )


def of_vectors() -> bytes:
    """Land under water everywhere, and a town near Lviv, in the layers of Protomaps; it promises every layer we know."""
    whole = square(0, _EXTENT)
    town = b"".join(varint(n) for n in (9, 2 * 1092, 2 * 1425))  # in the tile of the second zoom that has Ukraine
    tile = gzip.compress(
        layer("earth", whole, 3, kind="earth")
        + layer("water", whole, 3, kind="lake")
        + layer("places", town, 1, kind="locality", name="Town on the lake of the test")
    )
    layers = [{"id": name, "fields": {"kind": "String"}} for name in KNOWN]
    return pmtiles(tile, kind=_MVT, about={"vector_layers": layers, "attribution": "© Vectors of the test"})

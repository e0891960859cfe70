"""Heads of fragments and init segments with numbers that no recorder writes: every verifier must reckon them alike.

Their hashes no longer lead to the seal, so that each bundle is invalid whatever else is said; what is compared is how
the header is made of them, or that it cannot be.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator

from mutations import canonical, remade

PROOF = "data/clips/01.proof.json"


def _set(box: bytes, at: int, form: str, *values: int, nth: int = 0) -> Callable[[bytes], bytes]:
    """Sets numbers `at` bytes into the contents of the `nth` box of that name."""

    def change(data: bytes) -> bytes:
        place = -1
        for _ in range(nth + 1):
            place = data.index(box, place + 1)
        written = bytearray(data)
        struct.pack_into(form, written, place + 4 + at, *values)
        return bytes(written)

    return change


def heads(base: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    """`base` with one head, or one init segment, changed."""
    far = [0, 1, 1 << 31, 1 << 32, (1 << 42) - 1, 1 << 42, 1 << 53, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
    for nth in (0, 1):
        for value in far:
            yield from _headed(base, _set(b"tfdt", 4, ">Q", value, nth=nth))
        for value in (0, 1, 2, 25, 0xFFFF, 0xFFFFFFFF):
            yield from _headed(base, _set(b"trun", 4, ">I", value, nth=nth))
        for value in (0, 0x4, 0x800, 0x804, 0xFFFFFFFF, 0x305, 0xF01):
            yield from _headed(base, _set(b"trun", 0, ">I", value, nth=nth))
        for at in (12, 16, 20, 24, 28):
            for value in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
                yield from _headed(base, _set(b"trun", at, ">I", value, nth=nth))
        for value in (0, 1, 2, 3, 0xFFFFFFFF):
            yield from _headed(base, _set(b"tfhd", 4, ">I", value, nth=nth))
    for name, at in (
        (b"moof", -8),
        (b"traf", -8),
        (b"prft", -8),
        (b"mdat", -8),
        (b"mfhd", -8),
        (b"trun", -8),
        (b"tfdt", -8),
    ):
        for value in (0, 1, 7, 8, 9, 16, 0xFFFFFFFF):
            yield from _headed(base, _set(name, at, ">I", value))
    for value in (0, 1 << 31, 0xFFFFFFFF):
        yield from _headed(base, _set(b"prft", 12, ">I", value))
        yield from _headed(base, _set(b"prft", 16, ">I", value))
    for value in (0, 1, 8000, 48_000, 1 << 18, (1 << 18) + 1, 0xFFFFFFFF):
        yield from _begun(base, _set(b"mdhd", 20, ">I", value, nth=1))
        yield from _begun(base, _set(b"mdhd", 12, ">I", value, nth=1))
    for name in (b"moov", b"trak", b"tkhd", b"mdia", b"minf", b"stbl", b"stsd", b"avc1", b"mp4a", b"mdhd"):
        for value in (0, 7, 8, 35, 36, 0xFFFFFFFF):
            yield from _begun(base, _set(name, -8, ">I", value))
    for value in (0, 1, 2, 3):
        yield from _begun(base, _set(b"tkhd", 20, ">I", value))
        yield from _begun(base, _set(b"tkhd", 20, ">I", value, nth=1))
    for cut in (0, 7, 47, 48, 60, 100):
        yield from _headed(base, lambda data, cut=cut: data[:cut])
        yield from _begun(base, lambda data, cut=cut: data[:cut])


def _headed(base: dict[str, bytes], change: Callable[[bytes], bytes]) -> Iterator[dict[str, bytes]]:
    for segment, fragment in ((0, 0), (1, 1)):
        told = json.loads(base[PROOF])
        one = told["segments"][segment]["fragments"][fragment]
        data = base64.b64decode(one["head"])
        try:
            changed = change(data)
        except (ValueError, struct.error):
            continue
        if changed != data:
            one["head"] = base64.b64encode(changed).decode()
            yield remade(base | {PROOF: canonical(told)})


def _begun(base: dict[str, bytes], change: Callable[[bytes], bytes]) -> Iterator[dict[str, bytes]]:
    told = json.loads(base[PROOF])
    for segment in told["segments"]:
        data = base64.b64decode(segment["init"])
        try:
            segment["init"] = base64.b64encode(change(data)).decode()
        except (ValueError, struct.error):
            return
    yield remade(base | {PROOF: canonical(told)})

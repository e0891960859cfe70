"""ZIPs that one program unpacks otherwise than another, each out of a clean one."""

import io
import struct
import zipfile

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def odd_zips(clean: bytes) -> dict[str, bytes]:
    """By what is odd about each."""
    end = clean.rindex(END)
    central = struct.unpack_from("<I", clean, end + 16)[0]

    def patched(at: int, data: bytes, of: bytes = clean) -> bytes:
        return of[:at] + data + of[at + len(data) :]

    first = clean.index(CENTRAL, central)
    second = clean.index(CENTRAL, first + 4)
    (name_size,) = struct.unpack_from("<H", clean, first + 28)
    name = clean[first + 46 : first + 46 + name_size]
    other = name[:-1] + b"X"
    return {
        "bytes before it": b"#!/bin/sh\n" + clean,
        "bytes before it, its places moved": _moved(clean, 10),
        "bytes behind it": clean + b"x",
        "a comment": patched(end + 20, b"\x03\x00") + b"abc",
        "a comment that is another end": patched(end + 20, b"\x16\x00") + clean[end:],
        "another name before a file": patched(30, other),
        "another name in the directory": patched(first + 46, other),
        "another size before a file": patched(18, b"\x01\x00\x00\x00\x01\x00\x00\x00"),
        "another size in the directory": patched(first + 20, b"\x01\x00\x00\x00\x01\x00\x00\x00"),
        "two files of the same bytes": patched(second + 42, clean[first + 42 : first + 46]),
        "another number of files": patched(end + 8, b"\x01\x00\x01\x00"),
        "encrypted": patched(first + 8, b"\x01\x00", patched(6, b"\x01\x00")),
        "encrypted, by the directory alone": patched(first + 8, b"\x01\x00"),
        "sums behind a file": patched(first + 8, b"\x08\x00", patched(6, b"\x08\x00")),
        "packed in an unknown way": patched(first + 10, b"\x0c\x00", patched(8, b"\x0c\x00")),
        "a link": patched(first + 38, struct.pack("<I", 0o120777 << 16)),
        "one of several": patched(end + 4, b"\x01\x00"),
        "torn": clean[: end - 10],
        "no end": clean[:end],
        "nothing": b"",
        "another name in an extra field": _written({"b/bagit.txt": b"x"}, extra=struct.pack("<HHBI", 0x7075, 5, 1, 0)),
        "two folders at the top": _written({"a/x": b"x", "b/x": b"x"}),
        "no folder at the top": _written({"bagit.txt": b"x"}),
        "a folder above": _written({"../bagit.txt": b"x"}),
        "a zero in a name": _written({"a/b.txt": b"x"}).replace(b"a/b.txt", b"a/b\0txt"),
        "a backslash in a name": _written({"a/b.txt": b"x"}).replace(b"a/b.txt", b"a\\b.txt"),
        "a name twice": _written({"a/b.txt": b"x", "a/c.txt": b"y"}).replace(b"a/c.txt", b"a/b.txt"),
    }  # fmt: skip


def _moved(clean: bytes, by: int) -> bytes:
    """`by` bytes before a ZIP, and all places in it told so."""
    out, at = bytearray(bytes(by) + clean), clean.rindex(END)
    central = struct.unpack_from("<I", clean, at + 16)[0]
    struct.pack_into("<I", out, by + at + 16, central + by)
    place = central
    while clean[place : place + 4] == CENTRAL:
        offset = struct.unpack_from("<I", clean, place + 42)[0]
        struct.pack_into("<I", out, by + place + 42, offset + by)
        place += 46 + sum(struct.unpack_from("<HHH", clean, place + 28))
    return bytes(out)


def _written(files: dict[str, bytes], extra: bytes = b"") -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.extra = extra
            archive.writestr(info, data)
    return into.getvalue()

"""Where a tree lies on disk: C2SP tlog-tiles, 256 hashes a tile. Pure path and width arithmetic.

Level 0 holds leaf hashes; a hash at level n is the root over a full tile of
level n-1. The last tile of a level may be partial and bears its width in its
name. Entry bundles hold the leaves themselves, each after two bytes of length.
"""

from collections.abc import Iterator, Sequence

WIDTH = 256
MAX_ENTRY_BYTES = 65535


def number_path(number: int) -> str:
    """`number` in groups of three digits, all but the last with an x.

    >>> number_path(5), number_path(1234067)
    ('005', 'x001/x234/067')
    """
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """The path of a tile of hashes; `width` below 256 is a partial tile.

    >>> tile_path(0, 1), tile_path(1, 0, 3)
    ('tile/0/001', 'tile/1/000.p/3')
    """
    return f"tile/{level}/{number_path(number)}{_partial(width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """The path of a bundle of entries.

    >>> bundle_path(0, 7)
    'tile/entries/000.p/7'
    """
    return f"tile/entries/{number_path(number)}{_partial(width)}"


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def hashes_at(level: int, size: int) -> int:
    """How many hashes stand at `level` of a log of `size` entries."""
    return int(size >> (8 * level))


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Every tile of a log of `size` entries, as (level, number, width); lowest level first."""
    level = 0
    while (count := hashes_at(level, size)) > 0:
        for number in range((count + WIDTH - 1) // WIDTH):
            yield level, number, min(WIDTH, count - number * WIDTH)
        level += 1


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """Every bundle of a log of `size` entries, as (number, width)."""
    for number in range((size + WIDTH - 1) // WIDTH):
        yield number, min(WIDTH, size - number * WIDTH)


def pack(entries: Sequence[bytes]) -> bytes:
    """A bundle of `entries`."""
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes, this one {len(entry)}")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; `ValueError` where it is torn."""
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if len(entry) != length or at + 2 > len(bundle):
            raise ValueError("the bundle is torn")
        entries.append(entry)
        at += 2 + length
    return entries

"""The log on disk: a folder that any web server can serve and any C2SP client can read.

The life of a batch:

1. Entry bundles and tiles that the new entries touch are written beside their
   places, synced, and renamed into them. Nothing refers to them yet.
2. The folders are synced.
3. The checkpoint is signed, written, synced and renamed. From here the entries exist.

A crash before step 3 leaves files beyond the checkpoint, which are removed
before anything else is appended. A log that does not agree with its own
checkpoint is not opened, and an append that failed anywhere is never grown
upon: the log is read anew from its checkpoint first.

One writer at a time: the folder is locked while anything is written, and the
checkpoint is read anew under the lock, so that a second process finds either
the door shut or the log as the first one left it.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from svidok.base import SvidokError, Unavailable
from svidok.base.disk import sync_folder
from svidok.ledger.note import BadNote, Checkpoint, Verifier, sign_note
from svidok.ledger.signer import Signer
from svidok.ledger.tiles import WIDTH, bundle_path, hashes_at, pack, tile_path, unpack
from svidok.ledger.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash, root_of, split

MOST_ENTRIES = 65_536  # in one append; it bounds how far beyond its checkpoint a crash can leave files


class LogDamaged(SvidokError):
    """The files of the log do not agree with each other. Nothing may be appended until a person has looked."""

    def __init__(self, where: str, says: str) -> None:
        super().__init__("ledger-damaged", f"{where}: {says}. Run `svidok ledger audit`.", where=where)


class LogReader:
    """Reads a log of `size` entries in `folder`; hashes of full subtrees come straight from tiles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._full_tile = lru_cache(maxsize=4096)(self._read_full_tile)

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The hashes of one tile, 32 bytes each; `LogDamaged` where it is missing or torn."""
        part = self.folder / tile_path(level, number, width)
        if width < WIDTH and part.exists():
            try:
                return self._read(tile_path(level, number, width), width)
            except LogDamaged:
                if part.exists():
                    raise
                # else the log grew, and the full tile has taken its place
        return self._full_tile(level, number)[: width * HASH_BYTES]

    def entries(self, number: int, width: int) -> list[bytes]:
        """The entries of one bundle; `LogDamaged` where it is missing or torn."""
        path = bundle_path(number, width)
        try:
            try:
                data = (self.folder / path).read_bytes()
            except FileNotFoundError:
                path = bundle_path(number)  # of a log that grew the full one alone is left
                data = (self.folder / path).read_bytes()
            entries = unpack(data)
        except (OSError, ValueError) as error:
            raise LogDamaged(path, f"cannot be read ({error})") from error
        if len(entries) < width:
            raise LogDamaged(path, f"holds {len(entries)} entries instead of {width}")
        return entries[:width]

    def subtree(self, start: int, end: int, size: int) -> bytes:
        """The root over leaves `start` to `end` of a log of `size` entries."""
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            return self._perfect(start, count, size)
        k = split(count)
        return node_hash(self.subtree(start, start + k, size), self.subtree(start + k, end, size))

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries, out of tiles."""
        return self.subtree(0, size, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """The path of entry `index` in the log of `size` entries (RFC 9162, 2.1.3.1)."""
        if not 0 <= index < size:
            raise IndexError(f"entry {index} is not in a log of {size}")
        path, start, end = [], 0, size
        while end - start > 1:
            middle = start + split(end - start)
            if index < middle:
                path.append(self.subtree(middle, end, size))
                end = middle
            else:
                path.append(self.subtree(start, middle, size))
                start = middle
        return path[::-1]

    def consistency_proof(self, old_size: int, size: int) -> list[bytes]:
        """What proves that the log only grew from `old_size` to `size` (RFC 9162, 2.1.4.1)."""
        if not 0 < old_size <= size:
            raise IndexError(f"no proof from {old_size} to {size}")
        path, start, end, whole = [], 0, size, True
        while old_size != end:
            middle = start + split(end - start)
            if old_size <= middle:
                path.append(self.subtree(middle, end, size))
                end = middle
            else:
                path.append(self.subtree(start, middle, size))
                start, whole = middle, False
        return ([] if whole else [self.subtree(start, end, size)]) + path[::-1]

    def _perfect(self, start: int, count: int, size: int) -> bytes:
        level, rest = divmod(count.bit_length() - 1, 8)
        first = start >> (8 * level)
        number, offset = divmod(first, WIDTH)
        width = min(WIDTH, hashes_at(level, size) - number * WIDTH)
        tile = self.tile(level, number, width)
        taken = [tile[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(offset, offset + (1 << rest))]
        return root_of(taken)

    def _read_full_tile(self, level: int, number: int) -> bytes:
        return self._read(tile_path(level, number), WIDTH)

    def _read(self, path: str, width: int) -> bytes:
        try:
            tile = (self.folder / path).read_bytes()
        except OSError as error:
            raise LogDamaged(path, f"cannot be read ({error.strerror})") from error
        if len(tile) != width * HASH_BYTES:
            raise LogDamaged(path, f"has {len(tile)} bytes instead of {width * HASH_BYTES}")
        return tile


class Log(LogReader):
    """The one writer of a log. It trusts nothing that its checkpoint does not cover."""

    def __init__(self, folder: Path, signer: Signer, origin: str) -> None:
        """Open the log in `folder`, or begin it; raises as `writing` does."""
        super().__init__(folder)
        self._signer = signer
        self.verifier = Verifier(name=origin, key=signer.public_key())
        self.origin = origin
        self.size = 0
        self._known: str | None = None  # the checkpoint that `size` is of; nothing while it must be read anew
        self._mutex = threading.RLock()
        self._held = False
        self._clean = False
        folder.mkdir(parents=True, exist_ok=True)
        with self.writing():
            pass

    def checkpoint(self) -> str:
        """The signed note as it stands on disk. Raises `LogDamaged` where it cannot be read."""
        try:
            return (self.folder / "checkpoint").read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LogDamaged("checkpoint", f"cannot be read ({error})") from error

    def entry(self, index: int) -> bytes:
        """The bytes of entry `index`."""
        number, offset = divmod(index, WIDTH)
        return self.entries(number, min(WIDTH, self.size - number * WIDTH))[offset]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the log against every other writer, and know how it stands now.

        Raises `Unavailable` where another process holds it, and `LogDamaged` where it does not agree with itself.
        """
        with self._mutex:
            if self._held:
                yield
                return
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                _lock(handle)
                self._held = True
                self._take_up()
                yield
            finally:
                self._held = False
                # A child that is being started holds a copy of the handle until it execs: closing ours frees nothing.
                fcntl.flock(handle, fcntl.LOCK_UN)
                os.close(handle)

    def append(self, entries: Sequence[bytes]) -> range:
        """Add at most `MOST_ENTRIES` for good; their indices.

        When it returns, the checkpoint that covers them is on disk. Where it raises, they may be in the log or not:
        `size` tells, once `writing` was entered again.
        """
        if len(entries) > MOST_ENTRIES:
            raise ValueError(f"at most {MOST_ENTRIES} entries in one append, not {len(entries)}")
        with self.writing():
            first = self.size
            if entries:
                self._clear_way()
                self._known = None
                self._append(entries, first + len(entries))
            return range(first, first + len(entries))

    def _append(self, entries: Sequence[bytes], size: int) -> None:
        touched = {self.folder}
        self._write_bundles(entries, size, touched)
        level, fresh, first = 0, [leaf_hash(entry) for entry in entries], self.size
        while fresh:
            fresh, first = self._write_level(level, first, fresh, size, touched)
            level += 1
        for folder in touched:
            sync_folder(folder)
        old = self.size
        known = self._publish(size, self.root(size))
        self._drop_superseded(old, size)
        self._known = known

    def _clear_way(self) -> None:
        """Once, before the first append and not before: opening a log by an older checkpoint destroys nothing."""
        if not self._clean:
            self._drop_unpublished(self.size)
            self._clean = True

    def _take_up(self) -> None:
        """Read the checkpoint, and where it is another than we know, or an append of ours failed, all that it says."""
        if not (self.folder / "checkpoint").exists():
            if self.size or (self.folder / "tile").exists():
                raise LogDamaged("checkpoint", "is missing while there are entries")
            self._publish(0, EMPTY_ROOT)
        note = self.checkpoint()
        if note == self._known:
            return
        size = self._open(note)
        if size < self.size:
            raise LogDamaged("checkpoint", f"covers {size} entries where there were {self.size}")
        self.size, self._known = size, note

    def _open(self, note: str) -> int:
        self._full_tile.cache_clear()
        self._clean = False
        try:
            checkpoint = Checkpoint.open(note, verifier=self.verifier, origin=self.origin)
        except BadNote as error:
            raise LogDamaged("checkpoint", str(error)) from error
        if self.root(checkpoint.size) != checkpoint.root:
            raise LogDamaged("checkpoint", "has another root than the tiles lead to")
        if checkpoint.size:
            number = (checkpoint.size - 1) // WIDTH
            self.entries(number, checkpoint.size - number * WIDTH)
        return checkpoint.size

    def _drop_unpublished(self, size: int) -> None:
        """Remove what a crash left beyond the checkpoint; under its own name it would outlive it."""
        for level in range(8):
            count = hashes_at(level, size)
            reach = hashes_at(level, size + MOST_ENTRIES)
            first, width = divmod(count, WIDTH)
            for number in range(first, reach // WIDTH + 1):
                kept = width if number == first else 0
                _drop_beyond(self.folder / tile_path(level, number), kept)
                if level == 0:
                    _drop_beyond(self.folder / bundle_path(number), kept)

    def _write_bundles(self, entries: Sequence[bytes], size: int, touched: set[Path]) -> None:
        number = self.size // WIDTH
        held = self.size - number * WIDTH
        waiting = (self.entries(number, held) if held else []) + list(entries)
        for start in range(0, len(waiting), WIDTH):
            bundle = waiting[start : start + WIDTH]
            _write(self.folder / bundle_path(number + start // WIDTH, len(bundle)), pack(bundle), touched)

    def _write_level(
        self, level: int, first: int, fresh: list[bytes], size: int, touched: set[Path]
    ) -> tuple[list[bytes], int]:
        """Write the tiles of one level that gain hashes; the hashes and their first index for the level above."""
        number = first // WIDTH
        held = first - number * WIDTH
        before = self.tile(level, number, held) if held else b""
        above: list[bytes] = []
        hashes = before + b"".join(fresh)
        for start in range(0, len(hashes), WIDTH * HASH_BYTES):
            tile = hashes[start : start + WIDTH * HASH_BYTES]
            width = len(tile) // HASH_BYTES
            _write(self.folder / tile_path(level, number + start // (WIDTH * HASH_BYTES), width), tile, touched)
            if width == WIDTH:
                above.append(root_of([tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]))
        self._full_tile.cache_clear()
        return above, number

    def _publish(self, size: int, root: bytes) -> str:
        checkpoint = Checkpoint(origin=self.origin, size=size, root=root)
        note = sign_note(checkpoint.text(), verifier=self.verifier, sign=self._signer.sign)
        _write(self.folder / "checkpoint", note.encode(), set())
        self.size = size  # whatever fails from here on, the entries exist
        sync_folder(self.folder)
        return note

    def _drop_superseded(self, old: int, size: int) -> None:
        """Remove the partial tiles of what is full by now, as tlog-tiles ("Partial Tiles") allows."""
        for level in range(8):
            if hashes_at(level, size) == 0:
                break
            for number in range(hashes_at(level, old) // WIDTH, hashes_at(level, size) // WIDTH):
                _drop_partials(self.folder / tile_path(level, number), 0)
                if level == 0:
                    _drop_partials(self.folder / bundle_path(number), 0)


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unavailable("ledger-busy", "Another process is writing the ledger's log.") from error


def _write(path: Path, data: bytes, touched: set[Path]) -> None:
    """Put `data` at `path` so that a crash leaves the old bytes or the new ones, never a mixture."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        touched.update(path.parents[: len(path.parents) - 1])
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    touched.add(path.parent)


def _drop_beyond(full: Path, kept: int) -> None:
    """Remove the tile or bundle at `full` and its partial ones wider than `kept`."""
    for path in (full, full.with_name(full.name + ".part")):
        path.unlink(missing_ok=True)
    _drop_partials(full, kept, wider=True)


def _drop_partials(full: Path, kept: int, *, wider: bool = False) -> None:
    """Remove the partial ones of a tile or bundle: all, or those `wider` than `kept` and what was half written."""
    folder = full.with_name(full.name + ".p")
    if not folder.is_dir():
        return
    for partial in folder.iterdir():
        if not wider or not partial.name.isdigit() or int(partial.name) > kept:
            partial.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()

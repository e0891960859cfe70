"""Scans of cargo: kept bit for bit on a volume, hashed and stated in the ledger before they are acknowledged.

A scan is written, synced and renamed into its place; then one transaction
enters its row and its statement; then it is acknowledged. Only after that is a
picture for the browser made of it, elsewhere (`picture`), and whatever goes
wrong there leaves the scan as it came: one that cannot be unfolded within
bounds is put aside, counted and named, and does not count as a scan.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from svidok.base import BadInput, NotFound, Unavailable, new_id
from svidok.base.disk import sync_folder
from svidok.customs.checkpoints import SQL, Source
from svidok.customs.model import normal_plate
from svidok.db import Database, Row, Transaction
from svidok.ledger import enter
from svidok.ledger.entry import instant_text
from svidok.recording import wardens
from svidok.recording.volumes import bears

SCANNED = "customs.scan"
MOST_BYTES = 1024**3
_FOLDER, _INCOMING = "scans", "incoming"
_WAIT_S = 60
_NEAR = timedelta(hours=2)
_SUFFIX = {"dicom": ".dcm", "tiff": ".tif", "png": ".png", "pdf": ".pdf", "unknown": ".bin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanTold:
    """What a scanner says of its scan. Whose it is, by procedure, declaration or plate, as far as it knows."""

    checkpoint: str
    device: str
    taken_at: datetime
    procedure: str | None = None
    declaration: str | None = None
    plate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A volume that takes a scan now."""

    volume_id: UUID
    root: Path


class Incoming:
    """A scan on its way to the disk. `write` as it comes, then `keep`; leaving without keeping removes it."""

    def __init__(self, place: Place) -> None:
        self.id, self.place, self.size = new_id(), place, 0
        folder = place.root / _FOLDER / _INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{self.id}.part"
        self._file: BinaryIO = self._path.open("xb")
        self._hash = hashlib.sha256()
        self.head = b""

    def write(self, piece: bytes) -> None:
        """The next bytes. Raises `BadInput` beyond the bound."""
        self.size += len(piece)
        if self.size > MOST_BYTES:
            raise BadInput("scan-too-large", "A scan has at most 1 GiB.", most=MOST_BYTES)
        if len(self.head) < 512:
            self.head += piece[:512]
        self._hash.update(piece)
        self._file.write(piece)

    @property
    def sha256(self) -> bytes:
        """The hash of what came."""
        return self._hash.digest()

    def keep(self, *, at: datetime) -> str:
        """Sync it and put it in its place; where that is, below the volume."""
        if not self.size:
            raise BadInput("scan-empty", "The body is empty. Send the file of the scan.")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        folder = self.place.root / _FOLDER / f"{at:%Y}" / f"{at:%m}" / f"{at:%d}"
        folder.mkdir(parents=True, exist_ok=True)
        final = folder / f"{self.id}{_SUFFIX[form_of(self.head)]}"
        self._path.rename(final)
        for one in (folder, *folder.parents[:4]):
            sync_folder(one)
        return str(final.relative_to(self.place.root))

    def drop(self) -> None:
        """What was not kept goes; nobody was told that we have it."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def form_of(head: bytes) -> str:
    """What kind of file begins so. Pure.

    >>> form_of(b"%PDF-1.7"), form_of(b"hello")
    ('pdf', 'unknown')
    """
    if head[128:132] == b"DICM":
        return "dicom"
    marks = {b"II*\x00": "tiff", b"MM\x00*": "tiff", b"\x89PNG\r\n\x1a\n": "png", b"%PDF-": "pdf"}
    return next((form for mark, form in marks.items() if head.startswith(mark)), "unknown")


def place_for(tx: Transaction, *, node: str) -> Place:
    """The volume of this machine with most room. Raises `Unavailable` where none can be written."""
    fit = [one for one in wardens.list_volumes(tx) if one.node == node and one.state == "ready"]
    for one in sorted(fit, key=lambda one: -one.free_bytes):
        if bears(Path(one.path), one.id) and os.access(one.path, os.W_OK):
            return Place(volume_id=one.id, root=Path(one.path))
    raise Unavailable("no-volume", "No volume of this machine can take the scan. Nothing was kept; send it again.")


def known(tx: Transaction, source: Source, sha256: bytes) -> Row | None:
    """The same bytes, if this source brought them before."""
    return tx.maybe(SQL["scan_by_hash"], source_id=source.id, sha256=sha256)


def enter_scan(
    tx: Transaction, source: Source, told: ScanTold, incoming: Incoming, path: str, *, at: datetime
) -> UUID:  # fmt: skip
    """The row of a scan that is on disk, and its statement; in the caller's transaction."""
    checkpoint_id = _checkpoint(tx, source, told.checkpoint)
    form = form_of(incoming.head)
    entry_id = enter(
        tx, kind=SCANNED, subject=incoming.id, at=at,
        payload={"sha256": incoming.sha256.hex(), "size_bytes": incoming.size, "form": form,
                 "source": str(source.id), "taken_at": instant_text(told.taken_at)},
    )  # fmt: skip
    plate = normal_plate(told.plate) if told.plate else None
    tx.run(
        SQL["add_scan"], id=incoming.id, source_id=source.id, checkpoint_id=checkpoint_id,
        procedure_number=told.procedure, declaration=told.declaration, plate=plate, device=told.device,
        taken_at=told.taken_at, form=form, size_bytes=incoming.size, sha256=incoming.sha256,
        volume_id=incoming.place.volume_id, path=path, at=at, entry_id=entry_id,
        state="aside" if form == "unknown" else "kept", says="the form is not known" if form == "unknown" else "",
    )  # fmt: skip
    attach(tx, incoming.id)
    return incoming.id


def attach(tx: Transaction, scan_id: UUID) -> None:
    """Give the scan to its procedure: by number, else declaration, else plate within two hours; or to none."""
    tx.run(SQL["attach_scan"], id=scan_id, near=_NEAR)


def attach_waiting(tx: Transaction) -> int:
    """Give scans that came before their procedure to it; how many those were."""
    return tx.run(SQL["attach_waiting_scans"], near=_NEAR)


def _checkpoint(tx: Transaction, source: Source, code: str) -> UUID:
    row = tx.maybe(SQL["checkpoint_by_code"], code=code)
    if row is None:
        raise BadInput("checkpoint-unknown", "No checkpoint has this code.", checkpoint=code[:32])
    checkpoint_id: UUID = row["id"]
    if not source.speaks_for(checkpoint_id):
        raise BadInput("source-elsewhere", "This source does not speak for this checkpoint.", checkpoint=code[:32])
    return checkpoint_id


def derive(database: Database, scan_id: UUID) -> Row:
    """Make the picture of a kept scan, or put the scan aside with the reason; its row afterwards."""
    with database.transaction() as tx:
        row = tx.one(SQL["scan_by_id"], id=scan_id)
        if row["disposed_at"] is not None:
            return row
        row, path = located(tx, scan_id)
    if row["state"] != "kept" or row["picture"] or row["form"] == "pdf":
        return row
    told = _unfold(path, row["form"])
    with database.transaction() as tx:
        if "refused" in told:
            tx.run(SQL["put_scan_aside"], id=scan_id, says=str(told["refused"])[:300])
        else:
            tx.run(SQL["picture_made"], id=scan_id, width=told["width"], height=told["height"],
                   metadata=json.dumps(told["metadata"]))  # fmt: skip
        return tx.one(SQL["scan_by_id"], id=scan_id)


def _unfold(path: Path, form: str) -> Row:
    """What the process that unfolds says; a refusal where it dies or takes too long."""
    picture = path.with_suffix(".picture.jpg")
    command = [sys.executable, "-m", "svidok.customs.picture", str(path), str(picture), form]
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WAIT_S, env=alone, check=True)
        told: Row = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        told = {"refused": "it takes more time than a scan may"}
    except subprocess.CalledProcessError as error:
        last = (error.stderr.decode(errors="replace").strip().splitlines() or ["killed"])[-1]
        told = {"refused": f"it cannot be read: {last.partition(':')[0][:60]}"}
    except (ValueError, IndexError):
        told = {"refused": "it cannot be read"}
    if "refused" in told:
        picture.unlink(missing_ok=True)
    return told


def located(tx: Transaction, scan_id: UUID) -> tuple[Row, Path]:
    """A scan and its file; `NotFound` where it was disposed of, `Unavailable` where its volume is not there."""
    row = tx.one(SQL["scan_by_id"], id=scan_id)
    if row["disposed_at"] is not None:
        raise NotFound(
            "scan-disposed", "This scan was disposed of by its retention rule. Its hash stays in the ledger."
        )
    root = Path(row["volume_path"])
    if not bears(root, row["volume_id"]):
        raise Unavailable("volume-absent", "The volume of this scan is not there. Mount it, then try again.")
    return row, root / row["path"]


def picture_of(tx: Transaction, scan_id: UUID) -> bytes:
    """The picture for a browser; `NotFound` where none was made."""
    row, path = located(tx, scan_id)
    picture = path.with_suffix(".picture.jpg")
    if not row["picture"] or not picture.exists():
        raise NotFound("no-picture", "There is no picture of this scan. Fetch the original.")
    return picture.read_bytes()


def original_of(tx: Transaction, scan_id: UUID) -> tuple[Row, bytes]:
    """The scan as it came, its hash compared first: what is not what was stated is not handed out as it."""
    row, path = located(tx, scan_id)
    data = path.read_bytes()
    if hashlib.sha256(data).digest() != bytes(row["sha256"]):
        raise Unavailable(
            "scan-changed", "The file of this scan is not what the ledger states. Tell the administrator."
        )
    return row, data


def scans_of(tx: Transaction, procedure_id: UUID) -> list[Row]:
    """The scans of a procedure, those put aside too."""
    return tx.all(SQL["scans_of"], procedure_id=procedure_id)

"""Scans kept bit for bit, stated before they are acknowledged, unfolded within bounds or put aside."""

import io
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from litestar.testing import TestClient
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid
from tests.rooms.customs.conftest import NOON, Post, told

from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock, Unavailable
from svidok.customs import scans
from svidok.customs.importing import take
from svidok.recording.volumes import enrol


@pytest.fixture(scope="module")
def volume(post: Post, scratch: Path) -> Path:
    root = scratch / "scan-volume"
    made = enrol(root, node="n", quota_bytes=None, known_id=None)
    with post.database.transaction() as tx:
        tx.run("INSERT INTO recording.volume (id, node, path, free_bytes) VALUES (%(i)s, 'n', %(p)s, 1)",
               i=made.id, p=str(root))  # fmt: skip
    return root


@pytest.fixture(scope="module")
def client(post: Post, volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    clock, folder = SystemClock(), tmp_path_factory.mktemp("hub")
    services = Services(
        database=post.database, bus=None, data=folder, ledger_folder=folder, ledger_origin="x", clock=clock,
        jobs=Jobs(post.database, clock), node="n",
    )  # fmt: skip
    with post.database.transaction() as tx:
        take(tx, post.source, [(1, told("S-1", scan_due=True, declaration="26UA1"))], at=NOON)
    with TestClient(build_app(services, web_folder=None)) as client:
        yield client


def dicom(pixels: np.ndarray, *, syntax: str = ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    meta.MediaStorageSOPClassUID = pydicom.uid.UID("1.2.840.10008.5.1.4.1.1.501.2")  # DICOS DX
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.Manufacturer, data.DeviceSerialNumber = "DX", "Scanner works", "MS-7"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 0, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = pixels.astype("<u2").tobytes()
    into = io.BytesIO()
    data.save_as(into, enforce_file_format=True)
    return into.getvalue()


def picture(form: str, *, mode: str = "L", size: tuple[int, int] = (300, 200)) -> bytes:
    into = io.BytesIO()
    Image.effect_noise(size, 90).convert(mode).save(into, form)
    return into.getvalue()


def png_bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 600)) + chunk(b"IEND", b"")
    )


def send(client: TestClient[Any], post: Post, body: bytes, **more: str) -> Any:
    query = {"checkpoint": "UA209140", "device": "MS-7", "taken_at": NOON.isoformat(), **more}
    return client.post("/api/customs/intake/scans", params=query, content=body,
                       headers={"authorization": f"Bearer {post.secret}", "content-type": "application/octet-stream"})  # fmt: skip


CARGO = np.tile(np.linspace(100, 60_000, 400), (300, 1))


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (dicom(CARGO), "dicom"), (dicom(CARGO, syntax=DeflatedExplicitVRLittleEndian), "dicom"),
        (picture("TIFF", mode="I;16"), "tiff"), (picture("PNG"), "png"),
    ],
    ids=["dicos", "deflated", "tiff", "png"],
)  # fmt: skip
def test_a_scan_is_kept_bit_for_bit_and_seen(
    client: TestClient[Any], post: Post, volume: Path, body: bytes, form: str
) -> None:
    answer = send(client, post, body, procedure="S-1")
    assert (answer.status_code, answer.json()["state"]) == (201, "kept"), answer.text
    with post.database.transaction() as tx:
        row, data = scans.original_of(tx, answer.json()["id"])
        seen = Image.open(io.BytesIO(scans.picture_of(tx, answer.json()["id"])))
        entry = tx.one("SELECT * FROM ledger.entry WHERE id = %(i)s", i=row["entry_id"])
        mine = tx.one("SELECT id FROM customs.procedure WHERE number = 'S-1'")
    assert data == body
    assert (row["form"], row["procedure_id"]) == (form, mine["id"])
    assert answer.json()["sha256"].encode() in bytes(entry["payload"])
    assert seen.size == (row["width"], row["height"])
    again = send(client, post, body, procedure="S-1")
    assert again.json()["id"] == answer.json()["id"]
    assert not list((volume / "scans" / "incoming").iterdir())


def test_what_would_burst_is_kept_aside_and_named(client: TestClient[Any], post: Post) -> None:
    zeros = dicom(np.zeros((100, 100)), syntax=ExplicitVRLittleEndian)
    lying = bytearray(zeros)
    at = lying.index(struct.pack("<HH2sH", 0x0028, 0x0010, b"US", 2)) + 8
    lying[at : at + 2] = struct.pack("<H", 65_000)
    at = lying.index(struct.pack("<HH2sH", 0x0028, 0x0011, b"US", 2)) + 8
    lying[at : at + 2] = struct.pack("<H", 65_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = dicom(np.zeros((4, 4)), syntax=DeflatedExplicitVRLittleEndian)
    length = struct.unpack("<I", head[140:144])[0]
    bomb = head[: 144 + length] + b"".join(packer.compress(b"\0" * 2**20) for _ in range(700)) + packer.flush()
    for body in (png_bomb(), bytes(lying), bomb, b"nothing that we know", b"\x89PNG\r\n\x1a\n truncated"):
        answer = send(client, post, body)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["state"], bool(answer.json()["says"])) == ("aside", True), body[:20]
        with post.database.transaction() as tx:
            assert scans.original_of(tx, answer.json()["id"])[1] == body
    assert any(one["state"] == "aside" for one in _aside(post))


def _aside(post: Post) -> list[dict[str, Any]]:
    with post.database.transaction() as tx:
        return tx.all(scans.SQL["scans_aside"])


def test_a_pdf_is_kept_and_needs_no_picture(client: TestClient[Any], post: Post) -> None:
    answer = send(client, post, b"%PDF-1.7\n...", declaration="26UA1")
    assert answer.json()["state"] == "kept"
    with post.database.transaction() as tx:
        assert scans.located(tx, answer.json()["id"])[0]["procedure_id"] is not None


def test_a_scan_may_come_before_its_procedure(client: TestClient[Any], post: Post) -> None:
    scan_id = send(client, post, picture("PNG", size=(40, 30)), plate="AA 0001 BB").json()["id"]
    with post.database.transaction() as tx:
        assert scans.located(tx, scan_id)[0]["procedure_id"] is None
        take(tx, post.source, [(1, told("S-2", plate="АА0001ВВ"))], at=NOON)
        assert scans.attach_waiting(tx) == 1
        assert scans.located(tx, scan_id)[0]["procedure_id"] is not None


def test_nothing_is_acknowledged_that_is_not_kept(client: TestClient[Any], post: Post, volume: Path) -> None:
    body = picture("PNG", size=(50, 50))
    assert send(client, post, body, checkpoint="UA000000").json()["code"] == "checkpoint-unknown"
    assert send(client, post, b"").json()["code"] == "scan-empty"
    assert client.post("/api/customs/intake/scans", content=body).status_code in (400, 401)
    marker = volume / ".svidok-volume"
    kept = marker.read_bytes()
    marker.unlink()
    try:
        assert send(client, post, body).status_code == 503
    finally:
        marker.write_bytes(kept)
    assert not list((volume / "scans" / "incoming").iterdir())


def test_a_changed_file_is_not_handed_out(client: TestClient[Any], post: Post, volume: Path) -> None:
    scan_id = send(client, post, picture("PNG", size=(60, 60)), taken_at=(NOON - timedelta(days=1)).isoformat()).json()[
        "id"
    ]
    with post.database.transaction() as tx:
        _, path = scans.located(tx, scan_id)
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(Unavailable):
            scans.original_of(tx, scan_id)

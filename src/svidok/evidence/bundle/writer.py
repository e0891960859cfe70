"""Write a disclosure bundle: footage and files with every proof, signed and stamped, as a folder or a ZIP.

The order matters. The payload is written first, with the checkpoint that all
its proofs lead to; the stamps are over the payload's manifest; the statement is
over that manifest, the stamps and all other tag files; the tag manifest comes
last. A bundle is made beside its place and moved into it when it is whole.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from svidok.base import Conflict
from svidok.db import Database, Row
from svidok.evidence.bundle import model, pages
from svidok.evidence.bundle.signing import PREDICATE_TYPE, STATEMENT_TYPE, write_envelope
from svidok.evidence.bundle.told import CUSTODY, DISCLOSURE, RANGE, TRUST
from svidok.evidence.bundle.verify import (
    BAGIT,
    CHECKPOINT,
    CUSTODY_FILE,
    DISCLOSED,
    MANIFEST,
    STATEMENT,
    TAG_MANIFEST,
    TRUST_FILE,
)
from svidok.ledger import JSON, Entry, canonical, inclusion_path
from svidok.ledger.cosigning import Key
from svidok.ledger.entry import instant_text
from svidok.ledger.log import LogReader
from svidok.ledger.note import Checkpoint, Verifier
from svidok.ledger.register import entries_about
from svidok.ledger.signer import Signer
from svidok.recording import export, proof
from svidok.recording.model import GAP_CLOSED, GAP_OPENED, Gap
from svidok.recording.reach import HERE, Reach

_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """The footage of one range: the MP4 in pieces, its segments with their proofs, its gaps and what states them."""

    size_bytes: int
    chunks: Iterable[bytes]
    segments: Iterable[proof.ExportedSegment]
    gaps: tuple[Gap, ...]
    reasons: tuple[model.Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a bundle is made with. `note` is the checkpoint that it rests on; `stamp` stamps the payload's manifest."""

    footage: Callable[[model.RangeItem, str], Footage]  # of a range, with proofs to a checkpoint
    ledger: Path
    note: str
    signer: Signer
    trust: model.Trust
    stamp: Callable[[bytes], tuple[model.Stamp, ...]]
    page: bytes  # verify.html


class FootageStore:
    """Takes footage out of the store of this installation."""

    def __init__(self, database: Database, *, ledger: Path, reach: Reach = HERE) -> None:
        self._database, self._ledger, self._reach = database, ledger, reach

    def take(self, item: model.RangeItem, note: str) -> Footage:
        """The footage of `item` with its proofs. Raises as `write_bundle` does."""
        size = Checkpoint.parse(note).size
        with self._database.transaction() as tx:
            planned = export.plan(tx, item.channel, item.span, reach=self._reach, with_signature=False)
            rows = entries_about(tx, [gap.id for gap in planned.gaps])
        told = [row for row in rows if row["kind"] in (GAP_OPENED, GAP_CLOSED) and row["leaf_index"] < size]
        return Footage(
            size_bytes=planned.size_bytes,
            chunks=planned.chunks(),
            segments=export.sealed_parts(self._database, planned, note=note, log_folder=self._ledger),
            gaps=planned.gaps,
            reasons=tuple(statement_of(row) for row in told),
        )


def statement_of(row: Row) -> model.Statement:
    """A row of `ledger.entry` (which is in the log, and not muted) as a bundle tells it."""
    entry = Entry(
        id=row["id"], kind=row["kind"], subject=row["subject"], at=row["at"], commitment=bytes(row["commitment"])
    )
    return model.Statement(
        entry=entry, payload=bytes(row["payload"]), salt=bytes(row["salt"]), leaf_index=row["leaf_index"]
    )


def write_bundle(folder: Path, disclosure: model.Disclosure, means: Means) -> Path:
    """The bundle of `disclosure` at `folder`, which must not be there yet.

    Raises `Conflict` where footage is missing, or is not in the checkpoint yet, or where a file is not the one that
    was booked in; `Unavailable` where footage or an authority cannot be reached. Nothing is left behind then.
    """
    if folder.exists():
        raise Conflict("bundle-exists", f"{folder} is there already. Choose another place.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _Writing(part, disclosure, means).run()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def zip_bundle(folder: Path, target: Path) -> Path:
    """The bundle in `folder` as a ZIP with one folder at its top, uncompressed, the same bytes for the same bundle."""
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", (2000, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as into:
                shutil.copyfileobj(source, into, 1 << 20)
    part.rename(target)
    return target


def told_trust(trust: model.Trust) -> bytes:
    """The trust file of `trust`."""
    authorities: list[JSON] = [
        {"is_test": one.is_test, "name": one.name, "root": base64.b64encode(one.root).decode()}
        for one in trust.authorities
    ]
    return canonical({
        "format": TRUST, "name": trust.name, "ledger": trust.ledger, "signer": trust.signer,
        "witnesses": list(trust.witnesses), "quorum": trust.quorum, "authorities": authorities, "stamps": trust.stamps,
    })  # fmt: skip


class _Writing:
    """One bundle as it grows."""

    def __init__(self, folder: Path, disclosure: model.Disclosure, means: Means) -> None:
        self._folder, self._disclosure, self._means = folder, disclosure, means
        self._size = Checkpoint.parse(means.note).size
        self._log = LogReader(means.ledger)
        self._digests: dict[str, str] = {}
        self._bytes = 0

    def run(self) -> None:
        """All of it, in its order."""
        one = self._disclosure
        self._put(CHECKPOINT, self._means.note.encode())
        clips = [self._clip(number + 1, item) for number, item in enumerate(one.ranges)]
        files = [self._file(number + 1, item) for number, item in enumerate(one.files)]
        events: list[JSON] = [self._entry(event) for event in one.custody]
        self._put(CUSTODY_FILE, canonical({"format": CUSTODY, "events": events}))
        told: dict[str, JSON] = {
            "format": DISCLOSURE, "id": str(one.id), "made_at": instant_text(one.made_at),
            "made_by": _plain(asdict(one.made_by)), "given_to": _plain(asdict(one.given_to)),
            "case": _plain(asdict(one.case)), "legal_basis": one.legal_basis, "note": one.note,
            "clips": list(clips), "files": list(files),
        }  # fmt: skip
        self._put(DISCLOSED, canonical(told))
        trust = self._means.trust
        facts = pages.Facts(
            disclosure=one, told=told, trust=trust, trust_sha256=pages.fingerprint(told_trust(trust)), size=self._size
        )
        for language in pages.LANGUAGES:
            self._put(f"data/page-one.{language}.html", pages.write_html(facts, language))
        self._put("data/page-one.pdf", pages.write_pdf(facts))
        self._seal()

    def _seal(self) -> None:
        one, means = self._disclosure, self._means
        self._put(MANIFEST, _manifest(self._digests))
        payload = {name for name in self._digests if name.startswith("data/")}
        self._put("bagit.txt", BAGIT)
        info = f"External-Identifier: {one.id}\nPayload-Oxum: {self._bytes_of(payload)}.{len(payload)}\n"
        self._put("bag-info.txt", info.encode())
        self._put("verify.html", means.page)
        self._put(TRUST_FILE, told_trust(means.trust))
        stamps = means.stamp((self._folder / MANIFEST).read_bytes())
        for number, stamp in enumerate(stamps):
            self._put(f"proof/stamp-{number + 1}.tst", stamp.token)
        subjects: list[JSON] = [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in sorted(self._digests.items())
            if not name.startswith("data/")
        ]
        statement: dict[str, JSON] = {
            "_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE,
            "predicate": {"disclosure": str(one.id), "made_at": instant_text(one.made_at)},
        }  # fmt: skip
        key = Key.parse(means.trust.signer)
        self._put(STATEMENT, write_envelope(statement, key=key, sign=means.signer.sign))
        tags = {name: digest for name, digest in self._digests.items() if not name.startswith("data/")}
        self._put(TAG_MANIFEST, _manifest(tags))

    def _clip(self, number: int, item: model.RangeItem) -> JSON:
        taken = self._means.footage(item, self._means.note)
        path = f"data/clips/{number:02}.mp4"
        told: dict[str, JSON] = {
            "format": RANGE, "clip": path, "channel": str(item.channel), "from": instant_text(item.span.start),
            "to": instant_text(item.span.end), "segments": [self._segment(one) for one in taken.segments],
            "gaps": [self._entry(one) for one in taken.reasons],
        }  # fmt: skip
        proof_path = path.replace(".mp4", ".proof.json")
        self._put(path, taken.chunks)
        self._put(proof_path, canonical(told))
        return {
            "path": path, "proof": proof_path, "exhibit": str(item.exhibit), "number": item.number,
            "title": item.title, "channel": str(item.channel), "from": told["from"], "to": told["to"],
            "size_bytes": taken.size_bytes, "how": str(item.how), "note": item.note,
            "device": _plain(asdict(item.device)), "clock": _plain(asdict(item.clock)) if item.clock else None,
            "device_signature": _told_verdict(item.verdict),
            "gaps": [
                {"from": instant_text(gap.start_at), "to": instant_text(gap.end_at) if gap.end_at else None,
                 "reason": str(gap.reason)} for gap in taken.gaps
            ],
        }  # fmt: skip

    def _segment(self, one: proof.ExportedSegment) -> JSON:
        if one.statement is None:
            raise Conflict("not-sealed-yet", "Not all of this footage is sealed yet. Try again in a minute.")
        seal: JSON = {
            "leaf": canonical(one.statement.leaf).decode(), "payload": canonical(one.statement.payload).decode(),
            "salt": one.statement.salt.hex(), "index": one.statement.leaf_index,
            "inclusion": _hex(one.statement.inclusion),
        }  # fmt: skip
        hashes = one.leaf_hashes
        fragments: list[JSON] = [
            {"head": base64.b64encode(each.head).decode(), "leaf": each.leaf, "size": each.media_size,
             "path": _hex(inclusion_path(hashes, each.leaf))} for each in one.fragments
        ]  # fmt: skip
        return {
            "seal": seal, "init": base64.b64encode(one.init).decode(), "init_path": _hex(inclusion_path(hashes, 0)),
            "fragments": fragments,
        }  # fmt: skip

    def _file(self, number: int, item: model.FileItem) -> JSON:
        path = f"data/files/{number:02}/{safe_name(item.name)}"
        with item.source.open("rb") as source:
            self._put(path, iter(lambda: source.read(1 << 20), b""))
        if self._digests[path] != item.sha256:
            raise Conflict("file-changed", f"{item.name} is not the file that was booked in. Run `svidok check`.")
        derived = item.derived_from
        return {
            "path": path, "exhibit": str(item.exhibit), "number": item.number, "title": item.title, "name": item.name,
            "media_type": item.media_type, "sha256": item.sha256, "size_bytes": (self._folder / path).stat().st_size,
            "how": str(item.how), "note": item.note, "device": _plain(asdict(item.device)) if item.device else None,
            "device_signature": _told_verdict(item.verdict),
            "derived_from": {
                "exhibit": str(derived.exhibit), "sha256": derived.sha256, "made_by": derived.made_by
            } if derived else None,
        }  # fmt: skip

    def _entry(self, one: model.Statement) -> JSON:
        if one.leaf_index >= self._size:
            raise Conflict(
                "not-sealed-yet", "Not every event is in the ledger's checkpoint yet. Try again in a minute."
            )
        return {
            "leaf": one.entry.leaf_bytes().decode(), "payload": one.payload.decode(), "salt": one.salt.hex(),
            "index": one.leaf_index, "inclusion": _hex(self._log.inclusion_proof(one.leaf_index, self._size)),
        }  # fmt: skip

    def _put(self, name: str, data: bytes | Iterable[bytes]) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for block in [data] if isinstance(data, bytes) else data:
                digest.update(block)
                file.write(block)
            _sync(file)
        self._digests[name] = digest.hexdigest()

    def _bytes_of(self, names: Iterable[str]) -> int:
        return sum((self._folder / name).stat().st_size for name in names)


def safe_name(name: str) -> str:
    """`name` in letters that every file system and every reader takes; the true one is told in the disclosure.

    >>> safe_name("запис 1.MP4"), safe_name("../yard cam.mp4"), safe_name("...")
    ('1.MP4', 'yard-cam.mp4', 'file')
    """
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    stem, suffix = _SAFE.sub("-", stem).strip(".-")[-60:], _SAFE.sub("", suffix)[:12]
    return f"{stem or 'file'}{dot}{suffix}" if suffix else stem or "file"


def own_key(signer: Signer, name: str) -> str:
    """The public key of `signer` as it is published under `name`."""
    return Verifier(name=name, key=signer.public_key()).text()


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _manifest(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def _hex(hashes: Iterable[bytes]) -> list[JSON]:
    return [one.hex() for one in hashes]


def _told_verdict(verdict: model.DeviceVerdict | None) -> JSON:
    if verdict is None:
        return None
    return {
        "scheme": verdict.scheme, "findings": [str(one) for one in verdict.findings],
        "checked_at": instant_text(verdict.checked_at), "grounds": verdict.grounds,
    }  # fmt: skip


def _plain(values: dict[str, object]) -> JSON:
    return json.loads(json.dumps(values, default=str))  # type: ignore[no-any-return]

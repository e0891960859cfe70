"""Makes disclosure bundles from a seed, with the product's own writer, log, cosigner and local test authorities.

No database: footage is written into segment files and led to a log in a folder, as the recorder and the sequencer do.
"""

import hashlib
import importlib.util
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from svidok.base import Span, from_us, to_us
from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.stamping import local_authority, stamp_all
from svidok.evidence.bundle.writer import Footage, Means, own_key, told_trust, write_bundle
from svidok.ledger import JSON, Entry, Log, canonical, leaf_hash, root_of
from svidok.ledger.cosigning import Cosigner
from svidok.ledger.entry import commitment_of, instant_text
from svidok.ledger.note import Checkpoint
from svidok.media.boxes import scan_fragments
from svidok.media.progressive import Source, plan_progressive
from svidok.recording import proof
from svidok.recording.model import Gap, GapReason

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STUB_PAGE = b"<!doctype html><title>verify</title>\n"


def load_clip_maker():
    spec = importlib.util.spec_from_file_location("svidok_clips", ROOT / "tests" / "rooms" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["svidok_clips"] = module
    spec.loader.exec_module(module)
    return module.make_clip


class SeedSigner:
    """A key that follows from a seed."""

    def __init__(self, seed: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())

    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@dataclass(slots=True)
class Placed:
    """A segment on disk with its statement's number in the log."""

    id: UUID
    path: Path
    init_size: int
    init: bytes
    fragments: list
    leaves: list[bytes]
    start: datetime
    end: datetime
    statement: m.Statement


@dataclass
class Court:
    """One installation with its log, witnesses and authorities."""

    folder: Path
    seed: str
    at: datetime
    witnesses_needed: int = 2
    dice: random.Random = field(init=False)
    waiting: list[tuple[Entry, bytes, bytes]] = field(default_factory=list)
    statements: list[m.Statement] = field(default_factory=list)
    segments: dict[UUID, list[Placed]] = field(default_factory=dict)
    gaps: dict[UUID, list[tuple[Gap, m.Statement]]] = field(default_factory=dict)
    chains: dict[UUID, list[m.Statement]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.origin = f"{self.seed}.svidok.test/log"
        self.log_signer = SeedSigner(f"{self.seed} log")
        self.signer = SeedSigner(f"{self.seed} disclosure")
        self.witnesses = [Cosigner(f"w{n}.{self.seed}.test", SeedSigner(f"{self.seed} witness {n}")) for n in range(3)]
        self.log = Log(self.folder / "ledger", self.log_signer, self.origin)
        self.stampers = [
            local_authority(self.folder / f"tsa{n}", name=f"Local test authority {n} (not qualified)", at=self.at)
            for n in (1, 2)
        ]
        self.trust = m.Trust(
            name=f"Court {self.seed}", ledger=self.log.verifier.text(),
            signer=own_key(self.signer, f"{self.seed}.svidok.test/disclosure"),
            witnesses=tuple(one.key.text() for one in self.witnesses), quorum=self.witnesses_needed,
            authorities=tuple(one.authority for one in self.stampers), stamps=2,
        )  # fmt: skip

    def trust_file(self) -> bytes:
        return told_trust(self.trust)

    def new_id(self) -> UUID:
        return UUID(bytes=self.dice.randbytes(16), version=4)

    def state(self, kind: str, subject: UUID, payload: dict[str, JSON], at: datetime) -> m.Statement:
        """Put one entry into the log at once."""
        written, salt = canonical(payload), self.dice.randbytes(32)
        entry = Entry(id=self.new_id(), kind=kind, subject=subject, at=at, commitment=commitment_of(written, salt))
        index = self.log.append([entry.leaf_bytes()])[0]
        return m.Statement(entry=entry, payload=written, salt=salt, leaf_index=index)

    def fill(self, count: int) -> None:
        """Entries of no interest."""
        entries = [
            Entry(
                id=self.new_id(),
                kind="audit.access",
                subject=self.new_id(),
                at=NOON,
                commitment=self.dice.randbytes(32),
            )
            for _ in range(count)
        ]
        self.log.append([one.leaf_bytes() for one in entries])

    def record(self, clip, channel: UUID, start: datetime, *, first: int, count: int,
               changed: Callable[[bytes], bytes] = bytes) -> Placed:  # fmt: skip
        """One segment, sealed; `changed` before it is."""
        segment = self.new_id()
        path = self.folder / f"{segment}.mp4"
        clip.write(path, start_us=to_us(start), first=first, count=count)
        data = changed(path.read_bytes())
        path.write_bytes(data)
        with path.open("rb") as file:
            scan = scan_fragments(file)
        leaves = [leaf_hash(data[: scan.init_size])]
        leaves += [leaf_hash(data[one.offset : one.offset + one.size]) for one in scan.fragments]
        last = scan.fragments[-1]
        end = from_us(last.wall_us + last.duration * 100 // 9)
        payload: dict[str, JSON] = {
            "channel": str(channel), "clock": {"drift_ppm": 0, "error_us": 0, "offset_us": 0, "source": "none"},
            "codec": "avc1", "end": instant_text(end), "leaves": len(leaves), "root": root_of(leaves).hex(),
            "segment": str(segment), "size_bytes": len(data), "start": instant_text(start),
        }  # fmt: skip
        statement = self.state("segment.sealed", segment, payload, end)
        placed = Placed(
            segment, path, scan.init_size, data[: scan.init_size], list(scan.fragments), leaves, start, end, statement
        )
        self.segments.setdefault(channel, []).append(placed)
        return placed

    def gap(self, channel: UUID, start: datetime, end: datetime) -> None:
        one = Gap(
            id=self.new_id(), channel_id=channel, start_at=start, end_at=end, reason=GapReason.CAMERA_SILENT, detail=""
        )
        payload: dict[str, JSON] = {
            "channel": str(channel), "end": instant_text(end), "reason": "camera-silent", "start": instant_text(start),
        }  # fmt: skip
        self.gaps.setdefault(channel, []).append((one, self.state("gap.closed", one.id, payload, end)))

    def custody(self, exhibit: UUID, event: str, at: datetime, **more: JSON) -> None:
        chain = self.chains.setdefault(exhibit, [])
        payload: dict[str, JSON] = {
            "exhibit": str(exhibit), "number": len(chain) + 1, "actor": "Олена Коваль",
            "previous": chain[-1].entry.commitment.hex() if chain else "", **more,
        }  # fmt: skip
        chain.append(self.state(f"custody.{event}", exhibit, payload, at))

    def note(self, cosigners: int = 3) -> str:
        """The checkpoint, countersigned."""
        note = (self.folder / "ledger" / "checkpoint").read_text()
        text = note.partition("\n\n")[0] + "\n"
        return note + "".join(one.line(text.encode(), int(self.at.timestamp())) for one in self.witnesses[:cosigners])

    def footage(self, item: m.RangeItem, note: str) -> Footage:
        size = Checkpoint.parse(note).size
        parts = []
        for one in self.segments[item.channel]:
            taken = [
                (number, fragment) for number, fragment in enumerate(one.fragments)
                if fragment.wall_us < to_us(item.span.end)
                and fragment.wall_us + fragment.duration * 100 // 9 > to_us(item.span.start)
            ]  # fmt: skip
            if taken:
                parts.append((one, taken))
        sources = [
            Source(path=one.path, init_size=one.init_size, fragments=[(f.offset, f.size) for _, f in taken])
            for one, taken in parts
        ]
        file = plan_progressive(sources, start_us=to_us(item.span.start), end_us=to_us(item.span.end))
        heads = zip(file.placed, file.heads(), strict=True)
        segments = []
        for one, taken in parts:
            fragments = []
            for number, _ in taken:
                placed, head = next(heads)
                fragments.append(proof.ExportedFragment(
                    leaf=number + 1, head=head, media_offset=placed.media_offset, media_size=placed.media_size))  # fmt: skip
            import json

            statement = proof.Statement(
                leaf=one.statement.entry.leaf(), payload=json.loads(one.statement.payload), salt=one.statement.salt,
                leaf_index=one.statement.leaf_index,
                inclusion=self.log.inclusion_proof(one.statement.leaf_index, size),
            )  # fmt: skip
            segments.append(proof.ExportedSegment(
                segment_id=one.id, statement=statement, init=one.init, leaf_hashes=one.leaves, fragments=fragments))  # fmt: skip
        gaps = [pair for pair in self.gaps.get(item.channel, [])
                if pair[0].start_at < item.span.end and pair[0].end_at > item.span.start]  # fmt: skip
        return Footage(
            size_bytes=file.size_bytes, chunks=file.chunks(), segments=segments,
            gaps=tuple(gap for gap, _ in gaps), reasons=tuple(statement for _, statement in gaps),
        )  # fmt: skip

    def means(self, note: str, page: bytes = STUB_PAGE, stamp: Callable | None = None) -> Means:
        return Means(
            footage=self.footage, ledger=self.folder / "ledger", note=note, signer=self.signer, trust=self.trust,
            stamp=stamp or (lambda data: stamp_all(self.stampers, data)), page=page,
        )  # fmt: skip


def make_bundle(folder: Path, target: Path, *, seed: str, at: datetime, clip, page: bytes = STUB_PAGE,
                partial: bool = False) -> Court:  # fmt: skip
    """A court with a bundle of two ranges and a file at `target`; `partial` adds what cannot be wholly proved."""
    court = Court(folder, seed, at)
    court.fill(300)
    channel = court.new_id()
    second = timedelta(seconds=1)
    court.record(clip, channel, NOON, first=0, count=4)
    court.record(clip, channel, NOON + 4 * second, first=4, count=4)
    court.gap(channel, NOON + 8 * second, NOON + 11 * second)
    court.record(clip, channel, NOON + 11 * second, first=8, count=4)
    whole, cut, paper, blurred = (court.new_id() for _ in range(4))
    ranges = tuple(
        m.RangeItem(
            exhibit=exhibit, number=number, title=title, channel=channel, span=span, how=m.How.RECORDED,
            device=m.Device(name="Пункт пропуску Рава-Руська, смуга 3", maker="Axis", model="P1468", serial="B8A44F",
                            place="Рава-Руська", zone_px_m=250),
            clock=m.ClockFacts(offset_us=-120_000, error_us=8_000, source="rtcp"),
            verdict=m.DeviceVerdict(scheme="onvif", findings=(m.DeviceFinding.NOT_SIGNED,), checked_at=at) if partial and number == "E-1" else None,
        )
        for exhibit, number, title, span in (
            (whole, "E-1", "Огляд вантажівки", Span(NOON + 2 * second, NOON + 13 * second)),
            (cut, "E-2", "Передача пакунка", Span(NOON + 5 * second, NOON + 7 * second)),
        )
    )  # fmt: skip
    source = folder / "запис із крамниці.txt"
    source.write_bytes(b"A statement of a witness, handed over on a carrier.\n" * 20)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    court.custody(whole, "booked", NOON + timedelta(minutes=5))
    court.custody(whole, "viewed", NOON + timedelta(minutes=9))
    court.custody(cut, "booked", NOON + timedelta(minutes=10))
    court.custody(paper, "booked", NOON + timedelta(minutes=11), sha256=digest)
    files = [
        m.FileItem(exhibit=paper, number="E-3", title="Пояснення", name=source.name, media_type="text/plain",
                   sha256=digest, source=source, how=m.How.HANDED_OVER)
    ]  # fmt: skip
    if partial:
        court.custody(blurred, "redacted", NOON + timedelta(minutes=12), sha256=digest)
        files.append(m.FileItem(
            exhibit=blurred, number="E-4", title="Замальована копія", name="blurred.txt", media_type="text/plain",
            sha256=digest, source=source, how=m.How.DERIVED,
            derived_from=m.Derivation(exhibit=paper, sha256=digest, made_by="замальовано обличчя"),
        ))  # fmt: skip
    court.fill(20)
    disclosure = m.Disclosure(
        id=court.new_id(),
        case=m.CaseFacts(id=court.new_id(), number="12026140000000123", title="Незаконне переміщення товарів",
                         legal_basis="КПК, ст. 290", subjects="підозрювані", unit="Львівська митниця"),
        made_at=at, made_by=m.Party(name="Олена Коваль", role="слідча", service="БЕБ"),
        given_to=m.Party(name="Адвокат Іван Петренко", role="захисник"), legal_basis="КПК України, стаття 290",
        ranges=ranges, files=tuple(files), custody=tuple(one for chain in court.chains.values() for one in chain),
    )  # fmt: skip
    write_bundle(target, disclosure, court.means(court.note(), page))
    return court

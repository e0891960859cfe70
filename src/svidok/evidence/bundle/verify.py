"""Check a disclosure bundle as a stranger would: with its files and the keys one trusts. No account, no network.

The way from the bytes up: the bag's files are those of its manifests; the
signed statement is over those manifests; the stamps are over the payload's
manifest, which names the checkpoint; log and witnesses signed the checkpoint;
and every clip, file and custody event leads to it. Each item gets its own
verdict, and the whole is valid only where every item is.

A file whose bytes are not those in its manifest is not read any further (but
for clips, where the fragment and its second are named).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from svidok.evidence.bundle.clips import check_clip
from svidok.evidence.bundle.entries import Opened, open_entry
from svidok.evidence.bundle.faults import Fault, Report, report_of
from svidok.evidence.bundle.files import Files
from svidok.evidence.bundle.model import DeviceFinding
from svidok.evidence.bundle.signing import PREDICATE_TYPE, STATEMENT_TYPE, read_envelope
from svidok.evidence.bundle.tokens import Judged, Standing, judge_token
from svidok.evidence.bundle.told import (
    CUSTODY,
    DISCLOSURE,
    MOST_JSON_BYTES,
    RANGE,
    TRUST,
    ToldClip,
    ToldCustody,
    ToldDevice,
    ToldDisclosure,
    ToldFile,
    ToldRange,
    ToldTrust,
    instant_us,
    read_told,
)
from svidok.ledger.cosigning import COSIGNATURE_KEY, NOTE_KEY, Key, Note, cosigned_at, read_note, unbase64

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
STATEMENT, TRUST_FILE = "proof/statement.json", "proof/trust.json"
CHECKPOINT, DISCLOSED, CUSTODY_FILE = "data/checkpoint", "data/disclosure.json", "data/custody.json"
TAGS = {"bagit.txt", "bag-info.txt", MANIFEST, "verify.html", STATEMENT, TRUST_FILE}
PAGES = {"data/page-one.pdf", "data/page-one.uk.html", "data/page-one.en.html"}
SLACK_US = 300 * 1_000_000  # between two clocks that both are kept
LATEST_US = 24 * 3_600 * 1_000_000  # after it was made, a disclosure is stamped within a day

CLIP = re.compile(r"data/clips/[0-9]{2,4}\.mp4", re.ASCII)
STAMP = re.compile(r"proof/stamp-[0-9]{1,2}\.tst", re.ASCII)
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)", re.ASCII)
_BLOCK = 1 << 20

Got = TypeVar("Got")


def verify_bundle(files: Files, trust: bytes | None = None) -> Report:
    """What every item of the bundle comes to. `trust` is the trust file that the checker got from elsewhere.

    Without it the copy in the bundle is taken, and nothing can be better than `partial`: keys that come with what
    they vouch for prove nothing.
    """
    examination = _Examination(files, trust)
    examination.run()
    return report_of(examination.items, examination.faults)


@dataclass(slots=True)
class _Examination:
    """One bundle under examination: what was found to be sound so far, and the faults."""

    files: Files
    outside: bytes | None
    items: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)  # of each file that was hashed
    sound: set[str] = field(default_factory=set)  # files whose bytes are those in their manifest
    manifest: dict[str, str] = field(default_factory=dict)
    examined: set[str] = field(default_factory=set)
    latest_us: int = 0  # the latest instant that an entry in the bundle bears
    witnessed_us: list[int] = field(default_factory=list)

    def fault(self, item: str, code: str, where: str, says: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(item=item, code=code, where=where, says=says))

    def run(self) -> None:
        """Every step; an item whose step could not be taken is not clear, and is told so."""
        self.items += ["trust", "bag", "statement", "log", "witnesses", "stamps", "disclosure", "custody"]
        if self._bag():
            self._steps()
        for item in self.items:
            if item not in self.examined and item != "bag":
                self.fault(item, "not-examined", item, "something that it rests on cannot be read")

    def _steps(self) -> None:
        trust = self._part("trust", self._trust)
        note = None
        if trust is not None:
            self._part("statement", partial(self._statement, trust))
            note = self._part("log", partial(self._note, trust))
        told = self._part("disclosure", self._disclosure)
        if note is not None and told is not None:
            events = self._part("custody", partial(self._custody, told, note)) or []
            for clip in told.clips:
                self._part(clip.path, partial(self._clip, clip, note))
            stated = {(one.subject, str(one.payload.get("sha256"))) for one in events if one.is_good}
            for one in told.files:
                self._part(one.path, partial(self._file, one, stated))
        if trust is not None and note is not None:
            self._part("witnesses", partial(self._witnesses, trust, note))
        if trust is not None:
            self._part("stamps", partial(self._stamps, trust, told))

    def _part(self, item: str, step: Callable[[], Got]) -> Got | None:
        """What `step` gives; nothing, and a fault of `item`, where a file of it is of another form."""
        self.examined.add(item)
        try:
            return step()
        except (ValueError, TypeError, KeyError, RecursionError, OSError) as error:
            self.fault(item, "malformed", item, f"it cannot be read: {error}")
            return None

    # --- the bag

    def _bag(self) -> bool:
        """Whether the manifests can be read. Notes every file that is missing, too many, or changed."""
        try:
            self.names = self.files.names()
            self.manifest = _read_manifest(self._read(MANIFEST))
            tags = _read_manifest(self._read(TAG_MANIFEST))
        except (OSError, ValueError, KeyError) as error:
            self.fault("bag", "malformed", "manifests", f"this is no bundle: {error}")
            return False
        present = set(self.names) - {TAG_MANIFEST}
        listed = self.manifest | tags
        if any(name.startswith("data/") for name in tags) or any(not n.startswith("data/") for n in self.manifest):
            self.fault("bag", "malformed", "manifests", "a file is listed in the wrong manifest")
            return False
        for name in sorted(present - set(listed)):
            self.fault("bag", "extra-file", name, "this file belongs to nothing")
        for name in sorted(set(listed) - present):
            self.fault("bag", "missing-file", name, "this file is missing")
        for name in sorted(TAGS - set(tags)):
            self.fault("bag", "missing-file", name, "a bundle has this file, and the manifest does not name it")
        for name in sorted(name for name in tags if name not in TAGS and not STAMP.fullmatch(name)):
            self.fault("bag", "extra-file", name, "a bundle has no such file")
        for name in sorted(present & set(listed)):
            self._hash(name, listed[name])
        if "bagit.txt" in self.sound and self._read("bagit.txt") != BAGIT:
            self.fault("bag", "malformed", "bagit.txt", "this is another version of BagIt")
        return True

    def _hash(self, name: str, due: str) -> None:
        if CLIP.fullmatch(name):
            self.sound.add(name)  # every byte of a clip is judged by its proof
            return
        try:
            self.digests[name] = _sha256(self.files, name)
        except OSError as error:
            self.fault("bag", "missing-file", name, f"this file cannot be read: {error}")
            return
        if self.digests[name] == due:
            self.sound.add(name)
        else:
            self.fault("bag", "hash-mismatch", name, "this file is not the one that was disclosed")

    def _read(self, name: str) -> bytes:
        if self.files.size(name) > MOST_JSON_BYTES:
            raise ValueError(f"{name} is too large")
        with self.files.open(name) as file:
            return file.read()

    def _sound(self, item: str, name: str) -> bytes | None:
        """The file, where its bytes are those in its manifest; a fault of `item` otherwise."""
        data = self._read(name) if name in self.digests and name in self.sound else None
        if data is not None and hashlib.sha256(data).hexdigest() == self.digests[name]:
            return data  # the same bytes as were hashed: a disk of somebody else may say another thing each time
        self.fault(item, "hash-mismatch", name, "the file that this rests on is missing or changed")
        return None

    # --- keys, statement, checkpoint

    def _trust(self) -> ToldTrust | None:
        data = self.outside
        if data is None:
            self.fault("trust", "keys-unconfirmed", TRUST_FILE, "the keys come with the bundle; confirm them elsewhere")
            data = self._sound("trust", TRUST_FILE)
        told = read_told(data, ToldTrust) if data is not None else None
        if told is not None and told.format != TRUST:
            raise ValueError(f"the format {told.format!r} is not known")
        return told

    def _statement(self, trust: ToldTrust) -> None:
        data = self._sound("statement", STATEMENT)
        if data is None:
            return
        envelope, key = read_envelope(data), Key.parse(trust.signer)
        own = [signature for key_id, signature in envelope.signatures if key_id == key.id.hex()]
        if not envelope.signatures:
            self.fault("statement", "not-signed", STATEMENT, "nobody signed it")
        elif not own:
            self.fault("statement", "untrusted-key", STATEMENT, "it is not signed by the key that is trusted")
        elif key.type != NOTE_KEY or not all(key.accepts(envelope.signed, one) for one in own):
            self.fault("statement", "bad-signature", STATEMENT, "the signature does not fit")
        told = read_told(envelope.payload, dict[str, object])
        if told.get("_type") != STATEMENT_TYPE or told.get("predicateType") != PREDICATE_TYPE:
            raise ValueError("it is a statement of another kind")
        due = {name: digest for name, digest in self.digests.items() if not name.startswith("data/")}
        due.pop(STATEMENT, None)
        subjects = _subjects(told.get("subject"))
        for name in sorted(set(due) | set(subjects)):
            if subjects.get(name) != due.get(name):
                self.fault("statement", "hash-mismatch", name, "the statement is not over this file as it is here")

    def _note(self, trust: ToldTrust) -> Note | None:
        data = self._sound("log", CHECKPOINT)
        if data is None:
            return None
        note, key = read_note(data), Key.parse(trust.ledger)
        signatures = list(note.by(key))
        if not signatures or note.origin != key.name:
            self.fault("log", "untrusted-key", CHECKPOINT, "the checkpoint is not signed by the log that is trusted")
        elif key.type != NOTE_KEY or not all(key.accepts(note.text, one) for one in signatures):
            self.fault("log", "bad-signature", CHECKPOINT, "the log's signature does not fit")
        return note

    def _witnesses(self, trust: ToldTrust, note: Note) -> None:
        keys = {text: Key.parse(text) for text in trust.witnesses}
        good = 0
        for key in keys.values():
            at, is_bad = cosigned_at(note, key)
            if is_bad or (at is not None and key.type != COSIGNATURE_KEY):
                self.fault("witnesses", "bad-signature", key.name, "this witness's signature does not fit")
            elif at is not None:
                good += 1
                self.witnessed_us.append(at * 1_000_000)
                if at * 1_000_000 + SLACK_US < self.latest_us:
                    self.fault("witnesses", "time-inconsistent", key.name, "it signed before what it is said to cover")
        if good < trust.quorum:
            says = f"{good} of {trust.quorum} witnesses that are needed countersigned this checkpoint"
            self.fault("witnesses", "witness-quorum-missing", CHECKPOINT, says)
        elif trust.quorum == 0:
            self.fault(
                "witnesses", "witness-missing", CHECKPOINT, "no witness is needed; others may have seen another log"
            )

    # --- time-stamps

    def _stamps(self, trust: ToldTrust, disclosed: ToldDisclosure | None) -> None:
        digest = self.digests.get(MANIFEST)
        if digest is None:
            return
        roots = [unbase64(one.root) for one in trust.authorities]
        good: set[int] = set()
        unknown = 0
        for name in sorted(one for one in self.names if STAMP.fullmatch(one)):
            token = self._sound("stamps", name)
            if token is None:
                continue
            judged = judge_token(token, digest=bytes.fromhex(digest), roots=roots)
            if judged.standing == Standing.UNTRUSTED:
                self.fault("stamps", "tsa-untrusted", name, judged.says)
            elif judged.standing == Standing.NOT_CHECKABLE:
                unknown += 1
                self.fault("stamps", "tsa-not-checkable", name, judged.says)
            elif judged.root is not None:
                good.add(judged.root)
                self._stamp_time(name, judged, disclosed)
        if len(good) + unknown < trust.stamps:
            says = f"{len(good)} of {trust.stamps} time-stamps that are needed are here"
            self.fault("stamps", "tsa-quorum-missing", "proof", says)
        elif trust.stamps == 0:
            self.fault("stamps", "tsa-missing", "proof", "no time-stamp is needed; when it was made is only stated")

    def _stamp_time(self, name: str, judged: Judged, disclosed: ToldDisclosure | None) -> None:
        at = judged.at_us or 0
        if self.witnessed_us and at + SLACK_US < max(self.witnessed_us):
            self.fault("stamps", "time-inconsistent", name, "it is earlier than the checkpoint that it covers")
        if disclosed is not None:
            made = instant_us(disclosed.made_at)
            if not made - SLACK_US <= at <= made + LATEST_US:
                self.fault("stamps", "time-inconsistent", name, "the disclosure bears another time than its stamp")

    # --- what is disclosed

    def _disclosure(self) -> ToldDisclosure | None:
        data = self._sound("disclosure", DISCLOSED)
        if data is None:
            return None
        told = read_told(data, ToldDisclosure)
        if told.format != DISCLOSURE:
            raise ValueError(f"the format {told.format!r} is not known")
        instant_us(told.made_at)
        paths = [one.path for one in told.clips] + [one.path for one in told.files] + [one.proof for one in told.clips]
        if len(set(paths)) != len(paths) or not all(one.path.startswith("data/files/") for one in told.files):
            raise ValueError("a file is named twice, or lies elsewhere")
        if not all(CLIP.fullmatch(one.path) and one.proof == f"{one.path[:-4]}.proof.json" for one in told.clips):
            raise ValueError("a clip or its proof has another name")
        known = {CHECKPOINT, DISCLOSED, CUSTODY_FILE, *PAGES, *paths}
        for name in sorted(set(self.manifest) - known):
            self.fault("disclosure", "extra-file", name, "the disclosure does not name this file")
        for name in sorted(known - set(self.manifest)):
            self.fault("disclosure", "missing-file", name, "the disclosure names a file that is not here")
        return told

    def _custody(self, told: ToldDisclosure, note: Note) -> list[Opened]:
        data = self._sound("custody", CUSTODY_FILE)
        if data is None:
            return []
        custody = read_told(data, ToldCustody)
        if custody.format != CUSTODY:
            raise ValueError(f"the format {custody.format!r} is not known")
        events = [open_entry(one, note) for one in custody.events]
        self.latest_us = max([self.latest_us, *(one.at_us for one in events)])
        for number, one in enumerate(events):
            if not one.is_good or not one.kind.startswith("custody.") or one.payload.get("exhibit") != one.subject:
                says = one.says or "the entry is no event of custody of this exhibit"
                self.fault("custody", "not-in-log", f"event {number + 1}", says)
        exhibits = {one.exhibit for one in told.clips} | {one.exhibit for one in told.files}
        chains: dict[str, list[Opened]] = {}
        for one in events:
            chains.setdefault(one.subject, []).append(one)
        for exhibit in sorted(exhibits | set(chains)):
            chain = chains.get(exhibit, [])
            if exhibit not in exhibits:
                self.fault("custody", "custody-broken", exhibit, "these events are of something that is not disclosed")
            elif not chain:
                self.fault("custody", "custody-missing", exhibit, "nothing is told of what happened to this exhibit")
            elif not _is_chain(chain):
                self.fault(
                    "custody", "custody-broken", exhibit, "an event is left out, there twice, or in another order"
                )
        return events

    def _clip(self, clip: ToldClip, note: Note) -> None:
        self.items.append(clip.path)
        self.faults += _device_faults(clip.path, clip.device_signature)
        data = self._sound(clip.path, clip.proof)
        if data is None:
            return
        if clip.path not in self.sound:
            self.fault(clip.path, "missing-file", clip.path, "this clip is missing")
            return
        told = read_told(data, ToldRange)
        if told.format != RANGE:
            raise ValueError(f"the format {told.format!r} is not known")
        for segment in told.segments:
            self.latest_us = max(self.latest_us, open_entry(segment.seal, note).at_us)
        with self.files.open(clip.path) as file:
            self.faults += check_clip(file, self.files.size(clip.path), clip=clip, told=told, note=note)

    def _file(self, one: ToldFile, stated: set[tuple[str, str]]) -> None:
        self.items.append(one.path)
        self.faults += _device_faults(one.path, one.device_signature)
        if one.path not in self.sound or self.digests.get(one.path) != one.sha256:
            self.fault(one.path, "hash-mismatch", one.path, "this file is not the one that was booked in")
        if (one.exhibit, one.sha256) not in stated:
            self.fault(one.path, "not-in-log", one.path, "no event of custody states this file")
        if one.derived_from is not None:
            self.fault(one.path, "derivative-not-original", one.path, "this was made from another exhibit")


def _read_manifest(data: bytes) -> dict[str, str]:
    """The digests by path. Raises `ValueError` where lines are not in order, doubled, or of another form.

    Two paths that differ only in case are one file on many disks, so they count as doubled.
    """
    text = data.decode("ascii")
    if not text.endswith("\n"):
        raise ValueError("a manifest ends in a newline")
    listed: dict[str, str] = {}
    last = ""
    for line in text[:-1].split("\n"):
        matched = _LINE.fullmatch(line)
        if matched is None or matched[2] <= last or not {".", ".."}.isdisjoint(matched[2].split("/")):
            raise ValueError("a line of a manifest has another form, or is out of order")
        last = matched[2]
        listed[last] = matched[1]
    if len({name.lower() for name in listed}) != len(listed):
        raise ValueError("two paths of a manifest differ only in case")
    return listed


def _sha256(files: Files, name: str) -> str:
    digest = hashlib.sha256()
    with files.open(name) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _subjects(told: object) -> dict[str, str]:
    if not isinstance(told, list):
        raise ValueError("the statement names nothing")
    found: dict[str, str] = {}
    for one in told:
        name, digest = one["name"], one["digest"]["sha256"]
        if not isinstance(name, str) or not isinstance(digest, str) or name in found or set(one) != {"name", "digest"}:
            raise ValueError("a subject of the statement has another form")
        found[name] = digest
    return found


def _is_chain(chain: list[Opened]) -> bool:
    """Whether events number from one without holes, each naming the one before, later in time and in the log."""
    previous, at, index = "", 0, -1
    for number, one in enumerate(chain):
        told = one.payload.get("number")
        if told is True or told != number + 1 or one.payload.get("previous") != previous:
            return False
        if one.at_us < at or one.index <= index:
            return False
        previous, at, index = one.commitment, one.at_us, one.index
    return True


def _device_faults(item: str, told: ToldDevice | None) -> Iterator[Fault]:
    """What the discloser found in the device's own signature. It is told, and not checked again here."""
    for finding in told.findings if told is not None else ():
        if finding != DeviceFinding.AUTHENTIC:
            says = "so the discloser found when checking the device's own signature"
            yield Fault(item=item, code=str(finding), where=item, says=says, of_device=True)

"""Bundles whose ledger holds odd entries: an operator may put into his own log whatever he likes.

Each is whole in all else: its entry lies in the log, log and witnesses signed the checkpoint, stamps and statement are
anew. So nothing but the check that is meant can give it away.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import making
from mutations import canonical
from targeted import whole

from svidok.base import Span
from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.told import instant_us
from svidok.evidence.bundle.writer import write_bundle
from svidok.ledger.entry import instant_text
from svidok.media.progressive import Arrangement

PROOF, OTHER, CUSTODY, DISCLOSURE = (
    "data/clips/01.proof.json",
    "data/clips/02.proof.json",
    "data/custody.json",
    "data/disclosure.json",
)
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
NOON = making.NOON
Change = Callable[[dict], object]


class Regrown:
    """A court whose log goes on after its bundle was made; bundles by it rest on the log as it is at the end."""

    def __init__(self, court, base: dict[str, bytes]) -> None:
        self.court, self.base = court, base
        self.wanted: list[tuple[str, tuple[object, ...], dict]] = []
        self.several: list[list[tuple[str, tuple[object, ...], dict | None]]] = []

    def entry(self, like: dict, *, leaf: Change | bytes | None = None, payload: Change | bytes | None = None) -> dict:
        """An entry as told, like another, but for what is changed in its payload and its leaf; put into the log."""
        stated = payload if isinstance(payload, bytes) else self._edited(like["payload"], payload)
        salt = hashlib.sha256(stated).digest()
        told = json.loads(like["leaf"]) | {"commitment": hashlib.sha256(salt + stated).hexdigest()}
        if callable(leaf):
            leaf(told)
        written = leaf if isinstance(leaf, bytes) else canonical(told)
        index = self.court.log.append([written])[0]
        return {"leaf": written.decode(), "payload": stated.decode(), "salt": salt.hex(), "index": index}

    def _edited(self, payload: str, change: Change | None) -> bytes:
        told = json.loads(payload)
        if change is not None:
            change(told)
        return canonical(told)

    def ask(self, *places: tuple[str, tuple[object, ...], dict | None]) -> None:
        """One bundle more, with entries put at `places` (file, path in it, entry; none removes)."""
        self.several.append(list(places))

    def bundles(self) -> Iterator[dict[str, bytes]]:
        """All that were asked for."""
        note = self.court.note()
        size = self.court.log.size
        for places in self.several:
            files = {name: json.loads(self.base[name]) for name in (PROOF, OTHER, CUSTODY)}
            for name, path, entry in places:
                at = files[name]
                for step in path[:-1]:
                    at = at[step]
                if entry is None:
                    del at[path[-1]]
                elif path[-1] == "+":
                    at.append(dict(entry))
                else:
                    at[path[-1]] = dict(entry)
            entries = [e for name in (PROOF, OTHER) for s in files[name]["segments"] for e in [s["seal"]]]
            entries += [e for name in (PROOF, OTHER) for e in files[name]["gaps"]] + files[CUSTODY]["events"]
            for entry in entries:
                entry["inclusion"] = [one.hex() for one in self.court.log.inclusion_proof(entry["index"], size)]
            told = {name: canonical(value) for name, value in files.items()}
            yield whole(self.base | told | {"data/checkpoint": note.encode()}, self.court)


def odd(court, base: dict[str, bytes]) -> list[tuple[dict[str, bytes], bytes]]:
    """Each with the trust file it is judged by."""
    grown = Regrown(court, base)
    grown.ask()
    _seals(grown)
    _gaps(grown)
    _custody(grown)
    _leaves(grown)
    return [(files, court.trust_file()) for files in grown.bundles()]


def _put(**fields: object) -> Change:
    return lambda told: told.update(fields)


def _seals(grown: Regrown) -> None:
    segments = json.loads(grown.base[PROOF])["segments"]
    seals = [one["seal"] for one in segments]
    at = [instant_us(json.loads(one["payload"])["start"]) for one in seals]
    last = at[0] + 3_000_000  # when the last picture of the first segment begins

    def us(value: int) -> str:
        return instant_text(making.from_us(value))

    changes: list[tuple[int, dict[str, object]]] = [
        *[(0, {"leaves": value}) for value in (True, "5", 0, -1, 1 << 32, (1 << 32) - 1, 4, 6, None)],
        *[(1, {"leaves": value}) for value in (4, 6)],
        *[(0, {"segment": value}) for value in (5, None, True, "x", str(UUID(int=9)), json.loads(seals[0]["leaf"])["subject"].upper(), [])],
        (0, {"segment": json.loads(seals[0]["leaf"])["subject"] + "\n"}),
        *[(0, {"channel": value}) for value in (str(UUID(int=9)), None, [])],
        *[(0, {"root": json.loads(seals[0]["payload"])["root"].upper()}), (0, {"root": "x" * 64}), (0, {"root": "ab " * 21 + "c"}),
          (0, {"root": None}), (0, {"root": "00" * 32}), (0, {"root": json.loads(seals[0]["payload"])["root"] + "\n"})],
        *[(0, {"start": value}) for value in (None, "x", us(at[0] + 2_000_001), us(at[0] + 2_000_000), us(at[0] + 1), us(at[0] - 1))],
        *[(0, {"start": value}) for value in ("0000-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "2200-01-01T00:00:00.000000Z",
                                              "2026-11-20T24:00:00.000000Z", "2026-11-20T11:59:60.000000Z", "2026-02-30T12:00:00.000000Z")],
        *[(0, {"end": value}) for value in (None, us(last), us(last - 1), us(last + 1), us(at[1] + 1), us(at[1]), us(at[0]))],
        *[(1, {"start": value}) for value in (us(at[0]), us(at[0] - 1), us(at[1] - 1), us(at[1] + 1))],
        *[(1, {"end": value}) for value in (us(at[2] - 1_000_000), us(at[2] - 1_000_001), us(at[2] - 2_000_000), us(at[2] - 2_000_001),
                                            us(at[2] - 4_000_000), us(at[2] - 4_000_001), us(at[2] - 5_000_000))],
        *[(2, {"start": value}) for value in (us(at[2] - 1), us(at[2] - 2_000_000), us(at[2] + 1), us(at[1] + 4_000_000))],
    ]  # fmt: skip
    for number, fields in changes:
        grown.ask((PROOF, ("segments", number, "seal"), grown.entry(seals[number], payload=_put(**fields))))
        if number == 1 and "end" in fields:  # and without the gap that explains it
            entry = grown.entry(seals[number], payload=_put(**fields))
            grown.ask((PROOF, ("segments", number, "seal"), entry), (PROOF, ("gaps", 0), None))
    grown.ask((PROOF, ("segments", 0, "seal"), grown.entry(seals[0], leaf=_put(kind="segment.other"))))
    grown.ask((PROOF, ("segments", 1, "seal"), grown.entry(seals[1], leaf=_put(subject=str(UUID(int=9))))))
    both = json.loads(seals[0]["leaf"])["subject"]
    twin = grown.entry(seals[1], leaf=_put(subject=both), payload=_put(segment=both))
    grown.ask((PROOF, ("segments", 1, "seal"), twin))
    for number in (0, 1):
        late = grown.entry(
            seals[number],
            leaf=_put(at=instant_text(grown.court.at.replace(microsecond=0) + 300 * SECOND + number * TICK)),
        )
        grown.ask((PROOF, ("segments", number, "seal"), late))
    for where in (301 * SECOND, 9 * 365 * 86400 * SECOND):
        late = grown.entry(seals[0], leaf=_put(at=instant_text(grown.court.at + where)))
        grown.ask((PROOF, ("segments", 0, "seal"), late))


def _gaps(grown: Regrown) -> None:
    (gap,) = json.loads(grown.base[PROOF])["gaps"]
    begin, end = NOON + 8 * SECOND, NOON + 11 * SECOND

    def spanning(start: datetime | None, stop: datetime | None, **more: object) -> dict:
        fields = {"start": start and instant_text(start), "end": stop and instant_text(stop), **more}
        return grown.entry(gap, payload=_put(**fields))

    for start, stop in (
        (begin + SECOND, end), (begin + SECOND + TICK, end), (begin, end - SECOND), (begin, end - SECOND - TICK),
        (begin - 9 * SECOND, end + 9 * SECOND), (begin, None), (None, end), (begin, begin), (end, begin),
        (begin - 9 * SECOND, begin - 8 * SECOND),
    ):  # fmt: skip
        grown.ask((PROOF, ("gaps", 0), spanning(start, stop)))
    for more in ({"reason": "unknown"}, {"reason": None}, {"channel": str(UUID(int=9))}, {"channel": None}):
        grown.ask((PROOF, ("gaps", 0), spanning(begin, end, **more)))
        grown.ask((PROOF, ("gaps", 0), spanning(begin, None, **more)))
    for kind in ("gap.opened", "gap.other", "segment.sealed"):
        grown.ask((PROOF, ("gaps", 0), grown.entry(gap, leaf=_put(kind=kind))))
        grown.ask((PROOF, ("gaps", "+"), grown.entry(gap, leaf=_put(kind=kind))))
    for pause in (SECOND, SECOND + TICK, -SECOND):
        middle = begin + 1.2 * SECOND
        first, second = spanning(begin, middle), spanning(middle + pause, end)
        grown.ask((PROOF, ("gaps", 0), first), (PROOF, ("gaps", "+"), second))
        grown.ask((PROOF, ("gaps", 0), second), (PROOF, ("gaps", "+"), first))
    inner = spanning(begin + SECOND, begin + 1.5 * SECOND)
    grown.ask((PROOF, ("gaps", 0), spanning(begin, end)), (PROOF, ("gaps", "+"), inner))
    grown.ask((PROOF, ("gaps", "+"), {**spanning(begin, end), "salt": "00" * 32}))


def _custody(grown: Regrown) -> None:
    events = json.loads(grown.base[CUSTODY])["events"]
    chained = [n for n, one in enumerate(events) if json.loads(one["payload"])["number"] == 2]
    stating = [n for n, one in enumerate(events) if "sha256" in json.loads(one["payload"])]
    (second,), (paper,) = chained, stating
    first = json.loads(events[second - 1]["leaf"])["at"]
    for fields in (
        {"number": True}, {"number": "1"}, {"number": 0}, {"number": 2}, {"number": None}, {"previous": "x"}, {"previous": None},
        {"previous": []}, {"exhibit": str(UUID(int=9))}, {"exhibit": []}, {"exhibit": None},
    ):  # fmt: skip
        grown.ask((CUSTODY, ("events", second - 1), grown.entry(events[second - 1], payload=_put(**fields))))
    for fields in ({"number": 1}, {"number": 3}, {"number": "2"}, {"previous": ""}):
        grown.ask((CUSTODY, ("events", second), grown.entry(events[second], payload=_put(**fields))))
    for at in (first, instant_text(datetime.fromisoformat(first) - TICK)):
        grown.ask((CUSTODY, ("events", second), grown.entry(events[second], leaf=_put(at=at))))
    grown.ask((CUSTODY, ("events", second - 1), grown.entry(events[second - 1])))
    for value in (["x"], None, 5, "00" * 32, {"sha256": "x"}):
        grown.ask((CUSTODY, ("events", paper), grown.entry(events[paper], payload=_put(sha256=value))))
    for kind in ("custody", "xcustody.booked", "custody.", "audit.access"):
        grown.ask((CUSTODY, ("events", paper), grown.entry(events[paper], leaf=_put(kind=kind))))
    stranger = str(UUID(int=9))
    grown.ask(
        (
            CUSTODY,
            ("events", "+"),
            grown.entry(events[paper], leaf=_put(subject=stranger), payload=_put(exhibit=stranger)),
        )
    )
    grown.ask((CUSTODY, ("events", paper), {**grown.entry(events[paper]), "salt": "00" * 32}))
    for stop in (299, 300, 301):
        late = instant_text(grown.court.at.replace(microsecond=0) + stop * SECOND)
        grown.ask((CUSTODY, ("events", paper), grown.entry(events[paper], leaf=_put(at=late))))


def _leaves(grown: Regrown) -> None:
    paper = json.loads(grown.base[CUSTODY])["events"][-1]
    usual = json.loads(paper["leaf"])
    for fields in (
        {"v": True}, {"v": 2}, {"v": "1"}, {"v": None}, {"kind": 5}, {"kind": None}, {"subject": "x"}, {"subject": 5},
        {"subject": usual["subject"].upper()}, {"subject": usual["subject"] + "\n"}, {"id": "x"}, {"id": 5}, {"at": "x"}, {"at": 5},
        {"commitment": "x"}, {"commitment": 5}, {"more": 1}, {"at": "2026-11-20T12:00:00Z"}, {"id": usual["id"].upper()},
    ):  # fmt: skip
        grown.ask((CUSTODY, ("events", -1), grown.entry(paper, leaf=_put(**fields))))
    for leaf in (
        b"[]",
        b"5",
        b'"x"',
        b"{}",
        b"",
        b"{",
        canonical(usual) + b" ",
        b"\xef\xbb\xbf" + canonical(usual),
        b'{"a":1,"a":1}',
    ):
        grown.ask((CUSTODY, ("events", -1), grown.entry(paper, leaf=leaf)))
    grown.ask((CUSTODY, ("events", -1), grown.entry(paper, leaf=lambda told: told.pop("id"))))
    deep = b'{"a":' * 31 + b"{}" + b"}" * 31
    for payload in (
        b"[]", b"5", b"null", b"{}", b'{"a":1.0}', b'{"a":1e3}', b'{"a":-0}', b'{"a":9007199254740992}', b'{"a":9007199254740991}',
        b'{"a":-9007199254740991}', b'{"a":NaN}', b'{"a":"\\u0041"}', b'{"a":"\\ud800"}', b'{"a":"\\/"}', b'{"b":1,"a":1}',
        b'{"a":1, "b":1}', b'{"a":1,"a":1}', '{"\uffff":1,"\U00010000":1}'.encode(), '{"\U00010000":1,"\uffff":1}'.encode(),
        b'{"__proto__":1}', b'{"10":1,"9":1}', b'{"9":1,"10":1}', b'{"a":"\x7f"}', b'{"a":"\\u001f"}', b'{"a":"\\u001F"}', b'{"a":"\\b"}',
        '{"a":"\u2028"}'.encode(), b'{"a":' + b"9" * 5000 + b"}", deep, b'{"a":' + deep + b"}", b'{"a":' * 3000 + b"1" + b"}" * 3000,
        '{"a":"\ud7ff\ue000"}'.encode(), '{"e\u0301":1,"\u00e9":1}'.encode(),
    ):  # fmt: skip
        grown.ask((CUSTODY, ("events", -1), grown.entry(paper, payload=payload)))


def taught(court, base: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """What verifiers once said differently, or wrongly, of; by name."""
    grown, names = Regrown(court, base), []
    proof, events = json.loads(base[PROOF]), json.loads(base[CUSTODY])["events"]
    seal, gap, paper = proof["segments"][0]["seal"], proof["gaps"][0], events[-1]
    first = (CUSTODY, ("events", 0))

    def ask(name: str, place: tuple[str, tuple[object, ...]], entry: dict) -> None:
        names.append(name)
        grown.ask((*place, entry))

    ask("an event whose number is true", first, grown.entry(events[0], payload=_put(number=True)))
    ask("an event whose number is text", first, grown.entry(events[0], payload=_put(number="1")))
    ask("an event whose digest is a list", (CUSTODY, ("events", -1)), grown.entry(paper, payload=_put(sha256=["x"])))
    ask("an entry whose version is true", (CUSTODY, ("events", -1)), grown.entry(paper, leaf=_put(v=True)))
    ask(
        "an entry deeper than 32",
        (CUSTODY, ("events", -1)),
        grown.entry(paper, payload=b'{"a":' * 40 + b"1" + b"}" * 40),
    )
    ask("a salt with a newline", (CUSTODY, ("events", -1)), _with(grown.entry(paper), salt=lambda text: text + "\n"))
    ask(
        "a seal of a segment without id",
        (PROOF, ("segments", 0, "seal")),
        grown.entry(seal, payload=_put(segment=None)),
    )
    root = json.loads(seal["payload"])["root"]
    ask(
        "a seal whose root has spaces",
        (PROOF, ("segments", 0, "seal")),
        grown.entry(seal, payload=_put(root=root[:62] + "  ")),
    )
    ask(
        "a seal of the year 0",
        (PROOF, ("segments", 0, "seal")),
        grown.entry(seal, payload=_put(start="0000-01-01T00:00:00.000000Z")),
    )
    ask("a hole that only an opened gap explains", (PROOF, ("gaps", 0)), grown.entry(gap, leaf=_put(kind="gap.opened")))
    ask("a gap without an end", (PROOF, ("gaps", 0)), grown.entry(gap, payload=_put(end=None)))
    return dict(zip(names, grown.bundles(), strict=True))


def _with(entry: dict, **changes: Callable[[str], str]) -> dict:
    return entry | {name: change(entry[name]) for name, change in changes.items()}


def ranged(court, folder, clip) -> list[tuple[dict[str, bytes], bytes]]:
    """Bundles of one range each, whose two ends lie just within and just beyond what is unbroken footage."""
    channel, found = court.new_id(), []
    court.record(clip, channel, NOON, first=0, count=4)
    seam, whole_second = timedelta(milliseconds=50), SECOND
    spans = [
        (NOON, NOON + 4 * SECOND), (NOON - whole_second, NOON + 4 * SECOND), (NOON - whole_second - TICK, NOON + 4 * SECOND),
        (NOON, NOON + 5 * SECOND), (NOON, NOON + 5 * SECOND + TICK), (NOON, NOON + 3 * SECOND), (NOON + SECOND, NOON + 3 * SECOND),
        (NOON + SECOND - TICK, NOON + 3 * SECOND + TICK),
    ]  # fmt: skip
    spans += [(NOON - 9 * SECOND, NOON + 9 * SECOND)]
    for number, (start, end) in enumerate(spans):
        files = _of_range(court, folder / f"range-{number}", channel, Span(start, end))
        found.append(files)
    cut = _of_range(court, folder / "cut", channel, Span(NOON + SECOND, NOON + 3 * SECOND))
    for start, end in (
        (NOON + SECOND - seam, NOON + 3 * SECOND), (NOON + SECOND - seam - TICK, NOON + 3 * SECOND),
        (NOON + SECOND, NOON + 3 * SECOND + seam), (NOON + SECOND, NOON + 3 * SECOND + seam + TICK),
        (NOON + 2 * SECOND, NOON + 3 * SECOND), (NOON + 2 * SECOND - TICK, NOON + 3 * SECOND),
        (NOON + 2 * SECOND, NOON + 2 * SECOND), (NOON + SECOND, NOON + 2 * SECOND), (NOON + SECOND, NOON + 2 * SECOND + TICK), (NOON - 9 * SECOND, NOON - 8 * SECOND),
        (datetime(2199, 1, 1, tzinfo=NOON.tzinfo), datetime(2199, 12, 31, tzinfo=NOON.tzinfo)),
    ):  # fmt: skip
        found.append(_moved(cut, court, start, end))
    back = court.new_id()
    court.record(clip, back, NOON, first=0, count=4, changed=_later_first)
    whole_span = _of_range(court, folder / "back", back, Span(NOON, NOON + 9 * SECOND))
    for end in (NOON + 5 * SECOND, NOON + 5 * SECOND + TICK, NOON + 4 * SECOND):
        found.append(_moved(whole_span, court, NOON, end))
    return [(files, court.trust_file()) for files in found]


def _later_first(data: bytes) -> bytes:
    """A segment whose first fragment says that it was taken five seconds later: its clock goes back."""
    at = data.index(b"prft") + 12
    return data[:at] + (int.from_bytes(data[at : at + 4], "big") + 5).to_bytes(4, "big") + data[at + 4 :]


def _of_range(court, folder, channel: UUID, span: Span) -> dict[str, bytes]:
    exhibit = court.new_id()
    court.custody(exhibit, "booked", NOON + 60 * SECOND)
    item = m.RangeItem(exhibit=exhibit, number="E-1", title="", channel=channel, span=span, device=m.Device(name="x"))
    disclosure = m.Disclosure(
        id=court.new_id(), case=m.CaseFacts(id=court.new_id(), number="1", title="", legal_basis="", subjects="", unit=""),
        made_at=court.at, made_by=m.Party(name="a"), given_to=m.Party(name="b"), legal_basis="", ranges=(item,),
        custody=tuple(court.chains[exhibit]),
    )  # fmt: skip
    write_bundle(folder, disclosure, court.means(court.note()))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _moved(files: dict[str, bytes], court, start: datetime, end: datetime) -> dict[str, bytes]:
    """The clip said to be of another range, with the header that belongs to that."""
    told, disclosed = json.loads(files[PROOF]), json.loads(files[DISCLOSURE])
    clip, media = files["data/clips/01.mp4"], sum(f["size"] for s in told["segments"] for f in s["fragments"])
    for one in (told, disclosed["clips"][0]):
        one.update({"from": instant_text(start), "to": instant_text(end)})
    arrangement = Arrangement()
    for segment in told["segments"]:
        arrangement.begin(base64.b64decode(segment["init"]), "")
        for fragment in segment["fragments"]:
            arrangement.add(base64.b64decode(fragment["head"]), fragment["size"])
    header = arrangement.header(start_us=instant_us(told["from"]), end_us=instant_us(told["to"]))
    changed = {PROOF: canonical(told), DISCLOSURE: canonical(disclosed), "data/clips/01.mp4": header + clip[-media:]}
    return whole(files | changed, court)

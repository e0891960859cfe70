"""Changed bundles from a seed: every class of byte, files and fragments removed, doubled, moved, manifests made anew."""

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from svidok.evidence.bundle.signing import PREDICATE_TYPE, STATEMENT_TYPE, write_envelope
from svidok.ledger.cosigning import Key

TAG_MANIFEST = "tagmanifest-sha256.txt"


@dataclass
class Changed:
    """What was done to a bundle: files set anew and files removed."""

    kind: str
    what: str
    set: dict[str, bytes] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)

    def apply(self, files: dict[str, bytes]) -> dict[str, bytes]:
        return {name: data for name, data in {**files, **self.set}.items() if name not in self.remove}

    def told(self, base: str, trust: str | None) -> str:
        """As the verifiers' batch modes read it."""
        changed = {name: base64.b64encode(data).decode() for name, data in self.set.items()}
        return json.dumps({"base": base, "trust": trust, "set": changed, "remove": self.remove})


def canonical(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def manifest(files: dict[str, bytes], names) -> bytes:
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(names)).encode()


def remade(files: dict[str, bytes]) -> dict[str, bytes]:
    """Both manifests made anew, as anybody can."""
    files = dict(files)
    files["manifest-sha256.txt"] = manifest(files, [n for n in files if n.startswith("data/")])
    files[TAG_MANIFEST] = manifest(files, [n for n in files if not n.startswith("data/") and n != TAG_MANIFEST])
    return files


def resigned(files: dict[str, bytes], court) -> dict[str, bytes]:
    """Manifests and statement made anew with the discloser's own key, as an operator can."""
    files = remade(files)
    subjects = [
        {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}} for name, data in sorted(files.items())
        if not name.startswith("data/") and name not in (TAG_MANIFEST, "proof/statement.json")
    ]  # fmt: skip
    statement = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": {}}
    files["proof/statement.json"] = write_envelope(statement, key=Key.parse(court.trust.signer), sign=court.signer.sign)
    return remade(files)


class Mutator:
    """Changes one bundle in ways that never leave it as it was."""

    def __init__(self, files: dict[str, bytes], other: dict[str, bytes], court, seed: int) -> None:
        self.files, self.other, self.court, self.dice = files, other, court, random.Random(seed)
        self.names = sorted(files)
        self.kinds = [self.flip, self.flip_remade, self.cut, self.drop, self.double, self.swap, self.foreign,
                      self.fragments, self.proofs, self.custody, self.backdate, self.operator, self.lines]  # fmt: skip

    def make(self, count: int) -> Iterator[Changed]:
        number = 0
        while number < count:
            one = self.kinds[number % len(self.kinds)]()
            if one is not None and one.apply(self.files) != self.files:
                yield one
                number += 1
            else:
                self.kinds.append(self.kinds.pop(0))

    def _changed(self, kind: str, what: str, files: dict[str, bytes]) -> Changed:
        set_ = {name: data for name, data in files.items() if self.files.get(name) != data}
        return Changed(kind, what, set_, [name for name in self.files if name not in files])

    def _flipped(self, data: bytes) -> bytes:
        at = self.dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ (1 << self.dice.randrange(8))]) + data[at + 1 :]

    def flip(self) -> Changed:
        name = self.dice.choice(self.names)
        return Changed("flip", name, {name: self._flipped(self.files[name])})

    def flip_remade(self) -> Changed:
        name = self.dice.choice([n for n in self.names if "manifest" not in n])
        return self._changed("flip-remade", name, remade(self.files | {name: self._flipped(self.files[name])}))

    def cut(self) -> Changed:
        name = self.dice.choice(self.names)
        data = self.files[name]
        at = self.dice.randrange(len(data))
        cut = data[:at] if self.dice.random() < 0.5 else data + bytes(self.dice.randrange(1, 9))
        return self._changed(
            "cut", name, remade(self.files | {name: cut}) if self.dice.random() < 0.5 else self.files | {name: cut}
        )

    def drop(self) -> Changed:
        name = self.dice.choice(self.names)
        left = {key: value for key, value in self.files.items() if key != name}
        again = self.dice.random() < 0.5 and "manifest" not in name
        return self._changed("drop", name, remade(left) if again else left)

    def double(self) -> Changed:
        name = self.dice.choice(self.names)
        copy = self.dice.choice(
            [f"{name}.copy", f"data/{self.dice.randrange(10**6)}", f"extra-{self.dice.randrange(10**6)}"]
        )
        grown = self.files | {copy: self.files[name]}
        return self._changed("double", copy, remade(grown) if self.dice.random() < 0.5 else grown)

    def swap(self) -> Changed:
        a, b = self.dice.sample(self.names, 2)
        grown = self.files | {a: self.files[b], b: self.files[a]}
        return self._changed("swap", f"{a} {b}", grown)

    def foreign(self) -> Changed:
        """Files of another case of another court."""
        some = self.dice.sample([n for n in self.names if n in self.other], self.dice.randrange(1, 4))
        taken = self.files | {name: self.other[name] for name in some}
        return self._changed("foreign", " ".join(some), remade(taken) if self.dice.random() < 0.6 else taken)

    def _range(self) -> tuple[str, str, dict]:
        clip = self.dice.choice([n for n in self.names if n.endswith(".mp4")])
        proof = clip.replace(".mp4", ".proof.json")
        return clip, proof, json.loads(self.files[proof])

    def _resealed(self, kind: str, what: str, files: dict[str, bytes]) -> Changed | None:
        if files == self.files:
            return None  # signing the same anew is an operator's right
        how = self.dice.choice([lambda x: x, remade, lambda x: resigned(x, self.court)])
        return self._changed(kind, what, how(files))

    def fragments(self) -> Changed | None:
        """Media of fragments moved, doubled, removed or exchanged within the clip, the proof following or not."""
        clip, proof, told = self._range()
        media = self.files[clip]
        sizes = [f["size"] for s in told["segments"] for f in s["fragments"]]
        header = len(media) - sum(sizes)
        parts, at = [], header
        for size in sizes:
            parts.append(media[at : at + size])
            at += size
        how = self.dice.choice(["swap", "double", "drop", "zero"])
        n = self.dice.randrange(len(parts))
        m = self.dice.randrange(len(parts))
        if how == "swap":
            parts[n], parts[m] = parts[m], parts[n]
        elif how == "double":
            parts.insert(m, parts[n])
        elif how == "drop":
            del parts[n]
        else:
            parts[n] = bytes(len(parts[n]))
        segment = self.dice.choice(told["segments"])
        if how == "drop" and self.dice.random() < 0.5 and len(segment["fragments"]) > 1:
            del segment["fragments"][self.dice.randrange(len(segment["fragments"]))]
        return self._resealed(
            f"fragments-{how}", clip, self.files | {clip: media[:header] + b"".join(parts), proof: canonical(told)}
        )

    def proofs(self) -> Changed | None:
        """What a proof says of segments, paths, gaps and range, changed."""
        _, proof, told = self._range()
        how = self.dice.choice(
            [
                "drop-segment",
                "swap-segments",
                "double-segment",
                "path",
                "gap",
                "to",
                "from",
                "leaf",
                "index",
                "head",
                "size",
                "salt",
            ]
        )
        segments = told["segments"]
        one = self.dice.choice(segments)
        fragment = self.dice.choice(one["fragments"])
        if how == "drop-segment":
            segments.remove(one)
        elif how == "swap-segments":
            segments.reverse()
        elif how == "double-segment":
            segments.append(one)
        elif how == "path":
            path = self.dice.choice([fragment["path"], one["init_path"], one["seal"]["inclusion"]])
            (path.pop if path and self.dice.random() < 0.5 else lambda: path.append("00" * 32))()
        elif how == "gap":
            told["gaps"] = []
        elif how in ("to", "from"):
            told[how] = told[how][:17] + f"{self.dice.randrange(60):02}" + told[how][19:]
        elif how == "leaf":
            fragment["leaf"] += self.dice.choice([-1, 1, 100])
        elif how == "index":
            one["seal"]["index"] = max(0, one["seal"]["index"] + self.dice.choice([-1, 1, 1000]))
        elif how == "head":
            fragment["head"] = base64.b64encode(self._flipped(base64.b64decode(fragment["head"]))).decode()
        elif how == "size":
            fragment["size"] += self.dice.choice([-1, 1])
        else:
            one["seal"]["salt"] = "00" * 32
        return self._resealed(f"proof-{how}", proof, self.files | {proof: canonical(told)})

    def custody(self) -> Changed | None:
        """Events left out, doubled, moved or told otherwise."""
        told = json.loads(self.files["data/custody.json"])
        events = told["events"]
        how = self.dice.choice(["drop", "double", "swap", "payload", "leaf", "none"])
        n = self.dice.randrange(len(events))
        if how == "drop":
            del events[n]
        elif how == "double":
            events.append(events[n])
        elif how == "swap":
            events.reverse()
        elif how == "none":
            events.clear()
        else:
            events[n][how] = events[n][how].replace("2026", "2025").replace("Коваль", "Мельник")
        return self._resealed(
            f"custody-{how}", "data/custody.json", self.files | {"data/custody.json": canonical(told)}
        )

    def backdate(self) -> Changed | None:
        """Another time for the disclosure, or for what witnesses and log say."""
        told = json.loads(self.files["data/disclosure.json"])
        how = self.dice.choice(["made_at", "note", "party", "clips"])
        if how == "made_at":
            told["made_at"] = f"20{self.dice.randrange(10, 26)}-01-01T00:00:00.000000Z"
        elif how == "clips":
            del told["clips"][self.dice.randrange(len(told["clips"]))]
        elif how == "party":
            told["given_to"]["name"] = "Хтось інший"
        else:
            told["note"] = f"додано {self.dice.random()}"
        return self._resealed(
            f"backdate-{how}", "data/disclosure.json", self.files | {"data/disclosure.json": canonical(told)}
        )

    def operator(self) -> Changed:
        """An operator with his own keys: checkpoint without witnesses, other roots, stamps left out, trust exchanged."""
        how = self.dice.choice(
            ["no-witness", "other-root", "no-stamp", "swap-stamps", "trust", "statement", "other-note"]
        )
        files = dict(self.files)
        note = files["data/checkpoint"].decode()
        if how == "no-witness":
            keep = self.dice.randrange(0, 2)
            files["data/checkpoint"] = ("\n".join(note.split("\n")[: 5 + keep]) + "\n").encode()
        elif how == "other-root":
            root = base64.b64encode(self.dice.randbytes(32)).decode()
            text = note.split("\n")
            text[2] = root
            files["data/checkpoint"] = "\n".join(text).encode()
        elif how == "no-stamp":
            del files[f"proof/stamp-{self.dice.randrange(1, 3)}.tst"]
        elif how == "swap-stamps":
            files["proof/stamp-1.tst"] = files["proof/stamp-2.tst"]
        elif how == "trust":
            files["proof/trust.json"] = self.other["proof/trust.json"]
            files["data/checkpoint"] = self.other["data/checkpoint"]
        elif how == "statement":
            files["proof/statement.json"] = self.other["proof/statement.json"]
            return self._changed("operator-statement", "", remade(files))
        else:
            files["data/checkpoint"] = self.other["data/checkpoint"]
        return self._changed(f"operator-{how}", "", resigned(files, self.court))

    def lines(self) -> Changed:
        """Lines of manifests moved, doubled or left out."""
        name = self.dice.choice(["manifest-sha256.txt", TAG_MANIFEST])
        lines = self.files[name].decode().split("\n")[:-1]
        how = self.dice.choice(["reverse", "double", "drop", "case"])
        n = self.dice.randrange(len(lines))
        if how == "reverse":
            lines.reverse()
        elif how == "double":
            lines.insert(n, lines[n])
        elif how == "drop":
            del lines[n]
        else:
            lines[n] = lines[n].upper()
        return Changed(f"lines-{how}", name, {name: ("\n".join(lines) + "\n").encode()})

"""Bundles that are wrong in one thing alone, signed and stamped anew so that nothing else can give them away."""

import base64
import hashlib
import json
from dataclasses import replace

import making
from mutations import canonical, manifest, remade, resigned

from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.signing import PREDICATE_TYPE, STATEMENT_TYPE, write_envelope
from svidok.evidence.bundle.stamping import stamp_all
from svidok.evidence.bundle.writer import told_trust
from svidok.ledger.cosigning import Cosigner, Key


def whole(files: dict[str, bytes], court) -> dict[str, bytes]:
    """Manifests, stamps and statement made anew: as if the discloser had made the bundle so."""
    files = dict(files)
    files["manifest-sha256.txt"] = manifest(files, [n for n in files if n.startswith("data/")])
    for number, stamp in enumerate(stamp_all(court.stampers, files["manifest-sha256.txt"]), 1):
        files[f"proof/stamp-{number}.tst"] = stamp.token
    return resigned(files, court)


def edited(files: dict[str, bytes], name: str, edit) -> dict[str, bytes]:
    told = json.loads(files[name])
    edit(told)
    return files | {name: canonical(told)}


def targeted(court, base: dict[str, bytes], partial) -> list[tuple[dict[str, bytes], bytes | None]]:
    """Each with the trust file it is judged by."""
    trust = court.trust_file()
    found: list[tuple[dict[str, bytes], bytes | None]] = [(whole(base, court), trust)]
    found += [(whole(one, court), trust) for one in _told_otherwise(base)]
    found += [(whole(one, court), trust) for one in _checkpoints(court, base)]
    found += [(base, one) for one in _trusts(court)]
    found += _notaries(court, base)
    found += _statements(court, base, trust)
    found += _bags(base, trust)
    return found


def _told_otherwise(base: dict[str, bytes]) -> list[dict[str, bytes]]:
    proof, disclosure, custody = "data/clips/01.proof.json", "data/disclosure.json", "data/custody.json"

    def set_(name, *path, value):
        def edit(told):
            for step in path[:-1]:
                told = told[step]
            told[path[-1]] = value(told[path[-1]]) if callable(value) else value

        return edited(base, name, edit)

    def renamed(changes: dict[str, str]) -> dict[str, bytes]:
        """Files of other names, which the disclosure and the proof name too."""
        files = {changes.get(name, name): data for name, data in base.items()}
        for name in (disclosure, changes.get(proof, proof)):
            for old, new in changes.items():
                files[name] = files[name].replace(f'"{old}"'.encode(), f'"{new}"'.encode())
        return files

    both = edited(base, proof, lambda told: told.update({"to": told["from"]}))
    moved = edited(base, proof, lambda told: told.update({"to": "2026-11-20T12:00:20.000000Z"}))
    late = edited(base, proof, lambda told: told.update({"from": "2026-11-20T12:00:05.000000Z"}))
    paper = next(name for name in base if name.startswith("data/files/"))
    return [
        renamed({proof: "data/clips/01.json"}), renamed({proof: "data/clips/07.mp4"}), renamed({proof: "data/01.proof.json"}),
        renamed({proof: "data/clips/1.proof.json", "data/clips/01.mp4": "data/clips/1.mp4"}), renamed({paper: "data/paper.txt"}),
        renamed({proof: "data/clips/0123.proof.json", "data/clips/01.mp4": "data/clips/0123.mp4"}),
        renamed({paper: "data/clips/09.mp4"}), renamed({paper: "data/files/01/FILE"}), renamed({paper: "data/files/./x"}),
        base | {paper.upper().replace("DATA/FILES", "data/files"): b"x"},
        set_(proof, "format", value="svidok-range/2"), set_(proof, "clip", value="data/clips/02.mp4"),
        set_(proof, "channel", value="0" * 8 + "-0000-4000-8000-" + "0" * 12), set_(proof, "gaps", value=[]),
        set_(proof, "segments", value=[]), set_(proof, "segments", value=lambda v: v[::-1]),
        set_(proof, "segments", value=lambda v: v[:1] + v[2:]), set_(proof, "segments", value=lambda v: v[:1] + v),
        set_(proof, "segments", value=lambda v: v[:2]), set_(proof, "segments", value=lambda v: v[1:]),
        set_(proof, "segments", 1, "fragments", value=lambda v: v[1:]),
        set_(proof, "segments", 1, "fragments", value=lambda v: v[:-1]),
        set_(proof, "segments", 1, "fragments", value=[]),
        set_(proof, "segments", 0, "seal", "index", value=lambda v: v + 1),
        set_(proof, "segments", 0, "seal", "salt", value="00" * 32),
        set_(proof, "segments", 0, "init", value=lambda v: base64.b64encode(base64.b64decode(v)[:-1] + b"x").decode()),
        set_(proof, "segments", 0, "init_path", value=lambda v: v[:-1]),
        set_(proof, "segments", 0, "fragments", 0, "head", value=lambda v: base64.b64encode(b"x" * 60).decode()),
        set_(proof, "segments", 0, "fragments", 0, "leaf", value=0),
        both, moved, late,
        edited(moved, disclosure, lambda told: told["clips"][0].update({"to": "2026-11-20T12:00:20.000000Z"})),
        edited(late, disclosure, lambda told: told["clips"][0].update({"from": "2026-11-20T12:00:05.000000Z"})),
        set_(disclosure, "format", value="x"), set_(disclosure, "made_at", value="2020-01-01T00:00:00.000000Z"),
        set_(disclosure, "made_at", value="2030-01-01T00:00:00.000000Z"), set_(disclosure, "made_at", value="x"),
        set_(disclosure, "clips", value=lambda v: v[:1]), set_(disclosure, "clips", value=lambda v: v + v[:1]),
        set_(disclosure, "files", value=[]), set_(disclosure, "files", 0, "sha256", value="00" * 32),
        set_(disclosure, "clips", 0, "path", value="data/clips/1.mp4"), set_(disclosure, "files", 0, "exhibit",
             value=lambda v: v[:-1] + ("0" if v[-1] != "0" else "1")),
        set_(disclosure, "clips", 0, "proof", value="data/clips/02.proof.json"),
        set_(custody, "format", value="x"), set_(custody, "events", value=[]),
        set_(custody, "events", value=lambda v: v[1:]), set_(custody, "events", value=lambda v: v[:1] + v[2:]),
        set_(custody, "events", value=lambda v: v[:-1]), set_(custody, "events", value=lambda v: [v[1], v[0], *v[2:]]),
        set_(custody, "events", value=lambda v: v + v[-1:]),
        set_(custody, "events", value=lambda v: [*v, json.loads(base[proof])["segments"][0]["seal"]]),
        set_(custody, "events", 0, "index", value=lambda v: v + 1), set_(custody, "events", 0, "salt", value="11" * 32),
        set_(custody, "events", 0, "payload", value="[]"), set_(custody, "events", 0, "leaf", value="{}"),
        base | {"data/more.txt": b"x"}, {k: v for k, v in base.items() if k != "data/page-one.pdf"},
        base | {"data/files/01/" + next(k for k in base if k.startswith("data/files/01/")).rpartition("/")[2]: b"other"},
        base | {"data/clips/01.mp4": base["data/clips/01.mp4"][:-7]},
        base | {"data/clips/01.mp4": base["data/clips/01.mp4"] + b"\0"},
        base | {"data/clips/01.mp4": base["data/clips/02.mp4"]}, base | {"data/clips/01.mp4": b""},
    ]  # fmt: skip


def _checkpoints(court, base: dict[str, bytes]) -> list[dict[str, bytes]]:
    note = base["data/checkpoint"].decode()
    text = note.partition("\n\n")[0] + "\n"
    own = note.partition("\n\n")[2].split("\n")[0] + "\n"
    at = int(court.at.timestamp())
    lines = [one.line(text.encode(), at) for one in court.witnesses]
    stranger = Cosigner(court.witnesses[0].key.name, making.SeedSigner("a stranger"))
    wrong = court.witnesses[0].line(b"x\n1\n" + b"\n", at)

    def with_(*some: str, head: str = text, first: str = own) -> dict[str, bytes]:
        return base | {"data/checkpoint": (head + "\n" + first + "".join(some)).encode()}

    early = [one.line(text.encode(), 1_700_000_000) for one in court.witnesses]
    late = [one.line(text.encode(), at + 4000) for one in court.witnesses]
    return [
        with_(*lines[:1]), with_(*lines[:2]), with_(), with_(lines[0], lines[0]), with_(wrong, *lines[1:]), with_(*early),
        with_(*late), with_(stranger.line(text.encode(), at), *lines), with_(*lines, first=""), with_(*lines, first=own + own),
        with_(*lines, head=text.replace(court.origin, "else.test/log")), with_(*lines, head=text + "extra\n"),
        with_(*lines, head=text.replace("\n3", "\n03", 1)), with_("— x\n"), with_("x\n"), base | {"data/checkpoint": text.encode()},
        base | {"data/checkpoint": note.encode()[:-1]}, base | {"data/checkpoint": b"\xff" + note.encode()},
        with_(*lines, first=own[:-10] + "AAAAAAAA=\n"), with_(*lines, first=lines[0]),
        base | {"data/checkpoint": note.encode()[:-1] + b"x"}, with_(*lines, "— x AB==\n"), with_(*lines, "— x AA==\n"),
        with_(*lines, "—  AA==\n"), with_(*lines, "— x \n"), with_(*lines, "— x AA== \n"), with_(*lines, "- x AA==\n"),
        with_(*lines, "— x AA==\r\n"), with_(*lines, "\n"), with_(*lines, lines[0][:-1] + " \n"),
        with_(*lines, first=own + own.replace("A", "B", 1)), with_(lines[0].replace("A", "B", 1), *lines),
        *[with_(*lines, head=_resized(text, size)) for size in ("9007199254740991", "9007199254740992", "-1", "+5", "", "0", "٣", "1" * 5000)],
        *[with_(*lines, head=_rerooted(text, size)) for size in (0, 31, 33)], with_(*lines, head="\n" + text), with_(*lines, head=text[:-1]),
        with_(*lines, head="\n".join(["", *text.split("\n")[1:]])), with_(*lines, head=text.replace("\n", " \n", 1)),
        *[with_(*[one.line(text.encode(), when) for one in court.witnesses])
          for when in (0, at - 301, (1 << 40) - 1, 1 << 40, (1 << 64) - 1)],
    ]  # fmt: skip


def _resized(text: str, size: str) -> str:
    return "\n".join([text.split("\n")[0], size, *text.split("\n")[2:]])


def _rerooted(text: str, size: int) -> str:
    return "\n".join([*text.split("\n")[:2], base64.b64encode(bytes(size)).decode(), ""])


def key_text(name: str, data: bytes) -> str:
    """A verifier key of any bytes, with the id that fits them."""
    own = hashlib.sha256(f"{name}\n".encode() + data).hexdigest()[:8]
    return f"{name}+{own}+{base64.b64encode(data).decode()}"


def _notaries(court, base: dict[str, bytes]) -> list[tuple[dict[str, bytes], bytes]]:
    """A key that signs notes taken for a witness: absent, and signing as a witness would."""
    text, _, lines = base["data/checkpoint"].decode().partition("\n\n")
    one, at = court.trust, int(court.at.timestamp())
    signer = making.SeedSigner("a notary")
    key = making.own_key(signer, "notary.test")
    signature = signer.sign(b"cosignature/v1\ntime %d\n" % at + text.encode() + b"\n")
    signed = bytes.fromhex(key.split("+")[1]) + at.to_bytes(8, "big") + signature
    line = f"— notary.test {base64.b64encode(signed).decode()}\n"
    told = told_trust(replace(one, witnesses=(*one.witnesses, key)))
    return [(base, told), (whole(base | {"data/checkpoint": f"{text}\n\n{lines}{line}".encode()}, court), told)]


def _trusts(court) -> list[bytes]:
    one, other = court.trust, making.SeedSigner("other")
    cosigner = Cosigner("w9.test", other)
    turned = Key(name=court.witnesses[0].key.name, id=court.witnesses[0].key.id, type=1, raw=court.witnesses[0].key.raw)
    note_key = making.own_key(other, one.signer.split("+")[0])
    swapped = tuple(replace(a, root=b.root) for a, b in zip(one.authorities, one.authorities[::-1], strict=True))
    changed = [
        replace(one, quorum=0, witnesses=()), replace(one, quorum=3), replace(one, quorum=4), replace(one, stamps=0),
        replace(one, stamps=3), replace(one, stamps=1), replace(one, authorities=one.authorities[:1]),
        replace(one, authorities=()), replace(one, authorities=swapped), replace(one, signer=note_key),
        replace(one, ledger=making.own_key(other, one.ledger.split("+")[0])), replace(one, signer="x"), replace(one, ledger="x+y+z"),
        replace(one, witnesses=(cosigner.key.text(),)), replace(one, witnesses=(*one.witnesses[:1], one.witnesses[0])),
        replace(one, witnesses=(turned.text(),)), replace(one, signer=one.ledger), replace(one, witnesses=("x",)),
        replace(one, signer=one.witnesses[0]), replace(one, ledger=one.witnesses[0]), replace(one, witnesses=(one.ledger,), quorum=1),
        replace(one, authorities=(m.Authority(name="x", root=b"x", is_test=True),)),
    ]  # fmt: skip
    raw = Key.parse(one.witnesses[0]).raw
    odd = [key_text("", b"\x04" + raw), key_text("x", b"\x04" + raw + b"x"), key_text("x", b"\x04" + raw[:-1]), key_text("x", b"\x02" + raw),
           key_text("x", b""), one.witnesses[0] + "x", one.witnesses[0].upper(), key_text("x y", b"\x04" + raw), key_text("x", b"\x04" + bytes(32)),
           key_text("x", b"\x04" + b"\xff" * 32), key_text("x", b"\x04\x01" + bytes(31))]  # fmt: skip
    changed += [replace(one, witnesses=(*one.witnesses, key)) for key in odd]
    changed += [replace(one, ledger=key) for key in odd] + [replace(one, signer=key) for key in odd]
    changed += [
        replace(one, witnesses=one.witnesses[:2] + one.witnesses[:2], quorum=3),
        replace(one, quorum=1),
        replace(one, name=""),
    ]
    plain = told_trust(one)
    return [told_trust(trust) for trust in changed] + [
        plain + b" ",
        b"{}",
        plain.replace(b"svidok-trust/1", b"svidok-trust/2"),
    ]


def _statements(court, base, trust) -> list[tuple[dict[str, bytes], bytes]]:
    """Envelopes that nobody else's fault would give away: only the tag manifest is made anew after them."""
    envelope = json.loads(base["proof/statement.json"])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    key, found = Key.parse(court.trust.signer), []

    def put(data: bytes) -> None:
        found.append((remade(base | {"proof/statement.json": data}), trust))

    def signed(told) -> None:
        put(write_envelope(told, key=key, sign=court.signer.sign))

    sig = envelope["signatures"][0]
    put(canonical(envelope | {"signatures": []}))
    put(canonical(envelope | {"signatures": [sig | {"keyid": "00000000"}]}))
    put(canonical(envelope | {"signatures": [sig | {"sig": base64.b64encode(bytes(64)).decode()}]}))
    put(canonical(envelope | {"signatures": [sig, sig | {"sig": base64.b64encode(bytes(64)).decode()}]}))
    put(canonical(envelope | {"signatures": [sig | {"keyid": "00000000"}, sig]}))
    put(canonical(envelope | {"signatures": [sig | {"more": "x"}]}))
    put(canonical(envelope | {"signatures": ["x"]}))
    put(canonical(envelope | {"signatures": "x"}))
    put(canonical(envelope | {"payloadType": "text/plain"}))
    put(canonical(envelope | {"payload": 1}))
    put(canonical(envelope | {"payload": envelope["payload"][:-4] + "x==="}))
    put(canonical(envelope | {"signatures": [sig, sig | {"keyid": "00000000"}]}))
    put(canonical(envelope | {"signatures": [sig, sig]}))
    put(canonical(envelope | {"signatures": [sig | {"keyid": sig["keyid"].upper()}]}))
    put(canonical(envelope | {"signatures": [sig | {"sig": sig["sig"] + "\n"}]}))
    put(canonical(envelope | {"signatures": [sig | {"sig": 1}]}))
    put(canonical(envelope | {"signatures": [sig | {"keyid": None}]}))
    put(canonical(envelope | {"signatures": None}))
    put(canonical([envelope]))
    put(b"\xef\xbb\xbf" + canonical(envelope))
    put(b"{" + canonical(envelope)[1:-1] + b"," + canonical(envelope)[1:])
    put(canonical(envelope | {"more": 1}))
    put(base["proof/statement.json"] + b"\n")
    signed(statement | {"_type": "x"})
    signed(statement | {"predicateType": "x"})
    signed(statement | {"subject": statement["subject"][1:]})
    signed(statement | {"subject": statement["subject"] + statement["subject"][:1]})
    signed(statement | {"subject": statement["subject"] + [{"name": "x", "digest": {"sha256": "00" * 32}}]})
    signed(
        statement
        | {"subject": [statement["subject"][0] | {"digest": {"sha256": "00" * 32}}, *statement["subject"][1:]]}
    )
    signed(statement | {"subject": [statement["subject"][0] | {"more": 1}, *statement["subject"][1:]]})
    signed(statement | {"subject": "x"})
    signed(statement | {"subject": ["x"]})
    signed(statement | {"subject": [1]})
    signed(statement | {"subject": [statement["subject"][0] | {"digest": {}}, *statement["subject"][1:]]})
    signed(statement | {"subject": [statement["subject"][0] | {"digest": {"sha256": 1}}, *statement["subject"][1:]]})
    signed(statement | {"subject": [statement["subject"][0] | {"name": 1}, *statement["subject"][1:]]})
    signed(statement | {"subject": [{"name": "x"}]})
    signed(statement | {"subject": {}})
    signed({k: v for k, v in statement.items() if k != "subject"})
    signed(statement | {"more": 1})
    signed([statement])
    assert statement["_type"] == STATEMENT_TYPE
    assert statement["predicateType"] == PREDICATE_TYPE
    return found


def _bags(base: dict[str, bytes], trust: bytes) -> list[tuple[dict[str, bytes], bytes | None]]:
    lines = base["manifest-sha256.txt"].decode().split("\n")[:-1]
    tags = base["tagmanifest-sha256.txt"].decode().split("\n")[:-1]

    def with_(payload=None, tag=None):
        files = dict(base)
        if payload is not None:
            files["manifest-sha256.txt"] = "".join(line + "\n" for line in payload).encode()
        if tag is not None:
            files["tagmanifest-sha256.txt"] = "".join(line + "\n" for line in tag).encode()
        return files, trust

    zero = "00" * 32
    return [
        with_(lines[::-1]), with_(lines + lines[-1:]), with_([*lines, f"{zero}  zzz"]), with_(tag=[f"{zero}  data/x", *tags]),
        with_([*lines, f"{zero}  data/z/../y"]), with_([*lines, f"{zero}  data/zé"]), with_([line.replace("  ", " ") for line in lines]),
        with_(tag=[line for line in tags if not line.endswith("  manifest-sha256.txt")]), with_(tag=tags[1:]), with_(tag=[*tags, f"{zero}  zzz"]), with_(tag=[line for line in tags if "stamp" not in line]),
        (base | {"manifest-sha256.txt": base["manifest-sha256.txt"][:-1]}, trust), (base | {"manifest-sha256.txt": b"\xff\n"}, trust),
        (remade(base | {"bagit.txt": b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"}), trust),
        (remade(base | {"proof/trust.json": b"{}"}), None), (base | {"proof/trust.json": b"{}"}, None),
        (base | {"verify.html": b"x"}, trust), (remade(base | {"verify.html": b"x"}), trust),
        (remade(base | {"proof/stamp-1.tst": base["proof/stamp-2.tst"]}), trust), (remade(base | {"proof/stamp-1.tst": b"x"}), trust),
        ({k: v for k, v in base.items() if k != "data/clips/01.mp4"}, trust),
    ]  # fmt: skip

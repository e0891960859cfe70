"""Makes the corpus of test vectors anew: `python tests/vectors/make_vectors.py`. See docs/spec/bundle.md.

`bundle/base/` is a small valid bundle, `bundle/trust.json` the trust file that it is judged by, and
`bundle/vectors.json` a list: what is changed (files removed, set to base64, or flipped at a byte), by which trust file it
is judged (`own`: the one above; `none`; or base64), and what every verifier must say.
"""

import base64
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "rooms" / "evidence"), str(HERE.parents[1] / "src")]

import making  # noqa: E402
from mutations import remade  # noqa: E402
from odd import taught  # noqa: E402
from stamped import stamped  # noqa: E402
from targeted import targeted  # noqa: E402

from svidok.evidence.bundle.files import MemoryFiles  # noqa: E402
from svidok.evidence.bundle.verify import verify_bundle  # noqa: E402

SEED = "vectors"
MOST_BYTES = 4096  # of a changed file that a vector carries


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        clip = making.load_clip_maker()(scratch, name="clip", seconds=12, size="64x36", sound=False, b_frames=0)
        court = making.make_bundle(scratch / "court", scratch / "bundle", seed=SEED, at=datetime.now(UTC), clip=clip)
        target = HERE / "bundle"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(scratch / "bundle", target / "base")
        base = {
            p.relative_to(target / "base").as_posix(): p.read_bytes()
            for p in sorted((target / "base").rglob("*"))
            if p.is_file()
        }
        own = court.trust_file()
        (target / "trust.json").write_bytes(own)
        vectors = [vector("clean", base, {}, own, own), vector("keys not confirmed", base, {}, None, own)]
        for path in sorted(base):
            for at in (0, len(base[path]) // 2, len(base[path]) - 1):
                vectors.append(vector(f"one bit of {path}", base, {"flip": [[path, at, 1]]}, own, own))
            vectors.append(vector(f"{path} is missing", base, {"remove": [path]}, own, own))
        for number, (files, trust) in enumerate(targeted(court, base, None)):
            changed = {path: data for path, data in files.items() if base.get(path) != data}
            if sum(map(len, changed.values())) <= MOST_BYTES:
                vectors.append(vector(f"targeted {number}", base, difference(base, files), trust, own))
        for number, (files, trust) in enumerate(stamped(court, base)):
            if len(files["proof/stamp-1.tst"]) <= MOST_BYTES:
                vectors.append(vector(f"token {number}", base, difference(base, files), trust, own))
        for name, files in taught(court, base).items():
            vectors.append(vector(name, base, difference(base, files), own, own))
        assert remade(base) == base
        (target / "vectors.json").write_text(
            json.dumps({"format": "svidok-vectors/1", "vectors": vectors}, ensure_ascii=False, indent=1) + "\n"
        )
        sys.stdout.write(f"{len(vectors)} vectors\n")


def difference(base: dict[str, bytes], files: dict[str, bytes]) -> dict:
    changed = {path: base64.b64encode(data).decode() for path, data in files.items() if base.get(path) != data}
    return {"set": changed, "remove": [path for path in base if path not in files]}


def apply(base: dict[str, bytes], change: dict) -> dict[str, bytes]:
    files = dict(base)
    for path in change.get("remove", []):
        del files[path]
    for path, data in change.get("set", {}).items():
        files[path] = base64.b64decode(data)
    for path, at, bits in change.get("flip", []):
        files[path] = files[path][:at] + bytes([files[path][at] ^ bits]) + files[path][at + 1 :]
    return files


def vector(name: str, base: dict[str, bytes], change: dict, trust: bytes | None, own: bytes) -> dict:
    report = verify_bundle(MemoryFiles(apply(base, change)), trust)
    told = "none" if trust is None else "own" if trust == own else base64.b64encode(trust).decode()
    return {"name": name, "change": change, "trust": told, "verdict": str(report.verdict),
            "items": {item: str(verdict) for item, verdict in report.items}, "codes": list(report.codes())}  # fmt: skip


if __name__ == "__main__":
    main()

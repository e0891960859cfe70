"""How many changed bundles of 10,000 does any verifier accept, and do all of them say the same of each?

    python benchmarks/bundle_mutations.py [how many] [how many in Chromium] [part/parts]

Bundles are made by the product's own writer; each change is from a seed (see `Mutator`): every class of byte flipped,
files and fragments removed, doubled, moved, manifests made anew, statements signed anew with the operator's own key,
another case's proofs, other times. Python, the browser's code under Node, and Go judge every one of them.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "vectors"), str(ROOT / "tests" / "rooms" / "evidence")]

import making  # noqa: E402
from mutations import Mutator  # noqa: E402

from svidok.evidence.bundle.files import MemoryFiles  # noqa: E402
from svidok.evidence.bundle.verify import verify_bundle  # noqa: E402

BLOCK = 500


def told(report) -> dict[str, object]:
    items = {name: str(verdict) for name, verdict in report.items}
    return {"verdict": str(report.verdict), "items": items, "codes": sorted(report.codes())}


class Verifier:
    """Another verifier in a process that stays, so that no start is paid for twice."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, lines: list[str]) -> list[dict[str, object]]:
        def tell() -> None:
            for line in lines:
                self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

        teller = threading.Thread(target=tell)
        teller.start()
        answers = [json.loads(self.process.stdout.readline()) for _ in lines]
        teller.join()
        return [{"verdict": a["verdict"], "items": a["items"], "codes": sorted(a["codes"])} for a in answers]

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def build(scratch: Path) -> dict[str, Verifier]:
    node = scratch / "node"
    subprocess.run(
        ["npx", "vite", "build", "--ssr", "src/verify/batch.ts", "--outDir", str(node), "--logLevel", "error"],
        cwd=ROOT / "web",
        check=True,
    )
    third = scratch / "third"
    subprocess.run(["go", "build", "-o", str(third), "."], cwd=ROOT / "verifiers" / "go", check=True)
    return {
        "browser's code (Node)": Verifier(["node", str(node / "batch.js")]),
        "Go": Verifier([str(third), "-batch"]),
    }


def in_chromium(scratch: Path, base: dict[str, bytes], changes: list, trust: Path, page: Path) -> tuple[int, int]:
    """How many of `changes` Chromium judged, and how many it did not call invalid."""
    cases = []
    for number, change in enumerate(changes):
        folder = scratch / "chromium" / str(number)
        for name, data in change.apply(base).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        cases.append({"bundle": str(folder), "trust": str(trust)})
    asked = scratch / "page.html"
    asked.write_bytes(page.read_bytes())
    done = subprocess.run(
        ["node", "e2e/verify.mjs", json.dumps({"page": str(asked), "cases": cases})],
        cwd=ROOT / "web",
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    return len(answers), sum(one["verdict"] != "invalid" for one in answers)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sample = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory(prefix="svidok-mutations-") as name:
        scratch = Path(name)
        clip = making.load_clip_maker()(scratch, name="clip", seconds=12, size="64x36", sound=True, b_frames=2)
        courts = {
            seed: making.make_bundle(
                scratch / seed, scratch / f"bundle-{seed}", seed=seed, at=datetime.now(UTC), clip=clip
            )
            for seed in "ab"
        }
        base, other = read(scratch / "bundle-a"), read(scratch / "bundle-b")
        trust = scratch / "trust.json"
        trust.write_bytes(courts["a"].trust_file())
        verifiers = build(scratch)
        clean = json.dumps({"base": str(scratch / "bundle-a"), "trust": str(trust), "set": {}, "remove": []})
        refused = sum(answer["verdict"] != "valid" for one in verifiers.values() for answer in one.ask([clean] * 50))
        refused += sum(str(verify_bundle(MemoryFiles(base), trust.read_bytes()).verdict) != "valid" for _ in range(50))
        accepted, disagreed, kinds, codes, taken = Counter(), Counter(), Counter(), Counter(), Counter()
        part, parts = map(int, sys.argv[3].split("/")) if len(sys.argv) > 3 else (1, 1)
        changes = list(Mutator(base, other, courts["a"], seed=2026).make(count))[part - 1 :: parts]
        count = len(changes)
        for start in range(0, count, BLOCK):
            block = changes[start : start + BLOCK]
            began = time.monotonic()
            ours = [told(verify_bundle(MemoryFiles(change.apply(base)), trust.read_bytes())) for change in block]
            taken["Python"] += time.monotonic() - began
            lines = [change.told(str(scratch / "bundle-a"), str(trust)) for change in block]
            accepted["Python"] += sum(one["verdict"] != "invalid" for one in ours)
            for verifier, asked in verifiers.items():
                began = time.monotonic()
                theirs = asked.ask(lines)
                taken[verifier] += time.monotonic() - began
                accepted[verifier] += sum(one["verdict"] != "invalid" for one in theirs)
                for change, a, b in zip(block, ours, theirs, strict=True):
                    if a != b:
                        disagreed[verifier] += 1
                        print("differs:", change.kind, change.what, a, b)
            print(f"  {start + len(block)} judged: accepted {dict(accepted)}, disagreed {dict(disagreed)}", flush=True)
            kinds.update(change.kind for change in block)
            codes.update(code.split(" ")[-1] for one in ours for code in one["codes"])
        print(f"{count} changed bundles of {len(kinds)} kinds, {len(codes)} codes seen")
        for verifier in ["Python", *verifiers]:
            print(
                f"  {verifier}: accepted {accepted[verifier]}, disagreed with Python {disagreed[verifier]}, {taken[verifier]:.0f} s"
            )
        print(f"  clean ones refused: {refused} of 150")
        for one in verifiers.values():
            one.end()
        page = ROOT / "web" / "dist" / "verify.html"
        if sample and page.exists():
            judged, let = in_chromium(scratch, base, changes[:: max(1, count // sample)][:sample], trust, page)
            print(f"  Chromium: {judged} of them, accepted {let}")


if __name__ == "__main__":
    main()

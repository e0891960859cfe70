"""Every verifier says the same of every changed bundle, none accepts one, none refuses a clean one."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from mutations import Mutator

from svidok.evidence.bundle.faults import Verdict
from svidok.evidence.bundle.files import MemoryFiles
from svidok.evidence.bundle.verify import verify_bundle

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CHANGES = 390


def told(report) -> dict[str, object]:
    return {
        "verdict": str(report.verdict),
        "items": {name: str(verdict) for name, verdict in report.items},
        "codes": sorted(report.codes()),
    }


def batch(command: list[str], lines: list[str]) -> list[dict[str, object]]:
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [{"verdict": one["verdict"], "items": one["items"], "codes": sorted(one["codes"])} for one in answers]


@pytest.fixture(scope="session")
def changes(bundles, scratch):
    """Changes of `a`, what our own verifier says of each, and the lines by which others are asked."""
    one = bundles["a"]
    trust = scratch / "trust-a.json"
    trust.write_bytes(one.trust)
    made = list(Mutator(one.files, bundles["b"].files, one.court, seed=2026).make(CHANGES))
    lines, says = [], []
    for seed in "abc":
        own = scratch / f"trust-{seed}.json"
        own.write_bytes(bundles[seed].trust)
        for known in (str(own), None):
            lines.append(json.dumps({"base": str(bundles[seed].folder), "trust": known, "set": {}, "remove": []}))
            says.append(told(verify_bundle(MemoryFiles(bundles[seed].files), bundles[seed].trust if known else None)))
    for change in made:
        lines.append(change.told(str(one.folder), str(trust)))
        says.append(told(verify_bundle(MemoryFiles(change.apply(one.files)), one.trust)))
    return made, lines, says


def test_no_change_is_accepted(changes) -> None:
    made, _, says = changes
    accepted = [(c.kind, c.what) for c, said in zip(made, says[6:], strict=True) if said["verdict"] != Verdict.INVALID]
    assert accepted == []
    assert {change.kind.split("-")[0] for change in made} >= {
        "flip", "cut", "drop", "double", "swap", "foreign", "fragments", "proof", "custody", "backdate", "operator",
    }  # fmt: skip


def disagreements(changes, answers) -> list[object]:
    made, _, says = changes
    names = [("clean", "")] * 6 + [(change.kind, change.what) for change in made]
    return [(name, ours, theirs) for name, ours, theirs in zip(names, says, answers, strict=True) if ours != theirs]


def test_the_browsers_verifier_agrees(changes, scratch) -> None:
    if not (WEB / "node_modules" / "vite").exists():
        pytest.skip("the web's tools are not installed")
    out = scratch / "verify-batch"
    command = ["npx", "vite", "build", "--ssr", "src/verify/batch.ts", "--outDir", str(out), "--logLevel", "error"]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=110)
    assert disagreements(changes, batch(["node", str(out / "batch.js")], changes[1])) == []


def test_a_third_verifier_from_the_specification_alone_agrees(changes, scratch) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    out = scratch / "svidok-verify"
    build = subprocess.run(
        ["go", "build", "-o", str(out), "."], cwd=ROOT / "verifiers" / "go", capture_output=True, text=True,
        timeout=110, env={"PATH": "/usr/bin:/bin:/usr/local/go/bin", "HOME": str(scratch), "GOFLAGS": "-mod=mod",
                          "GOCACHE": str(scratch / "go-cache"), "GOPROXY": "off"},
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    assert disagreements(changes, batch([str(out), "-batch"], changes[1])) == []


def test_a_stranger_opens_it_from_disk_in_chromium(bundles, tiny_clip, scratch) -> None:
    """Offline, with nothing but the bundle: it plays, it is valid; one flipped bit is named in plain Ukrainian."""
    import making

    page = WEB / "dist" / "verify.html"
    if not any(Path(one).exists() for one in BROWSERS) or not page.exists():
        pytest.skip("no Chromium, or the web interface is not built")
    folder = scratch / "bundle-page"
    court = making.make_bundle(
        scratch / "page", folder, seed="page", at=bundles["a"].court.at, clip=tiny_clip, page=page.read_bytes()
    )
    trust = scratch / "trust-page.json"
    trust.write_bytes(court.trust_file())
    changed = scratch / "bundle-flipped"
    shutil.copytree(folder, changed)
    clip = changed / "data" / "clips" / "01.mp4"
    data = clip.read_bytes()
    clip.write_bytes(data[:-10] + bytes([data[-10] ^ 1]) + data[-9:])
    cases = [{"bundle": str(folder), "trust": str(trust)}, {"bundle": str(changed), "trust": str(trust)},
             {"bundle": str(folder), "trust": None, "language": "en"}]  # fmt: skip
    asked = json.dumps({"page": str(folder / "verify.html"), "cases": cases})
    done = subprocess.run(["node", "e2e/verify.mjs", asked], cwd=WEB, capture_output=True, text=True, timeout=115)
    assert done.returncode == 0, done.stderr
    clean, flipped, unconfirmed = json.loads(done.stdout)
    assert [one["verdict"] for one in (clean, flipped, unconfirmed)] == ["valid", "invalid", "partial"]
    assert [one["sent"] + one["faults"] for one in (clean, flipped, unconfirmed)] == [[], [], []]
    assert clean["played"][:2] == [128, 72]
    assert "Кадри змінено: це не те, що записала камера." in flipped["text"]
    assert "секунда 7 відео" in flipped["text"]
    assert "The keys came with the evidence." in unconfirmed["text"]

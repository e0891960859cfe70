"""Every verifier says the same of every changed bundle, none accepts one, none refuses a clean one."""

import base64
import hashlib
import json
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import make_vectors
import making
import pytest
from archives import odd_zips
from heads import heads
from mutations import Changed, Mutator
from odd import odd, ranged
from stamped import stamped
from targeted import edited, targeted, whole

from svidok.evidence.bundle.faults import Verdict
from svidok.evidence.bundle.files import MemoryFiles
from svidok.evidence.bundle.verify import verify_bundle
from svidok.evidence.bundle.writer import zip_bundle

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CHANGES = 390

pytestmark = pytest.mark.timeout(600)  # three verifiers over a thousand bundles, on a machine that may be busy


def told(report) -> dict[str, object]:
    return {
        "verdict": str(report.verdict),
        "items": {name: str(verdict) for name, verdict in report.items},
        "codes": sorted(report.codes()),
    }


def batch(command: list[str], lines: list[str]) -> list[dict[str, object]]:
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=600)
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


@pytest.fixture(scope="session")
def browsers_verifier(scratch) -> list[str] | None:
    """The browser's code, under Node."""
    if not (WEB / "node_modules" / "vite").exists():
        return None
    out = scratch / "verify-batch"
    command = ["npx", "vite", "build", "--ssr", "src/verify/batch.ts", "--outDir", str(out), "--logLevel", "error"]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=600)
    return ["node", str(out / "batch.js")]


@pytest.fixture(scope="session")
def third_verifier(scratch) -> list[str] | None:
    """The one that was written from the specification alone."""
    if shutil.which("go") is None:
        return None
    out = scratch / "svidok-verify"
    build = subprocess.run(
        ["go", "build", "-o", str(out), "."], cwd=ROOT / "verifiers" / "go", capture_output=True, text=True,
        timeout=600, env={"PATH": "/usr/bin:/bin:/usr/local/go/bin", "HOME": str(scratch), "GOFLAGS": "-mod=mod",
                          "GOCACHE": str(scratch / "go-cache"), "GOPROXY": "off"},
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    return [str(out), "-batch"]


def test_the_browsers_verifier_agrees(changes, browsers_verifier) -> None:
    if browsers_verifier is None:
        pytest.skip("the web's tools are not installed")
    assert disagreements(changes, batch(browsers_verifier, changes[1])) == []


def test_a_third_verifier_from_the_specification_alone_agrees(changes, third_verifier) -> None:
    if third_verifier is None:
        pytest.skip("Go is not installed")
    assert disagreements(changes, batch(third_verifier, changes[1])) == []


@pytest.fixture(scope="session")
def wrongs(bundles, scratch, tiny_clip):
    """Bundles that are wrong in one thing alone, and the test vectors: what each is, and how others are asked."""
    one, lines, says = bundles["a"], [], []

    def ask(base: dict[str, bytes], folder: Path, files: dict[str, bytes], trust: bytes | None) -> None:
        kept = None
        if trust is not None:
            kept = scratch / f"trust-{hashlib.sha256(trust).hexdigest()[:16]}"
            kept.write_bytes(trust)
        changed = Changed(
            "", "", {n: d for n, d in files.items() if base.get(n) != d}, [n for n in base if n not in files]
        )
        lines.append(changed.told(str(folder), str(kept) if kept else None))
        says.append(told(verify_bundle(MemoryFiles(files), trust)))

    for files, trust in [*targeted(one.court, one.files, bundles["c"]), *stamped(one.court, one.files)]:
        ask(one.files, one.folder, files, trust)
    own_folder = scratch / "bundle-odd"
    court = making.make_bundle(scratch / "odd", own_folder, seed="odd", at=one.court.at, clip=tiny_clip)
    odd_base = {p.relative_to(own_folder).as_posix(): p.read_bytes() for p in own_folder.rglob("*") if p.is_file()}
    of_heads = ((files, court.trust_file()) for files in islice(heads(odd_base), 0, None, 3))
    for files, trust in [*odd(court, odd_base), *ranged(court, scratch, tiny_clip), *of_heads]:
        ask(odd_base, own_folder, files, trust)
    folder = ROOT / "tests" / "vectors" / "bundle"
    base = {
        p.relative_to(folder / "base").as_posix(): p.read_bytes()
        for p in sorted((folder / "base").rglob("*"))
        if p.is_file()
    }
    own = (folder / "trust.json").read_bytes()
    vectors = json.loads((folder / "vectors.json").read_text("utf-8"))["vectors"]
    for vector in vectors:
        trust = {"own": own, "none": None}.get(vector["trust"], b"")
        ask(
            base,
            folder / "base",
            make_vectors.apply(base, vector["change"]),
            base64.b64decode(vector["trust"]) if trust == b"" else trust,
        )
    return lines, says, vectors


def test_the_vectors_are_what_they_were(wrongs) -> None:
    _, says, vectors = wrongs
    for said, vector in zip(says[-len(vectors) :], vectors, strict=True):
        assert (said["verdict"], said["items"], said["codes"]) == (
            vector["verdict"],
            vector["items"],
            sorted(vector["codes"]),
        ), vector["name"]
    assert {"valid", "partial", "invalid"} == {vector["verdict"] for vector in vectors}


def test_what_is_wrong_in_one_thing_alone_is_said_alike(wrongs, browsers_verifier, third_verifier) -> None:
    lines, says, _ = wrongs
    for command in filter(None, (browsers_verifier, third_verifier)):
        answers = batch(command, lines)
        assert [(n, a, b) for n, (a, b) in enumerate(zip(says, answers, strict=True)) if a != b] == []


def test_the_browser_reads_no_zip_that_two_programs_unpack_differently(bundles, browsers_verifier, tmp_path) -> None:
    if browsers_verifier is None:
        pytest.skip("the web's tools are not installed")
    clean = zip_bundle(bundles["a"].folder, tmp_path / "clean.zip")
    zips = {"clean": clean.read_bytes(), **odd_zips(clean.read_bytes())}
    lines = []
    for number, data in enumerate(zips.values()):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        lines.append(json.dumps({"zip": str(path)}))
    done = subprocess.run(browsers_verifier, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = dict(zip(zips, (json.loads(line)["files"] for line in done.stdout.splitlines()), strict=True))
    assert answers.pop("clean") == sorted(bundles["a"].files)
    assert {why for why, files in answers.items() if files is not None} == set()


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def hostile_words(folder: Path, court) -> dict[str, bytes]:
    """What is told for people may be anything: it neither runs nor hides the verdict."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def edit(told) -> None:
        del told["case"]
        told |= {"made_by": 5, "given_to": ["x"], "legal_basis": {"x": 1}}
        told["clips"][0] |= {
            "title": "<img src=x onerror=alert(1)>\u202eDILAV",
            "device": 7,
            "gaps": [None, 5, {"from": "x"}],
        }
        told["clips"][1] |= {"number": None, "gaps": "x", "device": {"name": ["x"]}}

    return whole(edited(files, "data/disclosure.json", edit), court)


def test_a_stranger_opens_it_from_disk_in_chromium(bundles, tiny_clip, scratch) -> None:
    """Offline, with nothing but the bundle: it plays, it is valid; one flipped bit is named in plain Ukrainian."""
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
    hostile = scratch / "bundle-hostile"
    write(hostile, hostile_words(folder, court))
    cases = [{"bundle": str(folder), "trust": str(trust)}, {"bundle": str(changed), "trust": str(trust)},
             {"bundle": str(folder), "trust": None, "language": "en"}, {"bundle": str(hostile), "trust": str(trust)}]  # fmt: skip
    asked = json.dumps({"page": str(folder / "verify.html"), "cases": cases})
    done = subprocess.run(["node", "e2e/verify.mjs", asked], cwd=WEB, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr
    clean, flipped, unconfirmed, odd_words = json.loads(done.stdout)
    assert [one["verdict"] for one in (clean, flipped, unconfirmed, odd_words)] == [
        "valid",
        "invalid",
        "partial",
        "valid",
    ]
    assert [one["sent"] + one["faults"] for one in (clean, flipped, unconfirmed, odd_words)] == [[], [], [], []]
    assert "<img src=x onerror=alert(1)>" in odd_words["text"]
    assert clean["played"][:2] == [128, 72]
    assert "Кадри змінено: це не те, що записала камера." in flipped["text"]
    assert "секунда 7 відео" in flipped["text"]
    assert "The keys came with the evidence." in unconfirmed["text"]

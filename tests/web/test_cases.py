"""A case from its first day to a stranger's desk, in a real Chromium: `web/e2e/cases.mjs` walks, `verify.mjs` checks.

The hub stands with a ledger that two witnesses countersign, both over real
HTTP. What comes out is opened from disk by another Chromium that has no
network, and then spoilt, a bit in each of its files.
"""

import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID

import pytest
from tests.web.conftest import ROOT, Hub
from tests.web.footage import Archive, Shown, clock_clip

from svidok.app.bundle_means import bundle_means
from svidok.app.roles.parts import open_log
from svidok.app.settings import Settings
from svidok.app.witnessing import Witnessing
from svidok.base import SystemClock
from svidok.governance import ReferenceKind
from svidok.governance.purposes import open_reference
from svidok.ledger import sequence_once
from svidok.ledger.witness import Witness, serve_witness

TURN_S = 0.3


@pytest.fixture(scope="module")
def watched(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The hub with a ledger that is sequenced and countersigned all the time, as intake does it."""
    folder = tmp_path_factory.mktemp("office")
    settings = Settings(data=hub.services.data, ledger_origin="test.invalid/office")
    log = open_log(settings)
    servers = []
    for number in (1, 2):
        place = folder / f"witness-{number}"
        place.mkdir()
        (place / "logs").write_text(log.verifier.text() + "\n")
        witness = Witness(place, name=f"witness-{number}.test/svidok", clock=SystemClock())
        server = serve_witness(witness, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        settings.witnesses.append(f"http://127.0.0.1:{server.server_address[1]} {witness.cosigner.key.text()}")
        hub.services.witnesses += (witness.cosigner.key,)
    settings.witness_quorum = hub.services.witness_quorum = 2
    hub.services.ledger_folder = settings.ledger
    hub.services.bundle_means = bundle_means(settings, at=SystemClock().now())
    witnessing = Witnessing(settings, hub.services.database, SystemClock())
    stop = threading.Event()

    def tend() -> None:
        while not stop.wait(TURN_S):
            sequence_once(hub.services.database, log)
            witnessing.ask()

    intake = threading.Thread(target=tend)
    intake.start()
    yield Archive(hub=hub, folder=folder, log=log)
    stop.set()
    intake.join()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def shown(hub: Hub, watched: Archive, fleet: dict[str, UUID]) -> Shown:
    """A minute of one camera half an hour ago, and a reference to open a case on."""
    now = SystemClock().now()
    with hub.services.database.transaction() as tx:
        open_reference(
            tx, actor=hub.people["supervisor"], kind=ReferenceKind.CASE, number="2026-1401", title="Викрадення авто",
            legal_basis="КПК України, ст. 214", at=now,
        )  # fmt: skip
    clip = clock_clip(watched.folder / "yard.mp4", seconds=60, fps=10)
    start = now.replace(microsecond=0) - timedelta(minutes=30)
    return watched.channel(fleet["A-1"], clip, start, fps=10)


def verified(page: Path | str, cases: list[dict[str, Any]], **more: bool) -> list[dict[str, Any]]:
    """What `page` says of each bundle, in a Chromium of its own; from a file, without a network."""
    asked = json.dumps({"page": str(page), "cases": cases, **more})
    done = subprocess.run(
        ["node", "e2e/verify.mjs", asked], cwd=ROOT / "web", capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    assert [one["faults"] for one in told] == [[]] * len(cases), "the page complains"
    return told


@pytest.fixture(scope="module")
def taken(hub: Hub, shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the bundle that the walk through the case ended with, and the pictures of the way."""
    out = tmp_path_factory.mktemp("walk")
    hub.walk("cases.mjs", out, a=asdict(shown))
    return out


@pytest.fixture(scope="module")
def trust(hub: Hub, taken: Path) -> Path:
    """The keys that count, as anybody gets them from the installation, and not from the bundle."""
    place = taken / "trust.json"
    with urlopen(f"{hub.address}/ledger/trust.json") as answer:
        place.write_bytes(answer.read())
    return place


@pytest.fixture(scope="module")
def bundle(taken: Path) -> Path:
    """The bundle, unpacked."""
    place = taken / "unpacked"
    with zipfile.ZipFile(taken / "bundle.zip") as archive:
        archive.extractall(place)
    (folder,) = place.iterdir()
    return folder


@pytest.mark.timeout(300)
def test_a_case_is_worked_from_its_purpose_to_its_bundle(hub: Hub, taken: Path) -> None:
    with hub.services.database.transaction() as tx:
        exhibits = tx.all("SELECT kind FROM evidence.exhibit ORDER BY number")
        disclosure = tx.one("SELECT state, asked_by, decided_by FROM evidence.disclosure")
        held = tx.one("SELECT count(*) AS n FROM governance.legal_hold WHERE lifted_at IS NULL")["n"]
        handed = tx.one("SELECT count(*) AS n FROM evidence.hand_over")["n"]
    people = hub.people
    assert [row["kind"] for row in exhibits] == ["footage", "still"]
    assert disclosure["state"] == "made"
    assert (disclosure["asked_by"], disclosure["decided_by"]) == (people["investigator"].id, people["supervisor"].id)
    assert (held, handed) == (1, 1)


@pytest.mark.timeout(300)
def test_a_stranger_opens_the_bundle_from_disk(bundle: Path, trust: Path, taken: Path) -> None:
    """Without a network: it plays and is valid, in both languages; without outside keys it says so."""
    cases = [
        {"bundle": str(bundle), "trust": str(trust), "shot": str(taken / "verified.png")},
        {"bundle": str(bundle), "trust": str(trust), "language": "en", "size": [390, 844],
         "shot": str(taken / "verified-en-phone.png")},
        {"bundle": str(taken / "bundle.zip"), "trust": None},
    ]  # fmt: skip
    valid, english, unconfirmed = verified(bundle / "verify.html", cases)
    assert (valid["verdict"], english["verdict"], unconfirmed["verdict"]) == ("valid", "valid", "partial")
    assert valid["codes"] == english["codes"] == []
    assert [code.split()[0] for code in unconfirmed["codes"]] == ["keys-unconfirmed"]
    assert "Справжнє" in valid["text"]
    assert "Every byte is what was recorded and disclosed." in english["text"]
    assert valid["played"][:2] == [320, 180]
    assert [one["sent"] for one in (valid, english, unconfirmed)] == [[], [], []]


@pytest.mark.timeout(300)
def test_what_is_dropped_on_the_public_page_is_not_sent(hub: Hub, trust: Path, taken: Path) -> None:
    """Nobody has to sign in, and the bundle stays in the browser."""
    case = {"bundle": str(taken / "bundle.zip"), "trust": str(trust), "before": str(taken / "public.png")}
    (told,) = verified(f"{hub.address}/verify", [case])
    assert (told["verdict"], told["sent"]) == ("valid", [])


@pytest.mark.timeout(300)
def test_one_bit_in_any_file_is_named_in_plain_ukrainian(bundle: Path, trust: Path, taken: Path) -> None:
    files = sorted(path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file())
    assert len(files) > 10
    cases = []
    for number, name in enumerate(files):
        place = taken / f"spoilt-{number}"
        shutil.copytree(bundle, place)
        data = bytearray((place / name).read_bytes())
        data[len(data) // 2] ^= 1
        (place / name).write_bytes(data)
        cases.append({"bundle": str(place), "trust": str(trust)})
        if name.suffix == ".mp4":
            cases[-1]["shot"] = str(taken / "spoilt.png")
    told = verified(bundle / "verify.html", cases, again=True)
    for name, one in zip(files, told, strict=True):
        assert (name, one["verdict"], one["sent"]) == (name, "invalid", [])
        assert "Не довіряйте" in one["text"]
        assert one["codes"], f"{name}: nothing is named"
        assert "code." not in one["text"], f"{name}: a fault has no words"
    clip = next(one for name, one in zip(files, told, strict=True) if name.suffix == ".mp4")
    assert "Кадри змінено: це не те, що записала камера." in clip["text"]
    assert "секунда" in clip["text"]

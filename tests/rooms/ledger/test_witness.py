"""Witnesses over real HTTP: they countersign what grows, refuse what does not, and both sides say so."""

import base64
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from svidok.base import Conflict, new_id
from svidok.ledger import Entry, Log, leaf_hash
from svidok.ledger.cosigning import Key, cosigned_at, read_note
from svidok.ledger.gathering import COSIGNED, INCONSISTENT, ROLLED_BACK, SILENT, SPLIT_VIEW, Asked, Gathering, best_note
from svidok.ledger.growing import Edge
from svidok.ledger.monitor import Monitor, Watched
from svidok.ledger.signer import FileSigner
from svidok.ledger.tlogproof import read_proof, write_proof
from svidok.ledger.tree import root_of
from svidok.ledger.witness import Witness, serve_witness

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ORIGIN = "test.invalid/log"


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Running:
    witness: Witness
    asked: Asked
    folder: Path


def entries(count: int, at: datetime = NOW) -> list[bytes]:
    return [
        Entry(id=new_id(), kind="audit.access", subject=new_id(), at=at, commitment=bytes(32)).leaf_bytes()
        for _ in range(count)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log", FileSigner(tmp_path / "log.pem"), ORIGIN)


@pytest.fixture
def witnesses(tmp_path: Path, log: Log) -> Iterator[list[Running]]:
    made, servers = [], []
    for number in range(3):
        folder = tmp_path / f"witness-{number}"
        folder.mkdir()
        (folder / "logs").write_text(log.verifier.text() + "\n")
        witness = Witness(folder, name=f"w{number}.test", clock=Clock())
        server = serve_witness(witness, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        address = f"http://127.0.0.1:{server.server_address[1]}"
        made.append(Running(witness, Asked.parse(f"{address} {witness.cosigner.key.text()}"), folder))
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


def gathering(log: Log, witnesses: list[Running], quorum: int = 2) -> Gathering:
    return Gathering(folder=log.folder, witnesses=[one.asked for one in witnesses], quorum=quorum)


def ask(one: Running, old: int, proof: list[bytes], note: str) -> httpx.Response:
    lines = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
    return httpx.post(f"{one.asked.url}/add-checkpoint", content=f"old {old}\n{lines}\n{note}".encode())


def test_each_checkpoint_is_countersigned_by_all(log: Log, witnesses: list[Running]) -> None:
    asking = gathering(log, witnesses)
    for count in (0, 1, 300, 5):
        log.append(entries(count))
        assert asking.gather() == []
        note = read_note((log.folder / COSIGNED).read_bytes())
        assert note.size == log.size
        assert [cosigned_at(note, one.asked.key)[0] for one in witnesses] == [int(NOW.timestamp())] * 3
    assert Log(log.folder, log._signer, ORIGIN).size == 306, "the log opens as before"


def test_a_gatherer_that_forgot_asks_from_where_the_witness_is(log: Log, witnesses: list[Running]) -> None:
    log.append(entries(10))
    gathering(log, witnesses).gather()
    log.append(entries(10))
    assert gathering(log, witnesses).gather() == []


def test_the_answers_are_those_of_the_standard(log: Log, witnesses: list[Running], tmp_path: Path) -> None:
    one = witnesses[0]
    log.append(entries(7))
    first = log.checkpoint()
    assert ask(one, 0, [bytes(32)], first).status_code == 422, "from nothing the proof must be empty"
    assert ask(one, 8, [], first).status_code == 400
    assert ask(one, 0, [], first).status_code == 200
    log.append(entries(4))
    stale = ask(one, 3, [], log.checkpoint())
    assert (stale.status_code, stale.text, stale.headers["content-type"]) == (409, "7\n", "text/x.tlog.size")
    assert ask(one, 7, [bytes(32)], log.checkpoint()).status_code == 422
    assert ask(one, 7, log.consistency_proof(7, 11), log.checkpoint()).status_code == 200
    assert ask(one, 11, [], log.checkpoint()).status_code == 200, "the same again"
    other = Log(tmp_path / "other", FileSigner(tmp_path / "other.pem"), ORIGIN)
    assert ask(one, 0, [], other.checkpoint()).status_code == 403, "the same name by another key"
    unknown = Log(tmp_path / "unknown", FileSigner(tmp_path / "other.pem"), "else.invalid/log")
    assert ask(one, 0, [], unknown.checkpoint()).status_code == 404
    for bad in ("", "old x\n\n", "old 01\n\n" + first, "new 1\n\n" + first, "old 0\nx\n\n" + first):
        assert httpx.post(f"{one.asked.url}/add-checkpoint", content=bad.encode()).status_code == 400, bad
    assert httpx.post(f"{one.asked.url}/else", content=b"").status_code == 404
    assert httpx.get(f"{one.asked.url}/key").text.strip() == one.asked.key.text()


def test_a_rolled_back_log_is_found_by_both_sides(log: Log, witnesses: list[Running], tmp_path: Path) -> None:
    log.append(entries(5))
    kept = tmp_path / "kept"
    shutil.copytree(log.folder, kept)
    log.append(entries(5))
    gathering(log, witnesses).gather()
    restored = Log(kept, log._signer, ORIGIN)
    troubles = gathering(restored, witnesses).gather()
    assert {trouble.code for trouble in troubles} == {ROLLED_BACK}
    assert [alarm["code"] for alarm in httpx.get(f"{witnesses[0].asked.url}/alarms").json()] == ["smaller"]


def test_two_histories_are_found_by_both_sides(log: Log, witnesses: list[Running], tmp_path: Path) -> None:
    log.append(entries(5))
    kept = tmp_path / "kept"
    shutil.copytree(log.folder, kept)
    log.append(entries(5))
    gathering(log, witnesses).gather()
    rewritten = Log(kept, log._signer, ORIGIN)
    rewritten.append(entries(5))
    assert {trouble.code for trouble in gathering(rewritten, witnesses).gather()} == {SPLIT_VIEW}
    rewritten.append(entries(3))
    assert {trouble.code for trouble in gathering(rewritten, witnesses).gather()} == {INCONSISTENT}
    alarms = witnesses[0].witness.alarms()
    assert [alarm["code"] for alarm in alarms] == ["split-view", "inconsistent"]
    key = Key.parse(log.verifier.text())
    for text in (alarms[0]["known"], alarms[0]["signed"]):
        note = read_note(text.encode())
        assert note.size == 10
        assert all(key.accepts(note.text, signature) for signature in note.by(key)), "both are signed: it is proof"
    assert not (rewritten.folder / COSIGNED).exists(), "no witness put its name under it"


def test_a_quorum_is_enough_and_less_is_not(log: Log, witnesses: list[Running]) -> None:
    away = Asked.parse(f"http://127.0.0.1:9 {witnesses[2].asked.key.text()}")
    two_of_three = Gathering(folder=log.folder, witnesses=[one.asked for one in witnesses[:2]] + [away], quorum=2)
    log.append(entries(3))
    assert [trouble.code for trouble in two_of_three.gather()] == [SILENT]
    assert read_note(best_note(log.folder).encode()).size == 3
    log.append(entries(3))
    three = Gathering(folder=log.folder, witnesses=two_of_three.witnesses, quorum=3)
    three.gather()
    assert read_note(best_note(log.folder).encode()).size == 3, "the last that enough have signed stays"


def test_a_witness_remembers_over_a_restart_and_keeps_its_name(log: Log, witnesses: list[Running]) -> None:
    log.append(entries(9))
    gathering(log, witnesses).gather()
    again = Witness(witnesses[0].folder, name="w0.test", clock=Clock())
    assert read_note((again.latest(ORIGIN) or "").encode()).size == 9
    assert again.cosigner.key == witnesses[0].asked.key
    with pytest.raises(Conflict):
        Witness(witnesses[0].folder, name="else.test", clock=Clock())


def test_a_proof_in_one_file_leads_an_entry_to_the_witnesses(log: Log, witnesses: list[Running]) -> None:
    log.append(written := entries(20))
    gathering(log, witnesses).gather()
    text = write_proof(11, log.inclusion_proof(11, 20), best_note(log.folder), extra=b"{}")
    proof = read_proof(text)
    assert (proof.index, proof.extra, proof.proves(written[11]), proof.proves(written[12])) == (11, b"{}", True, False)
    assert cosigned_at(proof.note, witnesses[1].asked.key)[0] is not None
    for bad in ("", "x", text.replace("index 11", "index 011"), text.replace("tlog-proof@v1", "tlog-proof@v2")):
        with pytest.raises(ValueError):
            read_proof(bad)


def test_the_edge_of_a_tree_knows_its_root() -> None:
    hashes = [leaf_hash(bytes([n])) for n in range(70)]
    edge = Edge()
    for count, one in enumerate(hashes, 1):
        edge.add(one)
        assert edge.root() == root_of(hashes[:count])
        assert Edge(edge.size, edge.hashes).root() == edge.root()


def test_a_monitor_follows_and_says_what_is_wrong(log: Log, witnesses: list[Running], tmp_path: Path) -> None:
    watched = Watched(
        key=Key.parse(log.verifier.text()), witnesses=[one.asked.key for one in witnesses], quorum=2,
        late=timedelta(minutes=2), stale=timedelta(minutes=10),
    )  # fmt: skip
    monitor = Monitor(tmp_path / "seen.json", watched)

    def served(path: str) -> bytes | None:
        place = log.folder / path
        return place.read_bytes() if place.exists() else None

    def look() -> list[str]:
        return [finding.code for finding in monitor.look(served, NOW)]

    log.append(entries(300))
    assert look() == ["not-cosigned"]
    gathering(log, witnesses).gather()
    assert look() == []
    log.append(entries(300))
    gathering(log, witnesses).gather()
    assert look() == []
    assert Monitor(tmp_path / "seen.json", watched).size == 600
    log.append(entries(1, NOW - timedelta(days=3)))
    gathering(log, witnesses).gather()
    assert look() == ["entry-late"]
    other = Monitor(tmp_path / "other.json", watched)
    assert [finding.code for finding in other.look(served, NOW + timedelta(hours=1))] == ["stale"]
    bundle = next(
        path for path in (log.folder / "tile" / "entries").rglob("*") if path.is_file() and path.name == "000"
    )
    shutil.copytree(log.folder, tmp_path / "whole")
    log.append(entries(2))
    gathering(log, witnesses).gather()
    last = max((log.folder / "tile" / "entries" / "002.p").iterdir(), key=lambda path: int(path.name))
    data = last.read_bytes()
    last.write_bytes(data[:-3] + b"x" + data[-2:])
    assert {"history-rewritten"} <= set(look())
    last.write_bytes(data)
    assert look() == []
    shutil.rmtree(log.folder)
    shutil.copytree(tmp_path / "whole", log.folder)
    assert look()[-1:] == ["rolled-back"]
    assert bundle.exists()

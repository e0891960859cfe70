"""The demonstration's witnesses: two programs, each with its own folder and key, that countersign the ledger.

They stand for an ombudsman and a university, and run beside the platform only
because the demonstration is one machine. The ledger asks them as it asks any
others: over HTTP, by the key that they show, and both must sign.
"""

import socket
from dataclasses import dataclass

from svidok.app.roles.parts import open_log
from svidok.app.settings import Settings
from svidok.app.supervisor import Supervisor, ourselves
from svidok.base import Clock
from svidok.ledger.witness import Witness


@dataclass(frozen=True, slots=True)
class _Played:
    """Whom a witness of the demonstration stands for."""

    folder: str
    name: str


PLAYED = (
    _Played("ombudsman", "ombudsman.demo.invalid/svidok"),
    _Played("university", "university.demo.invalid/svidok"),
)


def start(settings: Settings, supervisor: Supervisor, clock: Clock) -> None:
    """Start them, and have the ledger ask them. Whoever has named witnesses of their own keeps those alone."""
    if settings.witnesses:
        return
    log = open_log(settings).verifier.text()
    for played in PLAYED:
        folder = settings.data / "demo" / "witnesses" / played.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "logs").write_text(f"{log}\n", "utf-8")
        key = Witness(folder, name=played.name, clock=clock).cosigner.key.text()
        port = _free_port()
        supervisor.run_child(
            f"witness-{played.folder}",
            ourselves("witness", "--folder", str(folder), "--name", played.name, "--port", str(port)),
        )
        settings.witnesses.append(f"http://127.0.0.1:{port} {key}")
    settings.witness_quorum = len(PLAYED)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

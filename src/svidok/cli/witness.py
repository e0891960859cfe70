"""`svidok witness`: countersign other people's logs. It needs nothing of an installation: a folder, a name, a port."""

from pathlib import Path

import click

from svidok.cli.reach import Reach, pass_reach
from svidok.ledger.witness import Witness, serve_witness


@click.command("witness")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Where its key and what it has seen are kept; its file `logs` names what to watch.")  # fmt: skip
@click.option("--name", required=True, help="The name it signs under, for example ombudsman.example.ua/svidok")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8490, show_default=True, help="Port to listen on.")
@click.option("--log", "logs", multiple=True, help="A log's public key to watch, too (name+id+base64).")
@pass_reach
def witness_command(reach: Reach, *, folder: Path, name: str, host: str, port: int, logs: tuple[str, ...]) -> None:
    """Countersign checkpoints of logs that only grow, and keep proof against those that do not (C2SP tlog-witness)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _add_logs(folder / "logs", logs)
    witness = Witness(folder, name=name, clock=reach.clock)
    with serve_witness(witness, host, port) as server:
        click.echo(f"{witness.cosigner.key.text()}")
        click.echo(f"listening on http://{host}:{server.server_address[1]}")
        server.serve_forever()


def _add_logs(path: Path, keys: tuple[str, ...]) -> None:
    known = path.read_text("utf-8").splitlines() if path.exists() else []
    fresh = [key for key in keys if key not in known]
    if fresh:
        path.write_text("\n".join([*known, *fresh]) + "\n", "utf-8")

"""`svidok ledger`: check the whole log, show what it says of itself, prove one entry."""

import base64
import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click

from svidok.base import BadInput, Conflict, NotFound
from svidok.cli.reach import Reach, pass_reach
from svidok.ledger import Entry
from svidok.ledger.audit import AuditReport, audit_log, audit_register
from svidok.ledger.cosigning import Key
from svidok.ledger.gathering import best_note
from svidok.ledger.log import LogReader
from svidok.ledger.monitor import Monitor, Watched, by_http
from svidok.ledger.note import BadNote, Checkpoint, Verifier, open_note
from svidok.ledger.register import entry_by_id
from svidok.ledger.signer import FileSigner
from svidok.ledger.tlogproof import write_proof

KEY_FILE = "ledger.pem"
PUBLIC_FILE = "ledger.pub"  # all that is here of a key in a token


@click.group()
def ledger() -> None:
    """The log of seals, looks and disposals that anybody can check."""


def _verifier(reach: Reach, key: str | None) -> Verifier:
    """The key that was given, or this installation's own."""
    if key:
        try:
            return Verifier.parse(Path(key).read_text("utf-8") if Path(key).is_file() else key)
        except (OSError, BadNote) as error:
            raise BadInput("key-unreadable", f"This is not a ledger's public key: {error}") from error
    path, published = reach.keys / KEY_FILE, reach.keys / PUBLIC_FILE
    if not path.exists():
        if published.exists():
            return _verifier(reach, str(published))
        raise NotFound("key-not-here", f"{path} is not here. Give the ledger's public key with --key.")
    return Verifier(name=reach.ledger_origin, key=FileSigner(path).public_key())


@ledger.command("key")
@pass_reach
def show_key(reach: Reach) -> None:
    """Print the public key that others need to check us. Publish it where we cannot change it."""
    click.echo(_verifier(reach, None).text())


@ledger.command()
@pass_reach
def checkpoint(reach: Reach) -> None:
    """Print the signed checkpoint."""
    click.echo(_note(reach.ledger), nl=False)


def _note(folder: Path) -> str:
    try:
        return (folder / "checkpoint").read_text("utf-8")
    except OSError as error:
        raise NotFound("checkpoint-not-here", f"{folder} holds no checkpoint ({error.strerror}).") from error


@ledger.command()
@click.option("--key", help="The public key, or a file that holds it; this installation's own where left out.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="A copy of the log; this installation's where left out."
)
@click.option("--remembered", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A checkpoint kept from before: this log must have grown from it.")  # fmt: skip
@click.option("--log-only", is_flag=True, help="Leave the database out.")
@pass_reach
def audit(reach: Reach, *, key: str | None, folder: Path | None, remembered: Path | None, log_only: bool) -> None:
    """Rebuild the whole log from nothing, hold the database against it, and say what is wrong, where."""
    verifier = _verifier(reach, key)
    log = folder or reach.ledger
    known = _remembered(remembered, verifier) if remembered else None
    report = audit_log(log, verifier=verifier, origin=verifier.name, remembered=known)
    if not log_only and folder is None:
        database = reach.database()
        try:
            audit_register(database, log, report.size, report)
        finally:
            database.close()
    _tell(report)
    if report.findings:
        sys.exit(1)


def _remembered(path: Path, verifier: Verifier) -> Checkpoint:
    try:
        return Checkpoint.parse(open_note(path.read_text("utf-8"), verifier=verifier))
    except (OSError, UnicodeDecodeError, BadNote) as error:
        raise BadInput("checkpoint-unreadable", f"{path} is no checkpoint signed by this key: {error}") from error


def _tell(report: AuditReport) -> None:
    for finding in report.findings:
        click.echo(f"{finding.code}  {finding.where}")
        click.echo(f"    {finding.says}")
    root = base64.b64encode(report.root).decode()
    click.echo(f"{report.entries} entries, {report.rows} rows, root {root}: {len(report.findings) or 'no'} findings")


@ledger.command()
@click.argument("address")
@click.option("--key", required=True, help="The log's public key, or a file that holds it.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), required=True,
              help="Where to keep what was seen.")  # fmt: skip
@click.option("--witness", "witnesses", multiple=True, help="A witness's public key.")
@click.option("--quorum", default=0, show_default=True, help="How many of the witnesses must have signed.")
@click.option("--late-s", default=600, show_default=True, help="How much earlier than seen an entry's time may be.")
@click.option("--every-s", default=30, show_default=True, help="Look so often.")
@click.option("--once", is_flag=True, help="Look once; status 1 where something is wrong.")
@pass_reach
def watch(
    reach: Reach, address: str, *, key: str, state: Path, witnesses: tuple[str, ...], quorum: int, late_s: int,
    every_s: int, once: bool,
) -> None:  # fmt: skip
    """Follow the log at ADDRESS over plain HTTP from its first entry on, and say what is wrong."""
    text = Path(key).read_text("utf-8").strip() if Path(key).is_file() else key
    try:
        watched = Watched(
            key=Key.parse(text), witnesses=[Key.parse(one) for one in witnesses], quorum=quorum,
            late=timedelta(seconds=late_s), stale=timedelta(seconds=max(600, 10 * every_s)),
        )  # fmt: skip
    except ValueError as error:
        raise BadInput("key-unreadable", f"This is not a public key: {error}") from error
    monitor, fetch = Monitor(state, watched), by_http(address)
    while True:
        at = reach.clock.now()
        findings = monitor.look(fetch, at)
        for finding in findings:
            click.echo(f"{at.isoformat()}  {finding.code}  {finding.where}: {finding.says}")
        if once:
            click.echo(f"{monitor.size} entries seen: {len(findings) or 'no'} findings")
            sys.exit(1 if findings else 0)
        time.sleep(every_s)


@ledger.command()
@click.argument("entry", type=click.UUID)
@click.option("--tlog-proof", is_flag=True, help="As one file of C2SP tlog-proof, with the payload as extra data.")
@pass_reach
def prove(reach: Reach, entry: UUID, *, tlog_proof: bool) -> None:
    """Print what proves that ENTRY is in the log: leaf, path, checkpoint, and what opens its commitment."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            row = entry_by_id(tx, entry)
    finally:
        database.close()
    note = best_note(reach.ledger) if tlog_proof else _note(reach.ledger)
    size = Checkpoint.parse(note).size
    index = row["leaf_index"]
    if index is None or index >= size:
        raise Conflict("entry-waits", "This entry is not in the log yet. Try again in a second.")
    leaf = Entry(
        id=row["id"], kind=row["kind"], subject=row["subject"], at=row["at"], commitment=bytes(row["commitment"])
    )
    if tlog_proof:
        click.echo(
            write_proof(index, LogReader(reach.ledger).inclusion_proof(index, size), note, row["payload"]), nl=False
        )
        return
    told = {
        "leaf": leaf.leaf(),
        "leaf_index": index,
        "inclusion": [one.hex() for one in LogReader(reach.ledger).inclusion_proof(index, size)],
        "checkpoint": note,
        "payload": json.loads(bytes(row["payload"])) if row["payload"] is not None else None,
        "salt": bytes(row["salt"]).hex() if row["salt"] is not None else None,
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=1))

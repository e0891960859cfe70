"""At the terminal: check footage against database and ledger, see and change volumes, take out and verify exports."""

import sys
from pathlib import Path
from uuid import UUID

import click

from svidok.base import BadInput, SvidokError, new_id
from svidok.cli.footage import export_command
from svidok.cli.reach import Reach, pass_reach
from svidok.db import Database
from svidok.ledger.note import BadNote, Verifier
from svidok.ledger.sidecar import MOST_BYTES
from svidok.ledger.sidecar import Finding as Found
from svidok.recording.check import How, Report, check
from svidok.recording.mending import mend_index
from svidok.recording.reading import SQL, located
from svidok.recording.verifying import Verdict, verify_export
from svidok.recording.wardens import VolumeChange, add_volume, change_volume, list_volumes, mark_volume

_MENDABLE = {"index-missing", "index-damaged", "index-differs"}
EXIT_FINDINGS = 1
EXIT_PART = 3


@click.command("check")
@click.option("--quick", is_flag=True, help="Leave out the hashing: sizes, rows, indexes and seals only.")
@click.option("--node", help="Only the volumes of this machine.")
@click.option("--mend-indexes", is_flag=True, help="Make damaged indexes anew where the media is what was sealed.")
@pass_reach
def check_command(reach: Reach, *, quick: bool, node: str | None, mend_indexes: bool) -> None:
    """Prove that database, disk and ledger agree; name what does not."""
    database = reach.database()
    try:
        report = check(database, How(ledger=reach.ledger, node=node, bytes_too=not quick, progress=_progress))
        if mend_indexes:
            _mend(database, report)
            report = check(database, How(ledger=reach.ledger, node=node, bytes_too=not quick, progress=_progress))
    finally:
        database.close()
    _tell(report)
    if report.findings:
        sys.exit(EXIT_FINDINGS)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 50 == 0 or done == total):
        click.echo(f"\r{done} of {total}", nl=done == total, err=True)


def _tell(report: Report) -> None:
    for finding in report.findings:
        click.echo(f"{finding.code}  {finding.path}")
        about = f"segment {finding.segment_id}: " if finding.segment_id else ""
        click.echo(f"    {about}{finding.says}")
        click.echo(f"    {finding.do}")
    size = report.size_bytes / 1e9
    click.echo(
        f"{report.segments} segments, {report.fragments} fragments, {size:.1f} GB hashed, "
        f"{report.skipped} being written: {len(report.findings) or 'no'} findings"
    )


def _mend(database: Database, report: Report) -> None:
    wanted = {finding.segment_id for finding in report.findings if finding.code in _MENDABLE and finding.segment_id}
    with database.transaction() as tx:
        rows = tx.all(SQL["segments_by_id"], ids=list(wanted))
    for row in rows:
        try:
            click.echo(f"mended  {mend_index(located(row))}")
        except SvidokError as error:
            click.echo(f"not mended  {error.message}")


@click.group("volumes")
def volumes_group() -> None:
    """The disks that take footage."""


@volumes_group.command("list")
@pass_reach
def volumes_list(reach: Reach) -> None:
    """Every volume: state, free and used, node and folder."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            for one in list_volumes(tx):
                quota = f"{one.quota_bytes / 1e9:.0f}" if one.quota_bytes else "-"
                click.echo(
                    f"{one.id}  {one.state:8}  used {one.used_bytes / 1e9:.1f} GB  free {one.free_bytes / 1e9:.1f} GB"
                    f"  quota {quota} GB  {one.node}:{one.path}"
                )
    finally:
        database.close()


@volumes_group.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--node", required=True, help="The machine whose recorder shall use it.")
@click.option("--quota-gb", type=int, help="What footage may take of it; unset: all but a floor.")
@pass_reach
def volumes_add(reach: Reach, folder: Path, *, node: str, quota_gb: int | None) -> None:
    """Give FOLDER (the mount point of a disk) to the recorder."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            quota = quota_gb * 10**9 if quota_gb else None
            added = add_volume(tx, node=node, path=str(folder.resolve()), quota_bytes=quota, volume_id=new_id())
            mark_volume(added)
        click.echo(f"{added.id}  {added.node}:{added.path}")
    finally:
        database.close()


@volumes_group.command("retire")
@click.argument("volume", type=click.UUID)
@click.option("--back", is_flag=True, help="Take it into service again.")
@pass_reach
def volumes_retire(reach: Reach, volume: UUID, *, back: bool) -> None:
    """Write no more to VOLUME; what lies there stays and can be played."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            changed = change_volume(tx, volume, VolumeChange(state="ready" if back else "retired"))
        click.echo(f"{changed.id}  {changed.state}")
    finally:
        database.close()


@click.command("verify-export")
@click.argument("media", type=click.Path(path_type=Path))
@click.argument("sidecar", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="The ledger's public key: `name+id+base64`, or a file that holds it.")
def verify_command(media: Path, sidecar: Path, *, key: str) -> None:
    """Check the export MEDIA against its SIDECAR, as a stranger would: no account, no database, no network."""
    try:
        text = Path(key).read_text("utf-8") if Path(key).is_file() else key
        verifier = Verifier.parse(text)
    except (OSError, BadNote) as error:
        raise BadInput("key-unreadable", f"This is not a ledger's public key: {error}") from error
    with sidecar.open("rb") as file:
        _tell_verdict(verify_export(media, file.read(MOST_BYTES + 1), verifier=verifier))


def _tell_verdict(verdict: Verdict) -> None:
    for ground in verdict.grounds:
        click.echo(f"{ground.code}  {ground.where}")
        click.echo(f"    {ground.says}")
    click.echo(f"{verdict.finding}: {verdict.fragments} fragments lead to a log of {verdict.size} entries")
    if verdict.finding == Found.PROVED_IN_PART:
        sys.exit(EXIT_PART)
    if verdict.finding != Found.PROVED:
        sys.exit(EXIT_FINDINGS)


COMMANDS = (check_command, export_command, volumes_group, verify_command)

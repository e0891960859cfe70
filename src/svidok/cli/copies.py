"""At the terminal: count second copies, bring footage back out of them, try what a bucket's lock refuses."""

import sys
from uuid import UUID

import click

from svidok.base import BadInput, Conflict
from svidok.cli.reach import Reach, pass_reach
from svidok.db import Database
from svidok.recording.check import How, check
from svidok.recording.copies.conformance import try_lock
from svidok.recording.copies.copier import SQL, rotate
from svidok.recording.copies.envelope import Keeper
from svidok.recording.copies.inventory import take_inventory
from svidok.recording.copies.restoring import Restorer
from svidok.recording.copies.s3 import S3Store
from svidok.recording.copies.stores import CopyStore

KEY_FILE = "copies.key"
EXIT_FINDINGS = 1
_LOST = {"file-missing", "fragment-differs", "init-differs", "size-differs", "root-differs"}


@click.group("copies")
def copies_group() -> None:
    """Second copies of sealed footage."""


def _stores(reach: Reach) -> list[CopyStore]:
    stores = reach.stores()
    if not stores:
        raise BadInput("no-copies", "No place for copies is set. Set SVIDOK_COPIES.")
    return stores


@copies_group.command("list")
@pass_reach
def copies_list(reach: Reach) -> None:
    """How the copies at each place fare."""
    database = reach.database()
    try:
        with database.transaction() as tx:
            for row in tx.all(SQL["totals"]):
                waiting = tx.one(SQL["waiting"], target=row["target"])
                click.echo(
                    f"{row['target']}  {row['copies']} copies, {row['size_bytes'] / 1e9:.1f} GB, waiting "
                    f"{waiting['segments']}, unreadable {row['unreadable']}, erased {row['erased']}"
                )
    finally:
        database.close()


@copies_group.command("count")
@click.option("--bytes", "bytes_too", is_flag=True, help="Read and hash every copy too.")
@pass_reach
def copies_count(reach: Reach, *, bytes_too: bool) -> None:
    """Hold rows against what each place lists; name every difference; state the count in the ledger."""
    database, complete = reach.database(), True
    try:
        for store in _stores(reach):
            found = take_inventory(database, store, at=reach.clock.now(), bytes_too=bytes_too)
            for one in found.differences:
                click.echo(f"{one.kind}  {one.object}\n    {one.says}")
            click.echo(
                f"{found.target}: {found.copies} whole, {found.missing} missing, {found.differing} differing, "
                f"{found.unknown} unknown, {found.waiting} waiting"
            )
            complete = complete and found.complete
    finally:
        database.close()
    if not complete:
        sys.exit(EXIT_FINDINGS)


@copies_group.command("restore")
@click.argument("segments", nargs=-1, type=click.UUID)
@click.option("--lost", is_flag=True, help="Everything that `svidok check` finds missing or damaged.")
@click.option("--onto", type=click.UUID, help="A volume of this machine, where the footage's own is gone for good.")
@pass_reach
def copies_restore(reach: Reach, segments: tuple[UUID, ...], *, lost: bool, onto: UUID | None) -> None:
    """Bring SEGMENTS back out of their copies; only what leads to the sealed root is taken."""
    database = reach.database()
    try:
        wanted = list(segments) or (_lost(reach, database, whole_volumes=onto is not None) if lost else [])
        if not wanted:
            click.echo("nothing to restore")
            return
        restorer = Restorer(database=database, stores=_stores(reach), keeper=Keeper(reach.keys / KEY_FILE), onto=onto)
        told = restorer.restore(wanted)
    finally:
        database.close()
    for segment_id, why in told.failed.items():
        click.echo(f"not restored  {segment_id}\n    {why}")
    click.echo(f"{len(told.segments)} restored, {len(told.failed)} not")
    if told.failed:
        sys.exit(EXIT_FINDINGS)


def _lost(reach: Reach, database: Database, *, whole_volumes: bool) -> list[UUID]:
    report = check(database, How(ledger=reach.ledger))
    found = {one.segment_id for one in report.findings if one.code in _LOST and one.segment_id}
    if whole_volumes:
        absent = [one.path for one in report.findings if one.code == "volume-absent"]
        with database.transaction() as tx:
            found |= {row["id"] for row in tx.all(SQL["segments_on"], paths=absent)}
    return sorted(found)


@copies_group.command("try-lock")
@pass_reach
def copies_try(reach: Reach) -> None:
    """Put an object under lock, and try every way to be rid of it: each must be refused."""
    held = True
    for store in _stores(reach):
        if not isinstance(store, S3Store):
            continue
        click.echo(store.target)
        for one in try_lock(store, at=reach.clock.now()):
            click.echo(f"    {'refused' if one.held else 'NOT REFUSED'}  {one.what}: {one.says}")
            held = held and one.held
    if not held:
        raise Conflict(
            "lock-does-not-hold", "This bucket does not keep what it promises. Do not trust it with footage."
        )


@copies_group.command("rotate-key")
@pass_reach
def copies_rotate(reach: Reach) -> None:
    """Wrap every key anew, and destroy the old keeper: what old backups hold of destroyed keys opens nothing then."""
    database = reach.database()
    try:
        turned = rotate(database, Keeper(reach.keys / KEY_FILE))
    finally:
        database.close()
    click.echo(
        f"{turned} keys wrapped anew. Put the new {KEY_FILE} into its safe place, and destroy the old one there."
    )

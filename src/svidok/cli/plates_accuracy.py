"""`svidok plates accuracy`: how well plates are read, where the truth is known."""

from datetime import timedelta
from pathlib import Path

import click

from svidok.base import NotFound
from svidok.cli.reach import Reach, pass_reach
from svidok.plates.accuracy import TRUTH_FILE, Accuracy, Truth, measured, truths


@click.command()
@click.option("--truth", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="JSON: camera number to loop_s and plates (default: the demonstration's).")  # fmt: skip
@click.option("--minutes", default=10.0, show_default=True, help="How far back.")
@pass_reach
def accuracy(reach: Reach, *, truth: Path | None, minutes: float) -> None:
    """Hold what was read against what truly passed, camera by camera."""
    known = truths(truth or reach.data / TRUTH_FILE)
    database = reach.database()
    now = reach.clock.now()
    try:
        for number, what in sorted(known.items()):
            with database.transaction() as tx:
                row = tx.maybe("SELECT id FROM fleet.camera WHERE number = %(number)s", number=number)
                if row is None:
                    raise NotFound("camera-not-found", f"There is no camera {number}.")
                found = measured(
                    tx, camera_id=row["id"], truth=what, since=now - timedelta(minutes=minutes), until=now
                )  # fmt: skip
            _tell(number, what, found)
    finally:
        database.close()


def _tell(number: str, truth: Truth, found: Accuracy) -> None:
    if found.share is None:
        click.echo(f"{number}: no whole loop of {truth.loop_s:g} s was read yet")
        return
    click.echo(
        f"{number}: {found.right} of {found.passed} vehicles read right = {found.share:.3f}, "
        f"{len(found.misread)} misread, {len(found.invented)} invented, {found.twice} told twice"
    )
    for read, true in sorted(set(found.misread)):
        click.echo(f"  {true} read as {read}, {found.misread.count((read, true))} times")

"""`svidok simulate customs`: the days of a checkpoint, printed or sent where a customs system would send them."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import click
import httpx

from svidok.base import BadInput, SvidokError, Unavailable
from svidok.simulate.border import Border, play_day

_BATCH = 2000
_COLUMNS = ("number", "checkpoint", "lane", "kind", "direction", "declaration", "plate", "officers", "queued_at",
            "started_at", "ended_at", "outcome", "scan_due", "steps", "irregularities")  # fmt: skip


@click.command()
@click.option("--checkpoint", "code", default="UA209140", show_default=True, help="Code of the checkpoint.")
@click.option("--lanes", default="1,2,3,4,5,6", show_default=True, help="Codes of its lanes.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day (Kyiv).")
@click.option("--days", default=1, show_default=True)
@click.option("--per-day", default=300, show_default=True, help="Vehicles on a working day.")
@click.option("--pace", default=1.0, show_default=True, help="How long the work takes: 0.9 is a tenth quicker.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same days.")
@click.option("--form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option("--to", "address", help="Address of the hub, for example http://127.0.0.1:8480; none: print.")
@click.option("--secret", help="Secret of the source, for --to.")
def customs(
    code: str,
    lanes: str,
    first: Any,
    days: int,
    per_day: int,
    pace: float,
    seed: int,
    form: str,
    address: str | None,
    secret: str | None,
) -> None:
    """Make the days of a checkpoint: queues, nights, holidays."""
    border = Border(
        code=code, lanes=tuple(part.strip() for part in lanes.split(",")), per_day=per_day, pace=pace, seed=seed
    )
    begin: date = first.date()
    rows = [one for n in range(days) for one in play_day(border, begin + timedelta(days=n))]
    if address is None:
        sys.stdout.write(as_csv(rows) if form == "csv" else json.dumps({"procedures": rows}, ensure_ascii=False) + "\n")
        return
    if not secret:
        raise BadInput("secret-needed", "Give --secret: the one that was shown when the source was added.")
    for batch in _batches(rows):
        click.echo(json.dumps(send(address, secret, batch, form=form), ensure_ascii=False))


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The procedures as the contract writes CSV."""
    into = io.StringIO()
    writer = csv.writer(into, delimiter=";", lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        steps = "|".join(f"{one['kind']}@{one['started_at']}/{one['ended_at']}" for one in row["steps"])
        found = "|".join(f"{one['cause']}/{one['condition']}" for one in row["irregularities"])
        cells = row | {"officers": "|".join(row["officers"]), "steps": steps, "irregularities": found}
        writer.writerow("" if cells[name] is None else cells[name] for name in _COLUMNS)
    return into.getvalue()


def send(address: str, secret: str, rows: list[dict[str, Any]], *, form: str) -> dict[str, Any]:
    """Tell the hub of procedures; what it answered."""
    body = as_csv(rows) if form == "csv" else json.dumps({"procedures": rows}, ensure_ascii=False)
    kind = "text/csv" if form == "csv" else "application/json"
    try:
        answer = httpx.post(
            f"{address.rstrip('/')}/api/customs/intake/procedures", content=body.encode(), timeout=120,
            headers={"Authorization": f"Bearer {secret}", "Content-Type": kind},
        )  # fmt: skip
        told: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("hub-unavailable", f"{address} does not answer as a hub does. Is it running?") from error
    if answer.status_code >= 400:
        raise SvidokError(str(told.get("code")), str(told.get("message")))
    return told


def _batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]

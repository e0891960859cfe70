"""`svidok worn` and `svidok simulate bodyworn`: counting what is kept, and docks that are not there."""

import base64
import json
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from svidok.base import Conflict
from svidok.bodyworn import inventory
from svidok.bodyworn.vault import Vault
from svidok.cli.reach import Reach
from svidok.cli.simulate import simulate
from svidok.simulate.docking import DockClient, offload_swift, offload_tus
from svidok.simulate.worn import WORN_FAULTS, shift_of_camera


@click.group()
def worn() -> None:
    """Footage of worn cameras."""


@worn.command("inventory")
@click.option("--quick", is_flag=True, help="Compare sizes only; otherwise every file is read and hashed.")
@click.pass_obj
def take(reach: Reach, quick: bool) -> None:
    """Count everything, state it in the ledger, and name what is short. Run it after every migration."""
    database = reach.database()
    with database.transaction() as tx:
        rows = tx.all("SELECT node, path, id FROM bodyworn.volume ORDER BY rank")
    if not rows:
        raise Conflict("no-worn-volumes", "No machine keeps footage of worn cameras yet. Start `svidok dock` first.")
    node = rows[0]["node"]
    vault = Vault(
        [Path(row["path"]) for row in rows if row["node"] == node], node=node,
        known={row["path"]: row["id"] for row in rows},
    )  # fmt: skip
    _, made = inventory.take_inventory(database, vault, at=reach.clock.now(), hashing=not quick)
    click.echo(f"{made.clips} clips, {made.copies} second copies, {made.bytes} bytes; {made.hashed} files hashed")
    for kind, which in made.short:
        click.echo(f"  short: {kind} {which}")
    if made.shortfall:
        raise SystemExit(1)


@simulate.command("bodyworn")
@click.option("--connection", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The connection file of a dock.")  # fmt: skip
@click.option("--serial", "serials", multiple=True, help="Serial number of a camera; again for each (default SIM-n).")
@click.option("--cameras", default=4, show_default=True, help="How many cameras, where none is named.")
@click.option("--minutes", default=10.0, show_default=True, help="How long each recorded, until now.")
@click.option("--clip-s", default=120.0, show_default=True, help="Seconds in a clip.")
@click.option("--door", type=click.Choice(["swift", "tus"]), default="swift", show_default=True)
@click.option("--fault", "faults", multiple=True, help="Number or *, then a fault: 2=pulled")
@click.option("--fault-s", default=40.0, show_default=True, help="How long a switched-off camera is off.")
@click.option("--cache", default=Path("data/simulate"), type=click.Path(path_type=Path), show_default=True)
@click.pass_obj
def dock_there_is_none(
    reach: Reach, connection: Path, serials: tuple[str, ...], cameras: int, minutes: float, clip_s: float, door: str,
    faults: tuple[str, ...], fault_s: float, cache: Path,
) -> None:  # fmt: skip
    """Play a dock full of worn cameras that upload what they recorded.

    Faults: none, pulled, checksum, replay, clock-wrong, missing, torn, swapped, switched-off, battery, dark, covered,
    frozen, silent. The cameras must be enrolled by their serial numbers.
    """
    client = client_of(json.loads(connection.read_text("utf-8")))
    client.sign_in()
    numbers = serials or tuple(f"SIM-{number}" for number in range(1, cameras + 1))
    start = reach.clock.now().astimezone(UTC).replace(microsecond=0) - timedelta(minutes=minutes)
    for number, serial in enumerate(numbers, 1):
        offload(
            client, serial, start=start, seconds=60 * minutes, clip_s=clip_s, fault=_fault_of(faults, number),
            fault_s=fault_s, door=door, now=reach.clock.now, cache=cache,
        )  # fmt: skip


def offload(
    client: DockClient, serial: str, *, start: datetime, seconds: float, clip_s: float, fault: str, fault_s: float,
    door: str, now: Callable[[], datetime], cache: Path, user: str = "",
) -> None:  # fmt: skip
    """One camera docks and uploads; what came of it is printed."""
    swapped = f"{serial}-other" if fault == "swapped" else serial
    camera = shift_of_camera(
        swapped, start=start, seconds=seconds, clip_s=clip_s, fault=fault, fault_s=fault_s, ending="mkv"
    )
    with tempfile.TemporaryDirectory() as folder:
        if door == "swift":
            done = offload_swift(client, camera, user=user or f"user-{serial}", folder=Path(folder), cache=cache)
        else:
            done = offload_tus(client, camera, now=now, folder=Path(folder), cache=cache)
    click.echo(f"{serial}: {len(done.acknowledged)} clips acknowledged, {len(done.failed)} not ({fault})")


def client_of(told: dict[str, object]) -> DockClient:
    """A dock's client out of its connection file."""
    uris, certificates = told["AuthenticationTokenURI"], told["HTTPSCertificate"]
    if not isinstance(uris, list) or not isinstance(certificates, list):
        raise click.BadParameter("this is no connection file")
    with tempfile.NamedTemporaryFile("w", suffix=".crt", delete=False) as file:
        file.write(ssl.DER_cert_to_PEM_cert(base64.b64decode(certificates[0])))
    return DockClient(
        url=str(uris[0]).removesuffix("/auth/v1.0"), account=str(told["BlobAPIUserName"]),
        secret=str(told["BlobAPIKey"]), certificate=Path(file.name),
    )  # fmt: skip


def _fault_of(faults: tuple[str, ...], number: int) -> str:
    for given in faults:
        which, _, fault = given.partition("=")
        if fault not in WORN_FAULTS:
            raise click.BadParameter(f"Known faults: {', '.join(WORN_FAULTS)}")
        if which in ("*", str(number)):
            return fault
    return "none"

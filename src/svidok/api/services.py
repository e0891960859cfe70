"""What the routes are given. Built by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from svidok.access.oidc import Provider
from svidok.api.jobs import Jobs
from svidok.api.tickets import Tickets
from svidok.base import Clock
from svidok.bodyworn.keys import DoorKeys
from svidok.bodyworn.vault import Vault
from svidok.bus import Bus
from svidok.db import Database
from svidok.evidence.disclosing import MakeMeans
from svidok.ledger.cosigning import Key
from svidok.plates.parts import Plates
from svidok.plates.rules import Rules
from svidok.recording.reach import HERE, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class WornParts:
    """What is kept of worn cameras on this machine, and what docks are told; `origin` is the address of their door."""

    vault: Vault
    keys: DoorKeys
    origin: str


@dataclass(slots=True, kw_only=True)
class Services:
    """The parts behind the door. `bus` may come and go; `reach` is how far we see footage."""

    database: Database
    bus: Bus | None
    data: Path
    ledger_folder: Path
    ledger_origin: str
    clock: Clock
    jobs: Jobs
    node: str
    public_origin: str | None = None
    secure_cookies: bool = False
    demo: bool = False
    exports: Tickets = field(default_factory=Tickets)
    metrics_token: str | None = None
    version: str = "0.1.0"
    oidc: Provider | None = None
    credentials_key: Path | None = None
    exhibits: Path | None = None  # the volume of exhibits' files; unset: <data>/exhibits
    clamav_socket: Path | None = None
    map_tiles: Path | None = None  # the customer's own base map, a PMTiles file
    bundle_means: MakeMeans | None = None
    witnesses: tuple[Key, ...] = ()  # whose countersignatures the ledger's policy asks for
    witness_quorum: int = 0
    reach: Reach = HERE
    worn: WornParts | None = None
    plates: Plates | None = None
    plate_rules: Rules = field(default_factory=Rules)
    checks: dict[str, Callable[[], Any]] = field(default_factory=dict)

"""What a command at the terminal can reach: handed down by the composition root, so that no command wires anything."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from svidok.base import Clock
from svidok.db import Database
from svidok.recording.copies.stores import CopyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The places of this installation. `database` opens a pool when called; the caller closes it.

    `stores` are those of second copies.
    """

    data: Path
    ledger: Path
    ledger_origin: str
    keys: Path
    clock: Clock
    database: Callable[[], Database]
    stores: Callable[[], list[CopyStore]] = list


pass_reach = click.make_pass_decorator(Reach)

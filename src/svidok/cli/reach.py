"""What a command at the terminal can reach: handed down by the composition root, so that no command wires anything."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from svidok.base import Clock
from svidok.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The places of this installation. `database` opens a pool when called; the caller closes it."""

    data: Path
    ledger: Path
    ledger_origin: str
    keys: Path
    clock: Clock
    database: Callable[[], Database]


pass_reach = click.make_pass_decorator(Reach)

"""How well a camera reads, where the truth is known: a demonstration, or a test drive with a list.

A simulated camera shows the same vehicles again every `loop`; when its loop
began is not known, and need not be: in a whole number of loops each vehicle is
read once a loop, or it was missed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from uuid import UUID

import msgspec

from svidok.base import BadInput
from svidok.db import Queries, Transaction
from svidok.vision.plate_text import cost

SQL = Queries.parse(resources.files(__package__).joinpath("following.sql").read_text("utf-8"))
TRUTH_FILE = Path("demo") / "plates-truth.json"
"""Under the data folder: what the demonstration's plate cameras show."""

_JITTER = timedelta(seconds=1.2)  # a vehicle is not seen best at the same instant of each loop
_MISREAD = 10.0  # a text farther than about two errors from every true plate is nobody's


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One read, as far as accuracy asks: when, what."""

    taken_at: datetime
    plate: str


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What passes a camera once a loop of so many seconds."""

    loop_s: float
    plates: tuple[str, ...]


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """What reads were worth in a span of whole loops."""

    since: datetime | None
    until: datetime | None
    passed: int  # vehicles that drove by
    right: int
    misread: tuple[tuple[str, str], ...]  # read, true
    invented: tuple[str, ...]  # of which no vehicle is near
    twice: int

    @property
    def share(self) -> float | None:
        """Right reads over vehicles; nothing where none passed yet."""
        return self.right / self.passed if self.passed else None


def accuracy(truth: Sequence[str], reads: Iterable[Told], *, loop: timedelta) -> Accuracy:
    """Hold reads against the plates that pass once a loop. Without a whole loop of reads there is no figure yet."""
    ordered = sorted(reads, key=lambda one: one.taken_at)
    loops = int((ordered[-1].taken_at - ordered[0].taken_at) / loop) if ordered else 0
    if loops == 0:
        return Accuracy(since=None, until=None, passed=0, right=0, misread=(), invented=(), twice=0)
    since, until = ordered[0].taken_at, ordered[0].taken_at + loops * loop - _JITTER
    counted = Counter(one.plate for one in ordered if one.taken_at < until)
    often = Counter(truth)
    right = sum(min(counted[plate], times * loops) for plate, times in often.items())
    twice = sum(max(0, counted[plate] - times * loops) for plate, times in often.items())
    misread: list[tuple[str, str]] = []
    invented: list[str] = []
    for plate, times in counted.items():
        if plate in often:
            continue
        nearest = min(often, key=lambda true, plate=plate: cost(plate, true), default="")  # type: ignore[misc]
        if nearest and cost(plate, nearest) <= _MISREAD:
            misread += [(plate, nearest)] * times
        else:
            invented += [plate] * times
    return Accuracy(
        since=since, until=until, passed=len(truth) * loops, right=right, misread=tuple(misread),
        invented=tuple(invented), twice=twice,
    )  # fmt: skip


def measured(tx: Transaction, *, camera_id: UUID, truth: Truth, since: datetime, until: datetime) -> Accuracy:
    """How well a camera read in a span. Plates that are known to be nobody's: no person's data is shown by it."""
    rows = tx.all(SQL["reads_of_camera"], camera_id=camera_id, since=since, until=until)
    told = [Told(taken_at=row["taken_at"], plate=row["text"]) for row in rows]
    return accuracy(truth.plates, told, loop=timedelta(seconds=truth.loop_s))


def truths(path: Path) -> dict[str, Truth]:
    """The truth of each camera, by its number, out of a JSON file. Raises `BadInput`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Truth])
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput("truth-unreadable", f"{path} cannot be read as a list of who passes: {error}") from error


def write_truths(path: Path, known: dict[str, Truth]) -> None:
    """Write down what passes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(msgspec.to_builtins(known), indent=1) + "\n", "utf-8")

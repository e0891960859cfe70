"""One parent for all processes on this machine: it starts them in order, restarts what falls, and stops every one.

Children die with the parent, however it goes (PR_SET_PDEATHSIG), so that a
killed supervisor leaves no orphan holding a port or a lock. A child that keeps
falling is restarted ever more slowly, never given up.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from svidok.base import Clock

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 20.0
_CALM_S = 60.0

log = structlog.get_logger("supervisor")


def restart_delay_s(falls: int) -> float:
    """How long to wait before the next start after `falls` falls in a row.

    >>> [restart_delay_s(n) for n in (1, 2, 3, 9)]
    [0.5, 1.0, 2.0, 15.0]
    """
    return min(15.0, 0.5 * 2.0 ** (falls - 1))


@dataclass(slots=True)
class Child:
    """A process of ours: how it is started, and how it fares."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    started_at: float = 0.0
    start_again_at: float = field(default=0.0)

    @property
    def running(self) -> bool:
        """Whether it runs at this moment."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps its children running until it is told to stop."""

    def __init__(self, clock: Clock, logs: Path) -> None:
        self._clock = clock
        self._logs = logs
        self._children: list[Child] = []
        self._watched: list[tuple[str, Callable[[], bool], Callable[[], None]]] = []
        self.stop = threading.Event()

    def run_child(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a child and keep it running."""
        child = Child(name, command, {**os.environ, **(environment or {})})
        self._children.append(child)
        self._start(child)

    def watch(self, name: str, alive: Callable[[], bool], revive: Callable[[], None]) -> None:
        """Keep something alive that starts itself by other means (our PostgreSQL)."""
        self._watched.append((name, alive, revive))

    def tend(self) -> None:
        """Look after the children until `stop` is set."""
        while not self.stop.wait(0.25):
            for name, alive, revive in self._watched:
                if not alive():
                    log.warning("fell", child=name)
                    revive()
            for child in self._children:
                self._tend(child)

    def end(self) -> None:
        """Stop every child, the last started first: the doors before what stands behind them."""
        for child in reversed(self._children):
            if not child.running or child.process is None:
                continue
            child.process.send_signal(signal.SIGTERM)
            try:
                child.process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                log.warning("killed", child=child.name, after_s=_PATIENCE_S)
                child.process.kill()
                child.process.wait()

    def _tend(self, child: Child) -> None:
        now = self._clock.monotonic()
        if child.running:
            if child.falls and now - child.started_at > _CALM_S:
                child.falls = 0
            return
        if child.process is not None:
            child.falls += 1
            child.start_again_at = now + restart_delay_s(child.falls)
            log.warning("fell", child=child.name, code=child.process.returncode, falls=child.falls,
                        log=str(self._logs / f"{child.name}.log"))  # fmt: skip
            child.process = None
        if now >= child.start_again_at:
            self._start(child)

    def _start(self, child: Child) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{child.name}.log").open("ab") as out:
            child.process = subprocess.Popen(
                child.command,
                env=dict(child.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent(signal.SIGTERM),
                start_new_session=True,
            )
        child.started_at = self._clock.monotonic()
        log.info("started", child=child.name, pid=child.process.pid)


def die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """What a child runs before it becomes its program: the kernel sends it `sent` when its parent is gone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, sent)

    return ask


def ourselves(*arguments: str) -> list[str]:
    """The command line of another process of this package."""
    return [sys.executable, "-m", "svidok", *arguments]

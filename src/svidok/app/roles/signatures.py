"""The signatures role: judges what signing cameras signed, apart from the recorder, which must never wait."""

import asyncio
from datetime import timedelta

import structlog

from svidok.app.roles.parts import CLOCK, open_database, stop_on_signal
from svidok.app.settings import Settings
from svidok.base import Conflict, SvidokError
from svidok.recording.signatures.keeping import SignatureJudge

log = structlog.get_logger("signatures")

_ROUND_S = 5.0
_BACK = timedelta(days=2)  # what is older and was never judged is judged when somebody asks for it


def trusted_roots(settings: Settings) -> bytes:
    """The makers' certificates that the administrator trusts; empty where none are set."""
    if settings.device_roots is None:
        return b""
    try:
        return settings.device_roots.read_bytes()
    except OSError as error:
        raise Conflict(
            "device-roots-unreadable", f"{settings.device_roots} cannot be read: {error.strerror}."
        ) from error


async def run_signatures(settings: Settings) -> None:
    """Judge until told to stop."""
    roots, stop = trusted_roots(settings), stop_on_signal()
    database = open_database(settings, size=2)
    while not stop.is_set():
        now = CLOCK.now()
        judge = SignatureJudge(database=database, node=settings.node, roots=roots, since=now - _BACK)
        try:
            await asyncio.to_thread(judge.round, at=now, cancelled=stop.is_set)
        except SvidokError as error:
            log.warning("will try again", code=error.code, why=error.message)
        try:
            async with asyncio.timeout(_ROUND_S):
                await stop.wait()
        except TimeoutError:
            continue
    database.close()

"""What every role needs: the database, the bus (with patience), the keys."""

import asyncio
import signal

import structlog

from svidok.app.settings import Settings
from svidok.base import Conflict, SystemClock
from svidok.bus import Bus, BusUnavailable
from svidok.db import Database
from svidok.ledger.log import Log
from svidok.ledger.signer import FileSigner, Pkcs11Signer, Signer

log = structlog.get_logger("role")
CLOCK = SystemClock()


def open_database(settings: Settings, *, size: int) -> Database:
    """The database that the settings name. Raises `Conflict` where none is named."""
    if settings.database_url is None:
        raise Conflict("database-not-named", "Set SVIDOK_DATABASE_URL, or start everything with `svidok up`.")
    return Database.open(settings.database_url.get_secret_value(), size=size, wait_s=4.0)


async def connect_bus(settings: Settings, name: str, *, wait_s: float = 20.0) -> Bus | None:
    """The bus, waited for; nothing where it does not come: what can go on without it goes on."""
    if settings.bus_url is None:
        return None
    until = CLOCK.monotonic() + wait_s
    while CLOCK.monotonic() < until:
        try:
            return await Bus.connect(settings.bus_url.get_secret_value(), name, wait_s=3.0)
        except BusUnavailable:
            await asyncio.sleep(0.5)
    log.warning("starting without the bus")
    return None


def stop_on_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    for sent in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sent, stop.set)
    return stop


def open_log(settings: Settings) -> Log:
    """The ledger's log, with its signer; its public key is published beside it, and kept among the keys."""
    opened = Log(settings.ledger, _signer(settings), settings.origin())
    for path in (settings.ledger / "verifier.key", settings.keys / "ledger.pub"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(opened.verifier.text() + "\n")
    return opened


def _signer(settings: Settings) -> Signer:
    """The key in the token that the settings name, or in a file."""
    if settings.ledger_pkcs11_module is None:
        return FileSigner(settings.keys / "ledger.pem")
    pin = settings.ledger_pkcs11_pin
    if pin is None:
        raise Conflict("token-pin-not-set", "Set SVIDOK_LEDGER_PKCS11_PIN to the PIN of the ledger's token.")
    return Pkcs11Signer(
        module=str(settings.ledger_pkcs11_module),
        token_label=settings.ledger_pkcs11_token,
        key_label=settings.ledger_pkcs11_key,
        pin=pin.get_secret_value(),
    )

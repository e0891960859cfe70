"""Docks: who may send, by which secret, and the connection file that tells a dock of the maker Axis where we are.

A dock's secret is random and long; only its hash is kept. What a dock gets by
it is a token that lives a few hours and says nothing but who sends. No secret
and no token of a dock reads or destroys anything.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from svidok.access import Actor, audit, require
from svidok.base import BadInput, SvidokError, new_id
from svidok.db import Queries, Row, Transaction

SQL = Queries.of("svidok.bodyworn")
TOKEN_LIVES = timedelta(hours=8)


class DockUnknown(SvidokError):
    """No dock has this name and secret."""

    status = 401

    def __init__(self) -> None:
        super().__init__("dock-unknown", "No dock has this name and key. Make a connection file and load it again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dock:
    """A dock that was let in."""

    id: UUID
    name: str
    checkpoint: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDock:
    """A dock just made: `secret` is shown once and kept nowhere."""

    dock: Dock
    secret: str


def make_dock(tx: Transaction, *, actor: Actor, name: str, checkpoint: str, at: datetime) -> NewDock:
    """Make a dock for a checkpoint. Raises `BadInput` where the name is empty or taken."""
    require(actor, "manage_docks")
    if not name.strip() or not checkpoint.strip():
        raise BadInput("dock-name-needed", "Give the dock a name and the checkpoint where it stands.")
    if tx.maybe(SQL["dock_by_name"], name=name.strip()):
        raise BadInput("dock-name-taken", "Another dock has this name.")
    dock_id, secret = new_id(), secrets.token_urlsafe(36)
    account = f"dock-{dock_id.hex[-12:]}"
    tx.run(
        SQL["add_dock"], id=dock_id, name=name.strip(), checkpoint=checkpoint.strip(), account=account,
        secret=_hash(secret), at=at,
    )  # fmt: skip
    audit.record(tx, actor=actor, action="manage_docks", what={"dock": str(dock_id)}, at=at, to_whom="")
    dock = Dock(id=dock_id, name=name.strip(), checkpoint=checkpoint.strip(), account=account)
    return NewDock(dock=dock, secret=secret)


def renew_secret(tx: Transaction, *, actor: Actor, dock_id: UUID, at: datetime) -> NewDock:
    """Give a dock another secret; the old one is worthless from now on."""
    require(actor, "manage_docks")
    secret = secrets.token_urlsafe(36)
    dock = dock_of(tx.one(SQL["renew_dock"], id=dock_id, secret=_hash(secret)))
    audit.record(tx, actor=actor, action="manage_docks", what={"renewed": str(dock_id)}, at=at, to_whom="")
    return NewDock(dock=dock, secret=secret)


def let_in(tx: Transaction, *, account: str, secret: str, at: datetime) -> Dock:
    """The dock with this name and secret. Raises `DockUnknown`."""
    row = tx.maybe(SQL["dock_by_account"], account=account)
    if row is None or not hmac.compare_digest(bytes(row["secret"]), _hash(secret)):
        raise DockUnknown
    tx.run(SQL["dock_seen"], id=row["id"], at=at)
    return dock_of(row)


def token_for(dock: Dock, key: bytes, *, at: datetime) -> str:
    """What a dock shows with each request: its account, until when, and a code that only we can make."""
    until = int((at + TOKEN_LIVES).timestamp())
    return f"{dock.account}.{until}.{_code(key, dock.account, until)}"


def dock_by_token(tx: Transaction, token: str, key: bytes, *, at: datetime) -> Dock:
    """The dock that a token speaks of. Raises `DockUnknown` where it is forged or too old."""
    account, _, rest = token.partition(".")
    until, _, code = rest.partition(".")
    if not until.isascii() or not until.isdigit() or int(until) < at.timestamp():
        raise DockUnknown
    if not hmac.compare_digest(code.encode(), _code(key, account, int(until)).encode()):
        raise DockUnknown
    row = tx.maybe(SQL["dock_by_account"], account=account)
    if row is None:
        raise DockUnknown
    return dock_of(row)


def docks(tx: Transaction) -> list[Dock]:
    """Every dock, by name."""
    return [dock_of(row) for row in tx.all(SQL["docks"])]


def dock_of(row: Row) -> Dock:
    """A dock out of its row."""
    return Dock(id=row["id"], name=row["name"], checkpoint=row["checkpoint"], account=row["account"])


def connection_file(
    made: NewDock, *, origin: str, certificates: Sequence[bytes], public_key_pem: bytes, key_id: str, version: str
) -> bytes:
    """The JSON file that an Axis body worn manager loads. `certificates` in DER, the server's own first.

    It always demands TLS, our clock, and encryption: a file without a
    certificate would make the dock speak plain HTTP.
    """
    if not origin.startswith("https://") or not certificates:
        raise BadInput("dock-needs-tls", "Docks are let in over TLS only. Set the address of the door for docks.")
    told = {
        "ConnectionFileVersion": "1.0",
        "SiteName": made.dock.checkpoint[:64],
        "ApplicationName": "Svidok",
        "ApplicationVersion": version,
        "ContentDestinationAsNTPServer": True,
        "AuthenticationTokenURI": [f"{origin}/auth/v1.0"],
        "HTTPSCertificate": [base64.b64encode(one).decode() for one in certificates],
        "BlobAPIKey": made.secret,
        "BlobAPIUserName": made.dock.account,
        "ContainerType": "mkv",
        "FullStoreAndReadSupport": False,
        "WantEncryption": True,
        "PublicKey": base64.b64encode(public_key_pem).decode(),
        "PublicKeyId": key_id,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _code(key: bytes, account: str, until: int) -> str:
    return hmac.new(key, f"{account}.{until}".encode(), hashlib.sha256).hexdigest()

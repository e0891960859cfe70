"""Tell confirmed alerts to other systems: webhooks with a signature, and MQTT. What could not be told is tried again.

A webhook is signed as `Svidok-Signature: t=<seconds>,v1=<hex>`, where v1 is
HMAC-SHA256 over `<seconds>.<body>` with the channel's secret; `Svidok-Delivery`
is the same for every try, so that whoever receives takes it once. No redirect is
followed. An address in our own network is as good as any: such systems live there.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psycopg.errors

from svidok.access import Actor, audit, require
from svidok.base import BadInput, Conflict, NotFound, new_id
from svidok.db import Database, Row, Transaction
from svidok.fleet.credentials import Safe
from svidok.incidents.raising import SQL
from svidok.ledger import JSON

MOST_ATTEMPTS = 20  # with these pauses, about a day and a half
_PAUSE_S, _PAUSE_MAX_S = 5.0, 3 * 3600.0
_HOLD = timedelta(seconds=60)  # a teller that dies frees what it took after this
_TIMEOUT_S = 10.0
_AT_ONCE = 20

Publish = Callable[[str, bytes], None]
"""Publish on the customer's broker; raises `OSError` where that cannot be done."""


def add_channel(
    tx: Transaction, *, actor: Actor, safe: Safe, name: str, kind: str, target: str, legal_basis: str, at: datetime
) -> tuple[UUID, str | None]:
    """Another place for confirmed alerts: its id, and the secret that signs, which is told this once."""
    require(actor, "manage_alert_channels")
    if kind == "webhook":
        parts = urlsplit(target)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not parts.hostname or parts.username or parts.scheme not in (("http", "https") if local else ("https",)):
            raise BadInput("channel-target", "A webhook is an https address without a name and password in it.")
    elif kind != "mqtt" or not 1 <= len(target) <= 200 or {"#", "+", "\0"} & set(target):
        raise BadInput("channel-target", "A channel is a webhook, or mqtt with a topic without wildcards.")
    if len(legal_basis.strip()) < 5:
        raise BadInput("legal-basis-needed", "State by which law alerts are handed to this system.")
    if not 1 <= len(name.strip()) <= 80:
        raise BadInput("channel-name", "Give the channel a name of 1 to 80 characters.")
    channel_id, secret = new_id(), f"svw_{secrets.token_urlsafe(32)}" if kind == "webhook" else None
    try:
        with tx.connection.transaction():
            tx.run(
                SQL["add_channel"], id=channel_id, name=name.strip(), kind=kind, target=target,
                secret=safe.seal(channel_id, "webhook", secret) if secret else None, legal_basis=legal_basis.strip(),
                added_by=actor.id, at=at,
            )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("channel-known", "Another channel has this name already.") from error
    what = {"channel": str(channel_id), "kind": kind, "target": target}
    audit.record(
        tx, actor=actor, action="manage_alert_channels", what=dict(what), at=at, to_whom="", legal_basis=legal_basis
    )
    return channel_id, secret


def enable_channel(tx: Transaction, *, actor: Actor, channel_id: UUID, enabled: bool, at: datetime) -> None:
    """Switch a channel on or off."""
    require(actor, "manage_alert_channels")
    if not tx.run(SQL["enable_channel"], id=channel_id, enabled=enabled):
        raise NotFound("channel-unknown", "There is no such channel.")
    what: dict[str, JSON] = {"channel": str(channel_id), "enabled": enabled}
    audit.record(tx, actor=actor, action="manage_alert_channels", what=dict(what), at=at, to_whom="")


def channels(tx: Transaction) -> list[Row]:
    """The channels and how they fare; never a secret."""
    return tx.all(SQL["channels"])


def tell_due(
    database: Database, safe: Safe, *, now: Callable[[], datetime], client: httpx.Client, publish: Publish | None
) -> int:
    """Tell what is due; how many were told."""
    at = now()
    with database.transaction() as tx:
        due = tx.all(SQL["due_deliveries"], at=at, again_at=at + _HOLD, limit=_AT_ONCE)
    done = 0
    for one in due:
        trouble = _tell(one, safe, at=now(), client=client, publish=publish)
        with database.transaction() as tx:
            if trouble is None:
                tx.run(SQL["delivered"], id=one["id"], at=now())
                done += 1
            else:
                tx.run(
                    SQL["not_delivered"], id=one["id"], says=trouble[:200], given_up=one["attempts"] >= MOST_ATTEMPTS,
                    next_at=now() + timedelta(seconds=pause_s(one["attempts"])),
                )  # fmt: skip
    return done


def pause_s(attempts: int) -> float:
    """How long to wait after so many tries.

    >>> [pause_s(n) for n in (1, 2, 3, 99)]
    [5.0, 10.0, 20.0, 10800.0]
    """
    return min(_PAUSE_MAX_S, _PAUSE_S * 2.0 ** (min(attempts, 20) - 1))


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The value of `Svidok-Signature`."""
    seconds = int(at.timestamp())
    made = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={made}"


def _tell(one: Row, safe: Safe, *, at: datetime, client: httpx.Client, publish: Publish | None) -> str | None:
    """Nothing where it was told, or what went wrong."""
    body = json.dumps(one["body"], ensure_ascii=False, sort_keys=True).encode()
    if one["kind"] == "mqtt":
        return _publish(one, body, publish)
    _, secret = safe.open(one["channel_id"], one["secret"])
    headers = {
        "Content-Type": "application/json", "Svidok-Delivery": str(one["id"]),
        "Svidok-Signature": signature(secret, body, at),
    }  # fmt: skip
    try:
        answer = client.post(one["target"], content=body, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return None if 200 <= answer.status_code < 300 else f"HTTP {answer.status_code}"


def _publish(one: Row, body: bytes, publish: Publish | None) -> str | None:
    if publish is None:
        return "no broker is set"
    try:
        publish(one["target"], body)
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return None

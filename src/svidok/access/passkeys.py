"""Passkeys (W3C WebAuthn, level 3): added by whoever is signed in, and then a way to sign in without a password.

A challenge works once and for five minutes. The device must verify its user
(fingerprint, face or code), because here a passkey stands for password and
second factor at once. Which device it is, is not asked (no attestation).
"""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg.errors
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import exceptions
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from svidok.access import audit, sessions
from svidok.access.accounts import SQL, actor_of, token_hash
from svidok.access.model import Actor
from svidok.access.sessions import Session, SignInRefused
from svidok.base import BadInput, Conflict, NotFound, Unavailable
from svidok.db import Row, Transaction

_ADD, _ENTER = "passkey-add", "passkey-enter"
_LIVES = timedelta(minutes=5)
_MOST_CHALLENGES = 20_000  # anybody may ask for one: the table must not grow for ever
_MOST_KEYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who we are to a browser: `host` without port, and the whole `origin`."""

    host: str
    origin: str


def addition_options(tx: Transaction, *, actor: Actor, site: Site, at: datetime) -> dict[str, Any]:
    """What the browser needs to make a passkey for `actor`."""
    held = tx.all(SQL["passkeys_of"], account_id=actor.id)
    if len(held) >= _MOST_KEYS:
        raise Conflict("passkeys-full", f"An account has at most {_MOST_KEYS} passkeys. Remove one first.")
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="Svidok",
        user_id=actor.id.bytes,
        user_name=actor.login,
        user_display_name=actor.name,
        challenge=_challenge(tx, _ADD, {"account": str(actor.id)}, at),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(row["id"])) for row in held],
    )
    return dict(json.loads(options_to_json(options)))


def add(tx: Transaction, *, actor: Actor, credential: dict[str, Any], label: str, site: Site, at: datetime) -> None:
    """Keep the passkey that the browser made. Raises `BadInput` where it is not an answer to our challenge."""
    challenge, told = _answered(tx, _ADD, credential, at)
    if told["account"] != str(actor.id):
        raise BadInput("passkey-wrong", "This passkey was begun by somebody else. Begin again.")
    try:
        made = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except exceptions.WebAuthnException as error:
        raise BadInput("passkey-wrong", "The device's answer does not hold. Begin again.") from error
    try:
        tx.run(
            SQL["add_passkey"], id=made.credential_id, account_id=actor.id, public_key=made.credential_public_key,
            sign_count=made.sign_count, label=label.strip()[:60] or "passkey", at=at,
        )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("passkey-known", "This passkey is in use already.") from error
    audit.record(tx, actor=actor, action="manage_sign_in", what={"passkey": "added"}, at=at, to_whom="")


def entry_options(tx: Transaction, *, site: Site, at: datetime) -> dict[str, Any]:
    """What the browser needs to sign in with any passkey it has for us. Says nothing about who has one."""
    options = generate_authentication_options(
        rp_id=site.host, challenge=_challenge(tx, _ENTER, {}, at),
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return dict(json.loads(options_to_json(options)))


def enter(
    tx: Transaction, *, credential: dict[str, Any], site: Site, address: str, at: datetime
) -> Session | SignInRefused:
    """Begin a session with a passkey, or say why not; returned, not raised, so that the used challenge is committed."""
    try:
        challenge, _ = _answered(tx, _ENTER, credential, at)
        key_id = _decoded(credential.get("rawId"))
    except BadInput:
        return _refused()
    row = tx.maybe(SQL["passkey_by_id"], id=key_id)
    account = tx.maybe(SQL["account_by_id"], id=row["account_id"]) if row is not None else None
    if row is None or account is None or account["disabled_at"] is not None:
        return _refused()
    try:
        answer = verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, credential_public_key=bytes(row["public_key"]),
            credential_current_sign_count=row["sign_count"], require_user_verification=True,
        )  # fmt: skip
    except exceptions.WebAuthnException:
        audit.record(tx, actor=None, action="sign_in_refused", what={"how": "passkey"}, at=at, to_whom=address)
        return _refused()
    tx.run(SQL["use_passkey"], id=key_id, sign_count=answer.new_sign_count)
    return sessions.begin(tx, actor_of(account), address=address, how="passkey", at=at)


def passkeys(tx: Transaction, *, account_id: UUID) -> list[Row]:
    """The passkeys of an account; ids as text."""
    rows = tx.all(SQL["passkeys_of"], account_id=account_id)
    return [{**row, "id": base64.urlsafe_b64encode(bytes(row["id"])).decode().rstrip("=")} for row in rows]


def remove(tx: Transaction, *, actor: Actor, key_id: str, at: datetime) -> None:
    """Remove one's own passkey; `NotFound` where there is none."""
    if not tx.run(SQL["remove_passkey"], id=_decoded(key_id), account_id=actor.id):
        raise NotFound("passkey-not-found", "You have no such passkey.")
    audit.record(tx, actor=actor, action="manage_sign_in", what={"passkey": "removed"}, at=at, to_whom="")


def _refused() -> SignInRefused:
    return SignInRefused("passkey-refused", "This passkey is not known here, or its answer does not hold.")


def _challenge(tx: Transaction, kind: str, body: dict[str, str], at: datetime) -> bytes:
    tx.run(SQL["drop_tokens"], kind="", at=at)
    if tx.one(SQL["count_tokens"], kind=kind)["n"] >= _MOST_CHALLENGES:
        raise Unavailable("busy", "Too many people sign in at this moment. Try again shortly.")
    challenge = secrets.token_bytes(32)
    tx.run(SQL["add_token"], hash=_hash(challenge), kind=kind, body=json.dumps(body), expires_at=at + _LIVES)
    return challenge


def _answered(tx: Transaction, kind: str, credential: dict[str, Any], at: datetime) -> tuple[bytes, dict[str, Any]]:
    """The challenge of ours that `credential` answers, used up by this, and what was kept with it."""
    try:
        client = json.loads(_decoded(credential["response"]["clientDataJSON"]))
        challenge = _decoded(client["challenge"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("passkey-wrong", "This is not an answer of a passkey.") from error
    token = tx.maybe(SQL["use_token"], hash=_hash(challenge), kind=kind, at=at)
    if token is None:
        raise BadInput("passkey-late", "This took too long, or was used before. Begin again.")
    return challenge, dict(token["body"])


def _hash(challenge: bytes) -> bytes:
    return token_hash(f"challenge:{challenge.hex()}")


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise BadInput("passkey-wrong", "This is not an answer of a passkey.")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("passkey-wrong", "This is not an answer of a passkey.") from error

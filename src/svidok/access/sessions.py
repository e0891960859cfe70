"""Signing in and out: passwords with one-time codes, lockout, sessions in the database."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from svidok.access import audit
from svidok.access.accounts import SQL, actor_of, password_fits, token_hash
from svidok.access.model import Actor
from svidok.base import BadInput, Conflict, SvidokError
from svidok.db import Row, Transaction

IDLE = timedelta(hours=2)
LIVES = timedelta(hours=12)  # a shift
_FREE_TRIES = 4
_FREE_TRIES_ADDRESS = 30  # a whole station may stand behind one address, and mistype
_FORGET = timedelta(hours=24)
_LOCK_MAX = timedelta(minutes=30)
_LOCK_MAX_ADDRESS = timedelta(minutes=2)
_TOUCH_EVERY = timedelta(minutes=1)
_STEP_S = 30


class SignInRefused(SvidokError):
    """The name, the password or the code does not fit. Which one is not said."""

    status = 401

    def __init__(self, code: str = "sign-in-refused", message: str = "The name or the password is wrong.") -> None:
        super().__init__(code, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session just begun: `token` goes into the cookie and is kept nowhere else."""

    token: str
    actor: Actor


def lock_for(failures: int) -> timedelta:
    """How long nobody may try after so many failures in a row.

    >>> [lock_for(n).total_seconds() for n in (3, 5, 7, 30)]
    [0.0, 10.0, 40.0, 1800.0]
    """
    if failures <= _FREE_TRIES:
        return timedelta()
    return min(_LOCK_MAX, timedelta(seconds=5 * 2 ** min(failures - _FREE_TRIES, 20)))


def address_lock_for(failures: int) -> timedelta:
    """The same for an address: later and shorter, because it locks out everybody who is behind it.

    >>> [address_lock_for(n).total_seconds() for n in (30, 31, 60)]
    [0.0, 10.0, 120.0]
    """
    return min(_LOCK_MAX_ADDRESS, lock_for(max(0, failures - _FREE_TRIES_ADDRESS + _FREE_TRIES)))


def csrf_of(token: str) -> str:
    """What must come back in a header with every change; made of the session's own secret."""
    return token_hash(f"csrf:{token}").hex()


def sign_in(
    tx: Transaction, *, login: str, password: str, code: str | None, address: str, at: datetime
) -> Session | SignInRefused:
    """Begin a session, or say why not. The refusal is returned, not raised, so that the failure is committed."""
    login = login.strip().lower().replace("\0", "")  # which PostgreSQL takes in no text
    keys = (f"login:{login[:64]}", f"address:{address}")
    for key, lock in zip(keys, (lock_for, address_lock_for), strict=True):
        failed = tx.maybe(SQL["failures"], key=key)
        if failed and at < failed["last_at"] + lock(failed["count"]) and at - failed["last_at"] < _FORGET:
            return SignInRefused("locked", "Too many tries. Wait, or ask an administrator.")
    row = tx.maybe(SQL["account_by_login"], login=login)
    fits = password_fits(row, password)
    if row is None or not fits or row["disabled_at"] is not None:
        return _refuse(tx, keys, login, at, SignInRefused())
    if row["totp_secret"] is not None:
        if not code:
            return SignInRefused("code-needed", "Enter the code of your authenticator.")
        if not use_code(tx, row, code, at):
            return _refuse(tx, keys, login, at, SignInRefused("code-wrong", "The code does not fit, or was used."))
    tx.run(SQL["forget_failures"], key=keys[0])
    return begin(tx, actor_of(row), address=address, how="password", at=at)


def begin(tx: Transaction, actor: Actor, *, address: str, how: str, at: datetime) -> Session:
    """Begin a session for somebody who has proved who they are."""
    token = secrets.token_urlsafe(32)
    tx.run(SQL["start_session"], token_hash=token_hash(token), account_id=actor.id, at=at, ends_at=at + LIVES)
    audit.record(tx, actor=actor, action="sign_in", what={"how": how}, at=at, to_whom=address)
    return Session(token=token, actor=actor)


def find(tx: Transaction, *, token: str, at: datetime) -> Actor | None:
    """Whose session this is, or nothing."""
    row = tx.maybe(SQL["find_session"], token_hash=token_hash(token), at=at, idle_since=at - IDLE)
    if row is None:
        return None
    if at - row["seen_at"] > _TOUCH_EVERY:
        tx.run(SQL["touch_session"], token_hash=row["token_hash"], at=at)
    return actor_of(row)


def sign_out(tx: Transaction, *, token: str, at: datetime) -> None:
    """End a session."""
    tx.run(SQL["end_session"], token_hash=token_hash(token), at=at)


def enrol_code(tx: Transaction, *, actor: Actor) -> tuple[str, str]:
    """A fresh secret for an authenticator (RFC 6238), pending until confirmed: the secret and its address for a QR."""
    secret = pyotp.random_base32()
    tx.run(SQL["pend_totp"], id=actor.id, secret=secret)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=actor.login, issuer_name="Svidok")


def confirm_code(tx: Transaction, *, actor: Actor, code: str, at: datetime) -> None:
    """The authenticator works: from now on its code is asked for."""
    row = tx.one(SQL["account_by_id"], id=actor.id)
    if row["totp_pending"] is None:
        raise Conflict("code-not-pending", "Begin the enrolment of the authenticator first.")
    step = _step_of(row["totp_pending"], code, at)
    if step is None:
        raise BadInput("code-wrong", "The code does not fit. Check the clock of the authenticator.")
    tx.run(SQL["confirm_totp"], id=actor.id, step=step)
    audit.record(tx, actor=actor, action="manage_sign_in", what={"authenticator": "added"}, at=at, to_whom="")


def use_code(tx: Transaction, row: Row, code: str, at: datetime) -> bool:
    """Whether `code` fits and was not used before."""
    step = _step_of(row["totp_secret"], code, at)
    return step is not None and tx.run(SQL["use_totp_step"], id=row["id"], step=step) == 1


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // _STEP_S
    given = code.strip().replace(" ", "").encode()
    return next(
        (step for step in (now, now - 1, now + 1) if secrets.compare_digest(totp.generate_otp(step).encode(), given)),
        None,
    )


def _refuse(tx: Transaction, keys: tuple[str, ...], login: str, at: datetime, refused: SignInRefused) -> SignInRefused:
    for key in keys:
        tx.run(SQL["note_failure"], key=key, at=at, forget_before=at - _FORGET)
    audit.record(tx, actor=None, action="sign_in_refused", what={"login": login[:64]}, at=at, to_whom=keys[1])
    return refused

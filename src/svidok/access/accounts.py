"""Accounts: the first administrator, who is added, what is changed, and passwords (argon2id, RFC 9106)."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import psycopg.errors
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from svidok.access import audit
from svidok.access.model import Actor, Role
from svidok.access.permissions import require
from svidok.base import BadInput, Conflict, Forbidden, new_id
from svidok.db import Queries, Row, Transaction

SQL = Queries.of("svidok.access")

FIRST_TOKEN = "first-administrator"  # noqa: S105 (a kind, not a secret)
_FIRST_TOKEN_LIVES = timedelta(days=7)
_PASSWORD_MIN, _PASSWORD_MAX = 12, 256
_COMMON = {"password1234", "123456789012", "qwertyuiop12", "parolparol12", "administrator", "svidoksvidok"}
_APART = {Role.ADMINISTRATOR, Role.AUDITOR}

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_hex(8))


def token_hash(token: str) -> bytes:
    """How a secret that works once, or a session's cookie, is kept."""
    return hashlib.sha256(token.encode()).digest()


def first_token(tx: Transaction, *, at: datetime) -> str | None:
    """A fresh one-time token for the first administrator; nothing where there is one already."""
    if tx.one(SQL["has_administrator"])["yes"]:
        return None
    tx.run(SQL["drop_tokens"], kind=FIRST_TOKEN, at=at)
    token = secrets.token_urlsafe(24)
    tx.run(SQL["add_token"], hash=token_hash(token), kind=FIRST_TOKEN, body="{}", expires_at=at + _FIRST_TOKEN_LIVES)
    return token


def first_administrator(tx: Transaction, *, token: str, login: str, name: str, password: str, at: datetime) -> Actor:
    """Make the first administrator; the token is dead afterwards. Raises `Forbidden` for a token that does not work."""
    if tx.maybe(SQL["use_token"], hash=token_hash(token), kind=FIRST_TOKEN, at=at) is None:
        raise Forbidden("token-dead", "This one-time link was used or is too old. Restart Svidok for a new one.")
    return add_account(
        tx, by=None, login=login, name=name, password=password, roles=[Role.ADMINISTRATOR], unit_id=None, at=at
    )


def check_password_rules(password: str, login: str) -> None:
    """Long, not common, not the login. No rules of composition: length is what counts (NIST SP 800-63B, 3.1.1)."""
    if not _PASSWORD_MIN <= len(password) <= _PASSWORD_MAX:
        raise BadInput("password-length", f"A password has {_PASSWORD_MIN} to {_PASSWORD_MAX} characters.")
    if password.lower() in _COMMON or login.lower() in password.lower() or len(set(password)) < 5:
        raise BadInput("password-common", "This password is too easy to guess. A few random words are better.")


def check_roles(roles: Iterable[Role]) -> None:
    """Duties that must be apart: an administrator or auditor holds no other role."""
    held = set(roles)
    if held & _APART and len(held) > 1:
        raise BadInput("roles-apart", "An administrator or an auditor can hold no other role.")


def add_account(
    tx: Transaction,
    *,
    by: Actor | None,
    login: str,
    name: str,
    password: str | None,
    roles: list[Role],
    unit_id: UUID | None,
    at: datetime,
    oidc_subject: str | None = None,
) -> Actor:
    """Add an account. `by` is the administrator; nothing only for the first one and for a provider's accounts."""
    if by is not None:
        require(by, "manage_accounts")
    login = login.strip().lower()
    check_roles(roles)
    if password is not None:
        check_password_rules(password, login)
    account_id = new_id()
    try:
        tx.run(
            SQL["add_account"], id=account_id, login=login, name=name.strip(), unit_id=unit_id, kind="person",
            roles=[str(role) for role in roles], at=at, oidc_subject=oidc_subject,
            password_hash=_hasher.hash(password) if password is not None else None,
        )  # fmt: skip
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("login-taken", f"There is an account {login} already.") from error
    except psycopg.errors.CheckViolation as error:
        raise BadInput("login-form", "A login has 2 to 64 of: a-z 0-9 . _ @ -") from error
    audit.record(
        tx, actor=by, action="manage_accounts", at=at, to_whom="",
        what={"added": login, "roles": [str(role) for role in roles]},
    )  # fmt: skip
    return actor_of(tx.one(SQL["account_by_id"], id=account_id))


def change_account(
    tx: Transaction,
    *,
    by: Actor,
    account_id: UUID,
    at: datetime,
    name: str | None = None,
    roles: list[Role] | None = None,
    unit_id: UUID | None = None,
    disabled: bool | None = None,
    password: str | None = None,
) -> Actor:
    """Change an account; nobody changes their own roles. A change of roles or state ends its sessions."""
    require(by, "manage_accounts")
    row = tx.one(SQL["account_by_id"], id=account_id)
    if by.id == account_id and (roles is not None or disabled):
        raise Forbidden("own-account", "Nobody changes their own roles. Ask another administrator.")
    if roles is not None:
        check_roles(roles)
    if password is not None:
        check_password_rules(password, row["login"])
        tx.run(SQL["set_password"], id=account_id, password_hash=_hasher.hash(password))
    disabled_at = row["disabled_at"] if disabled is None else (at if disabled else None)
    tx.run(
        SQL["change_account"], id=account_id, name=name or row["name"],
        roles=[str(role) for role in roles] if roles is not None else row["roles"],
        unit_id=unit_id or row["unit_id"], disabled_at=disabled_at,
    )  # fmt: skip
    tx.run(SQL["end_sessions_of"], account_id=account_id, at=at)
    audit.record(
        tx, actor=by, action="manage_accounts", at=at, to_whom="",
        what={"changed": row["login"], "roles": [str(r) for r in roles] if roles is not None else None,
              "disabled": disabled, "password": password is not None},
    )  # fmt: skip
    return actor_of(tx.one(SQL["account_by_id"], id=account_id))


def accounts(tx: Transaction) -> list[Row]:
    """Every account without its secrets."""
    return tx.all(SQL["accounts"])


def add_unit(tx: Transaction, *, by: Actor | None, name: str, at: datetime) -> UUID:
    """Add a unit."""
    if by is not None:
        require(by, "manage_accounts")
    unit_id = new_id()
    try:
        tx.run(SQL["add_unit"], id=unit_id, name=name.strip())
    except psycopg.errors.UniqueViolation as error:
        raise Conflict("unit-taken", f"There is a unit {name} already.") from error
    audit.record(tx, actor=by, action="manage_accounts", at=at, to_whom="", what={"unit": name})
    return unit_id


def units(tx: Transaction) -> list[Row]:
    """Every unit."""
    return tx.all(SQL["units"])


def password_fits(row: Row | None, password: str) -> bool:
    """Whether `password` is the account's. Takes as long for an account that does not exist."""
    kept = row["password_hash"] if row is not None and row["password_hash"] else None
    try:
        return _hasher.verify(kept or _NOBODY, password[:_PASSWORD_MAX]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def actor_of(row: Row) -> Actor:
    """The actor that an account's row stands for."""
    return Actor(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        unit_id=row["unit_id"],
        unit=row["unit"] or "",
        roles=frozenset(Role(role) for role in row["roles"]),
        kind=row["kind"],
    )

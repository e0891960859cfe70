"""Signing in through an outside provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

Nothing of the provider is believed but a token with its signature, issuer,
audience, nonce and times checked. Groups become roles by the administrator's
map, anew at each sign-in; whoever has no group of ours has no account here. An
account is known by issuer and subject alone: a login that happens to be the
same as that of a local account opens nothing.

What is not done: single sign-out, refresh tokens, userinfo.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from svidok.access import audit, sessions
from svidok.access.accounts import SQL, actor_of, add_account, check_roles, token_hash
from svidok.access.model import Role
from svidok.access.sessions import Session
from svidok.base import BadInput, Conflict, Forbidden, SvidokError, Unavailable
from svidok.db import Database, Row, Transaction
from svidok.ledger import JSON

_STATE = "oidc-state"
_STATE_LIVES = timedelta(minutes=10)
_MOST_STATES = 20_000  # anybody may ask for one: the table must not grow for ever
_LEEWAY_S = 60
_TIMEOUT_S = 8.0
_ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA", "RS384", "RS512", "ES384", "ES512"]  # never "none", never HMAC
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SCOPE = "openid profile email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a checked token says of a person."""

    subject: str
    login: str
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send the browser, and the state it must bring back."""

    url: str
    state: str


@dataclass(slots=True, kw_only=True)
class Provider:
    """One provider. `roles` maps its groups to ours; what it says of itself is fetched once and kept."""

    issuer: str
    client_id: str
    client_secret: str
    roles: Mapping[str, str]
    _about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise Conflict("oidc-insecure", "The provider's address must begin with https://: tokens travel over it.")

    def about(self, name: str) -> str:
        """A line of its own description (OpenID Connect Discovery). Raises `Unavailable`."""
        if not self._about:
            told = _fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if str(told.get("issuer", "")).rstrip("/") != self.issuer.rstrip("/"):
                raise Unavailable("oidc-issuer", "The provider calls itself by another name than the one that is set.")
            self._about = told
        value = self._about.get(name)
        if not isinstance(value, str):
            raise Unavailable("oidc-unavailable", f"The provider does not say its {name}.")
        return value

    def keys(self) -> KeySet:
        """Its public keys, fetched anew each time: they are few, and they change."""
        try:
            return KeySet.import_key_set(_fetch(self.about("jwks_uri")))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("oidc-unavailable", "The provider's keys cannot be read.") from error

    def client(self, redirect: str) -> OAuth2Client:
        """A client of it."""
        return OAuth2Client(
            self.client_id, self.client_secret, redirect_uri=redirect, scope=_SCOPE, code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )  # fmt: skip


def depart(database: Database, provider: Provider, *, redirect: str, at: datetime) -> Departure:
    """Begin: the address of the provider's page. `redirect` is where it sends the browser back to."""
    page = provider.about("authorization_endpoint")
    verifier, nonce, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    body = json.dumps({"verifier": verifier, "nonce": nonce, "redirect": redirect})
    with database.transaction() as tx:
        tx.run(SQL["drop_tokens"], kind="", at=at)
        if tx.one(SQL["count_tokens"], kind=_STATE)["n"] >= _MOST_STATES:
            raise Unavailable("busy", "Too many people sign in at this moment. Try again shortly.")
        tx.run(SQL["add_token"], hash=_hash(state), kind=_STATE, body=body, expires_at=at + _STATE_LIVES)
    with provider.client(redirect) as client:
        url, _ = client.create_authorization_url(page, state=state, nonce=nonce, code_verifier=verifier)
    return Departure(url=url, state=state)


def arrive(
    database: Database, provider: Provider, *, state: str, own_state: str, code: str, address: str, at: datetime
) -> Session:
    """Finish: check everything and begin a session. The state is used up whatever comes of it.

    `own_state` is what this browser was given at its departure: somebody else's answer must not sign it in.
    No transaction is held while the provider is asked.
    """
    if not state or not secrets.compare_digest(state.encode(), own_state.encode()):
        raise BadInput("oidc-state", "This answer does not belong to this browser. Sign in again.")
    with database.transaction() as tx:
        kept = tx.maybe(SQL["use_token"], hash=_hash(state), kind=_STATE, at=at)
    if kept is None:
        raise BadInput("oidc-state", "This took too long, or was used before. Sign in again.")
    token = _exchange(provider, code, kept["body"])
    claims = check_token(
        token, keys=provider.keys(), issuer=provider.about("issuer"), client_id=provider.client_id,
        nonce=kept["body"]["nonce"], at=at,
    )  # fmt: skip
    with database.transaction() as tx:
        begun = _begin(tx, provider, claims, address, at)
    if isinstance(begun, SvidokError):
        raise begun
    return begun


def check_token(token: str, *, keys: KeySet, issuer: str, client_id: str, nonce: str, at: datetime) -> Claims:
    """What an ID token says, once all of it holds (OpenID Connect Core, 3.1.3.7). Raises `Forbidden`. Pure."""
    try:
        claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _refused("its signature does not hold") from error
    _check_parties(claims, issuer=issuer, client_id=client_id)
    now = at.timestamp()
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float) or not isinstance(issued, int | float):
        raise _refused("it bears no times")
    if now > expires + _LEEWAY_S or issued > now + _LEEWAY_S:
        raise _refused("it is out of its time; compare the clocks")
    given = claims.get("nonce")
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), nonce.encode()):
        raise _refused("it does not answer our question")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise _refused("it names nobody")
    groups = claims.get("groups")
    return Claims(
        subject=f"{issuer}|{subject}",
        login=str(claims.get("preferred_username") or claims.get("email") or subject),
        name=str(claims.get("name") or claims.get("preferred_username") or subject),
        groups=tuple(str(group) for group in groups) if isinstance(groups, list) else (),
    )


def _check_parties(claims: Mapping[str, Any], *, issuer: str, client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client_id not in audiences:
        raise _refused("it is of or for somebody else")
    if len(audiences) > 1 and claims.get("azp") != client_id:
        raise _refused("it was given to somebody else")


def roles_of(groups: tuple[str, ...], mapped: Mapping[str, str]) -> list[Role]:
    """The roles that groups stand for. Raises `Forbidden` for none, `BadInput` for duties that must be apart. Pure."""
    roles = sorted({Role(mapped[group]) for group in groups if group in mapped})
    if not roles:
        raise Forbidden("no-role", "The provider knows you, but none of your groups has a role here.")
    check_roles(roles)
    return roles


def _begin(
    tx: Transaction, provider: Provider, claims: Claims, address: str, at: datetime
) -> Session | Forbidden | BadInput:
    """A session, or why there is none: returned, not raised, so that what changed meanwhile is committed."""
    row = tx.maybe(SQL["account_by_subject"], subject=claims.subject)
    if row is not None and row["disabled_at"] is not None:
        return Forbidden("account-disabled", "Your account is disabled here. Ask an administrator.")
    refused: Forbidden | BadInput | None = None
    roles: list[Role] = []
    try:
        roles = roles_of(claims.groups, provider.roles)
    except (Forbidden, BadInput) as error:
        refused = error
    if row is not None:
        _follow(tx, row, claims.name, roles, at)
    if refused is not None:
        what: dict[str, JSON] = {"how": "oidc", "login": claims.login[:64], "why": refused.code}
        audit.record(tx, actor=None, action="sign_in_refused", what=what, at=at, to_whom=address)
        return refused
    if row is None:
        add_account(
            tx, by=None, login=claims.login, name=claims.name, password=None, roles=roles, unit_id=None, at=at,
            oidc_subject=claims.subject,
        )  # fmt: skip
    actor = actor_of(tx.one(SQL["account_by_subject"], subject=claims.subject))
    return sessions.begin(tx, actor, address=address, how="oidc", at=at)


def _follow(tx: Transaction, row: Row, name: str, roles: list[Role], at: datetime) -> None:
    """Give an account the roles that the provider's groups stand for now; whoever lost them loses the sessions too."""
    if sorted(row["roles"]) == [str(role) for role in roles] and row["name"] == name:
        return
    tx.run(SQL["set_roles"], id=row["id"], roles=[str(role) for role in roles], name=name)
    tx.run(SQL["end_sessions_of"], account_id=row["id"], at=at)
    what: dict[str, JSON] = {"changed": row["login"], "roles": [str(role) for role in roles], "by": "provider"}
    audit.record(tx, actor=None, action="manage_accounts", what=what, at=at, to_whom="")


def _exchange(provider: Provider, code: str, kept: Mapping[str, str]) -> str:
    """The ID token for a code."""
    try:
        with provider.client(kept["redirect"]) as client:
            told = client.fetch_token(
                provider.about("token_endpoint"), code=code, code_verifier=kept["verifier"],
                grant_type="authorization_code",
            )  # fmt: skip
    except (OAuthError, ValueError) as error:
        raise _refused("the provider does not know this code") from error
    except httpx.HTTPError as error:
        raise Unavailable("oidc-unavailable", "The provider does not answer. Try again.") from error
    token = told.get("id_token")
    if not isinstance(token, str):
        raise _refused("the provider gave no ID token")
    return token


def _fetch(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        told = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unavailable("oidc-unavailable", "The provider does not answer. Try again.") from error
    if not isinstance(told, dict):
        raise Unavailable("oidc-unavailable", "The provider answered in a way we do not understand.")
    return told


def _refused(why: str) -> Forbidden:
    return Forbidden("oidc-refused", f"The provider's answer is not accepted: {why}.")


def _hash(state: str) -> bytes:
    return token_hash(f"oidc:{state}")

"""An ID token must hold in every part; each part that does not is refused."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from svidok.access import Role
from svidok.access.oidc import check_token, roles_of
from svidok.base import BadInput, Forbidden

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW = int(NOON.timestamp())
KEY = RSAKey.generate_key(2048, {"kid": "1"})
OTHER = RSAKey.generate_key(2048, {"kid": "1"})
CURVE = ECKey.generate_key("P-256", {"kid": "2"})
KEYS = KeySet([KEY, CURVE])
GOOD: dict[str, Any] = {
    "iss": "https://id.example", "aud": "svidok", "sub": "u1", "exp": NOW + 300, "iat": NOW, "nonce": "n",
    "preferred_username": "o.koval", "name": "О. Коваль", "groups": ["watch", "others"],
}  # fmt: skip


def token(key: Any = KEY, alg: str = "RS256", **change: Any) -> str:
    claims = {name: value for name, value in {**GOOD, **change}.items() if value is not ...}
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


def check(text: str) -> Any:
    return check_token(text, keys=KEYS, issuer="https://id.example", client_id="svidok", nonce="n", at=NOON)


@pytest.mark.parametrize(
    "text", [token(), token(CURVE, "ES256"), token(aud=["svidok"]), token(aud=["svidok", "x"], azp="svidok")]
)
def test_a_good_token(text: str) -> None:
    claims = check(text)
    assert (claims.subject, claims.login, claims.name) == ("https://id.example|u1", "o.koval", "О. Коваль")
    assert claims.groups == ("watch", "others")


def test_what_is_missing_is_made_up_of_what_is_there() -> None:
    claims = check(token(preferred_username=..., name=..., groups="watch", email="o@example"))
    assert (claims.login, claims.name, claims.groups) == ("o@example", "u1", ())


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["another"]}, {"aud": ["svidok", "another"]},
        {"aud": ...}, {"exp": NOW - 61}, {"exp": ...}, {"exp": "soon"}, {"iat": NOW + 61}, {"iat": ...},
        {"nonce": "m"}, {"nonce": ...}, {"nonce": 5}, {"sub": ...}, {"sub": ""}, {"sub": 5}, {"nonce": "ї"},
    ],
)  # fmt: skip
def test_each_part_must_hold(change: dict[str, Any]) -> None:
    with pytest.raises(Forbidden) as refused:
        check(token(**change))
    assert refused.value.code == "oidc-refused"


def b64(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_signatures_must_be_by_the_providers_keys() -> None:
    good = token()
    head, body, signature = good.split(".")
    none = b64({"alg": "none"})
    symmetric = f"{b64({'alg': 'HS256', 'kid': '1'})}.{body}"
    forged = b64(hmac.digest(KEY.as_pem(private=False), symmetric.encode(), hashlib.sha256))
    bad = [token(OTHER), f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{body}.", f"{symmetric}.{forged}"]
    for one in [*bad, "", "a.b.c", good[:-9], good + "x", f"{head}.{b64({'sub': 'u2'})}.{signature}"]:
        with pytest.raises(Forbidden):
            check(one)


def test_groups_become_roles_and_duties_stay_apart() -> None:
    mapped = {"watch": "operator", "chiefs": "supervisor", "admins": "administrator"}
    assert roles_of(("watch", "chiefs", "others"), mapped) == [Role.OPERATOR, Role.SUPERVISOR]
    for nothing in (("others",), ()):
        with pytest.raises(Forbidden):
            roles_of(nothing, mapped)
    with pytest.raises(BadInput):
        roles_of(("admins", "watch"), mapped)

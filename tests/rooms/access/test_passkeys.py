"""The whole WebAuthn ceremony with an authenticator in software, and everything that must not pass for one."""

import base64
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from svidok.access import Actor, Role, accounts, passkeys, sessions
from svidok.access.passkeys import Site
from svidok.access.sessions import Session, SignInRefused
from svidok.base import BadInput, Conflict, NotFound, new_id
from svidok.db import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SITE = Site(host="svidok.example", origin="https://svidok.example")
USER_PRESENT, USER_VERIFIED, ATTESTED = 1, 4, 64


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Device:
    """A software authenticator (WebAuthn, section 6) with one key."""

    flags: int = USER_PRESENT | USER_VERIFIED
    origin: str = SITE.origin
    host: str = SITE.host
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    key_id: bytes = field(default_factory=lambda: random.randbytes(32))

    def client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def data(self, flags: int, more: bytes = b"") -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + more

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.key_id).to_bytes(2, "big") + self.key_id + cose
        data = self.data(self.flags | ATTESTED, attested)
        told = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self.client_data("webauthn.create", options["challenge"])
        return self.credential(clientDataJSON=b64(client), attestationObject=b64(told))

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        client, data = self.client_data("webauthn.get", options["challenge"]), self.data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self.credential(clientDataJSON=b64(client), authenticatorData=b64(data), signature=b64(signature))

    def credential(self, **response: str) -> dict[str, Any]:
        return {"id": b64(self.key_id), "rawId": b64(self.key_id), "type": "public-key", "response": response}


@pytest.fixture
def one(database: Database) -> Actor:
    with database.transaction() as tx:
        return accounts.add_account(
            tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[Role.OPERATOR], unit_id=None,
            at=NOON,
        )  # fmt: skip


@pytest.fixture
def add(database: Database) -> Callable[..., None]:
    def add(actor: Actor, device: Device, credential: dict | None = None, at: datetime = NOON) -> None:
        with database.transaction() as tx:
            options = passkeys.addition_options(tx, actor=actor, site=SITE, at=NOON)
            passkeys.add(tx, actor=actor, credential=credential or device.make(options), label="key", site=SITE, at=at)

    return add


@pytest.fixture
def enter(database: Database) -> Callable[..., Session | SignInRefused]:
    def enter(
        device: Device, at: datetime = NOON, change: Callable[[dict], dict] = lambda one: one
    ) -> Session | SignInRefused:
        with database.transaction() as tx:
            options = passkeys.entry_options(tx, site=SITE, at=NOON)
        with database.transaction() as tx:
            return passkeys.enter(tx, credential=change(device.answer(options)), site=SITE, address="here", at=at)

    return enter


def test_a_passkey_is_added_and_opens_the_door(database: Database, one: Actor, add, enter) -> None:
    device = Device()
    add(one, device)
    session = enter(device)
    assert isinstance(session, Session)
    with database.transaction() as tx:
        assert sessions.find(tx, token=session.token, at=NOON).id == one.id
        (kept,) = passkeys.passkeys(tx, account_id=one.id)
        assert (kept["label"], kept["id"]) == ("key", b64(device.key_id))
        lines = tx.all("SELECT action FROM access.audit WHERE actor_id = %(id)s ORDER BY id", id=one.id)
    assert [line["action"] for line in lines] == ["manage_sign_in", "sign_in"]
    assert isinstance(enter(device), Session)


def test_the_options_ask_for_a_verified_user_and_name_nobody(database: Database, one: Actor) -> None:
    with database.transaction() as tx:
        made = passkeys.addition_options(tx, actor=one, site=SITE, at=NOON)
        entry = passkeys.entry_options(tx, site=SITE, at=NOON)
    assert made["authenticatorSelection"]["userVerification"] == entry["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["rp"] == {"id": SITE.host, "name": "Svidok"}
    assert not entry.get("allowCredentials")


@pytest.mark.parametrize(
    "device",
    [
        Device(origin="https://svidok.example.evil"), Device(host="evil.example"), Device(flags=USER_PRESENT),
        Device(flags=0), Device(origin="http://svidok.example"),
    ],
)  # fmt: skip
def test_a_passkey_made_elsewhere_or_without_its_user_is_refused(one: Actor, add, enter, device: Device) -> None:
    with pytest.raises(BadInput):
        add(one, device)
    good = Device(key=device.key, key_id=device.key_id)
    add(one, good)
    assert isinstance(enter(device), SignInRefused)


def test_a_challenge_works_once_for_five_minutes_and_for_its_purpose(database: Database, one: Actor, add) -> None:
    device = Device()
    add(one, device)

    def attempt(credential: dict, at: datetime = NOON) -> Session | SignInRefused:
        with database.transaction() as tx:
            return passkeys.enter(tx, credential=credential, site=SITE, address="here", at=at)

    with database.transaction() as tx:
        options = [passkeys.entry_options(tx, site=SITE, at=NOON) for _ in range(3)]
        adding = passkeys.addition_options(tx, actor=one, site=SITE, at=NOON)
    answer = device.answer(options[0])
    assert isinstance(attempt(answer), Session)
    assert isinstance(attempt(answer), SignInRefused)
    assert isinstance(attempt(device.answer(options[1]), NOON + timedelta(minutes=6)), SignInRefused)
    assert isinstance(attempt(device.answer({"challenge": b64(bytes(32))})), SignInRefused)
    assert isinstance(attempt(device.answer(adding)), SignInRefused)
    assert isinstance(attempt(device.answer(options[2])), Session)


def test_a_copied_device_is_noticed_by_its_counter(one: Actor, add, enter) -> None:
    device = Device()
    add(one, device)
    copy = Device(key=device.key, key_id=device.key_id)
    for _ in range(3):
        assert isinstance(enter(device), Session)
    assert isinstance(enter(copy), SignInRefused)


def test_another_key_and_an_unknown_one_are_refused(one: Actor, add, enter) -> None:
    device = Device()
    add(one, device)
    assert isinstance(enter(Device(key_id=device.key_id)), SignInRefused)
    assert isinstance(enter(Device()), SignInRefused)


def test_whoever_is_disabled_stays_out(database: Database, one: Actor, add, enter) -> None:
    device = Device()
    add(one, device)
    with database.transaction() as tx:
        tx.run("UPDATE access.account SET disabled_at = now() WHERE id = %(id)s", id=one.id)
    assert isinstance(enter(device), SignInRefused)


def test_one_cannot_add_to_or_remove_from_somebody_else(database: Database, one: Actor, add, enter) -> None:
    device = Device()
    with database.transaction() as tx:
        other = accounts.add_account(
            tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[Role.OPERATOR], unit_id=None,
            at=NOON,
        )  # fmt: skip
        options = passkeys.addition_options(tx, actor=other, site=SITE, at=NOON)
    with pytest.raises(BadInput), database.transaction() as tx:
        passkeys.add(tx, actor=one, credential=device.make(options), label="", site=SITE, at=NOON)
    add(one, device)
    with pytest.raises(Conflict):
        add(other, device)
    for actor, key in ((other, b64(device.key_id)), (one, "AAAA")):
        with pytest.raises(NotFound), database.transaction() as tx:
            passkeys.remove(tx, actor=actor, key_id=key, at=NOON)
    with database.transaction() as tx:
        passkeys.remove(tx, actor=one, key_id=b64(device.key_id), at=NOON)
    assert isinstance(enter(device), SignInRefused)


def test_there_is_an_end_to_the_passkeys_of_one_account(one: Actor, add) -> None:
    for _ in range(10):
        add(one, Device())
    with pytest.raises(Conflict):
        add(one, Device())


@pytest.mark.parametrize("seed", range(120))
def test_damaged_answers_are_refused_and_surprise_nobody(one: Actor, add, enter, seed: int) -> None:
    dice, device = random.Random(seed), Device()
    add(one, device)

    def damage(credential: dict) -> dict:
        response = dict(credential["response"])
        name = dice.choice(["authenticatorData", "signature"])
        act = dice.randrange(4)
        if act == 0:
            response.pop(name)
        elif act == 1:
            response[name] = dice.choice(["", "!", None, 5, [], "AAAA"])
        else:
            raw = bytearray(base64.urlsafe_b64decode(response[name] + "=="))
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            response[name] = b64(bytes(raw[: len(raw) if act == 2 else dice.randrange(len(raw))]))
        return {**credential, "response": response}

    assert isinstance(enter(device, change=damage), SignInRefused)


@pytest.mark.parametrize(
    "credential",
    [{}, {"response": 5}, {"response": {}}, {"response": {"clientDataJSON": "x"}}, {"response": {"clientDataJSON": 5}},
     {"response": {"clientDataJSON": b64(b"[]")}}, {"response": {"clientDataJSON": b64(b'{"challenge": 1}')}}],
)  # fmt: skip
def test_what_is_no_credential_is_refused(database: Database, one: Actor, add, credential: dict) -> None:
    with database.transaction() as tx:
        assert isinstance(passkeys.enter(tx, credential=credential, site=SITE, address="here", at=NOON), SignInRefused)
    with pytest.raises(BadInput):
        add(one, Device(), credential=credential or {"x": 1})


@pytest.mark.parametrize("seed", range(40))
def test_damaged_passkeys_are_not_kept(database: Database, one: Actor, seed: int) -> None:
    dice, device = random.Random(seed), Device()
    with database.transaction() as tx:
        made = device.make(passkeys.addition_options(tx, actor=one, site=SITE, at=NOON))
    raw = bytearray(base64.urlsafe_b64decode(made["response"]["attestationObject"] + "=="))
    made["response"]["attestationObject"] = b64(bytes(raw[: dice.randrange(len(raw))]))
    with pytest.raises(BadInput), database.transaction() as tx:
        passkeys.add(tx, actor=one, credential=made, label="", site=SITE, at=NOON)

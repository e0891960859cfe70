"""Keys in files and in a token: made for good, kept to themselves, and the same log either way.

The token is SoftHSM (Debian's `softhsm2`), a real PKCS#11 library; only where that is missing are its tests skipped.
"""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from svidok.app.roles.parts import open_log
from svidok.app.settings import Settings
from svidok.base import Conflict, Unavailable
from svidok.ledger.audit import audit_log
from svidok.ledger.log import Log
from svidok.ledger.note import Verifier
from svidok.ledger.signer import FileSigner, Pkcs11Signer

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
MODULE = next((one for one in MODULES if Path(one).exists()), None)
ORIGIN, PIN = "test.invalid/token", "4321"
needs_token = pytest.mark.skipif(MODULE is None, reason="softhsm2 is not installed")


def test_a_new_key_and_its_name_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, synced = os.fsync, []

    def note(handle: int) -> None:
        synced.append(os.fstat(handle))
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    path = tmp_path / "keys" / "ledger.pem"
    FileSigner(path)
    inodes = {one.st_ino for one in synced}
    assert {path.stat().st_ino, path.parent.stat().st_ino, tmp_path.stat().st_ino} <= inodes
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["ledger.pem"]


def test_two_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    for number in range(20):
        made: list[FileSigner] = []
        path = tmp_path / str(number) / "ledger.pem"
        threads = [threading.Thread(target=lambda p=path, m=made: m.append(FileSigner(p))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {one.public_key().public_bytes_raw() for one in made} == {
            FileSigner(path).public_key().public_bytes_raw()
        }


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SoftHSM token with an Ed25519 key `ledger` and an RSA key `other`. One a process: the library reads its
    configuration once."""
    import pkcs11
    from asn1crypto.core import PrintableString
    from pkcs11 import Attribute, KeyType, Mechanism

    assert MODULE is not None
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "svidok", "--pin", PIN, "--so-pin", "8765"]
    subprocess.run(command, check=True, capture_output=True)
    with pkcs11.lib(MODULE).get_token(token_label="svidok").open(user_pin=PIN, rw=True) as session:
        session.create_domain_parameters(
            KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: PrintableString("edwards25519").dump()}, local=True
        ).generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="ledger")
        session.generate_keypair(KeyType.RSA, 2048, store=True, label="other")
    return MODULE


def signer(module: str, *, key: str = "ledger", pin: str = PIN, label: str = "svidok") -> Pkcs11Signer:
    return Pkcs11Signer(module=module, token_label=label, key_label=key, pin=pin)


@needs_token
def test_a_log_signed_in_a_token_is_a_log_like_any_other(token: str, tmp_path: Path) -> None:
    log = Log(tmp_path / "log", signer(token), ORIGIN)
    log.append([b'{"n":1}', b'{"n":2}'])
    again = Log(tmp_path / "log", signer(token), ORIGIN)
    again.append([b'{"n":3}'])
    verifier = Verifier.parse(log.verifier.text())
    report = audit_log(tmp_path / "log", verifier=verifier, origin=ORIGIN)
    assert (report.size, {one.code for one in report.findings}) == (3, {"entry-bad"})


@needs_token
def test_what_is_no_such_key_is_said_to_be_so(token: str) -> None:
    for wrong in ({"key": "none"}, {"label": "none"}):
        with pytest.raises(Unavailable) as refused:
            signer(token, **wrong)
        assert refused.value.code == "token-unavailable"
    with pytest.raises(Conflict) as other:
        signer(token, key="other")
    assert other.value.code == "key-wrong-kind"
    with pytest.raises(Unavailable):
        signer("/usr/lib/none.so")


WRONG_PIN = """
import sys
from svidok.ledger.signer import Pkcs11Signer
Pkcs11Signer(module=sys.argv[1], token_label="svidok", key_label="ledger", pin="0000")
"""


@needs_token
def test_a_wrong_pin_is_refused_and_not_repeated(token: str) -> None:
    """In a process of its own: a login is a process's, and ours has one."""
    done = subprocess.run([sys.executable, "-c", WRONG_PIN, token], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "svidok.base.errors.Unavailable" in last
    assert "PinIncorrect" in last
    assert "0000" not in last


@needs_token
def test_a_token_that_was_away_signs_again_when_it_is_back(token: str, tmp_path: Path) -> None:
    held = signer(token)
    log = Log(tmp_path / "log", held, ORIGIN)
    held._session.close()
    with pytest.raises(Unavailable):
        log.append([b"1"])
    assert log.append([b"1"]) == range(1)
    assert log.append([b"2"]) == range(1, 2)


@needs_token
def test_a_token_with_another_key_than_before_is_refused(token: str) -> None:
    held = signer(token)
    held._public = FileSigner(Path(os.environ["SOFTHSM2_CONF"]).parent / "another.pem").public_key()
    for code in ("token-unavailable", "key-changed"):
        with pytest.raises((Unavailable, Conflict)) as refused:
            held.sign(b"x")
        assert refused.value.code == code


@needs_token
def test_the_settings_name_the_token(token: str, tmp_path: Path) -> None:
    named = {"data": tmp_path, "ledger_origin": ORIGIN, "ledger_pkcs11_module": token}
    with pytest.raises(Conflict) as refused:
        open_log(Settings(**named))
    assert refused.value.code == "token-pin-not-set"
    log = open_log(Settings(**named, ledger_pkcs11_pin=PIN))
    assert log.append([b"1"]) == range(1)
    assert (tmp_path / "keys" / "ledger.pub").read_text().strip() == log.verifier.text()
    assert not (tmp_path / "keys" / "ledger.pem").exists()

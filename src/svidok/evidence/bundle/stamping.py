"""Get time-stamps (RFC 3161): from authorities by HTTP, or from a local test authority made with `openssl ts`.

A token is checked by two readers before it is kept: by `rfc3161-client`, and by
the profile that a stranger checks with. One that cannot be checked is refused
here, where it can still be asked for again.
"""

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from svidok.base import Conflict, Unavailable
from svidok.evidence.bundle.model import Authority, Stamp
from svidok.evidence.bundle.tokens import Standing, judge_token

_PATIENCE_S = 20.0
_LASTS = timedelta(days=3650)
_MOST_BYTES = 1 << 20

Ask = Callable[[bytes], bytes]  # a TimeStampReq for a TimeStampResp, both in DER


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamper:
    """An authority that can be asked."""

    authority: Authority
    ask: Ask

    def stamp(self, data: bytes) -> Stamp:
        """A token over `data`. Raises `Unavailable` where the authority gives none that holds."""
        request = _request(data)
        answer = self.ask(request.as_bytes())
        root = x509.load_der_x509_certificate(self.authority.root)
        try:
            response = rfc3161_client.decode_timestamp_response(answer)
            verifier = rfc3161_client.VerifierBuilder.from_request(request).add_root_certificate(root).build()
            verifier.verify_message(response, data)
        except (ValueError, rfc3161_client.VerificationError) as error:
            raise Unavailable(
                "stamp-bad", f"{self.authority.name} gave a time-stamp that does not hold: {error}"
            ) from error
        token = response.time_stamp_token()
        judged = judge_token(token, digest=hashlib.sha256(data).digest(), roots=[self.authority.root])
        if judged.standing != Standing.GOOD:
            raise Unavailable("stamp-bad", f"The time-stamp of {self.authority.name} is of no use: {judged.says}")
        return Stamp(authority=self.authority.name, token=token)


def _request(data: bytes) -> rfc3161_client.TimeStampRequest:
    builder = rfc3161_client.TimestampRequestBuilder().data(data)
    return builder.hash_algorithm(rfc3161_client.HashAlgorithm.SHA256).build()


def by_http(url: str) -> Ask:
    """Asks the authority at `url` (RFC 3161, 3.4)."""

    def ask(request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            answer = httpx.post(url, content=request, headers=headers, timeout=_PATIENCE_S)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable("stamp-unavailable", f"The time-stamping authority {url} does not answer.") from error
        return answer.content[:_MOST_BYTES]

    return ask


def stamp_all(stampers: Sequence[Stamper], data: bytes) -> tuple[Stamp, ...]:
    """A token of each of `stampers` over `data`."""
    return tuple(stamper.stamp(data) for stamper in stampers)


_CONFIGURATION = """\
[tsa]
default_tsa = own
[own]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""  # without `certs`: the response would hold a certificate set in an order that is not DER


def local_authority(folder: Path, *, name: str, at: datetime) -> Stamper:
    """A test authority in `folder`, made at its first call. Its name says what it is; it proves nothing to a court."""
    if not (folder / "root.der").exists():
        _make_authority(folder, name, at)

    def ask(request: bytes) -> bytes:
        query = folder / f"{hashlib.sha256(request).hexdigest()[:16]}.tsq"
        query.write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "own", "-queryfile", query.name]
        try:
            made = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_PATIENCE_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable("stamp-unavailable", "The local test authority needs `openssl`.") from error
        finally:
            query.unlink(missing_ok=True)
        return made.stdout

    root = (folder / "root.der").read_bytes()
    return Stamper(authority=Authority(name=name, root=root, is_test=True), ask=ask)


def _make_authority(folder: Path, name: str, at: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name[:55]} signer")])
    root = (
        _certificate(root_name, root_name, root_key.public_key(), at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    signer = (
        _certificate(own_name, root_name, key.public_key(), at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signer.key").write_bytes(secret)
    (folder / "signer.key").chmod(0o600)
    (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIGURATION)
    (folder / "root.der").write_bytes(root.public_bytes(Encoding.DER))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + _LASTS)
    )


def read_root(path: Path) -> bytes:
    """The root certificate in `path` (PEM or DER) as DER. Raises `Conflict` where there is none."""
    try:
        data = path.read_bytes()
        pem = data.lstrip().startswith(b"-----")
        certificate = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except (OSError, ValueError) as error:
        raise Conflict("root-unreadable", f"{path} does not hold a certificate: {error}") from error
    return certificate.public_bytes(Encoding.DER)

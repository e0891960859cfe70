"""The signature over a bundle: a DSSE envelope around an in-toto statement.

DSSE signs `DSSEv1 SP len(type) SP type SP len(payload) SP payload`.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from svidok.evidence.bundle.told import ToldEnvelope, read_told
from svidok.ledger.cosigning import Key, unbase64
from svidok.ledger.entry import JSON, canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://svidok.invalid/disclosure/1"


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What DSSE signs."""
    name = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def write_envelope(statement: dict[str, JSON], *, key: Key, sign: Callable[[bytes], bytes]) -> bytes:
    """The DSSE envelope around `statement`."""
    payload = canonical(statement)
    signature = sign(pre_authentication(PAYLOAD_TYPE, payload))
    return canonical({
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.id.hex(), "sig": base64.b64encode(signature).decode()}],
    })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A DSSE envelope: the bytes that were signed, and signatures by the hex of their key's id."""

    payload: bytes
    signed: bytes
    signatures: tuple[tuple[str, bytes], ...]


def read_envelope(data: bytes) -> Envelope:
    """The envelope in `data`. Raises `ValueError` where there is none of ours."""
    told = read_told(data, ToldEnvelope)
    if told.payloadType != PAYLOAD_TYPE:
        raise ValueError("this is no envelope around an in-toto statement")
    pairs = [(one.keyid, unbase64(one.sig)) for one in told.signatures]
    raw = unbase64(told.payload)
    return Envelope(payload=raw, signed=pre_authentication(PAYLOAD_TYPE, raw), signatures=tuple(pairs))

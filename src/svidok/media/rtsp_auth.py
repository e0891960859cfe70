"""Answering a camera's challenge: Basic (RFC 7617) and Digest (RFC 2617, RFC 7616). Pure."""

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field

_PART = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


@dataclass(slots=True)
class Challenge:
    """What the camera asked for."""

    scheme: str
    parts: dict[str, str] = field(default_factory=dict)
    count: int = 0


def parse_challenges(headers: list[str]) -> Challenge | None:
    """The strongest challenge we can answer out of the `WWW-Authenticate` headers, or nothing."""
    found: list[tuple[int, Challenge]] = []
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        parts = {name.lower(): quoted or bare for name, quoted, bare in _PART.findall(rest)}
        algorithm = parts.get("algorithm", "MD5").lower().removesuffix("-sess")
        if scheme.lower() == "digest" and algorithm in _HASHES and "nonce" in parts:
            found.append((2 if algorithm == "sha-256" else 1, Challenge("digest", parts)))
        elif scheme.lower() == "basic":
            found.append((0, Challenge("basic", parts)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def authorization(
    challenge: Challenge, *, method: str, uri: str, username: str, password: str, cnonce: str | None = None
) -> str:
    """The `Authorization` header for one request."""
    if challenge.scheme == "basic":
        return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    parts = challenge.parts
    named = parts.get("algorithm", "MD5")
    algorithm = _HASHES[named.lower().removesuffix("-sess")]
    challenge.count += 1
    cnonce = cnonce or os.urandom(8).hex()

    def h(text: str) -> str:
        return algorithm(text.encode()).hexdigest()

    secret = h(f"{username}:{parts.get('realm', '')}:{password}")
    if named.lower().endswith("-sess"):
        secret = h(f"{secret}:{parts['nonce']}:{cnonce}")
    request = h(f"{method}:{uri}")
    fields = [
        f'username="{username}"',
        f'realm="{parts.get("realm", "")}"',
        f'nonce="{parts["nonce"]}"',
        f'uri="{uri}"',
    ]
    if "auth" in [word.strip() for word in parts.get("qop", "").split(",")]:
        count = f"{challenge.count:08x}"
        response = h(f"{secret}:{parts['nonce']}:{count}:{cnonce}:auth:{request}")
        fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
    else:
        response = h(f"{secret}:{parts['nonce']}:{request}")
    fields.append(f'response="{response}"')
    if "algorithm" in parts:
        fields.append(f"algorithm={named}")
    if "opaque" in parts:
        fields.append(f'opaque="{parts["opaque"]}"')
    return "Digest " + ", ".join(fields)

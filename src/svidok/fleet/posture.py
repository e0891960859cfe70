"""The weaknesses of a camera, by facts alone. Pure: it opens no connection and reads no clock.

What to do about each is told by the interface, which has a text for every code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CODES: dict[str, str] = {
    "plaintext-transport": "warning",
    "default-password": "critical",
    "empty-password": "critical",
    "no-tls": "warning",
    "profile-s-only": "notice",
    "vulnerable-firmware": "critical",
    "maker-denied": "critical",
    "maker-isolated": "warning",
    "clock-wrong": "warning",
}
"""Every finding there is, with its severity."""

CLOCK_WRONG_MS = 2_000
DEFAULT_LOGINS = frozenset(
    {("admin", "admin"), ("admin", "12345"), ("admin", "123456"), ("admin", "password"), ("root", "root"),
     ("root", "pass"), ("admin", "888888"), ("admin", "9999"), ("service", "service"), ("ubnt", "ubnt")}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a camera. `profiles` are ONVIF's letters; `weak_login` is judged where the login is known."""

    urls: Sequence[str] = ()
    maker: str = ""
    model: str = ""
    firmware: str = ""
    profiles: Sequence[str] = ()
    tls_offered: bool | None = None
    weak_login: str | None = None
    clock_offset_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One weakness."""

    code: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> str:
        """critical, warning or notice."""
        return CODES[self.code]


def weak_login(username: str, password: str) -> str | None:
    """What is weak about a login: a default or an empty password; nothing otherwise.

    >>> weak_login("admin", "12345"), weak_login("eye", ""), weak_login("eye", "long and own")
    ('default-password', 'empty-password', None)
    """
    if not password:
        return "empty-password"
    return "default-password" if (username.lower(), password.lower()) in DEFAULT_LOGINS else None


def findings(facts: Facts, *, makers: Mapping[str, str], vulnerable: Sequence[Mapping[str, str]]) -> list[Finding]:
    """Every weakness that `facts` show, by the administrator's `makers` policy and list of `vulnerable` firmware."""
    found: list[Finding] = []
    if any(url.startswith("rtsp://") for url in facts.urls):
        found.append(Finding(code="plaintext-transport"))
    if facts.weak_login is not None:
        found.append(Finding(code=facts.weak_login))
    if facts.tls_offered is False:
        found.append(Finding(code="no-tls"))
    if facts.profiles and set(facts.profiles) <= {"S"}:
        found.append(Finding(code="profile-s-only", details={"until": "2027-03-31"}))
    verdict = makers.get(facts.maker.lower())
    if facts.maker and verdict in ("deny", "isolate"):
        found.append(Finding(code="maker-denied" if verdict == "deny" else "maker-isolated",
                             details={"maker": facts.maker}))  # fmt: skip
    for entry in vulnerable:
        if _is_vulnerable(facts, entry):
            details = {"firmware": facts.firmware, "advisory": entry.get("advisory", "")}
            found.append(Finding(code="vulnerable-firmware", details=details))
            break
    if facts.clock_offset_ms is not None and abs(facts.clock_offset_ms) > CLOCK_WRONG_MS:
        found.append(Finding(code="clock-wrong", details={"offset_ms": facts.clock_offset_ms}))
    return found


def _is_vulnerable(facts: Facts, entry: Mapping[str, str]) -> bool:
    """Maker and firmware must match; the model may end in an asterisk."""
    if not facts.firmware or entry.get("maker", "").lower() != facts.maker.lower():
        return False
    model = entry.get("model", "*").lower()
    fits = facts.model.lower().startswith(model[:-1]) if model.endswith("*") else facts.model.lower() == model
    return fits and facts.firmware in [version.strip() for version in entry.get("firmware", "").split("|")]

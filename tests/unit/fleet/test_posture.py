"""Each weakness has the facts that show it, and facts that do not; states lead where they may."""

import pytest

from svidok.fleet.model import LEADS_TO, Life, may_become
from svidok.fleet.posture import CODES, Facts, findings, weak_login

LIST = [{"maker": "Acme", "model": "X*", "firmware": "1.0|1.1", "advisory": "CVE-1"}]
SHOWN = {
    "plaintext-transport": (Facts(urls=["rtsp://c/1"]), Facts(urls=["rtsps://c/1"])),
    "default-password": (Facts(weak_login="default-password"), Facts(weak_login=None)),
    "empty-password": (Facts(weak_login="empty-password"), Facts()),
    "no-tls": (Facts(tls_offered=False), Facts(tls_offered=None)),
    "profile-s-only": (Facts(profiles=["S"]), Facts(profiles=["S", "T"])),
    "vulnerable-firmware": (
        Facts(maker="ACME", model="x200", firmware="1.1"), Facts(maker="Acme", model="x200", firmware="1.2")
    ),
    "maker-denied": (Facts(maker="Denied"), Facts(maker="Allowed")),
    "maker-isolated": (Facts(maker="isolated"), Facts(maker="")),
    "clock-wrong": (Facts(clock_offset_ms=-2001), Facts(clock_offset_ms=2000)),
}  # fmt: skip
MAKERS = {"denied": "deny", "isolated": "isolate", "allowed": "allow"}


def codes(facts: Facts) -> list[str]:
    return [finding.code for finding in findings(facts, makers=MAKERS, vulnerable=LIST)]


def test_every_code_is_tried() -> None:
    assert set(SHOWN) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_weakness_is_shown_by_its_facts_alone(code: str) -> None:
    shows, hides = SHOWN[code]
    assert codes(shows) == [code]
    assert codes(hides) == []


def test_nothing_known_is_no_weakness() -> None:
    assert codes(Facts()) == []


@pytest.mark.parametrize(
    ("model", "firmware", "found"),
    [("X", "1.0", True), ("Y", "1.0", False), ("X1", "1.00", False), ("X1", "", False), ("x1", "1.1", True)],
)
def test_the_firmware_list(model: str, firmware: str, found: bool) -> None:
    assert ("vulnerable-firmware" in codes(Facts(maker="acme", model=model, firmware=firmware))) == found


def test_logins() -> None:
    assert weak_login("Admin", "ADMIN") == "default-password"
    assert weak_login("eye", "admin") is None
    assert weak_login("admin", "") == "empty-password"


def test_states_lead_where_they_may() -> None:
    assert all(not may_become(life, life) for life in Life)
    assert all(not LEADS_TO[Life.RETIRED] for _ in [0])
    assert not any(may_become(life, Life.PLANNED) for life in Life)
    assert all(may_become(life, Life.RETIRED) for life in set(Life) - {Life.RETIRED})
    assert all(may_become(life, Life.DESTROYED) for life in set(Life) - {Life.RETIRED, Life.DESTROYED})
    assert not may_become(Life.DESTROYED, Life.WORKING)

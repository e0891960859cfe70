"""Screen by screen in a real Chromium, against a hub of its own; what each script does is written in `web/e2e`."""

from pathlib import Path

import httpx
import pytest
from tests.web.conftest import Hub

from svidok.access.oidc import Provider


@pytest.mark.timeout(300)
def test_a_passkey_is_added_used_and_removed(hub: Hub, tmp_path: Path) -> None:
    hub.walk("passkeys.mjs", tmp_path)
    with hub.services.database.transaction() as tx:
        lines = tx.all(
            "SELECT what FROM access.audit WHERE actor_id = %(id)s ORDER BY at", id=hub.people["operator"].id
        )
    told = [line["what"] for line in lines]
    assert {"how": "passkey"} in told
    assert [one["passkey"] for one in told if "passkey" in one] == ["added", "removed"]


@pytest.mark.timeout(300)
def test_an_outside_provider_signs_one_in_or_says_why_not(hub: Hub, tmp_path: Path) -> None:
    from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        for name, groups in (("olena", ["watch"]), ("petro", ["others"])):
            claims = {"groups": groups, "preferred_username": name, "name": f"Name of {name}"}
            httpx.put(f"{issuer}/users/{name}", json=claims).raise_for_status()
        hub.services.oidc = Provider(
            issuer=issuer, client_id="svidok", client_secret="secret", roles={"watch": "operator"}
        )
        hub.walk("oidc.mjs", tmp_path)
    hub.services.oidc = None

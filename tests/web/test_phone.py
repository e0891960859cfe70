"""The command centre in a hand: what a phone's width shows, and how one gets about in it."""

from pathlib import Path

import pytest
from tests.web.conftest import Hub


@pytest.mark.timeout(300)
def test_the_menu_and_the_trail_fit_a_phone(hub: Hub, tmp_path: Path) -> None:
    hub.walk("phone.mjs", tmp_path)

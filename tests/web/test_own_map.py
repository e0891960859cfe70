"""The customer's own base map: announced, served by ranges to who is signed in, and seen in a real Chromium."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.web.conftest import Hub
from tests.web.tiles import KNOWN, of_picture, of_vectors

from svidok.access import sessions

ROUTE = "/api/map/tiles"
COLOUR = (200, 30, 120)


def asked(hub: Hub, path: str, login: str = "operator", **headers: str) -> httpx.Response:
    with hub.services.database.transaction() as tx:
        token = sessions.begin(tx, hub.people[login], address="a", how="test", at=hub.services.clock.now()).token
    return httpx.get(hub.address + path, headers={"cookie": f"svidok_session={token}"} | headers)


def told(hub: Hub) -> dict[str, Any]:
    answer = asked(hub, "/api/map")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_file_is_served_by_ranges(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "own.pmtiles"
    whole = of_picture(COLOUR) + bytes(range(256)) * 4096
    file.write_bytes(whole)
    hub.services.map_tiles = file
    first = asked(hub, ROUTE, range="bytes=0-126")
    assert (first.status_code, first.content) == (206, whole[:127])
    assert first.headers["content-range"] == f"bytes 0-126/{len(whole)}"
    assert first.headers["accept-ranges"] == "bytes"
    assert "content-encoding" not in first.headers
    middle = asked(hub, ROUTE, range="bytes=300000-899999")
    assert (middle.status_code, middle.content) == (206, whole[300_000:900_000])
    over = asked(hub, ROUTE, range=f"bytes={len(whole) - 5}-{len(whole) + 99}")
    assert (over.status_code, over.content) == (206, whole[-5:])
    all_of_it = asked(hub, ROUTE)
    assert (all_of_it.status_code, all_of_it.content) == (200, whole)
    beyond = asked(hub, ROUTE, range=f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    tag = first.headers["etag"]
    assert asked(hub, ROUTE, range="bytes=0-9", **{"if-range": tag}).status_code == 206
    (tmp_path / "new").write_bytes(whole[:-1])
    (tmp_path / "new").rename(file)
    assert asked(hub, ROUTE, range="bytes=0-9").headers["etag"] != tag
    assert asked(hub, ROUTE, range="bytes=0-9", **{"if-range": tag}).status_code == 200
    assert httpx.get(hub.address + ROUTE).status_code == httpx.get(hub.address + "/api/map").status_code == 401


def test_what_the_file_says_of_itself_is_told_or_what_is_wrong_with_it(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "own.pmtiles"
    hub.services.map_tiles = None
    assert (told(hub)["tiles"], told(hub)["problem"]) == (False, None)
    assert (asked(hub, ROUTE).status_code, asked(hub, ROUTE).json()["code"]) == (404, "no-map-tiles")
    hub.services.map_tiles = file
    assert (told(hub)["tiles"], told(hub)["problem"]) == (False, "map-tiles-away")
    assert (asked(hub, ROUTE).status_code, asked(hub, ROUTE).json()["code"]) == (404, "map-tiles-away")
    file.write_bytes(of_vectors())
    known = told(hub)
    assert (known["tiles"], known["kind"], known["min_zoom"], known["max_zoom"]) == (True, "vector", 0, 2)
    assert (known["layers"], known["attribution"]) == (KNOWN, "© Vectors of the test")
    file.write_bytes(of_picture(COLOUR))
    assert (told(hub)["kind"], told(hub)["attribution"]) == ("raster", "© Survey of the test")
    for wrong in (b"", b"PMTiles\x03", b"SQLite format 3\0" * 99, b"PMTiles\x02" + of_vectors()[8:]):
        file.write_bytes(wrong)
        assert (told(hub)["tiles"], told(hub)["problem"]) == (False, "map-tiles-form")
    spoilt = bytearray(of_vectors())
    spoilt[24:32] = b"\xff" * 8  # the metadata lie nowhere: the tiles may be good all the same
    file.write_bytes(spoilt)
    assert (told(hub)["tiles"], told(hub)["attribution"]) == (True, "")


@pytest.mark.timeout(300)
def test_the_map_is_drawn_on_it_and_without_it_where_it_is_broken(
    hub: Hub, fleet: dict[str, UUID], tmp_path: Path
) -> None:
    file = tmp_path / "own.pmtiles"
    hub.services.map_tiles = file
    for name, content, state in (
        ("picture", of_picture(COLOUR), "own"),
        ("vectors", of_vectors(), "own"),
        ("broken", of_vectors()[:100], "broken"),
        ("spoilt", of_vectors()[:127] + b"\xff" * 500, "broken"),
    ):
        file.write_bytes(content)
        hub.walk("own-map.mjs", tmp_path, name=name, state=state, colour=COLOUR if name == "picture" else None)
    hub.services.map_tiles = None

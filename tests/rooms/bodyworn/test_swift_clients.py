"""Clients that we did not write speak to the door for docks: python-swiftclient, and the contract's own refusals."""

import hashlib
from pathlib import Path

import pytest
from swiftclient import ClientException, Connection
from tests.rooms.bodyworn.conftest import Place

from svidok.base import new_id


@pytest.fixture
def swift(place: Place) -> Connection:
    return Connection(
        authurl=f"{place.url}/auth/v1.0", user=place.made.dock.account, key=place.made.secret,
        cacert=str(place.keys.certificate), retries=0,
    )  # fmt: skip


def container() -> str:
    return f"u-{new_id().hex[-12:]}_SWIFT1_20261125T100000Z"


def test_the_whole_sequence_of_a_dock(place: Place, swift: Connection, tmp_path: Path) -> None:
    headers, capabilities = swift.get_object("System", "Capabilities.json")
    assert headers["etag"] == hashlib.md5(capabilities).hexdigest()
    assert b"StoreRejectedContent" in capabilities
    assert "Контрабанда" in swift.get_object("System", "Categories.json")[1].decode()
    for name in ("System", "Users", "Devices"):
        swift.put_container(name)
    swift.put_object("System", str(new_id()), b"", headers={"X-Object-Meta-SystemName": "BWS%201"})
    user = str(new_id())
    swift.put_object(
        "Users", user, b"", headers={"X-Object-Meta-Name": "%D0%86%D1%80%D0%B0", "X-Object-Meta-Active": "True"}
    )
    swift.post_object("Users", user, headers={"X-Object-Meta-Name": "Ira"})
    assert swift.head_object("Users", user)["x-object-meta-name"] == "Ira"
    swift.put_object("Devices", "SWIFT1", b"", headers={"X-Object-Meta-Model": "W120"})
    name = container()
    swift.put_container(name, headers={"X-Container-Meta-Status": "Transferring", "X-Container-Meta-Userid": user})
    body = bytes(range(256)) * 9000
    etag = swift.put_object(name, "20261125_100000_1.mkv", body, content_length=len(body))
    assert etag == hashlib.md5(body).hexdigest()
    assert swift.put_object(name, "20261125_100000_1.mkv", body) == etag  # again, as after a lost answer
    swift.put_object(name, "bookmark_20261125T100000Z_1", b"", headers={"X-Object-Meta-CategoryName": "X"})
    swift.put_object(name, "20261125_100000_1_b_gpstrail.json", b'{"CoordinateEntries": []}')
    swift.post_container(name, headers={"X-Container-Meta-Status": "Complete"})
    held = swift.head_container(name)
    assert held["x-container-meta-status"] == "Complete"
    assert held["x-container-object-count"] == "3"
    told = {one["name"]: one["bytes"] for one in swift.get_container(name)[1]}
    assert told["20261125_100000_1.mkv"] == len(body)
    with place.database.transaction() as tx:
        rows = tx.all("SELECT name, kind, size_bytes FROM bodyworn.clip WHERE container = %(c)s ORDER BY name", c=name)
    assert {(row["kind"], row["size_bytes"]) for row in rows} == {("track", 25), ("video", len(body)), ("bookmark", 0)}


@pytest.mark.parametrize("act", ["delete-object", "delete-container", "delete-account", "copy", "read"])
def test_a_dock_takes_nothing_away_and_reads_nothing_back(swift: Connection, act: str) -> None:
    name = container()
    swift.put_container(name)
    swift.put_object(name, "a_1.mkv", b"footage")
    with pytest.raises(ClientException) as refused:
        match act:
            case "delete-object":
                swift.delete_object(name, "a_1.mkv")
            case "delete-container":
                swift.delete_container(name)
            case "delete-account":
                swift.post_account({"X-Remove-Account-Meta-A": "x"})
            case "copy":
                swift.copy_object(name, "a_1.mkv", destination=f"/{name}/b_1.mkv")
            case "read":
                swift.get_object(name, "a_1.mkv")
    assert refused.value.http_status == 403
    assert swift.head_object(name, "a_1.mkv")["content-length"] == "7"


def test_who_is_not_a_dock_is_not_let_in(place: Place) -> None:
    wrong = Connection(
        authurl=f"{place.url}/auth/v1.0", user=place.made.dock.account, key="x", retries=0,
        cacert=str(place.keys.certificate),
    )  # fmt: skip
    with pytest.raises(ClientException) as refused:
        wrong.get_auth()
    assert refused.value.http_status == 401
    client = place.client()
    assert client.ask("GET", f"/v1/AUTH_{client.account}", {"X-Auth-Token": "forged.1.2"}).status == 401
    assert client.ask("GET", "/v1/AUTH_dock-of-somebody-else").status == 403


def test_what_has_no_place_is_not_found(swift: Connection) -> None:
    for wrong in (lambda: swift.put_object("nowhere", "a.mkv", b"x"), lambda: swift.post_container("nowhere", {}),
                  lambda: swift.post_object("nowhere", "a", {}), lambda: swift.head_object("nowhere", "a")):  # fmt: skip
        with pytest.raises(ClientException) as refused:
            wrong()
        assert refused.value.http_status == 404


def test_bytes_that_changed_on_the_way_are_sent_again(place: Place, swift: Connection) -> None:
    name = container()
    swift.put_container(name)
    with pytest.raises(ClientException) as refused:
        swift.put_object(name, "a_1.mkv", b"footage", etag="0" * 32)
    assert refused.value.http_status == 422
    with pytest.raises(ClientException):
        swift.head_object(name, "a_1.mkv")


def test_a_rewritten_clip_is_another_clip_and_an_alarm(place: Place, swift: Connection) -> None:
    name = container()
    swift.put_container(name)
    swift.put_object(name, "a_1.mkv", b"one")
    swift.put_object(name, "a_1.mkv", b"two")
    with place.database.transaction() as tx:
        rows = tx.all("SELECT path, volume_id FROM bodyworn.clip WHERE container = %(c)s", c=name)
        alarms = tx.all("SELECT details FROM recording.alarm WHERE code = 'worn-clip-rewritten'")
    assert len(rows) == 2
    assert any(alarm["details"]["container"] == name for alarm in alarms)


def test_lists_are_read_page_by_page(swift: Connection) -> None:
    name = container()
    swift.put_container(name)
    for one in ("b1", "d/e", "d/f", "B", "№"):
        swift.put_object(name, one, b"x")

    def names(**asked: object) -> list[str]:
        return [one.get("name") or one["subdir"] for one in swift.get_container(name, **asked)[1]]

    assert names() == ["B", "b1", "d/e", "d/f", "№"]
    assert names(limit=2, full_listing=True) == names()
    assert names(limit=2, marker="B") == ["b1", "d/e"]
    assert names(delimiter="/", prefix="") == ["B", "b1", "d/", "№"]
    assert names(delimiter="/", prefix="d/") == ["d/e", "d/f"]
    assert names(end_marker="d/f", prefix="d") == ["d/e"]
    with pytest.raises(ClientException) as refused:
        names(limit=10_001)
    assert refused.value.http_status == 412


def test_what_was_said_of_a_recording_is_not_taken_away(swift: Connection) -> None:
    name = container()
    swift.put_container(name, headers={"X-Container-Meta-Userid": "u1", "X-Container-Meta-Status": "Transferring"})
    swift.post_container(name, headers={"X-Container-Meta-Userid": "", "X-Container-Meta-Status": "Complete"})
    swift.post_container(name, headers={"X-Container-Meta-Status": "Transferring"})
    held = swift.head_container(name)
    assert (held["x-container-meta-userid"], held["x-container-meta-status"]) == ("u1", "Complete")


def test_a_clip_may_be_sent_only_if_it_is_new(swift: Connection) -> None:
    name = container()
    swift.put_container(name)
    swift.put_object(name, "a_1.mkv", b"one", headers={"If-None-Match": "*"})
    with pytest.raises(ClientException) as refused:
        swift.put_object(name, "a_1.mkv", b"two", headers={"If-None-Match": "*"})
    assert refused.value.http_status == 412
    assert swift.head_object(name, "a_1.mkv")["etag"] == hashlib.md5(b"one").hexdigest()

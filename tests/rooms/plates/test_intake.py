"""What devices send, the good and the bad: each has a clear answer, nothing is lost in silence, one flood harms nobody else."""

import base64
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from tests.rooms.plates.conftest import CAMERAS, Station

from svidok.access import Role
from svidok.base import BadInput, SystemClock
from svidok.plates import devices, intake_contract, intake_frigate, intake_onvif, intake_openalpr, store
from svidok.plates.intake import DeviceRefused, DeviceTooFast, Taken
from svidok.plates.model import Source
from svidok.plates.parts import Plates


def jpeg(colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 32), colour).save(out, "JPEG", comment=b"who took it")
    return out.getvalue()


def post(station: Station, *reads: dict[str, object], at: datetime | None = None) -> Taken:
    at = at or SystemClock().now()
    known = {"camera": "north", "confidence": 0.9, "taken_at": at.isoformat()}
    body = json.dumps({"reads": [{**known, **read} for read in reads]}).encode()
    return station.plates.door.take(station.device(), intake_contract.translate(body), at=at)


def tally(station: Station) -> dict[str, int]:
    with station.database.transaction() as tx:
        row = devices.one(tx, station.device().id)
    return {name: row[name] for name in ("taken", "repeated", "rejected", "refused")}


NOW = SystemClock().now()
BAD = [
    ({"plate": "AA1234BB", "taken_at": (NOW + timedelta(hours=1)).isoformat()}, "from-future"),
    ({"plate": "AA1234BB", "taken_at": "1970-01-01T00:00:00Z"}, "from-past"),
    ({"plate": "AA1234BB", "taken_at": "2026-11-25T10:00:00"}, "read-form"),  # no zone: no instant
    ({"plate": "A" * 10_000}, "plate-long"),
    ({"plate": "🚗🚓"}, "plate-signs"),
    ({"plate": "AA 12🚗34 BB"}, "plate-signs"),
    ({"plate": " - "}, "plate-empty"),
    ({"plate": "AA12\u202e34BB"}, "plate-signs"),  # turns the direction of writing
    ({"plate": "AA1234BB", "camera": str(CAMERAS[3])}, "camera-not-the-devices"),
    ({"plate": "AA1234BB", "camera": "west"}, "camera-not-the-devices"),
    ({"plate": "AA1234BB", "confidence": 1.5}, "read-form"),
    ({"plate": "AA1234BB", "confidence": "high"}, "read-form"),
    ({"plate": "AA1234BB", "key": "k" * 300}, "key-long"),
]


@pytest.mark.parametrize(("bad", "code"), BAD, ids=[f"{number}-{code}" for number, (_, code) in enumerate(BAD)])
def test_what_cannot_be_true_is_kept_aside_and_counted(station: Station, bad: dict[str, object], code: str) -> None:
    before = tally(station)
    told = post(station, bad, {"plate": f"BAD{BAD.index((bad, code))}OK"})
    assert [(one.at, one.code in (code, "confidence-range")) for one in told.rejected] == [(0, True)]
    assert told.rejected[0].says
    assert (told.taken, told.ids[0]) == (1, None)
    assert tally(station)["rejected"] == before["rejected"] + 1
    with station.database.transaction() as tx:
        aside = devices.rejected(tx, station.device().id, limit=1)[0]
    assert aside["code"] == told.rejected[0].code
    assert aside["bytes"] <= store.MAX_REJECTED_BYTES


def test_alphabets_are_mixed_and_come_out_as_one(station: Station) -> None:
    told = post(station, {"plate": "АA 12-34 ВB"})
    with station.database.transaction() as tx:
        row = tx.one("SELECT p.text, r.as_read FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id "
                     "WHERE r.id = %(id)s", id=told.ids[0])  # fmt: skip
    assert (row["text"], row["as_read"]) == ("AA1234BB", "АA 12-34 ВB")


def test_a_batch_sent_again_is_there_once(station: Station) -> None:
    reads = [{"plate": f"RR{n:04d}RR", "key": f"again-{n}", "taken_at": NOW.isoformat()} for n in range(20)]
    first, second = post(station, *reads), post(station, *reads)
    assert (first.taken, second.taken, second.repeated) == (20, 0, 20)
    assert first.ids == second.ids
    doubled = post(station, {"plate": "RD1000RR", "key": "d"}, {"plate": "RD1000RR", "key": "d"})
    assert (doubled.taken, doubled.repeated) == (1, 1)


def test_a_picture_never_costs_a_read(station: Station) -> None:
    good = base64.b64encode(jpeg()).decode()
    broken = base64.b64encode(jpeg()[:100]).decode()
    told = post(
        station, {"plate": "PI1000AA", "pictures": {"overview": good, "patch": broken}},
        {"plate": "PI2000AA", "pictures": {"overview": "no base64!"}},
    )  # fmt: skip
    assert told.taken == 2
    left_out = [told.left_out[str(one)] for one in told.ids]
    assert [names[0].split(":")[0] for names in left_out] == ["patch", "overview"]
    with station.database.transaction() as tx:
        row = tx.one("SELECT image, patch FROM plates.read WHERE id = %(id)s", id=told.ids[0])
    assert row["patch"] is None
    kept = station.plates.pictures.read(row["image"])
    assert b"who took it" not in kept
    assert Image.open(BytesIO(kept)).size == (64, 32)


def test_a_full_disk_never_costs_a_read(station: Station, tmp_path) -> None:
    (tmp_path / "plates").write_text("a file where the folder should be")
    full = Plates(database=station.database, data=tmp_path, clock=SystemClock())
    at = SystemClock().now()
    told = intake_contract.translate(
        json.dumps({"reads": [{"plate": "FD1000AA", "confidence": 1, "taken_at": at.isoformat(), "camera": "north",
                               "pictures": {"overview": base64.b64encode(jpeg()).decode()}}]}).encode()
    )  # fmt: skip
    taken = full.door.take(station.device(), told, at=at)
    assert taken.taken == 1
    assert list(taken.left_out.values()) == [["overview: it could not be stored"]]


def test_a_flood_is_the_devices_own(station: Station) -> None:
    at = SystemClock().now()
    with station.database.transaction() as tx:
        flooding, _ = devices.add(
            tx, actor=station.actors[Role.ADMINISTRATOR], name="flood", source=Source.CONTRACT,
            cameras={"": CAMERAS[2]}, at=at, per_s=1.0,
        )  # fmt: skip
        device = devices.by_id(tx, flooding)

    def send(number: int) -> Taken:
        one = {"plate": f"FL{number:04d}AA", "confidence": 1, "taken_at": at.isoformat()}
        return station.plates.door.take(
            device, intake_contract.translate(json.dumps({"reads": [one]}).encode()), at=at
        )  # fmt: skip

    with pytest.raises(DeviceTooFast) as caught:
        for number in range(200):
            send(number)
    assert caught.value.details["retry_after_s"] >= 1
    assert post(station, {"plate": "FL9999AA"}).taken == 1
    with station.database.transaction() as tx:
        row = devices.one(tx, flooding)
    assert (row["taken"] >= 20, row["refused"]) == (True, 1)


def test_secrets_open_and_close(station: Station) -> None:
    at = SystemClock().now()
    admin = station.actors[Role.ADMINISTRATOR]
    with station.database.transaction() as tx:
        assert devices.by_secret(tx, station.secret, at=at).id == station.device_id  # type: ignore[union-attr]
        assert devices.by_secret(tx, "svp_wrong", at=at) is None
        new = devices.rotate(tx, actor=admin, device_id=station.device_id, grace=timedelta(hours=1), at=at)  # type: ignore[arg-type]
        assert devices.by_secret(tx, station.secret, at=at + timedelta(minutes=59)) is not None
        assert devices.by_secret(tx, station.secret, at=at + timedelta(minutes=61)) is None
        assert devices.by_secret(tx, new, at=at) is not None
        devices.change(tx, actor=admin, device_id=station.device_id, changes={"enabled": False}, at=at)  # type: ignore[arg-type]
    with pytest.raises(DeviceRefused):
        station.plates.door.check(station.device(), at=at)
    with pytest.raises(DeviceRefused):
        station.plates.door.check(None, at=at)
    with station.database.transaction() as tx:
        devices.change(tx, actor=admin, device_id=station.device_id, changes={"enabled": True}, at=at)  # type: ignore[arg-type]
    assert station.plates.door.check(station.device(), at=at)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b'{"reads": []}', b'{"reads": 3}', b"\xff\xfe", b"[" * 5000]
)
def test_a_body_that_is_no_batch_says_so(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        intake_contract.translate(body)
    assert caught.value.code == "body-form"


def test_too_many_reads_at_once() -> None:
    with pytest.raises(BadInput):
        intake_contract.translate(json.dumps({"reads": [{}] * 1001}).encode())


def test_openalpr_and_rekor() -> None:
    ms = int(datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp() * 1000)
    group = {
        "data_type": "alpr_group", "best_uuid": "g-1", "best_uuid_epoch_ms": ms, "camera_id": 7, "country": "eu",
        "best_plate": {"plate": "DW12345", "confidence": 91.5, "region": "eu-pl",
                       "candidates": [{"plate": "DW12345", "confidence": 91.5}, {"plate": "OW12345", "confidence": 40}],
                       "coordinates": [{"x": 10, "y": 20}, {"x": 110, "y": 22}, {"x": 110, "y": 50}, {"x": 10, "y": 48}]},
        "vehicle": {"body_type": [{"name": "sedan-compact", "confidence": 88}]}, "gps_latitude": -1,
    }  # fmt: skip
    (read,) = intake_openalpr.translate(group)
    assert (read.plate, read.confidence, read.country, read.vehicle) == ("DW12345", 0.915, "PL", "sedan")  # type: ignore[union-attr]
    assert (read.camera, read.key, read.box, read.lat) == ("7", "g-1", (10, 20, 100, 30), None)  # type: ignore[union-attr]
    results = {"data_type": "alpr_results", "uuid": "r", "epoch_time": ms, "camera_id": 7,
               "results": [{"plate": "AA1234BB", "confidence": 80}, {"plate": 5}]}  # fmt: skip
    good, bad = intake_openalpr.translate(results)
    assert good.plate == "AA1234BB"  # type: ignore[union-attr]
    assert bad.code == "read-form"  # type: ignore[union-attr]
    assert intake_openalpr.translate({"data_type": "heartbeat"}) == []
    with pytest.raises(BadInput):
        intake_openalpr.translate({"data_type": "weather"})


def test_frigate() -> None:
    after = {"id": "1763.1-abc", "camera": "gate", "frame_time": 1_764_064_800.25, "label": "car",
             "recognized_license_plate": ["AA1234BB", 0.93], "box": [10, 20, 110, 60]}  # fmt: skip
    (read,) = intake_frigate.translate("events", {"type": "update", "before": {}, "after": after})
    assert (read.plate, read.camera, read.box) == ("AA1234BB", "gate", (10, 20, 100, 40))  # type: ignore[union-attr]
    assert intake_frigate.translate("events", {"after": {"id": "1", "camera": "gate"}}) == []
    (update,) = intake_frigate.translate("tracked_object_update", {
        "type": "lpr", "id": "1763.1-abc", "camera": "gate", "plate": "AA1234BB", "score": 0.93, "timestamp": 1_764_064_801,
    })  # fmt: skip
    assert update.key == read.key  # type: ignore[union-attr]
    assert intake_frigate.translate("tracked_object_update", {"type": "description"}) == []


def test_onvif_profile_m() -> None:
    at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    told = {
        "UtcTime": "2026-11-25T10:00:00.250Z", "PropertyOperation": "Changed", "Source": {"VideoSource": "src_1"},
        "Data": {"Object": {"@ObjectId": "15", "Appearance": {
            "VehicleInfo": {"Type": {"#text": "Car", "@Likelihood": "0.9"}},
            "LicensePlateInfo": {"PlateNumber": {"#text": "AA1234BB", "@Likelihood": "0.87"},
                                 "CountryCode": {"#text": "UKR"}}}}},
    }  # fmt: skip
    (read,) = intake_onvif.translate(told, arrived_at=at)
    assert (read.plate, read.confidence, read.country, read.camera) == ("AA1234BB", 0.87, "UA", "src_1")  # type: ignore[union-attr]
    assert read.taken_at == at + timedelta(milliseconds=250)  # type: ignore[union-attr]
    simple = {"Source": [{"Name": "VideoSource", "Value": "v"}],
              "Data": [{"Name": "PlateNumber", "Value": "BB0001AA"}, {"Name": "Confidence", "Value": "0.5"}]}  # fmt: skip
    (other,) = intake_onvif.translate(simple, arrived_at=at)
    assert (other.plate, other.taken_at) == ("BB0001AA", at)  # type: ignore[union-attr]
    topic = "city/north/onvif-ej/RuleEngine/Recognition/LicensePlate/&src_1"
    assert intake_onvif.prefix_of(topic) == "city/north"
    assert intake_onvif.prefix_of("city/north/onvif-ej/VideoSource/MotionAlarm") is None
    assert intake_onvif.is_plate("tns1:RuleEngine/Recognition/LicensePlate")
    with pytest.raises(BadInput):
        intake_onvif.translate({"Data": 3}, arrived_at=at)


def test_the_schema_is_of_the_types_that_read() -> None:
    import jsonschema

    made = intake_contract.schema()
    written = Path(__file__).parents[3] / "docs" / "design" / "plate-reads.schema.json"
    assert json.loads(written.read_text("utf-8")) == json.loads(json.dumps(made))
    jsonschema.Draft202012Validator.check_schema(made)
    one = {"plate": "AA1234BB", "confidence": 0.97, "taken_at": "2026-11-24T10:00:00.120Z"}
    jsonschema.validate({"reads": [one]}, made)
    for bad in ({"reads": []}, {"reads": [{**one, "confidence": "x"}]}, {"reads": [{"plate": "A"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, made)

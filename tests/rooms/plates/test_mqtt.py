"""What cameras tell a broker, over NATS's own MQTT listener: kept before it is acknowledged, through every interruption."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
from tests.conftest import free_port
from tests.rooms.plates.conftest import CAMERAS, Station

from svidok.access import Role
from svidok.base import Conflict, SystemClock
from svidok.bus import Bus
from svidok.bus.server import nats_binary
from svidok.plates import devices, intake_onvif
from svidok.plates.model import Source
from svidok.plates.mqtt import Broker, MqttEar, answer

CLOCK = SystemClock()
_CONFIG = """
server_name: broker
listen: 127.0.0.1:{nats}
authorization {{ user: camera, password: secret }}
jetstream {{ store_dir: "{store}" }}
mqtt {{ listen: 127.0.0.1:{port}, ack_wait: "3s" }}
"""


class OurBroker:
    """A NATS server with its MQTT listener, started and killed at will."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "broker.conf"
        self._config.write_text(_CONFIG.format(nats=free_port(), port=self.port, store=folder / "store"))
        self._log = (folder / "broker.log").open("wb")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([nats_binary(), "-c", str(self._config)], stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    @property
    def url(self) -> str:
        return f"mqtt://camera:secret@127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OurBroker]:
    made = OurBroker(tmp_path_factory.mktemp("broker"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def registered(station: Station) -> Station:
    with station.database.transaction() as tx:
        for name, source, told, topic in (
            ("profile m", Source.ONVIF, "", "city/north"), ("frigate", Source.FRIGATE, "gate", "frigate"),
        ):  # fmt: skip
            devices.add(
                tx, actor=station.actors[Role.ADMINISTRATOR], name=name, source=source, cameras={told: CAMERAS[3]},
                topic=topic, at=station.at, per_s=1000.0,
            )  # fmt: skip
    return station


def onvif(plate: str, at: datetime) -> bytes:
    info = {"PlateNumber": {"#text": plate, "@Likelihood": "0.9"}}
    told = {"UtcTime": at.isoformat(), "Source": {"VideoSource": "src_1"}, "Data": {"LicensePlateInfo": info}}
    return json.dumps(told).encode()


def plates(station: Station, like: str) -> list[str]:
    with station.database.transaction() as tx:
        rows = tx.all("SELECT p.text FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id "
                      "WHERE p.text LIKE %(like)s ORDER BY p.text", like=like)  # fmt: skip
    return [row["text"] for row in rows]


async def until(fits: Callable[[], bool], *, most_s: float = 60.0) -> None:
    async with asyncio.timeout(most_s):
        while not await asyncio.to_thread(fits):
            await asyncio.sleep(0.05)


@asynccontextmanager
async def hearing(station: Station, broker: OurBroker) -> AsyncIterator[MqttEar]:
    ear = MqttEar(broker=Broker.parse(broker.url, client_id="svidok-test"), database=station.database,
                  door=station.plates.door, clock=CLOCK)  # fmt: skip
    stop = asyncio.Event()
    task = asyncio.create_task(ear.run(stop))
    try:
        await until(lambda: ear.connected)
        yield ear
    finally:
        stop.set()
        await task


async def publish(broker: OurBroker, *messages: tuple[str, bytes]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="camera", password="secret") as client:
        for topic, body in messages:
            await client.publish(topic, body, qos=1)


TOPIC = f"city/north/{intake_onvif.PAYLOAD}/{intake_onvif.TOPIC}/&src_1"


def test_profile_m_and_frigate_and_what_is_neither(registered: Station, broker: OurBroker) -> None:
    at = CLOCK.now()
    event = {"after": {"id": "1.1", "camera": "gate", "frame_time": at.timestamp(), "label": "car",
                       "recognized_license_plate": ["MB1111AA", 0.93], "box": [1, 2, 30, 40]}}  # fmt: skip

    async def go() -> None:
        async with hearing(registered, broker):
            await publish(
                broker, (TOPIC, onvif("MA1111AA", at)), (TOPIC, onvif("MA1111AA", at)),
                ("frigate/events", json.dumps(event).encode()), ("frigate/events", b"{broken"),
                ("unknown/events", json.dumps(event).encode()), ("frigate/stats", b"{}"),
                (TOPIC, onvif("MA2222AA", at + timedelta(days=2))), (TOPIC, onvif("MA9999AA", at)),
            )  # fmt: skip
            await until(lambda: plates(registered, "MA9999AA") != [])

    asyncio.run(go())
    assert plates(registered, "M_____AA") == ["MA1111AA", "MA9999AA", "MB1111AA"]
    with registered.database.transaction() as tx:
        counted = {row["name"]: row for row in devices.all_devices(tx)}
    assert (counted["profile m"]["taken"], counted["profile m"]["repeated"]) == (2, 1)
    assert (counted["profile m"]["rejected"], counted["frigate"]["rejected"]) == (1, 1)


def test_what_was_published_while_we_were_away_comes(registered: Station, broker: OurBroker) -> None:
    at = CLOCK.now()

    async def go() -> None:
        async with hearing(registered, broker):
            pass
        await publish(broker, *((TOPIC, onvif(f"MC{n:04d}AA", at)) for n in range(30)))
        async with hearing(registered, broker):
            await until(lambda: len(plates(registered, "MC%AA")) == 30)

    asyncio.run(go())


def test_nothing_is_acknowledged_before_it_is_kept(
    registered: Station, broker: OurBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between hearing and keeping: the broker tells it again."""
    at = CLOCK.now()
    reached = asyncio.Event()

    async def go() -> None:
        async def dies(_self: MqttEar, _batch: object, _stop: object) -> None:
            reached.set()
            raise aiomqtt.MqttError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(MqttEar, "_take", dies)
            async with hearing(registered, broker):
                await publish(broker, (TOPIC, onvif("MD1111AA", at)))
                async with asyncio.timeout(30):
                    await reached.wait()
        assert plates(registered, "MD1111AA") == []
        async with hearing(registered, broker):
            await until(lambda: plates(registered, "MD1111AA") == ["MD1111AA"])

    asyncio.run(go())


def test_a_broker_that_dies_is_found_again(registered: Station, broker: OurBroker) -> None:
    at = CLOCK.now()

    async def go() -> None:
        async with hearing(registered, broker) as ear:
            broker.kill()
            await until(lambda: not ear.connected)
            with pytest.raises(OSError, match="does not answer"):
                await asyncio.to_thread(ear.publish, "out", b"x")
            broker.start()
            await until(lambda: ear.connected)
            await publish(broker, (TOPIC, onvif("ME1111AA", at)))
            await until(lambda: plates(registered, "ME1111AA") == ["ME1111AA"])

    asyncio.run(go())


def test_confirmed_alerts_go_out_on_the_same_broker(registered: Station, broker: OurBroker) -> None:
    async def go() -> bytes:
        async with (
            hearing(registered, broker) as ear,
            aiomqtt.Client("127.0.0.1", broker.port, username="camera", password="secret") as other,
        ):
            await other.subscribe("police/alerts", qos=1)
            await asyncio.to_thread(ear.publish, "police/alerts", b'{"kind": "alert-confirmed"}')
            async with asyncio.timeout(30):
                return bytes((await anext(other.messages)).payload)

    assert asyncio.run(go()) == b'{"kind": "alert-confirmed"}'


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "broker:1883"])
def test_a_broker_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(Conflict):
        Broker.parse(url, client_id="x")


def test_the_same_contract_over_nats(registered: Station, nats_url: str) -> None:
    one = {"plate": "MF1111AA", "confidence": 0.9, "taken_at": CLOCK.now().isoformat(), "camera": "north"}

    async def go() -> list[dict[str, object]]:
        bus = await Bus.connect(nats_url, "intake")
        device = await Bus.connect(nats_url, "device")

        async def on_message(_subject: str, body: bytes) -> bytes:
            return await asyncio.to_thread(
                answer, registered.plates.door, registered.database, body, at=CLOCK.now()
            )  # fmt: skip

        end = await bus.subscribe("plates.in", on_message)
        await bus.request("plates.in", b"[]", timeout_s=30.0)  # the same connection: now the server knows of it
        answers = [
            json.loads(await device.request("plates.in", json.dumps(body).encode(), timeout_s=30.0))
            for body in ({"secret": registered.secret, "reads": [one]}, {"secret": registered.secret, "reads": [one]},
                         {"secret": "svp_no", "reads": [one]}, {"reads": [one]}, [])
        ]  # fmt: skip
        await end()
        await bus.close()
        await device.close()
        return answers

    first, again, wrong, none, broken = asyncio.run(go())
    assert (first["taken"], again["repeated"]) == (1, 1)
    assert [wrong["code"], none["code"], broken["code"]] == ["device-unknown", "device-unknown", "body-form"]

"""Messages, requests, durable publishing and leases on a real NATS."""

import asyncio

import pytest

from svidok.bus import Bus, BusUnavailable


async def test_a_request_is_answered(nats_url: str) -> None:
    bus = await Bus.connect(nats_url, "test")

    async def answer(subject: str, body: bytes) -> bytes:
        return body.upper()

    end = await bus.subscribe("ask.it", answer)
    assert await bus.request("ask.it", b"slava") == b"SLAVA"
    await end()
    with pytest.raises(BusUnavailable):
        await bus.request("ask.it", b"slava", timeout_s=0.3)
    await bus.close()


async def test_the_same_message_twice_is_kept_once(nats_url: str) -> None:
    bus = await Bus.connect(nats_url, "test")
    await bus.ensure_stream("NEWS", ["news.>"])
    await bus.ensure_stream("NEWS", ["news.>"])
    first = await bus.durable_publish("news.a", b"x", message_id="1")
    assert await bus.durable_publish("news.a", b"x", message_id="1") == first
    assert await bus.durable_publish("news.a", b"x", message_id="2") == first + 1
    await bus.close()


async def test_a_lease_has_one_owner_and_lapses(nats_url: str) -> None:
    bus = await Bus.connect(nats_url, "test")
    mine = await bus.lease("channel-1", "recorder-a", ttl_s=1)
    assert mine is not None
    assert await bus.lease("channel-1", "recorder-b", ttl_s=1) is None
    assert await mine.renew()
    again = await bus.lease("channel-1", "recorder-a", ttl_s=1)
    assert again is not None
    assert not await mine.renew()
    await asyncio.sleep(2.2)
    theirs = await bus.lease("channel-1", "recorder-b", ttl_s=1)
    assert theirs is not None
    assert not await again.renew()
    await theirs.release()
    await bus.close()


async def test_nobody_there_is_said_so() -> None:
    with pytest.raises(BusUnavailable):
        await Bus.connect("nats://127.0.0.1:1", "test", wait_s=1)

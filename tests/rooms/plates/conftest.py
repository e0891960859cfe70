"""Reads to keep and search, made up but as plausible as need be."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from svidok.base import new_id
from svidok.plates.model import Read, Source

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAMERAS = [UUID(int=100 + n) for n in range(6)]


@pytest.fixture
def make() -> Callable[..., Read]:
    """A read of `plate` at camera number `camera`, `minutes` after noon."""

    def read(plate: str, camera: int = 0, minutes: float = 0, **how: object) -> Read:
        taken_at = NOON + timedelta(minutes=minutes)
        known: dict[str, object] = {
            "id": uuid5(UUID(int=7), f"{plate} {camera} {minutes}"), "camera_id": CAMERAS[camera], "taken_at": taken_at,
            "received_at": taken_at + timedelta(seconds=1), "plate": plate, "as_read": plate, "confidence": 0.9,
            "source": Source.CONTRACT, "lat": 49.8 + camera / 10, "lon": 24.0,
        }  # fmt: skip
        return Read(**{**known, **how})  # type: ignore[arg-type]

    return read


@pytest.fixture
def fresh_id() -> UUID:
    return new_id()

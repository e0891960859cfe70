"""The station of the plates' tests, for alerts."""

from tests.rooms.plates.conftest import make, station

__all__ = ["make", "station"]

"""Messages between processes and sites: publish, ask, keep, lease. The one door to NATS; blind to the product."""

from svidok.bus.connection import Bus, BusUnavailable
from svidok.bus.lease import Lease

__all__ = ["Bus", "BusUnavailable", "Lease"]

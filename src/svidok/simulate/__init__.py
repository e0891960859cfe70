"""Cameras that are not there: real RTSP on loopback, real footage, and every fault a camera can have."""

from svidok.simulate.faults import FAULTS, Fault, parse_fault
from svidok.simulate.server import CameraServer, SimulatedCamera

__all__ = ["FAULTS", "CameraServer", "Fault", "SimulatedCamera", "parse_fault"]

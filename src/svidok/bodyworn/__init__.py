"""Cameras that people wear: issue and return, docks and uploads, coverage of a shift, nothing lost, nothing deleted."""

from svidok.bodyworn.coverage import Evidence, coverage_of
from svidok.bodyworn.model import Coverage, CoverageGap, GapCause, Issue, Pause, PauseKind, Service, Shift, Stretch

__all__ = [
    "Coverage",
    "CoverageGap",
    "Evidence",
    "GapCause",
    "Issue",
    "Pause",
    "PauseKind",
    "Service",
    "Shift",
    "Stretch",
    "coverage_of",
]

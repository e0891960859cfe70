"""Footage on disk: recordings, segments, gaps, seals, volumes, timelines, disposal carried out."""

from svidok.recording.model import ClockSource, Gap, GapReason, SegmentRow, SegmentState, VolumeState

__all__ = ["ClockSource", "Gap", "GapReason", "SegmentRow", "SegmentState", "VolumeState"]

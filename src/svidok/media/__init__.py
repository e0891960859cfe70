"""What is inside a video: RTSP in, groups and fragments out, boxes read back, pictures decoded. No product in it."""

from svidok.media.model import AudioTrack, Frame, Group, SenderReport, Sink, Tracks, VideoTrack
from svidok.media.rtsp import RtspClient
from svidok.media.rtsp_errors import (
    RtspClosed,
    RtspError,
    RtspGarbage,
    RtspRefused,
    RtspTimeout,
    RtspUnauthorized,
)

__all__ = [
    "AudioTrack",
    "Frame",
    "Group",
    "RtspClient",
    "RtspClosed",
    "RtspError",
    "RtspGarbage",
    "RtspRefused",
    "RtspTimeout",
    "RtspUnauthorized",
    "SenderReport",
    "Sink",
    "Tracks",
    "VideoTrack",
]

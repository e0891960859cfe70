"""The cameras we own: sites, cameras, channels, streams; their life, health and weaknesses."""

from svidok.fleet.model import Kind, Life, Owner, RecordedStream

__all__ = ["Kind", "Life", "Owner", "RecordedStream"]

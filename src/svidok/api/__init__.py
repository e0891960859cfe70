"""HTTP and live updates for the command centre: parse, call one verb, render. Decides nothing."""

from svidok.api.build import build_app
from svidok.api.services import Services

__all__ = ["Services", "build_app"]

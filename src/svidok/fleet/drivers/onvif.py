"""ONVIF (Profiles S and T): who a camera is, its streams, its clock, its movements. The one door to `onveef`.

A camera may answer anything, or nothing. Whatever it does ends in a value or in
a `CameraAnswer` error with a sentence for a person; never in a surprise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from httpx import InvalidURL
from onveef import OnvifAuthError, OnvifClient, OnvifError, OnvifTimeoutError
from onveef.wsdiscovery import discover as _discover

from svidok.base import BadInput, SvidokError

T = TypeVar("T")

_PROFILE_SCOPE = "onvif://www.onvif.org/Profile/"
_PROFILES = {"Streaming": "S", "T": "T", "G": "G", "M": "M", "S": "S"}
_TIMEOUT_S = 4.0


class CameraAnswer(SvidokError):
    """The camera did not answer, or not in a way we understand."""

    status = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStream:
    """A stream that a camera offers; the address holds no login."""

    token: str
    url: str
    codec: str
    width: int
    height: int
    fps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a probe found. `offset_ms`: the camera's clock minus ours; `profiles`: ONVIF's letters."""

    maker: str
    model: str
    firmware: str
    serial: str
    profiles: tuple[str, ...]
    offset_ms: int | None
    steerable: bool
    secure: bool
    streams: tuple[FoundStream, ...] = field(default=())


def probe(address: str, *, username: str, password: str, now: Callable[[], datetime]) -> Identity:
    """Ask the camera at `address` (host:port) who it is. Raises `CameraAnswer`."""
    with _client(address, username, password) as (client, secure):
        about = _asked(client.get_device_information)
        before = now()
        said = _camera_time(_asked(client.get_system_date_time))
        after = now()
        services = _asked(client.get_services)
        streams = tuple(_streams(client))
        scopes = _asked(client.get_scopes)
    offset_ms = None
    if said is not None:
        offset_ms = round((said - (before + (after - before) / 2)).total_seconds() * 1000)
        offset_ms = 0 if abs(offset_ms) < 1000 else offset_ms  # ONVIF tells whole seconds
    return Identity(
        maker=str(about.get("Manufacturer", "")), model=str(about.get("Model", "")),
        firmware=str(about.get("FirmwareVersion", "")), serial=str(about.get("SerialNumber", "")),
        profiles=_profiles(scopes), offset_ms=offset_ms, steerable="ptz" in services, secure=secure, streams=streams,
    )  # fmt: skip


def steer(address: str, *, username: str, password: str, pan: float, tilt: float, zoom: float, stop: bool) -> None:
    """Move a camera (each -1 to 1, as speeds), or stop it. Raises `CameraAnswer`."""
    with _client(address, username, password) as (client, _):
        profiles = _asked(client.get_profiles)
        if not profiles:
            raise CameraAnswer("camera-no-profile", "The camera offers no profile to steer.")
        token = profiles[0]["token"]
        if stop:
            _asked(lambda: client.ptz_stop(profile_token=token))
        else:
            _asked(lambda: client.ptz_continuous_move(profile_token=token, pan=pan, tilt=tilt, zoom=zoom))


def discover(*, timeout_s: float = 3.0) -> list[str]:
    """Addresses (host:port) of the ONVIF devices that answer WS-Discovery on this network."""
    found = _asked(lambda: _discover(timeout_s=timeout_s))
    addresses: set[str] = set()
    for device in found:
        for xaddr in getattr(device, "xaddrs", None) or []:
            parts = urlsplit(str(xaddr))
            if parts.hostname:
                addresses.add(f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}")
    return sorted(addresses)


class _client:  # noqa: N801 (used as a verb in `with`)
    """A connected client, TLS where the address says port 443 or 8443."""

    def __init__(self, address: str, username: str, password: str) -> None:
        host, port = parse_address(address)
        self._secure = port in (443, 8443)
        self._client = OnvifClient(
            host, port, username, password, use_https=self._secure, timeout_s=_TIMEOUT_S, retries=0,
            verify_tls=False,
        )  # fmt: skip

    def __enter__(self) -> tuple[Any, bool]:
        try:
            _asked(self._client.connect)
            if not set(self._client.endpoint.services) - {"device"}:
                self._say_why()
        except CameraAnswer:
            self._client.close()
            raise
        return self._client, self._secure

    def _say_why(self) -> None:
        """Connecting keeps quiet about what went wrong; asking once more does not."""
        if not _asked(self._client.get_services) and not _asked(self._client.get_capabilities):
            raise CameraAnswer("camera-answer", "The camera answered with something that is no answer.")

    def __exit__(self, *_: object) -> None:
        self._client.close()


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`, or of a host alone. Raises `BadInput`.

    >>> parse_address("10.0.0.7:8080"), parse_address("10.0.0.7")
    (('10.0.0.7', 8080), ('10.0.0.7', 80))
    """
    host, _, port = address.strip().rpartition(":") if ":" in address else (address.strip(), "", "80")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadInput("address-form", "The address of a camera is host:port.")
    return host, int(port)


@contextmanager
def understood() -> Iterator[None]:
    """Whatever goes wrong within becomes a `CameraAnswer` that a person understands."""
    try:
        yield
    except OnvifAuthError as error:
        raise CameraAnswer("camera-login", "The camera refuses the name and password.") from error
    except OnvifTimeoutError as error:
        raise CameraAnswer("camera-timeout", "The camera does not answer.") from error
    except (
        OnvifError, InvalidURL, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise CameraAnswer(
            "camera-answer", f"The camera answered in a way we do not understand ({type(error).__name__})."
        ) from error


def _asked(ask: Callable[[], T]) -> T:
    with understood():
        return ask()


def _streams(client: Any) -> list[FoundStream]:
    found = []
    for profile in _asked(client.get_profiles)[:4]:
        encoder = profile.get("video_encoder") or {}
        token = str(profile.get("token", ""))
        answer = _asked(lambda token=token: client.get_stream_uri(profile_token=token))  # type: ignore[misc]
        url = str(answer.get("uri", "") if isinstance(answer, dict) else answer)
        if url.startswith(("rtsp://", "rtsps://")):
            found.append(
                FoundStream(
                    token=token, url=_bare(url), codec=str(encoder.get("encoding", "")).lower(),
                    width=int(encoder.get("width") or 0), height=int(encoder.get("height") or 0),
                    fps=int(encoder.get("fps_limit") or 0),
                )
            )  # fmt: skip
    return found


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _camera_time(answer: dict[str, Any]) -> datetime | None:
    utc = answer.get("UTCDateTime")
    if not utc:
        return None
    parts = [int(utc[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
    try:
        year, month, day, hour, minute, second = parts
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def _profiles(scopes: list[dict[str, Any]]) -> tuple[str, ...]:
    items = [str(scope.get("scope_item", "")) for scope in scopes]
    letters = {_PROFILES.get(item.removeprefix(_PROFILE_SCOPE)) for item in items if item.startswith(_PROFILE_SCOPE)}
    return tuple(sorted(letter for letter in letters if letter))

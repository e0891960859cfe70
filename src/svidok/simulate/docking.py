"""A dock that is not there: signs in, uploads what worn cameras recorded, and goes wrong as it is told.

It speaks both doors over TLS with the standard library alone: the subset of
Swift that the maker Axis uses, and tus with a manifest.
"""

import base64
import hashlib
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from svidok.simulate.worn import WornCamera, WornClip, write_clip

_PART = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Said:
    """What the other side answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class DockClient:
    """A connection to the door. `secret` is what the connection file holds."""

    url: str
    account: str
    secret: str
    certificate: Path
    _token: str = field(default="", init=False)
    _line: http.client.HTTPSConnection | None = field(default=None, init=False)

    def sign_in(self) -> None:
        """Get a token. Raises `PermissionError`."""
        said = self.ask("GET", "/auth/v1.0", {"X-Auth-User": self.account, "X-Auth-Key": self.secret})
        if said.status != 200:
            raise PermissionError(said.body.decode())
        self._token = said.headers["x-auth-token"]

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Said:
        """One request on the kept connection."""
        kept = self._line is not None
        line = self._line or self._connect()
        try:
            line.request(method, path, body=body, headers={"X-Auth-Token": self._token, **(headers or {})})
            answer = line.getresponse()
            return Said(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        except (http.client.RemoteDisconnected, ConnectionError):
            self.hang_up()
            if kept:  # the other side tired of waiting on a quiet line: nothing was answered, so ask again
                return self.ask(method, path, headers, body)
            raise
        except (http.client.HTTPException, OSError):
            self.hang_up()
            raise

    def send_half(self, method: str, path: str, headers: dict[str, str], data: bytes) -> None:
        """Begin a request, send half of its body, and drop the link."""
        line = self._connect()
        line.putrequest(method, path)
        for name, value in {"X-Auth-Token": self._token, "Content-Length": str(len(data)), **headers}.items():
            line.putheader(name, value)
        line.endheaders()
        line.send(data[: len(data) // 2])
        line.close()
        self._line = None

    def hang_up(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def _connect(self) -> http.client.HTTPSConnection:
        self.hang_up()
        where = urlsplit(self.url)
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False  # the dock holds this very certificate
        self._line = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=60)
        return self._line


@dataclass(frozen=True, slots=True, kw_only=True)
class Offloaded:
    """What a dock got rid of: names acknowledged, and names that were not."""

    acknowledged: tuple[str, ...]
    failed: tuple[str, ...]


def offload_swift(client: DockClient, camera: WornCamera, *, user: str, folder: Path, cache: Path) -> Offloaded:
    """Upload one camera's shift as an Axis system controller does: one container, its clips, then complete."""
    account = f"/v1/AUTH_{client.account}"
    first, last = camera.clips[0], camera.clips[-1]
    container = f"{user}_{camera.serial}_{camera.by_its_clock(first.start):%Y%m%dT%H%M%SZ}"
    meta = {
        "ContainerName": container, "BWCSerialNumber": camera.serial, "UserID": user, "TriggerOn": "Button",
        "TriggerOff": "Button", "StartTimeISO": camera.by_its_clock(first.start).isoformat(),
        "StopTimeISO": camera.by_its_clock(last.end).isoformat(),
        "TriggerOffTimeISO": camera.by_its_clock(last.end).isoformat(), "Status": "Transferring",
    }  # fmt: skip
    headers = {f"X-Container-Meta-{name.capitalize()}": quote(value) for name, value in meta.items()}
    client.ask("PUT", f"{account}/{container}", {**headers, "Content-Length": "0"})
    done: list[str] = []
    failed: list[str] = []
    for clip in camera.clips:
        path = write_clip(replace(clip, serial=camera.serial), folder, cache=cache)
        data = path.read_bytes()
        where = f"{account}/{container}/{clip.name}"
        told = {
            "X-Object-Meta-Starttimeiso": quote(camera.by_its_clock(clip.start).isoformat()),
            "X-Object-Meta-Stoptimeiso": quote(camera.by_its_clock(clip.end).isoformat()),
            "Etag": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        }
        if camera.fault == "pulled" and clip is last:
            client.send_half("PUT", where, told, data)
            failed.append(clip.name)
            return Offloaded(acknowledged=tuple(done), failed=tuple(failed))
        if camera.fault == "checksum" and clip is first:
            client.ask("PUT", where, {**told, "Etag": "0" * 32}, data)
        if clip.name in camera.held_back:
            continue
        said = client.ask("PUT", where, told, data)
        (done if said.status == 201 else failed).append(clip.name)
        path.unlink()
    client.ask("POST", f"{account}/{container}", {"X-Container-Meta-Status": "Complete", "Content-Length": "0"})
    return Offloaded(acknowledged=tuple(done), failed=tuple(failed))


def offload_tus(
    client: DockClient,
    camera: WornCamera,
    *,
    now: Callable[[], datetime],
    folder: Path,
    cache: Path,
    only: int | None = None,
) -> Offloaded:
    """Upload one camera's shift by our own contract: a manifest, then each clip in parts with checksums."""
    paths = {clip.name: write_clip(replace(clip, serial=camera.serial), folder, cache=cache) for clip in camera.clips}
    client.ask("POST", "/dock/v1/manifests", {"Content-Type": "application/json"}, manifest_of(camera, paths, now()))
    done: list[str] = []
    failed: list[str] = []
    for number, clip in enumerate(camera.clips):
        if clip.name in camera.held_back:
            continue
        if only is not None and number >= only:
            failed.append(clip.name)
            continue
        data = paths[clip.name].read_bytes()
        pulled = camera.fault == "pulled" and clip is camera.clips[-1]
        finished = send_tus(client, camera, clip, data, pulled=pulled, spoil=camera.fault == "checksum" and number == 0)
        (done if finished else failed).append(clip.name)
    if camera.fault == "replay":
        again = camera.clips[0]
        other = WornClip(name=f"copy-{again.name}", start=camera.clips[-1].end, seconds=again.seconds, sequence=999)
        send_tus(client, camera, other, paths[again.name].read_bytes())
    return Offloaded(acknowledged=tuple(done), failed=tuple(failed))


def manifest_of(camera: WornCamera, paths: dict[str, Path], at: datetime) -> bytes:
    """What a dock says of a camera before it sends."""
    clips = [
        {
            "name": clip.name, "start": camera.by_its_clock(clip.start).isoformat(),
            "end": camera.by_its_clock(clip.end).isoformat(), "sequence": clip.sequence,
            "size_bytes": paths[clip.name].stat().st_size,
            "sha256": hashlib.sha256(paths[clip.name].read_bytes()).hexdigest(),
        }
        for clip in camera.clips
    ]  # fmt: skip
    events = [{"at": camera.by_its_clock(when).isoformat(), "kind": kind} for when, kind in camera.events]
    return json.dumps(
        {
            "serial": camera.serial, "device_now": camera.by_its_clock(at).isoformat(), "firmware": "sim-1.0",
            "battery_pct": 62, "storage_pct": 31, "counter_clips": len(camera.clips),
            "counter_bytes": sum(path.stat().st_size for path in paths.values()), "clips": clips, "events": events,
        }
    ).encode()  # fmt: skip


def send_tus(
    client: DockClient, camera: WornCamera, clip: WornClip, data: bytes, *, pulled: bool = False, spoil: bool = False
) -> bool:
    """One clip in parts; whether its end was acknowledged."""
    told = {
        "name": clip.name, "serial": camera.serial, "start": camera.by_its_clock(clip.start).isoformat(),
        "end": camera.by_its_clock(clip.end).isoformat(),
    }  # fmt: skip
    meta = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
    begun = client.ask("POST", "/dock/v1/uploads", {**_TUS, "Upload-Length": str(len(data)), "Upload-Metadata": meta})
    if begun.status != 201:
        return False
    where, at = begun.headers["location"], 0
    for part in _parts(data):
        headers = _part_headers(at, part)
        if pulled and at + len(part) >= len(data):
            client.send_half("PATCH", where, {n: v for n, v in headers.items() if n != "Upload-Checksum"}, part)
            return False
        if spoil:
            spoil = client.ask("PATCH", where, headers, bytes(reversed(part))).status != 460
        said = client.ask("PATCH", where, headers, part)
        if said.status != 204:
            return False
        at = int(said.headers["upload-offset"])
    return at == len(data)


_TUS = {"Tus-Resumable": "1.0.0"}


def _part_headers(at: int, part: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
    return {
        **_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(at),
        "Upload-Checksum": f"sha256 {digest}",
    }  # fmt: skip


def _parts(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _PART):
        yield data[at : at + _PART]

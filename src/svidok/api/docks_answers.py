"""What the door for docks says, in the form of OpenStack Swift where that is what the asker speaks."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from svidok.base import SvidokError
from svidok.db import Row

ACCOUNT = "AUTH_"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_json(cls, status: int, told: Any) -> "Answer":
        """As JSON."""
        return cls(status, {"content-type": "application/json"}, json.dumps(told, default=str).encode())

    async def send(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Say it."""
        headers = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(self.body)), **self.headers}
        if self.status == 204:
            del headers["content-length"]
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


def refusal(error: SvidokError) -> Answer:
    """An error of ours. `x-svidok-code` is for whoever reads logs of docks."""
    headers = {"x-svidok-code": error.code}
    if error.status == 503:
        headers["retry-after"] = "30"
    if error.status in (409, 460):
        headers["tus-resumable"] = "1.0.0"
    return Answer(error.status, headers, error.message.encode())


def listing(
    query: Mapping[str, list[str]],
    items: Sequence[Mapping[str, Any]],
    what: str,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Names, one a line, or JSON where it is asked for."""
    own = {f"x-{what}-object-count": str(len(items)), f"x-{what}-bytes-used": str(sum(one["bytes"] for one in items))}
    if what == "account":
        own = {"x-account-container-count": str(len(items)), "x-account-object-count": "0",
               "x-account-bytes-used": "0"}  # fmt: skip
    own |= headers or {}
    if query.get("format") == ["json"]:
        return Answer(200, {**own, "content-type": "application/json"}, json.dumps(items).encode())
    text = "".join(f"{one['name']}\n" for one in items).encode()
    return Answer(200 if text else 204, own, text)


def container_headers(row: Row, objects: Sequence[Row]) -> dict[str, str]:
    """What Swift says of a container; metadata in its encoding."""
    told = {f"x-container-meta-{name}": quote(str(value)) for name, value in row["meta"].items()}
    return {
        **told,
        "x-container-object-count": str(len(objects)),
        "x-container-bytes-used": str(sum(one["size_bytes"] for one in objects)),
        "x-timestamp": f"{row['made_at'].timestamp():.5f}",
        "accept-ranges": "bytes",
    }


def object_headers(row: Row) -> dict[str, str]:
    """What Swift says of an object."""
    told = {f"x-object-meta-{name}": quote(str(value)) for name, value in row["meta"].items()}
    return {
        **told,
        "content-length": str(row["size_bytes"]),
        "content-type": "application/octet-stream",
        "etag": bytes(row["md5"] or b"").hex(),
        "last-modified": row["received_at"].strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "x-timestamp": f"{row['received_at'].timestamp():.5f}",
        "accept-ranges": "bytes",
    }

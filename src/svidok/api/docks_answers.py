"""What the door for docks says, in the form of OpenStack Swift where that is what the asker speaks."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from svidok.base import SvidokError
from svidok.db import Row

ACCOUNT = "AUTH_"
_MOST = 10_000
_FORMS = {"application/json": "json", "application/xml": "xml", "text/xml": "xml"}


class TooMany(SvidokError):
    """More names were asked for at once than Swift gives."""

    status = 412

    def __init__(self) -> None:
        super().__init__("limit-too-high", f"Ask for {_MOST} names at most, and for the next with marker.")


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
    asked: Mapping[str, list[str]],
    items: Sequence[Mapping[str, Any]],
    of: tuple[str, str],
    *,
    accept: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A page of what is in a container or an account: names, one a line, or JSON or XML where that is asked for."""
    what, name = of
    own = {"accept-ranges": "bytes", **(headers or {})}
    form = asked.get("format", [""])[0] or _FORMS.get(accept.partition(",")[0].partition(";")[0].strip(), "plain")
    rows = page(asked, items)
    if form == "json":
        return Answer(200, {**own, "content-type": "application/json; charset=utf-8"}, json.dumps(rows).encode())
    if form == "xml":
        return Answer(200, {**own, "content-type": "application/xml; charset=utf-8"}, _xml(what, name, rows).encode())
    text = "".join(f"{one.get('name') or one['subdir']}\n" for one in rows).encode()
    return Answer(200 if text else 204, own, text)


def page(asked: Mapping[str, list[str]], items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What of `items` a question names: after its marker, with its prefix, folded at its delimiter, so many. Pure.

    Raises `TooMany`. Names are ordered by their bytes, as Swift's are.

    >>> names = [{"name": one} for one in ("Z", "a", "d/e", "d/f")]
    >>> [list(one.values())[0] for one in page({"delimiter": ["/"], "marker": ["Z"]}, names)]
    ['a', 'd/']
    """
    prefix, marker, end, delimiter, limit, turned = (
        asked.get(key, [""])[0] for key in ("prefix", "marker", "end_marker", "delimiter", "limit", "reverse")
    )
    most = int(limit) if limit.isascii() and limit.isdigit() else _MOST
    if most > _MOST:
        raise TooMany
    reverse = turned.lower() in ("true", "1", "yes", "on", "t", "y")
    low, high = (end, marker) if reverse else (marker, end)
    rows: list[Mapping[str, Any]] = []
    for item in sorted(items, key=lambda one: str(one["name"]), reverse=reverse):
        name: str = item["name"]
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            name = name[: cut + len(delimiter)]
            item = {"subdir": name}
        if name.startswith(prefix) and name > low and (not high or name < high) and rows[-1:] != [item]:
            rows.append(item)
    return rows[:most]


def _xml(what: str, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """As XML, in the order of elements that Swift uses."""
    inner = "object" if what == "container" else "container"
    keys = (
        ("name", "hash", "bytes", "content_type", "last_modified")
        if what == "container"
        else ("name", "count", "bytes")
    )
    told = []
    for row in rows:
        if "subdir" in row:
            told.append(f"<subdir name={quoteattr(row['subdir'])}><name>{escape(row['subdir'])}</name></subdir>")
        else:
            parts = "".join(f"<{key}>{escape(str(row[key]))}</{key}>" for key in keys)
            told.append(f"<{inner}>{parts}</{inner}>")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{what} name={quoteattr(name)}>{"".join(told)}</{what}>'


def account_headers(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What Swift says of an account."""
    return {
        "x-account-container-count": str(len(rows)),
        "x-account-object-count": str(sum(row["count"] for row in rows)),
        "x-account-bytes-used": str(sum(row["bytes"] for row in rows)),
        "accept-ranges": "bytes",
    }


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

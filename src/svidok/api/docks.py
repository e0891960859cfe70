"""The door for docks: a subset of OpenStack Swift for the maker Axis, and tus 1.0.0 with a manifest for all others.

An application of its own, on a port of its own, over TLS only: docks have no
session, no browser and no business with the web's routes. A dock may add and
may ask how far it is. There is no answer here that holds footage, and nothing
that deletes, moves or copies: those verbs are refused before anything is read.

Content is never answered with 400. A vendor's tool would then keep it outside
our custody; what we cannot play is kept, and goes to quarantine.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote
from uuid import UUID

import anyio.to_thread
import structlog

from svidok.api.docks_answers import (
    ACCOUNT,
    Answer,
    account_headers,
    container_headers,
    listing,
    object_headers,
    refusal,
)
from svidok.base import BadInput, Clock, Forbidden, NotFound, SvidokError
from svidok.bodyworn import announcing, axis, containers, docks
from svidok.bodyworn.docks import Dock
from svidok.bodyworn.receiving import SQL, acknowledge
from svidok.bodyworn.resuming import ALGORITHMS, Checksum, Uploads, parse_metadata
from svidok.bodyworn.vault import Vault
from svidok.db import Database, Row, Transaction

log = structlog.get_logger("docks")

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_GATHER = 1 << 20
_MANIFEST_MOST = 8 << 20
_TUS = {"tus-resumable": "1.0.0"}


class Cut(Exception):
    """The sender left before the end."""


class ContentDiffers(SvidokError):
    """What arrived is not what the sender hashed."""

    status = 422

    def __init__(self) -> None:
        super().__init__("etag-differs", "The bytes that arrived do not fit the Etag. Send them again.")


class ThereAlready(SvidokError):
    """It was to be sent only if it is not here, and it is."""

    status = 412

    def __init__(self) -> None:
        super().__init__("object-there", "There is such an object already. Send it without If-None-Match.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with who sent it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    receive: Receive
    dock: Dock


@dataclass(slots=True, kw_only=True)
class DockDoor:
    """The application (ASGI 3)."""

    database: Database
    vault: Vault
    uploads: Uploads
    clock: Clock
    token_key: bytes
    categories: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Cut:
            return
        except SvidokError as error:
            answer = refusal(error)
        if scope["method"] == "HEAD":
            answer = Answer(answer.status, {"content-length": str(len(answer.body)), **answer.headers}, b"")
        await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if scope.get("scheme") != "https":
            raise Forbidden("tls-only", "Docks are let in over TLS only.")
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if method not in {"GET", "HEAD", "PUT", "POST", "PATCH", "OPTIONS"} or "x-http-method-override" in headers:
            raise Forbidden("never-deleted", "Recordings are never deleted, moved or copied through this door.")
        if path == "/auth/v1.0":
            return await _in_thread(self._sign_in, method, headers)
        if method == "OPTIONS":
            return Answer(204, {**_TUS, "tus-version": "1.0.0", "tus-extension": "creation,checksum",
                                "tus-checksum-algorithm": ",".join(ALGORITHMS)})  # fmt: skip
        dock = await _in_thread(self._who, headers)
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        asked = Asked(method=method, path=path, query=query, headers=headers, receive=receive, dock=dock)
        if path.startswith("/dock/v1/"):
            return await self._own(asked, path.removeprefix("/dock/v1/").split("/"))
        return await self._swift(asked)

    def _sign_in(self, method: str, headers: Mapping[str, str]) -> Answer:
        if method not in ("GET", "HEAD"):
            return Answer(400, {}, b"Sign in with GET.")
        at = self.clock.now()
        with self.database.transaction() as tx:
            dock = docks.let_in(tx, account=headers.get("x-auth-user", ""), secret=headers.get("x-auth-key", ""), at=at)
        token = docks.token_for(dock, self.token_key, at=at)
        url = f"https://{headers.get('host', '')}/v1/{ACCOUNT}{dock.account}"
        return Answer(200, {"x-auth-token": token, "x-storage-token": token, "x-storage-url": url})

    def _who(self, headers: Mapping[str, str]) -> Dock:
        token = headers.get("x-auth-token") or headers.get("authorization", "").removeprefix("Bearer ")
        with self.database.transaction() as tx:
            return docks.dock_by_token(tx, token, self.token_key, at=self.clock.now())

    # the subset of Swift

    async def _swift(self, asked: Asked) -> Answer:
        version, _, rest = asked.path.lstrip("/").partition("/")
        account, _, rest = rest.partition("/")
        if version not in ("v1", "v1.0") or account != f"{ACCOUNT}{asked.dock.account}":
            raise Forbidden("not-your-account", "This account is not yours.")
        container, _, name = rest.partition("/")
        if {"x-copy-from", "destination"} & set(asked.headers):
            raise Forbidden("never-deleted", "Recordings are never deleted, moved or copied through this door.")
        if not container:
            return await _in_thread(self._account, asked)
        if not name:
            return await _in_thread(self._container, asked, container)
        if asked.method == "PUT":
            return await self._put_object(asked, container, name)
        return await _in_thread(self._object, asked, container, name)

    def _account(self, asked: Asked) -> Answer:
        if asked.method not in ("GET", "HEAD"):
            raise Forbidden("account-fixed", "The account is kept by the administrator.")
        with self.database.transaction() as tx:
            rows = tx.all(SQL["containers"], dock_id=asked.dock.id)
        if asked.method == "HEAD":
            return Answer(204, account_headers(rows))
        of = ("account", f"{ACCOUNT}{asked.dock.account}")
        return listing(asked.query, rows, of, accept=asked.headers.get("accept", ""), headers=account_headers(rows))

    def _container(self, asked: Asked, name: str) -> Answer:
        meta, at = axis.meta_of(asked.headers), self.clock.now()
        with self.database.transaction() as tx:
            known = containers.find(tx, asked.dock, name)
            if asked.method == "PUT":
                made = containers.put(tx, dock=asked.dock, name=name, meta=meta, at=at).made and known is None
                return Answer(201 if made else 202, {})
            if known is None and name == axis.SYSTEM:
                known = {"meta": {}, "made_at": at}  # two files in it are ours, and there before a dock makes it
            if known is None:
                raise NotFound("container-unknown", "There is no such container.")
            if asked.method == "POST":
                containers.put(tx, dock=asked.dock, name=name, meta=meta, at=at)
                return Answer(204, {})
            rows = tx.all(SQL["clips_in"], dock_id=asked.dock.id, container=name)
        rows += self._served_rows(name)
        headers = container_headers(known, rows)
        if asked.method == "HEAD":
            return Answer(204, headers)
        items = [_told(row) for row in rows]
        return listing(asked.query, items, ("container", name), accept=asked.headers.get("accept", ""), headers=headers)

    async def _put_object(self, asked: Asked, container: str, name: str) -> Answer:
        known = await _in_thread(self._find_container, asked.dock, container)
        if asked.headers.get("if-none-match") == "*" and await _in_thread(self._is_there, asked.dock, container, name):
            raise ThereAlready
        expected = int(asked.headers.get("content-length") or 0)
        incoming = await _in_thread(partial(self.vault.begin, expected=expected, with_md5=True))
        try:
            await _pour(asked.receive, incoming.write)
            staged = await _in_thread(incoming.finish)
        except (Cut, SvidokError):
            await _in_thread(incoming.abandon)
            raise
        md5 = (staged.md5 or b"").hex()
        if asked.headers.get("etag", md5).strip('"') != md5:
            staged.path.unlink(missing_ok=True)
            raise ContentDiffers
        sent = axis.sent_of(container, name, axis.meta_of(asked.headers), known["meta"])
        at = self.clock.now()
        keep = partial(acknowledge, self.database, self.vault, dock=asked.dock, sent=sent, staged=staged, at=at)
        try:
            await _in_thread(keep)
        finally:
            staged.path.unlink(missing_ok=True)  # kept under its lasting name, or not at all: it is sent again
        return Answer(201, {"etag": md5, "last-modified": _http_date(at)})

    def _object(self, asked: Asked, container: str, name: str) -> Answer:
        served = self._served(container).get(name)
        if served is not None and asked.method in ("GET", "HEAD"):
            told = {"etag": _md5(served).hex(), "content-type": "application/json", "accept-ranges": "bytes",
                    "last-modified": _http_date(self.clock.now())}  # fmt: skip
            return Answer(200, told, served)
        with self.database.transaction() as tx:
            row = tx.maybe(SQL["clip_by_name"], dock_id=asked.dock.id, container=container, name=name)
            if row is None:
                raise NotFound("object-unknown", "There is no such object.")
            if asked.method == "POST":
                tx.run(SQL["set_clip_meta"], id=row["id"], meta=json.dumps(axis.meta_of(asked.headers)))
                return Answer(202, {})
        if asked.method == "HEAD":
            return Answer(200, object_headers(row))
        if container in axis.ACCOUNTS and not row["size_bytes"]:
            return Answer(200, object_headers(row))
        raise Forbidden("never-given-back", "What was sent is not given back through this door.")

    def _served(self, container: str) -> dict[str, bytes]:
        """The two files that a dock reads, by name."""
        if container != axis.SYSTEM:
            return {}
        told = [{"Name": one, "Id": str(number)} for number, one in enumerate(self.categories, 1)]
        return {
            "Capabilities.json": json.dumps(axis.CAPABILITIES, indent=1).encode(),
            "Categories.json": json.dumps(told, ensure_ascii=False).encode(),
        }

    def _served_rows(self, container: str) -> list[Row]:
        at = self.clock.now()
        return [
            {"name": name, "size_bytes": len(body), "md5": _md5(body), "received_at": at}
            for name, body in self._served(container).items()
        ]

    def _is_there(self, dock: Dock, container: str, name: str) -> bool:
        with self.database.transaction() as tx:
            return tx.maybe(SQL["clip_by_name"], dock_id=dock.id, container=container, name=name) is not None

    def _find_container(self, dock: Dock, name: str) -> Row:
        with self.database.transaction() as tx:
            row = containers.find(tx, dock, name)
        if row is None:
            raise NotFound("container-unknown", "There is no such container. Make it first.")
        return row

    # our own contract

    async def _own(self, asked: Asked, parts: list[str]) -> Answer:
        match (asked.method, parts):
            case ("GET", ["manifest.schema.json"]):
                return Answer.of_json(200, announcing.schema())
            case ("POST", ["manifests"]):
                body = await _body(asked.receive, _MANIFEST_MOST)
                return await _in_thread(self._announce, asked.dock, body)
            case ("GET", ["receipts", serial]):
                return await _in_thread(self._receipt, unquote(serial))
            case ("POST", ["uploads"]):
                return await _in_thread(self._begin, asked)
            case ("HEAD", ["uploads", upload]):
                row = await _in_thread(self._state, asked.dock, _uuid(upload))
                return Answer(200, {**_TUS, "upload-offset": str(row["acknowledged"]),
                                    "upload-length": str(row["length"]), "cache-control": "no-store"})  # fmt: skip
            case ("PATCH", ["uploads", upload]):
                return await self._patch(asked, _uuid(upload))
        raise NotFound("not-found", "There is no such route.")

    def _announce(self, dock: Dock, body: bytes) -> Answer:
        manifest = announcing.parse_manifest(body)
        with self.database.transaction() as tx:
            announcing.announce(tx, dock=dock, manifest=manifest, at=self.clock.now())
            return Answer.of_json(200, receipt_of(tx, manifest.serial))

    def _receipt(self, serial: str) -> Answer:
        with self.database.transaction() as tx:
            return Answer.of_json(200, receipt_of(tx, serial))

    def _begin(self, asked: Asked) -> Answer:
        length = asked.headers.get("upload-length", "")
        if not length.isdigit():
            raise BadInput("upload-length", "Give Upload-Length in bytes.")
        meta = parse_metadata(asked.headers.get("upload-metadata", ""))
        upload_id = self.uploads.begin(asked.dock, length=int(length), meta=meta, at=self.clock.now())
        if length == "0":
            self.uploads.finish(asked.dock, upload_id, at=self.clock.now())
        return Answer(201, {**_TUS, "location": f"/dock/v1/uploads/{upload_id}", "upload-offset": "0"})

    def _state(self, dock: Dock, upload_id: UUID) -> Row:
        """How far an upload is. One that is whole and no clip yet (we died in between) becomes one now: a sender that
        hears that all is here asks no more."""
        row = self.uploads.state(dock, upload_id)
        if row["clip_id"] is None and row["acknowledged"] == row["length"]:
            self.uploads.finish(dock, upload_id, at=self.clock.now())
        return row

    async def _patch(self, asked: Asked, upload_id: UUID) -> Answer:
        offset = asked.headers.get("upload-offset", "")
        if not offset.isdigit():
            raise BadInput("upload-offset-form", "Give Upload-Offset in bytes.")
        checksum = Checksum.parse(asked.headers.get("upload-checksum", ""))
        part = await _in_thread(
            partial(self.uploads.open, asked.dock, upload_id, offset=int(offset), checksum=checksum)
        )
        whole = False
        try:
            await _pour(asked.receive, part.write)
            whole = True
        except Cut:
            log.info("an upload was cut", upload=str(upload_id), at=part.offset)
        finally:
            close = partial(self.uploads.close, upload_id, part, checksum=checksum, whole=whole, at=self.clock.now())
            reached = await _in_thread(close)
        row = await _in_thread(self.uploads.state, asked.dock, upload_id)
        if reached == row["length"]:
            await _in_thread(partial(self.uploads.finish, asked.dock, upload_id, at=self.clock.now()))
        return Answer(204, {**_TUS, "upload-offset": str(reached)})


def receipt_of(tx: Transaction, serial: str) -> dict[str, Any]:
    """What of a camera is kept, and whether it may be wiped: all that it announced came, twice, and was read back."""
    device = tx.maybe(SQL["device_by_serial"], serial=serial)
    if device is None:
        raise NotFound("worn-camera-unknown", "No worn camera has this serial number.")
    rows = tx.all(SQL["receipt_of"], camera_id=device["camera_id"], since="-infinity")
    missing = [row["name"] for row in tx.all(SQL["unarrived_of"], camera_id=device["camera_id"])]
    clips = [
        {"name": row["name"], "container": row["container"], "sha256": bytes(row["sha256"]).hex(),
         "size_bytes": row["size_bytes"], "state": row["state"], "reason": row["reason"],
         "ledger_index": row["leaf_index"], "safe": row["copied_at"] is not None}
        for row in rows
    ]  # fmt: skip
    safe = not missing and all(clip["safe"] for clip in clips)
    return {"serial": serial, "safe_to_wipe": safe, "missing": missing, "clips": clips}


async def _pour(receive: Receive, write: Callable[[bytearray], None]) -> None:
    """Hand the body to `write` in a thread, a mebibyte at a time. Raises `Cut`."""
    gathered = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            if gathered:
                await _in_thread(write, gathered)
            raise Cut
        gathered += message.get("body", b"")
        more = message.get("more_body", False)
        if gathered and (len(gathered) >= _GATHER or not more):
            await _in_thread(write, gathered)
            gathered = bytearray()
        if not more:
            return


async def _body(receive: Receive, most: int) -> bytes:
    found = bytearray()

    def add(chunk: bytearray) -> None:
        if len(found) + len(chunk) > most:
            raise BadInput("manifest-too-large", "The manifest is larger than 8 MiB. Send it in parts.")
        found.extend(chunk)

    await _pour(receive, add)
    return bytes(found)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _in_thread(work: Callable[..., T], *given: Any) -> T:
    return await anyio.to_thread.run_sync(partial(work, *given))


def _told(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "bytes": row["size_bytes"],
        "hash": bytes(row["md5"] or b"").hex(),
        "content_type": "application/octet-stream",
        "last_modified": row["received_at"].strftime("%Y-%m-%dT%H:%M:%S.%f"),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("upload-unknown", "There is no such upload. Begin it anew.") from error


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _http_date(at: Any) -> str:
    return str(at.strftime("%a, %d %b %Y %H:%M:%S GMT"))

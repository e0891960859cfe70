"""Copies in a bucket with Object Lock in compliance mode: the store itself refuses to delete them before their time.

The lock is access policy of the store, and whoever has its disks stands above
it: what proves a copy is the seal, what ends it is its key. A bucket is taken
only where locking is on, and `conformance` shows what it really refuses.

Objects are put with their SHA-256, which the store checks. A name is put once
(`If-None-Match`): a copy is never overwritten.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from svidok.base import Conflict, Unavailable
from svidok.recording.copies.stores import Clock, Stored

_PIECE = 1024 * 1024
_ABSENT = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
_PRESENT = {"412", "PreconditionFailed"}
_REFUSED = {"403", "AccessDenied", "InvalidRequest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Which bucket, and how it is reached. `lock_for` unset: objects are put without a lock."""

    name: str
    prefix: str
    endpoint: str | None
    region: str
    access_key: str
    secret_key: str
    lock_for: timedelta | None


class S3Store:
    """Copies in one bucket."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket, self._clock = bucket, clock
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            aws_access_key_id=bucket.access_key,
            aws_secret_access_key=bucket.secret_key,
            config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3, "mode": "standard"},
                          s3={"addressing_style": "path"}),
        )  # fmt: skip

    @property
    def target(self) -> str:
        """`s3://`, bucket and prefix."""
        return f"s3://{self._bucket.name}/{self._bucket.prefix}".rstrip("/")

    @property
    def bucket_name(self) -> str:
        """The bucket alone."""
        return self._bucket.name

    def key(self, name: str) -> str:
        """An object's whole name in the bucket."""
        return f"{self._bucket.prefix}/{name}" if self._bucket.prefix else name

    def check(self) -> None:
        """The bucket must be there; where copies shall be locked, its locking must be on."""
        with self._asking():
            self.client.head_bucket(Bucket=self._bucket.name)
        if self._bucket.lock_for is None:
            return
        try:
            told = self.client.get_object_lock_configuration(Bucket=self._bucket.name)
        except ClientError:
            told = {}
        if told.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise Conflict(
                "bucket-without-lock",
                f"The bucket {self._bucket.name} has no Object Lock. Make one that has, or unset s3_lock_days.",
            )

    def put(self, name: str, file: BinaryIO, *, size: int, sha256: bytes) -> datetime | None:
        """Put it once, with its hash and its lock."""
        digest = base64.b64encode(sha256).decode()
        until = self._clock() + self._bucket.lock_for if self._bucket.lock_for else None
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until} if until else {}
        with self._asking():
            try:
                self.client.put_object(
                    Bucket=self._bucket.name, Key=self.key(name), Body=file, ContentLength=size,
                    ChecksumSHA256=digest, IfNoneMatch="*", **lock,
                )  # fmt: skip
            except ClientError as error:
                if _code(error) not in _PRESENT:
                    raise
                return self._there_already(name, size)
        return until

    def _there_already(self, name: str, size: int) -> datetime | None:
        told = self.client.head_object(Bucket=self._bucket.name, Key=self.key(name))
        if told["ContentLength"] != size:
            raise Conflict("copy-differs", f"{self.target} holds another object under this name.")
        until: datetime | None = told.get("ObjectLockRetainUntilDate")
        return until

    def read(self, name: str) -> Iterator[bytes]:
        """Out of the bucket, in pieces."""
        with self._asking():
            try:
                body = self.client.get_object(Bucket=self._bucket.name, Key=self.key(name))["Body"]
            except ClientError as error:
                if _code(error) in _ABSENT:
                    raise FileNotFoundError(name) from error
                raise
            yield from body.iter_chunks(_PIECE)

    def listed(self) -> Iterator[Stored]:
        """Page by page; the bucket sorts by the bytes of the names."""
        prefix = f"{self._bucket.prefix}/" if self._bucket.prefix else ""
        with self._asking():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix):
                for one in page.get("Contents", ()):
                    yield Stored(name=one["Key"].removeprefix(prefix), size=one["Size"])

    def remove(self, name: str) -> bool:
        """Every version of it; a version under lock stays, and so does the answer no."""
        gone, key = True, self.key(name)
        with self._asking():
            told = self.client.list_object_versions(Bucket=self._bucket.name, Prefix=key)
            versions = [
                one for kind in ("Versions", "DeleteMarkers") for one in told.get(kind, ()) if one["Key"] == key
            ]
            for one in versions:
                try:
                    self.client.delete_object(Bucket=self._bucket.name, Key=key, VersionId=one["VersionId"])
                except ClientError as error:
                    if _code(error) not in _REFUSED:
                        raise
                    gone = False
        return gone

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            why = _code(error) if isinstance(error, ClientError) else type(error).__name__
            raise Unavailable("copies-unavailable", f"{self.target} does not do its part ({why}).") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))

"""Show what a bucket's lock really refuses, before footage is trusted to it.

A store may accept the words of Object Lock and keep none of them. Each try here
is what somebody would do who wants an object gone; the one right answer is no,
and the object must still be there afterwards, whole. The object itself stays
until its short lock is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from svidok.base import new_id
from svidok.recording.copies.s3 import S3Store

_BODY = b"svidok: an object that must not go before its time"
_LOCK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One try: what was done, whether the store refused it as it must, what it said."""

    what: str
    held: bool
    says: str


def try_lock(store: S3Store, *, at: datetime) -> list[Tried]:
    """Put an object under lock, and try every way to be rid of it."""
    client, bucket, key = store.client, store.bucket_name, store.key(f"conformance/{new_id()}")
    until, sooner = at + _LOCK, at + _LOCK / 2
    put = client.put_object(
        Bucket=bucket, Key=key, Body=_BODY, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until
    )
    this = {"Bucket": bucket, "Key": key, "VersionId": put.get("VersionId", "null")}
    tries: list[tuple[str, Callable[[], Any]]] = [
        ("delete the version", lambda: client.delete_object(**this)),
        ("delete it, bypassing governance", lambda: client.delete_object(**this, BypassGovernanceRetention=True)),
        ("shorten the lock", lambda: client.put_object_retention(**this, Retention=_kept("COMPLIANCE", sooner))),
        ("weaken the lock", lambda: client.put_object_retention(**this, Retention=_kept("GOVERNANCE", until))),
        ("lift the lock", lambda: client.put_object_retention(**this, Retention={}, BypassGovernanceRetention=True)),
        ("stop keeping versions", lambda: client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})),
    ]  # fmt: skip
    told = [_refused(what, deed) for what, deed in tries]
    told.append(_refused_in_batch(client, this))
    told.append(
        _stays_below(client, this, "overwrite it", lambda: client.put_object(Bucket=bucket, Key=key, Body=b"x"))
    )
    told.append(_stays_below(client, this, "hide it", lambda: client.delete_object(Bucket=bucket, Key=key)))
    return told


def _kept(mode: str, until: datetime) -> dict[str, object]:
    return {"Mode": mode, "RetainUntilDate": until}


def _refused(what: str, deed: Callable[[], Any]) -> Tried:
    try:
        deed()
    except ClientError as error:
        return Tried(what=what, held=True, says=str(error.response.get("Error", {}).get("Code", "refused")))
    return Tried(what=what, held=False, says="the store did it")


def _refused_in_batch(client: Any, this: dict[str, str]) -> Tried:
    told = client.delete_objects(
        Bucket=this["Bucket"], Delete={"Objects": [{"Key": this["Key"], "VersionId": this["VersionId"]}]}
    )
    errors = told.get("Errors", [])
    return Tried(
        what="delete it in a batch", held=bool(errors), says=errors[0]["Code"] if errors else "the store did it"
    )


def _stays_below(client: Any, this: dict[str, str], what: str, deed: Callable[[], Any]) -> Tried:
    """A deed that may succeed, but must leave the version as it was."""
    deed()
    try:
        whole = client.get_object(**this)["Body"].read() == _BODY
    except ClientError:
        whole = False
    return Tried(what=what, held=whole, says="the version stays" if whole else "the version is gone")

"""What an actor likes: saved walls, theme, language. Small, and theirs alone."""

import json
import re
from typing import Any

from svidok.access.accounts import SQL
from svidok.access.model import Actor
from svidok.base import BadInput
from svidok.db import Transaction

_KEY = re.compile(r"^[a-z][a-z0-9-]{0,39}$")
_MAX_BYTES = 64 * 1024


def preference(tx: Transaction, *, actor: Actor, key: str) -> Any:
    """What is kept under `key`, or nothing."""
    row = tx.maybe(SQL["preference"], account_id=actor.id, key=key)
    return row["value"] if row else None


def set_preference(tx: Transaction, *, actor: Actor, key: str, value: Any) -> None:
    """Keep `value` (JSON) under `key`."""
    written = json.dumps(value)
    if not _KEY.match(key) or len(written) > _MAX_BYTES:
        raise BadInput("preference-form", "A preference has a short lower-case name and at most 64 KiB.")
    tx.run(SQL["set_preference"], account_id=actor.id, key=key, value=written)

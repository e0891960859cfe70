"""A checkpoint with three lanes, a source that may tell of it, and somebody for each role."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from svidok.access import Actor, Role, accounts
from svidok.customs import checkpoints
from svidok.customs.checkpoints import Source
from svidok.db import Database

NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)  # midday in Kyiv


@dataclass(frozen=True, kw_only=True)
class Post:
    """A checkpoint of the tests."""

    database: Database
    id: UUID
    lanes: dict[str, UUID]
    source: Source
    secret: str
    people: dict[Role, Actor] = field(default_factory=dict)


@pytest.fixture(scope="module")
def post(database: Database) -> Post:
    with database.transaction() as tx:
        people = {
            role: accounts.add_account(
                tx, by=None, login=f"c-{role}", name=str(role), password=None, roles=[role], unit_id=None, at=NOON
            )
            for role in Role
        }
        admin = people[Role.ADMINISTRATOR]
        checkpoint_id = checkpoints.add_checkpoint(
            tx, actor=admin, code="UA209140", name_uk="Рава-Руська", name_en="Rava-Ruska", plates_due=False,
            body_due=False, upload_within=timedelta(hours=12), at=NOON,
        )  # fmt: skip
        lanes = {
            code: checkpoints.add_lane(
                tx, actor=admin, checkpoint_id=checkpoint_id, code=code, name_uk=f"Смуга {code}",
                name_en=f"Lane {code}", at=NOON,
            )
            for code in ("1", "2", "3")
        }  # fmt: skip
        _, secret = checkpoints.add_source(tx, actor=admin, name="ASMO", checkpoints=[checkpoint_id], at=NOON)
        source = checkpoints.source_of(tx, secret, at=NOON)
    return Post(database=database, id=checkpoint_id, lanes=lanes, source=source, secret=secret, people=people)


def told(number: str, **more: Any) -> dict[str, Any]:
    """A procedure as a source tells it: ten minutes from noon on."""
    return {
        "number": number, "checkpoint": "UA209140", "lane": "1", "kind": "car", "direction": "in",
        "officers": ["140-1000"], "started_at": NOON.isoformat(), "ended_at": (NOON + timedelta(minutes=10)).isoformat(),
        "outcome": "released", "plate": "ВС 1234 АЕ", **more,
    }  # fmt: skip

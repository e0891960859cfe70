"""The first administrator's token: it works once, and there is none afterwards."""

from datetime import UTC, datetime, timedelta

import pytest

from svidok.access import Role, accounts
from svidok.base import BadInput, Forbidden
from svidok.db import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_first_token_works_once(database: Database) -> None:
    with database.transaction() as tx:
        old = accounts.first_token(tx, at=NOON)
        token = accounts.first_token(tx, at=NOON)
    assert token

    def first(token: str | None, *, at: datetime = NOON, password: str = "a few random words") -> Role:
        with database.transaction() as tx:
            made = accounts.first_administrator(
                tx, token=token or "", login="first", name="n", password=password, at=at
            )
        return next(iter(made.roles))

    for dead in ("", "guess", old):
        with pytest.raises(Forbidden):
            first(dead)
    with pytest.raises(Forbidden):
        first(token, at=NOON + timedelta(days=8))
    with pytest.raises(BadInput):
        first(token, password="short")
    assert first(token) == Role.ADMINISTRATOR, "a refused password has not used the token up"
    with pytest.raises(Forbidden):
        first(token)
    with database.transaction() as tx:
        assert accounts.first_token(tx, at=NOON) is None

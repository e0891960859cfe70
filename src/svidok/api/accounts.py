"""Accounts and units, for administrators."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, patch, post

from svidok.access import Actor, Role, accounts
from svidok.api.door import guarded
from svidok.api.services import Services

_BASIS = "Account administration (LED art. 29(2))"


class AccountIn(msgspec.Struct):
    """An account to add."""

    login: str
    name: str
    roles: list[Role]
    password: str | None = None
    unit_id: UUID | None = None


class AccountChange(msgspec.Struct):
    """What to change; what is missing stays."""

    name: str | None = None
    roles: list[Role] | None = None
    unit_id: UUID | None = None
    disabled: bool | None = None
    password: str | None = None


class UnitIn(msgspec.Struct):
    """A unit to add."""

    name: str


@get("/api/accounts", **guarded("manage_accounts", recorded=True, legal_basis=_BASIS), sync_to_thread=True)
def list_accounts(services: Services) -> dict[str, list[dict[str, Any]]]:
    """Every account, without its secrets."""
    with services.database.transaction() as tx:
        return {"items": accounts.accounts(tx)}


@post("/api/accounts", **guarded("manage_accounts"), sync_to_thread=True)
def add_account(data: AccountIn, actor: Actor, services: Services) -> dict[str, str]:
    """Add an account."""
    with services.database.transaction() as tx:
        added = accounts.add_account(
            tx, by=actor, login=data.login, name=data.name, password=data.password, roles=data.roles,
            unit_id=data.unit_id, at=services.clock.now(),
        )  # fmt: skip
    return {"id": str(added.id)}


@patch("/api/accounts/{account_id:uuid}", **guarded("manage_accounts"), sync_to_thread=True)
def change_account(account_id: UUID, data: AccountChange, actor: Actor, services: Services) -> dict[str, bool]:
    """Change an account."""
    with services.database.transaction() as tx:
        accounts.change_account(
            tx, by=actor, account_id=account_id, at=services.clock.now(), name=data.name, roles=data.roles,
            unit_id=data.unit_id, disabled=data.disabled, password=data.password,
        )  # fmt: skip
    return {"ok": True}


@get("/api/units", **guarded("view_system"), sync_to_thread=True)
def list_units(services: Services) -> dict[str, list[dict[str, Any]]]:
    """Every unit."""
    with services.database.transaction() as tx:
        return {"items": accounts.units(tx)}


@post("/api/units", **guarded("manage_accounts"), sync_to_thread=True)
def add_unit(data: UnitIn, actor: Actor, services: Services) -> dict[str, str]:
    """Add a unit."""
    with services.database.transaction() as tx:
        return {"id": str(accounts.add_unit(tx, by=actor, name=data.name, at=services.clock.now()))}


ROUTES = [list_accounts, add_account, change_account, list_units, add_unit]

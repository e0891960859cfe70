"""Actors, roles and decisions as plain values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID


class Role(StrEnum):
    """What a person is here to do. One may hold several, except where duties must be apart."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    INVESTIGATOR = "investigator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


ACTIONS: tuple[str, ...] = (
    "view_live",
    "view_playback",
    "export_footage",
    "view_timeline",
    "view_fleet",
    "edit_fleet",
    "probe_camera",
    "steer_camera",
    "manage_accounts",
    "view_audit",
    "view_ledger",
    "manage_retention",
    "place_hold",
    "lift_hold",
    "manage_storage",
    "view_storage",
    "open_reference",
    "choose_purpose",
    "manage_settings",
    "view_system",
    "acknowledge_alarm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever acts; the first argument of every verb that changes something."""

    id: UUID
    login: str
    name: str
    unit_id: UUID | None
    unit: str
    roles: frozenset[Role]
    kind: Literal["person", "service"] = "person"


class Verdict(StrEnum):
    """What a decision came to. Where the policies cannot be evaluated it is never `allow`."""

    ALLOW = "allow"
    DENY = "deny"
    CANNOT_TELL = "cannot-tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its grounds: the ids of the policies that decided, empty where none permits."""

    verdict: Verdict
    grounds: tuple[str, ...]

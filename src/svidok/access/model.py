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
    OFFICER = "officer"  # wears a camera; sees their own shifts and that footage exists, never the footage of others


# What can be done, room by room. A policy in `policies/` permits each to somebody.
_FOOTAGE = ("view_live", "view_playback", "export_footage", "view_timeline")
_FLEET = ("view_fleet", "edit_fleet", "probe_camera", "steer_camera")
_OVERSIGHT = ("view_audit", "view_ledger", "manage_retention", "place_hold", "lift_hold")
_PURPOSES = ("open_reference", "choose_purpose")
_PLATFORM = ("manage_accounts", "manage_storage", "view_storage", "manage_settings", "view_system", "acknowledge_alarm")
_PLATES = ("search_plates", "trace_plate", "authorise_plates", "view_hotlists", "edit_hotlists", "approve_hotlist",
           "view_read_quality", "reinstate_camera")  # fmt: skip
_DESK = ("view_alerts", "judge_alert", "manage_alert_channels")
_BODYWORN = ("use_dock", "view_docks", "view_own_shifts", "view_shifts", "manage_shifts", "declare_pause",
             "manage_docks", "view_inventory", "take_inventory")  # fmt: skip
_CUSTOMS = ("view_customs", "view_procedures", "manage_customs", "explain_missing", "open_complaint", "view_complaints",
            "decide_complaint", "view_own_complaints")  # fmt: skip
_EVIDENCE: tuple[str, ...] = (
    "view_cases", "open_case", "lead_case", "book_exhibit", "view_exhibit", "annotate_exhibit", "transfer_exhibit",
    "redact_exhibit", "review_redaction", "prepare_disclosure", "approve_disclosure", "hand_over", "view_custody",
)  # fmt: skip
ACTIONS: tuple[str, ...] = (
    *_FOOTAGE, *_FLEET, *_OVERSIGHT, *_PURPOSES, *_PLATFORM, *_PLATES, *_DESK, *_BODYWORN, *_CUSTOMS, *_EVIDENCE,
)  # fmt: skip


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

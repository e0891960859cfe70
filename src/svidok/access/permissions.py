"""Decide by the Cedar policies in `policies/`. Pure: the same actor and action give the same decision.

The policies are text that a lawyer can read; this file only asks them. An
action that no policy permits is denied, and so is everything when the policies
cannot be evaluated.
"""

import re
from functools import lru_cache
from importlib import resources
from typing import Any, TypedDict

import cedarpy

from svidok.access.model import ACTIONS, Actor, Decision, Role, Verdict
from svidok.base import Conflict, Forbidden


def _policies() -> str:
    """One file a room, in the order of their names."""
    folder = resources.files("svidok.access").joinpath("policies")
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".cedar")), key=lambda one: one.name)
    return "\n".join(one.read_text("utf-8") for one in files)


_POLICIES = _policies()
_SCHEMA = f"""
entity Actor = {{ "kind": String, "roles": Set<String>, "unit": String }};
entity Platform;
action {", ".join(ACTIONS)} appliesTo {{ principal: Actor, resource: Platform, context: {{
    purpose?: String, older?: Bool, authorised?: Bool, own?: Bool, asker_roles?: Set<String>, standing?: String,
    complained_of?: Bool, complaint?: Bool
}} }};
"""
_NAMES = {f"policy{number}": name for number, name in enumerate(re.findall(r'@id\("([^"]+)"\)', _POLICIES))}


def check_policies() -> None:
    """Raise `Conflict` where the policies do not fit their schema: then nothing may start."""
    result = cedarpy.validate_policies(_POLICIES, _SCHEMA)
    if not result.validation_passed:
        raise Conflict("policies-invalid", f"The access policies are not valid: {result.errors}")


class Context(TypedDict, total=False):
    """What else a policy may ask about. Left out: not known yet, as when a door asks before it reads the question."""

    purpose: str  # the kind of the reference: case, incident or duty
    older: bool  # reads older than the age tier are asked for
    authorised: bool  # an authorisation covers this
    own: bool  # the actor asks to decide about what they themselves asked for or entered
    asker_roles: frozenset[str]
    complained_of: bool  # a complaint about the actor holds what is asked for
    complaint: bool  # a complaint asks for it
    standing: str  # how the actor stands to the case at hand: lead, investigator, reader, stranger, barred


def decide(actor: Actor, action: str, context: Context | None = None) -> Decision:
    """Whether `actor` may do `action`, given what is known (`context`), and which policies say so."""
    return _decide(actor.kind, actor.roles, action, tuple(sorted((context or {}).items())))


@lru_cache(maxsize=4096)
def _decide(kind: str, roles: frozenset[Role], action: str, context: tuple[tuple[str, Any], ...]) -> Decision:
    who = {"type": "Actor", "id": "one"}
    attributes = {"kind": kind, "roles": sorted(str(role) for role in roles), "unit": ""}
    known = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in context}
    result = cedarpy.is_authorized(
        {
            "principal": 'Actor::"one"',
            "action": f'Action::"{action}"',
            "resource": 'Platform::"svidok"',
            "context": known,
        },
        _POLICIES,
        [
            {"uid": who, "attrs": attributes, "parents": []},
            {"uid": {"type": "Platform", "id": "svidok"}, "attrs": {}, "parents": []},
        ],
    )
    grounds = tuple(_NAMES.get(str(reason), str(reason)) for reason in result.diagnostics.reasons)
    if result.diagnostics.errors:
        return Decision(verdict=Verdict.CANNOT_TELL, grounds=tuple(map(str, result.diagnostics.errors)))
    return Decision(verdict=Verdict.ALLOW if result.allowed else Verdict.DENY, grounds=grounds)


def require(actor: Actor, action: str, context: Context | None = None) -> None:
    """Raise `Forbidden` unless `actor` may do `action`, given what is known; then it names the policies that forbid."""
    decision = decide(actor, action, context)
    if decision.verdict != Verdict.ALLOW:
        grounds = {"grounds": ", ".join(decision.grounds)} if context else {}
        raise Forbidden("not-permitted", "Your roles do not permit this.", action=action, **grounds)


def permitted(actor: Actor) -> list[str]:
    """All that `actor` may do."""
    return [action for action in ACTIONS if decide(actor, action).verdict == Verdict.ALLOW]

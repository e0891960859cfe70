"""What the policies on plates decide once the question is known: purpose, age, leave, and who else agreed."""

from uuid import UUID

import pytest

from svidok.access import Actor, Context, Role, Verdict, decide, require
from svidok.base import Forbidden


def actor(*roles: Role) -> Actor:
    return Actor(id=UUID(int=1), login="a", name="a", unit_id=None, unit="", roles=frozenset(roles))


INVESTIGATOR, SUPERVISOR = actor(Role.INVESTIGATOR), actor(Role.SUPERVISOR)


@pytest.mark.parametrize(
    ("who", "action", "context", "may"),
    [
        (INVESTIGATOR, "search_plates", Context(purpose="case"), True),
        (INVESTIGATOR, "search_plates", Context(purpose="incident", older=False), True),
        (INVESTIGATOR, "search_plates", Context(purpose="duty"), False),
        (SUPERVISOR, "search_plates", Context(purpose="duty", authorised=True), False),
        (INVESTIGATOR, "search_plates", Context(purpose="case", older=True), False),
        (INVESTIGATOR, "search_plates", Context(purpose="case", older=True, authorised=False), False),
        (INVESTIGATOR, "search_plates", Context(purpose="case", older=True, authorised=True), True),
        (INVESTIGATOR, "trace_plate", Context(purpose="case"), False),
        (INVESTIGATOR, "trace_plate", Context(purpose="case", authorised=True), True),
        (INVESTIGATOR, "trace_plate", Context(purpose="duty", authorised=True), False),
        (SUPERVISOR, "trace_plate", Context(purpose="case", authorised=True), False),
        (SUPERVISOR, "authorise_plates", Context(own=False, asker_roles=frozenset({"investigator"})), True),
        (SUPERVISOR, "authorise_plates", Context(own=True, asker_roles=frozenset({"investigator"})), False),
        (SUPERVISOR, "authorise_plates", Context(own=False, asker_roles=frozenset({"supervisor"})), False),
        (INVESTIGATOR, "authorise_plates", Context(own=False, asker_roles=frozenset({"dispatcher"})), False),
        (SUPERVISOR, "approve_hotlist", Context(own=False), True),
        (SUPERVISOR, "approve_hotlist", Context(own=True), False),
        (actor(Role.INVESTIGATOR, Role.ADMINISTRATOR), "search_plates", Context(purpose="case"), False),
        (actor(Role.SUPERVISOR, Role.AUDITOR), "authorise_plates", Context(own=False), False),
    ],
)
def test_what_is_known_decides(who: Actor, action: str, context: Context, may: bool) -> None:
    assert decide(who, action, context).verdict == (Verdict.ALLOW if may else Verdict.DENY)


def test_a_refusal_names_its_policy() -> None:
    with pytest.raises(Forbidden) as caught:
        require(INVESTIGATOR, "search_plates", Context(purpose="duty"))
    assert caught.value.details["grounds"] == "plates-not-for-duty-alone"

"""Every role against every action, written out by hand: a change of the policies must be a change of this table."""

import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.access import ACTIONS, Actor, Role, Verdict, decide, permitted, require
from svidok.access.permissions import check_policies
from svidok.base import Forbidden

#                       op  dis inv sup aud adm off
MATRIX = """
view_live               yes yes yes yes no  no  no
view_playback           yes yes yes yes no  no  no
export_footage          no  no  yes yes no  no  no
view_timeline           yes yes yes yes no  no  no
view_fleet              yes yes yes yes yes yes yes
edit_fleet              no  no  no  no  no  yes no
probe_camera            no  no  no  no  no  yes no
steer_camera            yes yes no  no  no  no  no
view_audit              no  no  no  no  yes no  no
view_ledger             yes yes yes yes yes yes yes
manage_retention        no  no  no  yes no  no  no
place_hold              no  no  yes yes no  no  no
lift_hold               no  no  no  yes no  no  no
open_reference          no  no  no  yes no  no  no
choose_purpose          yes yes yes yes yes yes yes
manage_accounts         no  no  no  no  no  yes no
manage_storage          no  no  no  no  no  yes no
view_storage            no  no  no  yes yes yes no
manage_settings         no  no  no  no  no  yes no
view_system             yes yes yes yes yes yes yes
acknowledge_alarm       yes yes no  yes no  yes no
search_plates           no  yes yes yes no  no  no
trace_plate             no  no  yes no  no  no  no
authorise_plates        no  no  no  yes no  no  no
view_hotlists           no  yes yes yes no  no  no
edit_hotlists           no  no  yes yes no  no  no
approve_hotlist         no  no  no  yes no  no  no
view_read_quality       yes yes yes yes yes yes yes
reinstate_camera        no  no  no  yes no  no  no
view_alerts             yes yes no  yes no  no  no
judge_alert             no  yes no  yes no  no  no
manage_alert_channels   no  no  no  no  no  yes no
use_dock                yes yes no  yes no  no  yes
view_docks              yes yes no  yes no  yes yes
view_own_shifts         no  no  no  no  no  no  yes
view_shifts             no  no  no  yes yes no  no
manage_shifts           no  no  no  yes no  no  no
declare_pause           no  no  no  yes no  no  yes
manage_docks            no  no  no  no  no  yes no
view_inventory          no  no  no  yes yes yes no
take_inventory          no  no  no  yes yes yes no
view_customs            yes no  yes yes yes yes no
view_procedures         yes no  yes yes no  no  no
manage_customs          no  no  no  no  no  yes no
explain_missing         no  no  no  yes no  no  no
open_complaint          yes no  no  yes no  no  yes
view_complaints         no  no  yes yes no  no  no
decide_complaint        no  no  no  yes no  no  no
view_own_complaints     yes yes yes yes yes yes yes
view_cases              yes yes yes yes no  no  no
open_case               no  no  yes yes no  no  no
lead_case               no  no  yes yes no  no  no
book_exhibit            no  no  yes yes no  no  no
view_exhibit            yes yes yes yes no  no  no
annotate_exhibit        yes yes yes yes no  no  no
transfer_exhibit        no  no  yes yes no  no  no
redact_exhibit          no  no  yes yes no  no  no
review_redaction        no  no  yes yes no  no  no
prepare_disclosure      no  no  yes yes no  no  no
approve_disclosure      no  no  no  yes no  no  no
hand_over               no  no  yes yes no  no  no
view_custody            no  no  yes yes yes no  no
"""
ROLES = [
    Role.OPERATOR,
    Role.DISPATCHER,
    Role.INVESTIGATOR,
    Role.SUPERVISOR,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
    Role.OFFICER,
]
TABLE = {
    (role, line.split()[0]): said == "yes"
    for line in MATRIX.strip().splitlines()
    for role, said in zip(ROLES, line.split()[1:], strict=True)
}
FOOTAGE = {"view_live", "view_playback", "view_timeline", "export_footage", "steer_camera"}
PLATES = {"search_plates", "trace_plate", "authorise_plates", "view_hotlists", "edit_hotlists", "approve_hotlist",
          "view_alerts", "judge_alert"}  # fmt: skip
EXHIBITS = {"view_cases", "open_case", "lead_case", "book_exhibit", "view_exhibit", "annotate_exhibit",
            "transfer_exhibit", "redact_exhibit", "review_redaction", "prepare_disclosure", "approve_disclosure",
            "hand_over"}  # fmt: skip
SHIFTS = {"view_shifts", "view_own_shifts", "manage_shifts"}
PROCEDURES = {"view_procedures", "view_complaints", "decide_complaint", "explain_missing"}


def actor(*roles: Role, kind: str = "person") -> Actor:
    return Actor(id=UUID(int=1), login="a", name="a", unit_id=None, unit="", roles=frozenset(roles), kind=kind)  # type: ignore[arg-type]


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(itertools.product(ROLES, ACTIONS))


@pytest.mark.parametrize(("role", "action"), sorted(TABLE), ids=lambda one: str(one))
def test_each_role_may_what_the_table_says(role: Role, action: str) -> None:
    decision = decide(actor(role), action)
    assert decision.verdict == (Verdict.ALLOW if TABLE[role, action] else Verdict.DENY)
    if decision.verdict == Verdict.ALLOW:
        assert decision.grounds


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from(ACTIONS))
def test_several_roles_may_what_any_may_but_for_duties_apart(roles: set[Role], action: str) -> None:
    allowed = decide(actor(*roles), action).verdict == Verdict.ALLOW
    expected = any(TABLE[role, action] for role in roles) or (not roles and TABLE_OF_ALL[action])
    if action in FOOTAGE | PLATES | EXHIBITS | PROCEDURES and roles & {Role.ADMINISTRATOR, Role.AUDITOR}:
        expected = False
    if action in SHIFTS | {"view_audit"} and Role.ADMINISTRATOR in roles:
        expected = False
    assert allowed == expected


TABLE_OF_ALL = {action: all(TABLE[role, action] for role in ROLES) for action in ACTIONS}


@pytest.mark.parametrize("action", ["", "view_everything", "VIEW_LIVE", 'x" , Action::"view_live'])
def test_an_action_nobody_knows_is_never_allowed(action: str) -> None:
    assert decide(actor(Role.SUPERVISOR), action).verdict != Verdict.ALLOW


def test_a_service_is_not_a_person() -> None:
    assert decide(actor(kind="service"), "view_fleet").verdict == Verdict.DENY


def test_require_raises_and_permitted_lists() -> None:
    with pytest.raises(Forbidden) as refused:
        require(actor(Role.OPERATOR), "export_footage")
    assert (refused.value.code, refused.value.details) == ("not-permitted", {"action": "export_footage"})
    require(actor(Role.OPERATOR), "view_live")
    assert permitted(actor(Role.AUDITOR)) == [action for action in ACTIONS if TABLE[Role.AUDITOR, action]]


def test_the_policies_fit_their_schema() -> None:
    check_policies()


@pytest.mark.parametrize(
    ("standing", "may"),
    [
        ("lead", {"lead_case", "book_exhibit", "view_exhibit"}),
        ("investigator", {"book_exhibit", "view_exhibit"}),
        ("reader", {"view_exhibit"}),
        ("stranger", set()),
        ("barred", set()),
    ],
)
def test_how_somebody_stands_to_a_case_narrows_what_their_roles_permit(standing: str, may: set[str]) -> None:
    supervisor = actor(Role.SUPERVISOR)
    asked = ("lead_case", "book_exhibit", "view_exhibit")
    allowed = {one for one in asked if decide(supervisor, one, {"standing": standing}).verdict == Verdict.ALLOW}
    assert allowed == may
    barred = decide(supervisor, "approve_disclosure", {"standing": standing}).verdict != Verdict.ALLOW
    assert barred == (standing == "barred")

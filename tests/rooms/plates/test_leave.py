"""Nobody searches without a case or an incident, nobody looks far back or traces alone, and nobody without end."""

from datetime import timedelta

import pytest
from tests.rooms.plates.conftest import Station

from svidok.access import Role
from svidok.base import BadInput, Conflict, Forbidden, Span
from svidok.governance import ReferenceKind
from svidok.plates import leave
from svidok.plates.leave import Asking, QuotaSpent, allow
from svidok.plates.rules import Rules

RULES = Rules(age_tier=timedelta(days=90), searches_an_hour=10_000, searches_a_day=10_000)
WHO = Role.INVESTIGATOR


def asking(
    station: Station, *, kind: str = "search", days: float = 1, leave_id=None, plate: str = "AA1234BB"
) -> Asking:
    return Asking(
        kind=kind, plate=plate, span=Span(station.at - timedelta(days=days), station.at), authorisation_id=leave_id
    )


def permit(station: Station, one: Asking, *, role: Role = WHO, reference: ReferenceKind = ReferenceKind.CASE,
           rules: Rules = RULES, later: timedelta = timedelta()) -> None:  # fmt: skip
    purpose = station.purpose(role, reference)
    with station.database.transaction() as tx:
        allow(tx, one, actor=station.actors[role], purpose=purpose, rules=rules, at=station.at + later)


def given(station: Station, *, kind: str, days: float = 30, plate: str = "AA1234BB", granted: bool = True):
    purpose = station.purpose(WHO)
    with station.database.transaction() as tx:
        leave_id = leave.ask(
            tx, actor=station.actors[WHO], purpose=purpose, kind=kind, plate=plate, reason="stolen lorry, last seen here",
            span=Span(station.at - timedelta(days=days), station.at), at=station.at,
        )  # fmt: skip
        leave.decide(
            tx, actor=station.actors[Role.SUPERVISOR], leave_id=leave_id, granted=granted, note="as requested",
            lasts=timedelta(days=7), at=station.at,
        )  # fmt: skip
    return leave_id


def refused(station: Station, one: Asking, code: str, **how: object) -> None:
    with pytest.raises((Forbidden, BadInput)) as caught:
        permit(station, one, **how)  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize("reference", [ReferenceKind.CASE, ReferenceKind.INCIDENT])
def test_a_case_or_an_incident_opens_the_search(station: Station, reference: ReferenceKind) -> None:
    permit(station, asking(station), reference=reference)
    permit(station, asking(station), reference=reference, role=Role.DISPATCHER)


def test_duty_opens_nothing(station: Station) -> None:
    refused(station, asking(station), "purpose-too-wide", reference=ReferenceKind.DUTY)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR, Role.OFFICER])
def test_other_roles_search_nothing(station: Station, role: Role) -> None:
    refused(station, asking(station), "not-permitted", role=role)


def test_reads_older_than_the_tier_need_leave(station: Station) -> None:
    permit(station, asking(station, days=90))
    refused(station, asking(station, days=91), "leave-needed")
    leave_id = given(station, kind="older", days=200)
    permit(station, asking(station, days=200, leave_id=leave_id))
    refused(station, asking(station, days=201, leave_id=leave_id), "leave-other-span")
    refused(station, asking(station, days=150, leave_id=leave_id, plate="BB0000BB"), "leave-other-plate")
    refused(station, asking(station, days=150, leave_id=leave_id), "leave-over", later=timedelta(days=8))
    refused(station, asking(station, days=150, leave_id=leave_id), "leave-other-reference",
            reference=ReferenceKind.INCIDENT)  # fmt: skip
    refused(station, asking(station, days=150, leave_id=leave_id), "leave-unknown", role=Role.DISPATCHER)


def test_a_trace_needs_leave_for_a_trace(station: Station) -> None:
    for kind in ("journey", "convoy"):
        refused(station, asking(station, kind=kind), "leave-needed")
    older, trace = given(station, kind="older"), given(station, kind="trace")
    refused(station, asking(station, kind="journey", leave_id=older), "leave-other-kind")
    permit(station, asking(station, kind="journey", leave_id=trace))
    permit(station, asking(station, kind="convoy", leave_id=trace))
    refused(station, asking(station, kind="journey", leave_id=given(station, kind="trace", granted=False)),
            "leave-not-given")  # fmt: skip
    refused(station, asking(station, kind="journey", days=100, leave_id=trace), "span-too-long")


def test_leave_comes_from_somebody_else_of_another_role_once(station: Station) -> None:
    purpose = station.purpose(WHO)
    span = Span(station.at - timedelta(days=5), station.at)

    def ask(role: Role) -> object:
        with station.database.transaction() as tx:
            return leave.ask(tx, actor=station.actors[role], purpose=station_purpose[role], kind="trace", plate="AA1234BB",
                             span=span, reason="because it is needed", at=station.at)  # fmt: skip

    station_purpose = {WHO: purpose, Role.SUPERVISOR: station.purpose(Role.SUPERVISOR)}

    def decide(leave_id: object, role: Role) -> None:
        with station.database.transaction() as tx:
            leave.decide(tx, actor=station.actors[role], leave_id=leave_id, granted=True, note="agreed",  # type: ignore[arg-type]
                         lasts=timedelta(days=1), at=station.at)  # fmt: skip

    mine = ask(WHO)
    for role in (WHO, Role.DISPATCHER, Role.ADMINISTRATOR):
        with pytest.raises(Forbidden):
            decide(mine, role)
    with pytest.raises(Forbidden):
        decide(ask(Role.SUPERVISOR), Role.SUPERVISOR)
    decide(mine, Role.SUPERVISOR)
    with pytest.raises(Conflict):
        decide(mine, Role.SUPERVISOR)


def test_nobody_searches_without_end(station: Station) -> None:
    few = Rules(searches_an_hour=3, searches_a_day=5)
    with station.database.transaction() as tx:
        tx.run("DELETE FROM plates.search_done")
    for _ in range(3):
        permit(station, asking(station), rules=few)
    with pytest.raises(QuotaSpent):
        permit(station, asking(station), rules=few)
    permit(station, asking(station), rules=few, role=Role.DISPATCHER)  # others are not concerned
    for _ in range(2):
        permit(station, asking(station), rules=few, later=timedelta(hours=2))
    with pytest.raises(QuotaSpent) as caught:
        permit(station, asking(station), rules=few, later=timedelta(hours=4))
    assert caught.value.details["per"] == "a day"


def test_a_place_is_never_a_whole_day(station: Station) -> None:
    permit(station, asking(station, kind="place", days=4 / 24))
    refused(station, asking(station, kind="place", days=5 / 24), "place-too-long")


def test_asking_and_deciding_are_in_the_ledger(station: Station) -> None:
    leave_id = given(station, kind="trace")
    with station.database.transaction() as tx:
        kinds = [row["kind"] for row in tx.all("SELECT kind FROM ledger.entry WHERE subject = %(id)s ORDER BY at, kind",
                                               id=leave_id)]  # fmt: skip
        waiting = leave.leaves(tx, asker=station.actors[WHO].id)
    assert sorted(kinds) == [leave.ASKED, leave.DECIDED]
    assert any(row["id"] == leave_id and row["granted"] for row in waiting)


def test_what_is_asked_for_is_one_text_however_typed() -> None:
    assert leave.canonical(" аа 12-34 вв ") == "AA1234BB"
    assert leave.canonical("aa1?34*") == "AA1?34*"
    assert leave.canonical("AA1234BB~") == "AA1234BB~"


def see(station: Station, *, days: float, plate: str = "AA1234BB", leave_id=None, reference=ReferenceKind.CASE) -> None:
    """Look at one read that is so many days old."""
    purpose = station.purpose(WHO, reference)
    with station.database.transaction() as tx:
        leave.allow_read(
            tx, plate=plate, taken_at=station.at - timedelta(days=days), authorisation_id=leave_id,
            actor=station.actors[WHO], purpose=purpose, rules=RULES, at=station.at,
        )  # fmt: skip


def test_one_read_and_its_picture_need_leave_as_the_search_that_finds_it(station: Station) -> None:
    see(station, days=90)
    with pytest.raises(Forbidden) as caught:
        see(station, days=91)
    assert caught.value.code == "leave-needed"
    with pytest.raises(Forbidden):
        see(station, days=1, reference=ReferenceKind.DUTY)
    for asked in ("AA??34??", "AA1234B8~", "AA1234BB"):
        see(station, days=150, leave_id=given(station, kind="older", days=200, plate=asked))
    with pytest.raises(Forbidden) as caught:
        see(station, days=150, plate="BB1234BB", leave_id=given(station, kind="older", days=200, plate="AA??34??"))
    assert caught.value.code == "leave-other-plate"
    with pytest.raises(Forbidden) as caught:
        see(station, days=250, leave_id=given(station, kind="trace", days=200))
    assert caught.value.code == "leave-other-span"

"""References, purposes, rules and holds on a real database: who may, four eyes, and nothing without a basis."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from svidok.access import Actor, Role, accounts
from svidok.base import BadInput, Conflict, Forbidden, NotFound, Span, new_id
from svidok.db import Database
from svidok.governance import Reference, ReferenceKind, keeping, purposes

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def add(database: Database) -> Callable[[Role], Actor]:
    def add(role: Role) -> Actor:
        with database.transaction() as tx:
            return accounts.add_account(
                tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[role], unit_id=None,
                at=NOON,
            )  # fmt: skip

    return add


@pytest.fixture
def case(database: Database, add) -> tuple[Actor, Reference]:
    boss = add(Role.SUPERVISOR)
    with database.transaction() as tx:
        return boss, purposes.open_reference(
            tx,
            actor=boss,
            kind=ReferenceKind.CASE,
            number=str(new_id()),
            title="t",
            legal_basis="Act 1, art. 2",
            at=NOON,
        )


def test_a_purpose_is_ones_own_runs_out_and_ends_with_its_reference(database: Database, add, case) -> None:
    boss, reference = case
    one, other = add(Role.OPERATOR), add(Role.OPERATOR)
    with database.transaction() as tx:
        chosen = purposes.choose_purpose(tx, actor=one, reference_id=reference.id, reason="to look", at=NOON)
        assert purposes.valid_purpose(tx, actor=one, purpose_id=chosen.id, at=NOON).reference.number == reference.number
        for actor, when in ((other, NOON), (one, NOON + purposes.PURPOSE_LIVES)):
            with pytest.raises(Forbidden):
                purposes.valid_purpose(tx, actor=actor, purpose_id=chosen.id, at=when)
        with pytest.raises(Forbidden):
            purposes.valid_purpose(tx, actor=one, purpose_id=new_id(), at=NOON)
        assert [p.id for p in purposes.purposes_of(tx, actor=one, at=NOON)] == [chosen.id]
        purposes.close_reference(tx, actor=boss, reference_id=reference.id, at=NOON)
        with pytest.raises(Forbidden):
            purposes.valid_purpose(tx, actor=one, purpose_id=chosen.id, at=NOON)
        with pytest.raises(Conflict):
            purposes.choose_purpose(tx, actor=one, reference_id=reference.id, reason="to look", at=NOON)
        with pytest.raises(NotFound):
            purposes.close_reference(tx, actor=boss, reference_id=reference.id, at=NOON)


@pytest.mark.parametrize("reason", ["", "    ", "look"])
def test_a_purpose_needs_a_reason(database: Database, add, case, reason: str) -> None:
    with pytest.raises(BadInput), database.transaction() as tx:
        purposes.choose_purpose(tx, actor=add(Role.OPERATOR), reference_id=case[1].id, reason=reason, at=NOON)


def test_a_reference_needs_a_supervisor_and_a_basis_and_is_one(database: Database, add, case) -> None:
    boss, reference = case

    def open_one(actor: Actor, number: str, basis: str) -> None:
        with database.transaction() as tx:
            purposes.open_reference(
                tx, actor=actor, kind=ReferenceKind.CASE, number=number, title="t", legal_basis=basis, at=NOON
            )

    with pytest.raises(Forbidden):
        open_one(add(Role.OPERATOR), "1", "Act 1, art. 2")
    with pytest.raises(BadInput):
        open_one(boss, "1", "  ")
    with pytest.raises(Conflict):
        open_one(boss, reference.number, "Act 1, art. 2")


def test_a_rule_needs_days_and_a_basis_and_ends_once(database: Database, add) -> None:
    boss = add(Role.SUPERVISOR)
    name = f"class-{new_id().hex[-6:]}"
    law = "Act 1, art. 2"
    for days, basis in ((0, law), (-1, law), (36_526, law), (999_999_999, law), (2**40, law), (30, ""), (30, "    ")):
        with pytest.raises(BadInput), database.transaction() as tx:
            keeping.make_rule(tx, actor=boss, retention_class=name, keep_days=days, legal_basis=basis, at=NOON)
    with pytest.raises(Forbidden), database.transaction() as tx:
        keeping.make_rule(
            tx, actor=add(Role.ADMINISTRATOR), retention_class=name, keep_days=1, legal_basis="Act 1, art. 2", at=NOON
        )
    with database.transaction() as tx:
        rule = keeping.make_rule(
            tx, actor=boss, retention_class=name, keep_days=30, legal_basis="Act 1, art. 2", at=NOON
        )
        assert [one for one in keeping.rules(tx) if one.retention_class == name] == []
        with pytest.raises(Forbidden, match="another supervisor"):
            keeping.agree_to_rule(tx, actor=boss, rule_id=rule, at=NOON)
        keeping.agree_to_rule(tx, actor=add(Role.SUPERVISOR), rule_id=rule, at=NOON)
        with pytest.raises(Conflict):
            keeping.agree_to_rule(tx, actor=add(Role.SUPERVISOR), rule_id=rule, at=NOON)
        (found,) = [one for one in keeping.rules(tx) if one.retention_class == name]
        assert (found.id, found.keep_for) == (rule, timedelta(days=30))
        keeping.end_rule(tx, actor=boss, rule_id=rule, at=NOON)
        assert [one for one in keeping.rules(tx) if one.retention_class == name] == []
    with pytest.raises(NotFound), database.transaction() as tx:
        keeping.end_rule(tx, actor=boss, rule_id=rule, at=NOON)


def test_ending_what_keeps_longer_takes_two(database: Database, add) -> None:
    boss, other = add(Role.SUPERVISOR), add(Role.SUPERVISOR)
    name = f"class-{new_id().hex[-6:]}"

    def days() -> list[int]:
        return sorted(one.keep_for.days for one in keeping.rules(tx) if one.retention_class == name)

    with database.transaction() as tx:
        for keep_days in (1, 400):
            rule = keeping.make_rule(
                tx, actor=boss, retention_class=name, keep_days=keep_days, legal_basis="Act 1, art. 2", at=NOON
            )
            keeping.agree_to_rule(tx, actor=other, rule_id=rule, at=NOON)
        assert keeping.end_rule(tx, actor=boss, rule_id=rule, at=NOON) is False
        assert keeping.end_rule(tx, actor=boss, rule_id=rule, at=NOON) is False
        assert days() == [1, 400]
        assert keeping.end_rule(tx, actor=other, rule_id=rule, at=NOON) is True
        assert days() == [1]
        left = next(one.id for one in keeping.rules(tx) if one.retention_class == name)
        assert keeping.end_rule(tx, actor=boss, rule_id=left, at=NOON) is True  # nothing decides any more: all is kept


def test_a_hold_is_lifted_by_another_supervisor_with_a_reason(database: Database, add) -> None:
    boss, other = add(Role.SUPERVISOR), add(Role.SUPERVISOR)
    span = Span(NOON, NOON + timedelta(hours=1))
    with database.transaction() as tx:
        hold = keeping.place_hold(
            tx, actor=boss, channel_id=None, span=span, reason="a case", reference_id=None, at=NOON
        )
    for actor, reason, error in (
        (boss, "it is over", Forbidden), (other, "no", BadInput), (add(Role.INVESTIGATOR), "it is over", Forbidden),
        (add(Role.ADMINISTRATOR), "it is over", Forbidden),
    ):  # fmt: skip
        with pytest.raises(error), database.transaction() as tx:
            keeping.lift_hold(tx, actor=actor, hold_id=hold, reason=reason, at=NOON)
    with database.transaction() as tx:
        assert hold in {one.id for one in keeping.holds(tx)}
        keeping.lift_hold(tx, actor=other, hold_id=hold, reason="it is over", at=NOON)
        assert hold not in {one.id for one in keeping.holds(tx)}
        kinds = [
            row["kind"] for row in tx.all("SELECT kind FROM ledger.entry WHERE subject = %(h)s ORDER BY id", h=hold)
        ]
    assert sorted(kinds) == ["hold.lifted", "hold.placed"]
    with pytest.raises(NotFound), database.transaction() as tx:
        keeping.lift_hold(tx, actor=other, hold_id=hold, reason="it is over", at=NOON)


def test_a_hold_needs_time_and_a_reason(database: Database, add) -> None:
    boss = add(Role.SUPERVISOR)
    for span, reason in ((Span(NOON, NOON), "a case"), (Span(NOON, NOON + timedelta(hours=1)), " ")):
        with pytest.raises(BadInput), database.transaction() as tx:
            keeping.place_hold(tx, actor=boss, channel_id=None, span=span, reason=reason, reference_id=None, at=NOON)


def test_disposal_sees_every_hold_however_many(database: Database, add) -> None:
    boss, many = add(Role.SUPERVISOR), 1100
    with database.transaction() as tx:
        before = len(keeping.holds(tx))
        tx.run(
            "INSERT INTO governance.legal_hold (id, start_at, end_at, reason, placed_by, placed_at) "
            "SELECT gen_random_uuid(), %(a)s, %(b)s, 'many cases', %(p)s, %(a)s FROM generate_series(1, %(n)s)",
            a=NOON, b=NOON + timedelta(hours=1), p=boss.id, n=many,
        )  # fmt: skip
        assert len(keeping.holds(tx)) == before + many

"""Accounts and sessions on a real database: what is refused, for how long, and what is written down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from svidok.access import Actor, Role, accounts, audit, sessions
from svidok.access.preferences import preference, set_preference
from svidok.access.sessions import Session, SignInRefused
from svidok.base import BadInput, Conflict, Forbidden, new_id
from svidok.db import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "a few random words"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def add(database: Database) -> Callable[..., Actor]:
    def add(*roles: Role, password: str | None = PASSWORD) -> Actor:
        with database.transaction() as tx:
            return accounts.add_account(
                tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=password, roles=list(roles),
                unit_id=None, at=NOON,
            )  # fmt: skip

    return add


@pytest.fixture
def sign_in(database: Database) -> Callable[..., Session | SignInRefused]:
    def sign_in(
        login: str, password: str = PASSWORD, *, code: str | None = None, when: datetime = NOON, address: str = ""
    ) -> Session | SignInRefused:
        with database.transaction() as tx:
            return sessions.sign_in(
                tx, login=login, password=password, code=code, address=address or new_id().hex, at=when
            )

    return sign_in


def test_a_session_lasts_a_shift_ends_when_idle_and_when_signed_out(database: Database, add, sign_in) -> None:
    one = add(Role.OPERATOR)

    def found(token: str, when: datetime) -> bool:
        with database.transaction() as tx:
            return sessions.find(tx, token=token, at=when) is not None

    begun = sign_in(f" {one.login.upper()} ")
    assert found(begun.token, at(60))
    assert not found("another", at(60))
    assert not found(begun.token, at(60) + sessions.IDLE + timedelta(minutes=2))
    busy = sign_in(one.login)
    for hour in range(1, 12):
        assert found(busy.token, NOON + timedelta(hours=hour))
    assert not found(busy.token, NOON + sessions.LIVES)
    third = sign_in(one.login)
    with database.transaction() as tx:
        sessions.sign_out(tx, token=third.token, at=at(1))
    assert not found(third.token, at(2))


def test_the_token_is_kept_nowhere(database: Database, add, sign_in) -> None:
    begun = sign_in(add(Role.OPERATOR).login)
    with database.transaction() as tx:
        kept = tx.all("SELECT token_hash FROM access.session")
    assert all(bytes(row["token_hash"]) != begun.token.encode() for row in kept)


def test_guessing_is_slowed_down_by_name_and_by_address(add, sign_in) -> None:
    one, other = add(Role.OPERATOR), add(Role.OPERATOR)
    for second in range(5):
        assert sign_in(one.login, "wrong", when=at(second)).code == "sign-in-refused"
    assert sign_in(one.login, when=at(6)).code == "locked"
    assert isinstance(sign_in(one.login, when=at(15)), Session)
    assert sign_in(one.login, "wrong", when=at(16)).code == "sign-in-refused"
    assert isinstance(sign_in(one.login, when=at(17)), Session)
    for second in range(31):
        assert isinstance(sign_in(other.login, when=at(second), address="192.0.2.1"), Session), "a station mistypes"
        sign_in(f"nobody{second}", "wrong", when=at(second), address="192.0.2.1")
    assert sign_in(other.login, when=at(31), address="192.0.2.1").code == "locked"
    assert isinstance(sign_in(other.login, when=at(31), address="192.0.2.2"), Session)
    assert isinstance(sign_in(other.login, when=at(41), address="192.0.2.1"), Session)


def test_every_failure_is_counted_although_it_is_refused(database: Database, add, sign_in) -> None:
    one = add(Role.OPERATOR)
    sign_in(one.login, "wrong")
    with database.transaction() as tx:
        lines = tx.all("SELECT what FROM access.audit WHERE action = 'sign_in_refused' AND what->>'login' = %(l)s",
                       l=one.login)  # fmt: skip
    assert len(lines) == 1


def test_who_is_disabled_or_has_no_password_stays_out(database: Database, add, sign_in) -> None:
    boss, one, keyless = add(Role.ADMINISTRATOR), add(Role.OPERATOR), add(Role.OPERATOR, password=None)
    begun = sign_in(one.login)
    with database.transaction() as tx:
        accounts.change_account(tx, by=boss, account_id=one.id, at=NOON, disabled=True)
    assert sign_in(one.login).code == "sign-in-refused"
    with database.transaction() as tx:
        assert sessions.find(tx, token=begun.token, at=at(1)) is None
    assert sign_in(keyless.login, "").code == "sign-in-refused"
    for hostile in ("nobody-at-all", "", "\0", "a\0b" * 100, "'; --", "%s"):
        assert sign_in(hostile, "x\0").code == "sign-in-refused"
    with database.transaction() as tx:
        accounts.change_account(tx, by=boss, account_id=one.id, at=NOON, disabled=False)
    assert isinstance(sign_in(one.login), Session)


def test_a_code_is_asked_for_works_once_and_not_for_long(database: Database, add, sign_in) -> None:
    one = add(Role.OPERATOR)
    with database.transaction() as tx:
        secret, uri = sessions.enrol_code(tx, actor=one)
    assert secret in uri
    assert isinstance(sign_in(one.login), Session), "a pending authenticator is not asked for"
    codes = pyotp.TOTP(secret)
    for wrong in ("000000", "", "ї", "12345678901234567890"):
        with pytest.raises(BadInput), database.transaction() as tx:
            sessions.confirm_code(tx, actor=one, code=wrong, at=NOON)
    with database.transaction() as tx:
        sessions.confirm_code(tx, actor=one, code=codes.at(NOON), at=NOON)
    with pytest.raises(Conflict), database.transaction() as tx:
        sessions.confirm_code(tx, actor=one, code=codes.at(NOON), at=NOON)
    assert sign_in(one.login).code == "code-needed"
    assert sign_in(one.login, code=codes.at(NOON)).code == "code-wrong", "the code of the enrolment was used"
    later = at(60)
    assert isinstance(sign_in(one.login, code=codes.at(later), when=later), Session)
    assert sign_in(one.login, code=codes.at(later), when=later).code == "code-wrong", "used"
    assert sign_in(one.login, code=codes.at(later), when=at(180)).code == "code-wrong", "too old"
    assert sign_in(one.login, code="ї", when=at(300)).code == "code-wrong"


def test_a_wrong_password_is_not_told_apart_by_a_code(database: Database, add, sign_in) -> None:
    one = add(Role.OPERATOR)
    with database.transaction() as tx:
        secret, _ = sessions.enrol_code(tx, actor=one)
        sessions.confirm_code(tx, actor=one, code=pyotp.TOTP(secret).at(NOON), at=NOON)
    assert sign_in(one.login, "wrong").code == sign_in("nobody-here", "wrong").code == "sign-in-refused"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password-length"), ("x" * 257, "password-length"), ("password1234", "password-common"),
        ("aaaaaaaaaaaaaaaa", "password-common"), ("o.koval-o.koval", "password-common"),
    ],
)  # fmt: skip
def test_bad_passwords_are_refused(database: Database, password: str, code: str) -> None:
    with pytest.raises(BadInput) as refused, database.transaction() as tx:
        accounts.add_account(
            tx, by=None, login="o.koval", name="n", password=password, roles=[Role.OPERATOR], unit_id=None, at=NOON
        )
    assert refused.value.code == code


@pytest.mark.parametrize("login", ["", "a", "Ім'я", "a b", "-a", "a" * 65, "a\n"])
def test_bad_logins_are_refused(database: Database, login: str) -> None:
    with pytest.raises(BadInput), database.transaction() as tx:
        accounts.add_account(tx, by=None, login=login, name="n", password=PASSWORD, roles=[], unit_id=None, at=NOON)


def test_duties_are_apart(database: Database, add) -> None:
    boss = add(Role.ADMINISTRATOR)
    one = add(Role.OPERATOR)
    for roles in (
        [Role.ADMINISTRATOR, Role.OPERATOR],
        [Role.AUDITOR, Role.SUPERVISOR],
        [Role.AUDITOR, Role.ADMINISTRATOR],
    ):
        with pytest.raises(BadInput) as refused, database.transaction() as tx:
            accounts.change_account(tx, by=boss, account_id=one.id, roles=roles, at=NOON)
        assert refused.value.code == "roles-apart"


def test_nobody_changes_their_own_roles_and_nobody_else_changes_accounts(database: Database, add) -> None:
    boss, one = add(Role.ADMINISTRATOR), add(Role.SUPERVISOR)
    with pytest.raises(Forbidden) as own, database.transaction() as tx:
        accounts.change_account(tx, by=boss, account_id=boss.id, roles=[Role.SUPERVISOR], at=NOON)
    assert own.value.code == "own-account"
    with pytest.raises(Forbidden), database.transaction() as tx:
        accounts.change_account(tx, by=one, account_id=boss.id, disabled=True, at=NOON)
    with pytest.raises(Forbidden), database.transaction() as tx:
        accounts.add_account(tx, by=one, login="x-y-z", name="n", password=PASSWORD, roles=[], unit_id=None, at=NOON)


def test_another_role_ends_the_sessions(database: Database, add, sign_in) -> None:
    boss, one = add(Role.ADMINISTRATOR), add(Role.INVESTIGATOR)
    begun = sign_in(one.login)
    with database.transaction() as tx:
        accounts.change_account(tx, by=boss, account_id=one.id, roles=[Role.OPERATOR], at=NOON)
    with database.transaction() as tx:
        assert sessions.find(tx, token=begun.token, at=at(1)) is None


def test_preferences_are_small_and_ones_own(database: Database, add) -> None:
    one, other = add(Role.OPERATOR), add(Role.OPERATOR)
    with database.transaction() as tx:
        set_preference(tx, actor=one, key="walls", value=[{"name": "Стіна"}])
        assert preference(tx, actor=one, key="walls") == [{"name": "Стіна"}]
        assert preference(tx, actor=other, key="walls") is None
    for key, value in (("Walls!", 1), ("", 1), ("a" * 41, 1), ("walls", "x" * 70_000)):
        with pytest.raises(BadInput), database.transaction() as tx:
            set_preference(tx, actor=one, key=key, value=value)


def test_the_trail_pages_newest_first_and_filters(database: Database, add) -> None:
    one = add(Role.OPERATOR)
    with database.transaction() as tx:
        for number in range(5):
            audit.record(tx, actor=one, action="view_live", what={"n": number}, at=at(number), to_whom="here")
    with database.transaction() as tx:
        page = audit.trail(tx, login=one.login, action="view_live", limit=2)
        rest = audit.trail(tx, login=one.login, action="view_live", before=(page[-1]["at"], page[-1]["id"]), limit=10)
    assert [row["what"]["n"] for row in page + rest] == [4, 3, 2, 1, 0]


def test_a_line_and_its_entry_come_together_or_not_at_all(database: Database, add) -> None:
    one = add(Role.OPERATOR)
    with pytest.raises(RuntimeError), database.transaction() as tx:
        line = audit.record(tx, actor=one, action="view_live", what={}, at=NOON, to_whom="here")
        raise RuntimeError
    with database.transaction() as tx:
        assert tx.maybe("SELECT id FROM access.audit WHERE id = %(id)s", id=line) is None
        assert tx.maybe("SELECT id FROM ledger.entry WHERE subject = %(id)s", id=line) is None
        line = audit.record(tx, actor=one, action="view_live", what={}, at=NOON, to_whom="here")
        row = tx.one("SELECT entry_id FROM access.audit WHERE id = %(id)s", id=line)
        assert tx.one("SELECT kind FROM ledger.entry WHERE id = %(id)s", id=row["entry_id"])["kind"] == "audit.access"

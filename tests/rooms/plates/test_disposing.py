"""Reads go by their rule and by nothing else; what hit something stays for its own rule; a hold keeps the day."""

from datetime import date, datetime, timedelta

from tests.rooms.plates.conftest import NOON, Station
from tests.rooms.plates.test_intake import jpeg

from svidok.access import Role, accounts
from svidok.base import Span, SystemClock, new_id
from svidok.governance import keeping
from svidok.plates import disposing, hotlist_file, hotlists, store
from svidok.plates.keeping_fresh import FreshDictionary
from svidok.plates.matching import Matcher
from svidok.plates.model import HIT_CLASS, PLATE_CLASS
from svidok.plates.patterns import parse
from svidok.plates.rules import Rules
from svidok.plates.search import Where, search
from svidok.plates.store import Reads

CLOCK = SystemClock()


def rule(station: Station, name: str, days: int) -> None:
    """A rule that a second supervisor agrees to."""
    with station.database.transaction() as tx:
        second = accounts.add_account(
            tx, by=None, login=f"u-{new_id().hex[-12:]}", name="n", password=None, roles=[Role.SUPERVISOR], unit_id=None,
            at=station.at,
        )  # fmt: skip
        made = keeping.make_rule(
            tx, actor=station.actors[Role.SUPERVISOR], retention_class=name, keep_days=days,
            legal_basis="Act 1, art. 2", at=station.at,
        )  # fmt: skip
        keeping.agree_to_rule(tx, actor=second, rule_id=made, at=station.at)


def watched(station: Station, plate: str) -> Matcher:
    with station.database.transaction() as tx:
        supervisor = station.actors[Role.SUPERVISOR]
        list_id = hotlists.make(tx, actor=supervisor, name=str(new_id()), legal_basis="Act 1, art. 2", at=station.at)
        one = hotlist_file.entry_of(
            plate=plate, reason="stolen", expires_at=station.at + timedelta(days=9), at=station.at
        )
        hotlists.add(tx, actor=supervisor, list_id=list_id, new=[one], at=station.at)
    matcher = Matcher(station.database, Rules())
    matcher.freshen(at=CLOCK.now(), now_s=CLOCK.monotonic())
    return matcher


def texts(station: Station) -> set[str]:
    with station.database.transaction() as tx:
        return {row["text"] for row in tx.all("SELECT text FROM plates.plate")}


def sweep(station: Station, at: datetime) -> list[tuple[date, str]]:
    return [(one.day, one.what) for one in disposing.sweep(station.database, station.plates.pictures, at=at)]


def test_days_go_by_their_rule_and_hits_by_their_own(station: Station, make) -> None:
    matcher, pictures = watched(station, "DD1111AA"), station.plates.pictures
    plain, wanted = pictures.put(jpeg("blue"), taken_at=NOON), pictures.put(jpeg("green"), taken_at=NOON)
    reads = Reads(station.database)

    hit = make("DD1111AA", image=wanted, received_at=CLOCK.now())
    reads.add([hit, make("DD2222AA", image=plain, id=new_id())], also=matcher.write_hits)
    day, later = NOON.date(), NOON + timedelta(days=400)
    assert sweep(station, later) == []  # no rule, nothing goes
    rule(station, PLATE_CLASS, 30)
    assert sweep(station, NOON + timedelta(days=30)) == []
    with station.database.transaction() as tx:
        hold = keeping.place_hold(
            tx, actor=station.actors[Role.INVESTIGATOR], channel_id=None, span=Span(NOON, NOON + timedelta(minutes=1)),
            reason="a complaint", reference_id=None, at=station.at,
        )  # fmt: skip
    assert sweep(station, later) == []
    with station.database.transaction() as tx:
        keeping.lift_hold(tx, actor=station.actors[Role.SUPERVISOR], hold_id=hold, reason="settled", at=station.at)
    fresh = FreshDictionary(station.database)
    fresh.load(at=CLOCK.now())

    assert sweep(station, later) == [(day, disposing.DAY)]
    with station.database.transaction() as tx:
        assert store.days(tx) == []
        assert store.read_by_id(tx, hit.id, taken_at=hit.taken_at) == hit
        row = tx.one("SELECT done_at, reads, grounds FROM plates.disposal")
        kinds = [one["kind"] for one in tx.all("SELECT kind FROM ledger.entry WHERE kind LIKE 'plates.disp%%'")]
    assert (row["done_at"], row["reads"], row["grounds"]["legal_basis"]) == (later, 1, "Act 1, art. 2")
    assert sorted(kinds) == [disposing.DECIDED, disposing.DONE]
    assert (pictures.path(plain).exists(), pictures.path(wanted).exists()) == (False, True)
    assert texts(station) == {"DD1111AA"}

    rule(station, HIT_CLASS, 300)
    assert sweep(station, later) == [(day, disposing.KEPT)]
    assert texts(station) == set()
    assert not pictures.path(wanted).exists()

    fresh.refresh(at=CLOCK.now())  # who searches forgets it too
    with station.database.transaction() as tx:
        assert search(tx, fresh.dictionary, parse("DD????AA"), Where(span=Span(NOON, later))).plates_fitting == 0
    # A writer that remembers a forgotten plate and a dropped day learns both anew.
    again = make("DD2222AA", id=new_id())
    assert reads.add([again]) == [again]
    with station.database.transaction() as tx:
        assert store.read_by_id(tx, again.id, taken_at=again.taken_at) == again


def test_what_was_decided_and_not_done_is_finished(station: Station, make) -> None:
    with station.database.transaction() as tx:
        tx.run("DELETE FROM plates.disposal")
    old = NOON - timedelta(days=700)
    Reads(station.database).add([make("DE1111AA", taken_at=old, id=new_id())])
    one = disposing.Due(day=old.date(), what=disposing.DAY, rule_id=new_id(), legal_basis="Act 1, art. 2")
    disposing._decide(station.database, one, station.at)  # and the process dies here
    disposing.sweep(station.database, station.plates.pictures, at=station.at)
    with station.database.transaction() as tx:
        assert old.date() not in store.days(tx)
        assert tx.one("SELECT done_at FROM plates.disposal WHERE day = %(day)s", day=old.date())["done_at"] is not None

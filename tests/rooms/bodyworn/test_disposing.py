"""Originals of worn cameras are disposed of: what is held stops no other, and all copies go or none is said to."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.rooms.bodyworn.conftest import Place, make_people

from svidok.base import Span, SystemClock, new_id
from svidok.bodyworn import disposing
from svidok.bodyworn.receiving import Sent, acknowledge
from svidok.fleet import registry
from svidok.governance import keeping
from svidok.recording.judging import Governance

NOW = SystemClock().now()
OLD = NOW - timedelta(days=40)
JUDGE = Governance(classes=registry.retention_classes)


def keep(place: Place, serial: str, name: str, minute: int) -> tuple[Path, Path]:
    """A clip of an old day with its second copy: where both lie."""
    incoming = place.vault.begin()
    incoming.write(new_id().bytes * 10)
    start = OLD + timedelta(minutes=minute)
    sent = Sent(
        container=serial, name=name, kind="video", serial=serial, device_span=Span(start, start + timedelta(minutes=1))
    )
    acknowledge(place.database, place.vault, dock=place.made.dock, sent=sent, staged=incoming.finish(), at=NOW)
    while place.tender.copy_waiting():
        pass
    with place.database.transaction() as tx:
        path = tx.one("SELECT path FROM bodyworn.clip WHERE name = %(n)s", n=name)["path"]
    first, second = (disk.root / path for disk in place.vault.disks)
    return first, second


@pytest.fixture(scope="module", autouse=True)
def rule(place: Place) -> None:
    with place.database.transaction() as tx:
        made = keeping.make_rule(
            tx, actor=place.people.supervisor, retention_class="customs-worn", keep_days=30,
            legal_basis="Act 1, art. 2", at=NOW,
        )  # fmt: skip
        keeping.agree_to_rule(tx, actor=make_people(tx).supervisor, rule_id=made, at=NOW)


def test_many_that_are_held_keep_no_other_from_its_turn(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disposing, "_PAGE", 2)
    place.camera("TURN1")
    with place.database.transaction() as tx:
        channel = tx.one("SELECT channel_id FROM bodyworn.device WHERE serial = 'TURN1'")["channel_id"]
        keeping.place_hold(
            tx, actor=place.people.supervisor, channel_id=channel, span=Span(OLD, OLD + timedelta(minutes=5)),
            reason="case 7", reference_id=None, at=NOW,
        )  # fmt: skip
    held = [keep(place, "TURN1", f"held-{number}.mkv", number) for number in range(5)]
    free = keep(place, "TURN1", "free.mkv", 30)
    assert disposing.sweep(place.database, place.vault, JUDGE, at=NOW) == 1
    assert not any(one.exists() for one in free)
    assert all(one.exists() for pair in held for one in pair)


def test_nothing_is_said_to_be_gone_while_a_volume_with_a_copy_is_away(place: Place) -> None:
    place.camera("AWAY1")
    first, second = keep(place, "AWAY1", "away.mkv", 0)
    marker = place.vault.disks[1].root / ".svidok-volume"
    kept = marker.read_bytes()
    marker.unlink()
    try:
        assert disposing.sweep(place.database, place.vault, JUDGE, at=NOW) == 0
        assert first.exists()
    finally:
        marker.write_bytes(kept)
    with place.database.transaction() as tx:
        row = tx.one("SELECT c.disposed_at, d.decided_at, d.done_at FROM bodyworn.clip c JOIN bodyworn.disposal d "
                     "ON d.clip_id = c.id WHERE c.name = 'away.mkv'")  # fmt: skip
    assert (row["disposed_at"], row["decided_at"], row["done_at"]) == (None, NOW, None)
    assert disposing.sweep(place.database, place.vault, JUDGE, at=NOW) == 1
    assert not first.exists()
    assert not second.exists()

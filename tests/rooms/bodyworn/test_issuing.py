"""A camera is in one pair of hands: two who take it at once, and a tablet that says the same again because no answer came."""

import threading
from datetime import timedelta

import pytest
from tests.rooms.bodyworn.conftest import Place

from svidok.base import Conflict, Span, SystemClock
from svidok.bodyworn import issuing
from svidok.bodyworn.model import Service

NOW = SystemClock().now()


def on_shift(place: Place, badge: str) -> None:
    with place.database.transaction() as tx:
        officer = issuing.add_officer(
            tx, actor=place.people.supervisor, badge=badge, name=badge, service=Service.CUSTOMS, at=NOW
        )
        issuing.plan_shift(
            tx, actor=place.people.supervisor, officer_id=officer, checkpoint="Рава-Руська", at=NOW,
            span=Span(NOW, NOW + timedelta(hours=8)),
        )  # fmt: skip


def test_two_who_take_one_camera_at_once(place: Place) -> None:
    camera, badges, said = place.camera("ONCE1"), [f"O-{n}" for n in range(6)], list[str]()
    for badge in badges:
        on_shift(place, badge)
    start = threading.Barrier(len(badges))

    def take(badge: str) -> None:
        start.wait()
        try:
            with place.database.transaction() as tx:
                issuing.issue(tx, actor=place.people.officer, badge=badge, camera=camera, at=NOW)
            said.append("taken")
        except Conflict as error:
            said.append(error.code)

    threads = [threading.Thread(target=take, args=(badge,)) for badge in badges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["camera-is-out"] * 5 + ["taken"]


def test_what_a_tablet_says_twice_is_done_once(place: Place) -> None:
    first, second = place.camera("TWICE1"), place.camera("TWICE2")
    on_shift(place, "T-2")
    officer, later, last = place.people.officer, NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    with place.database.transaction() as tx:
        issued = [issuing.issue(tx, actor=officer, badge="T-2", camera=first, at=NOW).issue_id for _ in range(2)]
        swapped = [
            issuing.swap(tx, actor=officer, badge="T-2", camera=second, why="broken", at=later).issue_id
            for _ in range(2)
        ]
        back = [issuing.take_back(tx, actor=officer, camera=second, at=last) for _ in range(2)]
        assert (len(set(issued)), len(set(swapped)), len(set(back))) == (1, 1, 1)
        with pytest.raises(Conflict):
            issuing.take_back(tx, actor=officer, camera=second, at=last + timedelta(seconds=1))
        count = tx.one("SELECT count(*) AS n FROM bodyworn.issue i JOIN bodyworn.officer o ON o.id = i.officer_id "
                       "WHERE o.badge = 'T-2'")["n"]  # fmt: skip
    assert count == 2

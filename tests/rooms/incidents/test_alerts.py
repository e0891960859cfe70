"""From a read to an alert to a person's verdict, and only then to anybody else."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.rooms.plates.conftest import CAMERAS, Station

from svidok.access import Role
from svidok.base import BadInput, Conflict, Forbidden, NotFound, SystemClock, new_id
from svidok.db import Row
from svidok.fleet.credentials import Safe
from svidok.incidents import judging, telling
from svidok.incidents.model import State, Step, Why
from svidok.incidents.raising import raise_waiting
from svidok.plates import hotlist_file, hotlists, standing
from svidok.plates.matching import Matcher
from svidok.plates.rules import Rules
from svidok.plates.store import Reads

CLOCK = SystemClock()
RULES = Rules(misread_least=3, misread_share=0.5)


def wanted(station: Station, plate: str, *, see_units: tuple[UUID, ...] = ()) -> None:
    at = CLOCK.now()
    with station.database.transaction() as tx:
        supervisor = station.actors[Role.SUPERVISOR]
        list_id = hotlists.make(
            tx, actor=supervisor, name=str(new_id()), legal_basis="Act 1, art. 2", see_units=see_units, at=at
        )
        one = hotlist_file.entry_of(plate=plate, reason="stolen", expires_at=at + timedelta(days=2), at=at,
                                    instructions="do not stop alone")  # fmt: skip
        hotlists.add(tx, actor=supervisor, list_id=list_id, new=[one], at=at)


def passes(station: Station, make, plate: str, **how: object) -> list[UUID]:
    """A vehicle passes; the alerts that are raised or changed by it."""
    matcher = Matcher(station.database, RULES)
    matcher.freshen(at=CLOCK.now(), now_s=CLOCK.monotonic())
    read = make(plate, id=new_id(), received_at=CLOCK.now(), **how)
    Reads(station.database).add([read], also=matcher.write_hits)
    return raise_waiting(station.database, at=CLOCK.now())


def alert(station: Station, alert_id: UUID, role: Role = Role.DISPATCHER) -> Row:
    with station.database.transaction() as tx:
        return judging.one(tx, actor=station.actors[role], alert_id=alert_id)


def step(station: Station, alert_id: UUID, what: Step, *, role: Role = Role.DISPATCHER, **how: Any) -> judging.Judged:
    with station.database.transaction() as tx:
        return judging.take_step(
            tx, actor=station.actors[role], alert_id=alert_id, step=what, at=CLOCK.now(), rules=RULES, **how
        )


def deliveries(station: Station) -> int:
    with station.database.transaction() as tx:
        return int(tx.one("SELECT count(*) AS n FROM incidents.delivery")["n"])


def test_a_hit_becomes_one_alert_with_all_that_a_person_needs(station: Station, make) -> None:
    wanted(station, "JA1111AA")
    (alert_id,) = passes(station, make, "JA1111AA", camera=1, alternatives=(("JA1111A4", 0.1),), country="UA")
    row = alert(station, alert_id)
    assert (row["state"], row["plate"], row["reason"], row["instructions"]) == (
        "new", "JA1111AA", "stolen", "do not stop alone",
    )  # fmt: skip
    assert row["alternatives"] == [["JA1111A4", 0.1]]
    assert raise_waiting(station.database, at=CLOCK.now()) == []
    assert passes(station, make, "JA1111AA", camera=1, minutes=1) == [alert_id]  # it stands before the camera
    assert alert(station, alert_id)["hits"] == 2
    (elsewhere,) = passes(station, make, "JA1111AA", camera=2, minutes=1)
    (later,) = passes(station, make, "JA1111AA", camera=1, minutes=30)
    assert len({alert_id, elsewhere, later}) == 3
    assert passes(station, make, "JA9999AA") == []


def test_many_takers_raise_each_alert_once(station: Station, make) -> None:
    for number in range(12):
        wanted(station, f"JB{number:04d}AA")
    matcher = Matcher(station.database, RULES)
    matcher.freshen(at=CLOCK.now(), now_s=CLOCK.monotonic())
    reads = [make(f"JB{number:04d}AA", id=new_id(), received_at=CLOCK.now()) for number in range(12)]
    Reads(station.database).add(reads, also=matcher.write_hits)
    raised: list[UUID] = []
    threads = [
        threading.Thread(target=lambda: raised.extend(raise_waiting(station.database, at=CLOCK.now())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) == len(set(raised)) == 12


def test_nothing_happens_before_a_person_confirms(station: Station, make, tmp_path) -> None:
    safe = Safe(tmp_path / "key")
    with station.database.transaction() as tx:
        telling.add_channel(tx, actor=station.actors[Role.ADMINISTRATOR], safe=safe, name=str(new_id()), kind="mqtt",
                            target="police/alerts", legal_basis="Act 1, art. 2", at=CLOCK.now())  # fmt: skip
    wanted(station, "JC1111AA")
    before = deliveries(station)
    (alert_id,) = passes(station, make, "JC1111AA")
    step(station, alert_id, Step.ACKNOWLEDGE)
    assert deliveries(station) == before
    assert step(station, alert_id, Step.CONFIRM, note="seen by a patrol").state == State.CONFIRMED
    assert deliveries(station) == before + 1
    row = alert(station, alert_id)
    assert (row["state"], row["judged_by_name"]) == ("confirmed", station.actors[Role.DISPATCHER].name)
    with pytest.raises(Conflict):  # somebody else was quicker
        step(station, alert_id, Step.REFUTE, why=Why.MISREAD)
    with station.database.transaction() as tx:
        taken = [(one["step"], one["note"]) for one in judging.steps(tx, alert_id)]
        kinds = [one["kind"] for one in tx.all("SELECT kind FROM ledger.entry WHERE subject = %(id)s", id=alert_id)]
    assert taken == [("acknowledge", ""), ("confirm", "seen by a patrol")]
    assert sorted(kinds) == ["alert.raised", "alert.stepped", "alert.stepped"]


def test_who_may_judge_and_what_must_be_said(station: Station, make) -> None:
    wanted(station, "JD1111AA")
    (alert_id,) = passes(station, make, "JD1111AA")
    for role in (Role.OPERATOR, Role.INVESTIGATOR, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(Forbidden):
            step(station, alert_id, Step.CONFIRM, role=role)
    for how in ({"what": Step.REFUTE}, {"what": Step.REFUTE, "why": Why.OTHER}, {"what": Step.HAND_OVER},
                {"what": Step.NOTE, "note": " "}):  # fmt: skip
        with pytest.raises(BadInput):
            step(station, alert_id, **how)
    step(station, alert_id, Step.HAND_OVER, note="to the patrol of the north")
    assert step(station, alert_id, Step.REFUTE, why=Why.OUTDATED).state == State.REFUTED


def test_an_alert_is_seen_by_its_units_and_by_whom_it_is_handed_to(station: Station, make) -> None:
    unit, other = new_id(), new_id()
    wanted(station, "JE1111AA", see_units=(unit,))
    (alert_id,) = passes(station, make, "JE1111AA")
    with pytest.raises(NotFound):
        alert(station, alert_id)
    with pytest.raises(NotFound):
        step(station, alert_id, Step.ACKNOWLEDGE)
    import dataclasses

    insider = dataclasses.replace(station.actors[Role.DISPATCHER], unit_id=unit)
    neighbour = dataclasses.replace(station.actors[Role.DISPATCHER], unit_id=other)
    with station.database.transaction() as tx:
        judging.take_step(tx, actor=insider, alert_id=alert_id, step=Step.HAND_OVER, hand_to=other, at=CLOCK.now(),
                          rules=RULES)  # fmt: skip
        assert judging.one(tx, actor=neighbour, alert_id=alert_id)["handed_to"] == other


def test_a_camera_that_misreads_raises_no_more_alerts(station: Station, make) -> None:
    wanted(station, "JF1111AA")
    judged = []
    for number in range(3):
        (alert_id,) = passes(station, make, "JF1111AA", camera=3, minutes=number * 10)
        judged.append(step(station, alert_id, Step.REFUTE, why=Why.MISREAD).camera_withdrawn)
    assert judged == [False, False, True]
    assert passes(station, make, "JF1111AA", camera=3, minutes=60) == []
    with station.database.transaction() as tx:
        row = next(one for one in standing.quality(tx, start=CLOCK.now() - timedelta(days=30), end=CLOCK.now())
                   if one["camera_id"] == CAMERAS[3])  # fmt: skip
    assert (row["misreads"], row["judged"], row["withdrawn_at"] is not None) == (3, 3, True)


class Receiver(HTTPServer):
    """Another system that takes webhooks, badly at first."""

    answers: list[int]
    got: list[tuple[dict[str, str], bytes]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Take(BaseHTTPRequestHandler):
        server: Receiver

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.got.append((dict(self.headers), body))
            self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = Receiver(("127.0.0.1", 0), Take)
    server.answers, server.got = [500, 302], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_signed_and_tried_until_it_arrives(station: Station, make, tmp_path, receiver: Receiver) -> None:
    safe, admin = Safe(tmp_path / "key"), station.actors[Role.ADMINISTRATOR]
    with station.database.transaction() as tx:
        tx.run("UPDATE incidents.channel SET enabled = false")
        channel, secret = telling.add_channel(
            tx, actor=admin, safe=safe, name="other system", kind="webhook", legal_basis="Act 1, art. 2",
            target=f"http://127.0.0.1:{receiver.server_port}/alerts", at=CLOCK.now(),
        )  # fmt: skip
    assert secret is not None
    wanted(station, "JG1111AA")
    (alert_id,) = passes(station, make, "JG1111AA")
    step(station, alert_id, Step.CONFIRM)

    def tell(later_s: float) -> int:
        with httpx.Client() as client:
            return telling.tell_due(station.database, safe, now=lambda: CLOCK.now() + timedelta(seconds=later_s),
                                    client=client, publish=None)  # fmt: skip

    assert [tell(0), tell(1), tell(10), tell(60)] == [0, 0, 0, 1]  # 500, too early, a redirect, taken
    assert len(receiver.got) == 3
    assert len({headers["Svidok-Delivery"] for headers, _ in receiver.got}) == 1
    headers, body = receiver.got[-1]
    assert json.loads(body)["plate"] == "JG1111AA"
    seconds, made = (part.partition("=")[2] for part in headers["Svidok-Signature"].split(","))
    assert made == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    with station.database.transaction() as tx:
        row = next(one for one in telling.channels(tx) if one["id"] == channel)
    assert (row["delivered"], row["waiting"]) == (1, 0)
    assert "secret" not in row


@pytest.mark.parametrize(
    ("kind", "target"),
    [("webhook", "http://example.org/x"), ("webhook", "https://u:p@example.org/"), ("webhook", "ftp://x"), ("mqtt", "a/#"),
     ("mqtt", ""), ("pager", "x")],
)  # fmt: skip
def test_a_channel_that_cannot_be_safe_is_refused(station: Station, tmp_path, kind: str, target: str) -> None:
    with station.database.transaction() as tx, pytest.raises(BadInput):
        telling.add_channel(tx, actor=station.actors[Role.ADMINISTRATOR], safe=Safe(tmp_path / "key"), name="n", kind=kind,
                            target=target, legal_basis="Act 1, art. 2", at=CLOCK.now())  # fmt: skip

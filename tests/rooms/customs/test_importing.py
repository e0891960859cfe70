"""Procedures taken once, corrected in versions, refused by name; sums that follow every correction."""

import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from litestar.testing import TestClient
from tests.rooms.customs.conftest import NOON, Post, told

from svidok.api import Services, build_app
from svidok.api.jobs import Jobs
from svidok.base import SystemClock
from svidok.cli.simulate_customs import as_csv
from svidok.customs import checkpoints, importing, sums
from svidok.customs.checkpoints import NotKnown
from svidok.customs.histogram import quantile, unpack
from svidok.customs.importing import take
from svidok.customs.sums import day_span, sum_due
from svidok.db import Database, Row
from svidok.simulate.border import Border, play_day

DAY = date(2026, 11, 16)
BORDER = Border(code="UA209140", lanes=("1", "2", "3"), per_day=300)


def numbered(rows: list[dict[str, object]]) -> list[tuple[int, object]]:
    return list(enumerate(rows, start=1))


def procedure(database: Database, number: str) -> Row:
    with database.transaction() as tx:
        return tx.one("SELECT * FROM customs.procedure WHERE number = %(n)s", n=number)


def cell(post: Post, day: date, facet: str, value: str, grain: str = "d") -> Row:
    with post.database.transaction() as tx:
        return tx.one(
            "SELECT * FROM customs.sum WHERE grain = %(g)s AND checkpoint_id = %(c)s AND day = %(d)s AND facet = %(f)s "
            "AND value = %(v)s", g=grain, c=post.id, d=day, f=facet, v=value,
        )  # fmt: skip


def test_twice_told_is_taken_once_and_a_correction_keeps_what_stood_before(post: Post) -> None:
    with post.database.transaction() as tx:
        first = take(tx, post.source, numbered([told("A-1"), told("A-2")]), at=NOON)
        again = take(tx, post.source, numbered([told("A-1"), told("A-2", kind="bus")]), at=NOON + timedelta(hours=1))
        late = take(tx, post.source, numbered([told("A-2")]), at=NOON + timedelta(hours=2))
    assert (first.taken, first.corrected, first.known) == (2, 0, 0)
    assert (again.taken, again.corrected, again.known) == (0, 1, 1)
    assert (late.taken, late.corrected, late.known) == (0, 0, 1), "a replay of an old version undid a correction"
    row = procedure(post.database, "A-2")
    assert (row["version"], row["kind"], row["plate"]) == (2, "bus", "BC1234AE")
    with post.database.transaction() as tx:
        past = tx.all("SELECT version, body FROM customs.procedure_past WHERE procedure_id = %(i)s", i=row["id"])
        entries = tx.all("SELECT payload FROM ledger.entry WHERE kind = %(k)s", k=importing.DELIVERED)
    assert [(one["version"], one["body"]["kind"]) for one in past] == [(1, "car")]
    assert [json.loads(bytes(one["payload"]))["taken"] for one in entries] == [2, 0]


def test_one_delivery_may_correct_itself(post: Post) -> None:
    rows = [told("B-1"), told("B-1", kind="bus"), told("B-1", kind="lorry")]
    with post.database.transaction() as tx:
        done = take(tx, post.source, numbered(rows), at=NOON)
    assert (done.taken, done.corrected) == (1, 2)
    assert (procedure(post.database, "B-1")["version"], procedure(post.database, "B-1")["kind"]) == (3, "lorry")


def test_a_bad_row_is_kept_and_named_and_stops_no_other(post: Post) -> None:
    rows = [
        told("C-1"),
        told("C-2", kind="tank"),
        told("C-3", lane="9"),
        told("C-4", checkpoint="UA000000"),
        "nonsense",
    ]
    with post.database.transaction() as tx:
        done = take(tx, post.source, numbered(rows), at=NOON + timedelta(minutes=1))
        kept = tx.all("SELECT number, body FROM customs.refused_row WHERE delivery_id = %(d)s ORDER BY line", d=done.id)
    assert (done.taken, [one.number for one in done.refused]) == (1, ["C-2", "C-3", "C-4", ""])
    assert "has no lane '9'" in done.refused[1].says
    assert json.loads(kept[0]["body"])["kind"] == "tank"


def test_a_source_speaks_for_its_checkpoints_and_not_after_its_end(post: Post) -> None:
    admin = next(actor for role, actor in post.people.items() if role == "administrator")
    with post.database.transaction() as tx:
        checkpoints.add_checkpoint(
            tx, actor=admin, code="UA209230", name_uk="Шегині", name_en="", plates_due=False, body_due=False,
            upload_within=timedelta(hours=1), at=NOON,
        )  # fmt: skip
        done = take(tx, post.source, numbered([told("D-1", checkpoint="UA209230")]), at=NOON)
        assert "does not speak for" in done.refused[0].says
        source_id, secret = checkpoints.add_source(tx, actor=admin, name="Old", checkpoints=None, at=NOON)
        assert checkpoints.source_of(tx, secret, at=NOON).checkpoints is None
        checkpoints.end_source(tx, actor=admin, source_id=source_id, at=NOON)
        with pytest.raises(NotKnown):
            checkpoints.source_of(tx, secret, at=NOON)
        with pytest.raises(NotKnown):
            checkpoints.source_of(tx, "", at=NOON)
        assert "secret" not in checkpoints.sources(tx)[0]


def test_two_deliveries_at_once_take_each_procedure_once(post: Post) -> None:
    rows = numbered([told(f"E-{n}") for n in range(200)])
    done: list[importing.Delivery] = []

    def deliver() -> None:
        with post.database.transaction() as tx:
            done.append(take(tx, post.source, rows, at=NOON))

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.taken for one in done) == [0, 0, 0, 200]


def test_sums_are_those_of_the_procedures_after_every_correction(post: Post) -> None:
    rows = list(play_day(BORDER, DAY))
    with post.database.transaction() as tx:
        take(tx, post.source, numbered(rows), at=NOON)
    assert sum_due(post.database) >= 1
    span = day_span(DAY)
    mine = [one for one in rows if span.contains(datetime.fromisoformat(one["started_at"]))]
    took = [
        (datetime.fromisoformat(one["ended_at"]) - datetime.fromisoformat(one["started_at"])).total_seconds()
        for one in mine
    ]
    whole = cell(post, DAY, "all", "")
    assert (whole["procedures"], whole["ended"]) == (len(mine), len(mine))
    for share in (0.5, 0.9):
        exact, told_ = (
            float(np.quantile(took, share, method="inverted_cdf")),
            quantile(unpack(bytes(whole["took"])), share),
        )
        assert told_ is not None
        assert abs(told_ - exact) / exact < 0.081, "further off than one bin"
    lanes = [cell(post, DAY, "lane", code)["procedures"] for code in BORDER.lanes]
    assert sum(lanes) == len(mine)
    before = cell(post, DAY, "kind", "lorry")["procedures"]
    lorry = next(one for one in mine if one["kind"] == "lorry")
    with post.database.transaction() as tx:
        take(tx, post.source, numbered([lorry | {"kind": "bus"}]), at=NOON + timedelta(days=1))
    sum_due(post.database)
    assert cell(post, DAY, "kind", "lorry")["procedures"] == before - 1
    assert cell(post, DAY, "all", "")["procedures"] == len(mine)
    month = cell(post, DAY.replace(day=1), "all", "", grain="m")
    with post.database.transaction() as tx:
        days = tx.one("SELECT sum(procedures) AS n FROM customs.sum WHERE grain = 'd' AND facet = 'all' AND "
                      "checkpoint_id = %(c)s AND day BETWEEN '2026-11-01' AND '2026-11-30'", c=post.id)  # fmt: skip
    assert month["procedures"] == days["n"]
    assert sum_due(post.database) == 0


def test_a_day_is_one_on_the_wall_however_long() -> None:
    assert day_span(date(2026, 10, 25)).duration == timedelta(hours=25)
    assert day_span(date(2026, 3, 29)).duration == timedelta(hours=23)
    assert sums.mean_queue(3600, 0.0) == 0.0


def test_the_door_of_machines(post: Post, tmp_path: Path) -> None:
    clock = SystemClock()
    services = Services(
        database=post.database, bus=None, data=tmp_path, ledger_folder=tmp_path, ledger_origin="x", clock=clock,
        jobs=Jobs(post.database, clock), node="n",
    )  # fmt: skip
    address, mine = "/api/customs/intake/procedures", {"authorization": f"Bearer {post.secret}"}
    rows = list(play_day(BORDER, date(2026, 11, 18)))
    with TestClient(build_app(services, web_folder=None)) as client:
        assert client.post(address, json={"procedures": rows}).status_code == 401
        first = client.post(address, json={"procedures": [*rows, {"number": "bad"}]}, headers=mine)
        assert first.status_code == 200, first.text
        assert (first.json()["taken"], first.json()["refused"][0]["number"]) == (len(rows), "bad")
        body = as_csv(rows).encode()
        again = client.post(address, content=body, headers=mine | {"content-type": "text/csv"})
        assert (again.json()["taken"], again.json()["known"]) == (0, len(rows))
        assert client.post(address, content=b"{", headers=mine).json()["code"] == "delivery-form"
        wrong = client.post(address, content=b"a;b\n1;2\n", headers=mine | {"content-type": "text/csv"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "delivery-header")
        assert client.get("/api/customs/intake/schema").json()["title"] == "One customs procedure"
        assert UUID(first.json()["id"])
    assert datetime.now(UTC) > NOON

"""Figures over real tables: a month of a simulated border, a claim shown and one refuted, a report that opens."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from tests.rooms.customs.conftest import NOON, Post

from svidok.base import BadInput
from svidok.customs import dashboard
from svidok.customs.figures import THRESHOLD
from svidok.customs.importing import take
from svidok.customs.report import make_report
from svidok.customs.report_words import EN, UK
from svidok.customs.sums import sum_due
from svidok.simulate.border import Border, play_day

SPLIT = date(2026, 10, 1)
LAST = date(2026, 10, 21)


@pytest.fixture(scope="module")
def worked(post: Post) -> Post:
    """Three weeks before a change and three after it, in which the work takes 15 % less time."""
    slow = Border(code="UA209140", lanes=("1", "2", "3"), per_day=90, seed=3)
    quick = Border(code="UA209140", lanes=("1", "2", "3"), per_day=90, seed=3, pace=0.85)
    with post.database.transaction() as tx:
        for n in range(-21, 21):
            day = SPLIT + timedelta(days=n)
            rows: list[tuple[int, object]] = list(enumerate(play_day(slow if n < 0 else quick, day), start=1))
            assert take(tx, post.source, rows, at=NOON).refused == []
    sum_due(post.database)
    return post


def overview(post: Post, first: date, last: date, *, all_of_them: bool = False) -> dict[str, Any]:
    with post.database.transaction() as tx:
        return dashboard.overview(tx, checkpoint_id=None if all_of_them else post.id, first=first, last=last)


def test_the_figures_of_a_span_are_those_of_its_days(worked: Post) -> None:
    whole = overview(worked, SPLIT, LAST)
    days = [overview(worked, SPLIT + timedelta(days=n), SPLIT + timedelta(days=n)) for n in range(21)]
    assert whole["all"]["procedures"] == sum(one["all"]["procedures"] for one in days)
    assert 300 < whole["all"]["median_s"] < 3000
    assert whole["all"]["p90_s"] > whole["all"]["median_s"]
    assert [one["value"] for one in whole["lane"]] == ["1", "2", "3"]
    assert len(whole["trend"]) == 21
    months = overview(worked, date(2026, 9, 1), date(2026, 10, 31))
    halves = [
        overview(worked, date(2026, 9, 1), date(2026, 9, 30)),
        overview(worked, date(2026, 10, 1), date(2026, 10, 31)),
    ]
    assert months["all"]["procedures"] == sum(one["all"]["procedures"] for one in halves)
    assert overview(worked, SPLIT, LAST, all_of_them=True)["all"] == whole["all"]


def test_small_cells_are_withheld_with_what_would_give_them_away(worked: Post) -> None:
    day = overview(worked, LAST, LAST)
    for facet in ("lane", "kind", "hour"):
        cells = day[facet]
        assert all(one["withheld"] or one["procedures"] >= THRESHOLD for one in cells)
        hidden = [one for one in cells if one["withheld"]]
        assert all(one["median_s"] is None and one["procedures"] is None for one in hidden)
        assert len(hidden) != 1, facet
    assert any(one["withheld"] for one in day["hour"])
    with worked.database.transaction() as tx:
        columns = {
            row["column_name"]
            for row in tx.all(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'customs' AND table_name = 'sum'"
            )
        }
    assert not any("officer" in one for one in columns)


def test_a_true_claim_is_shown_and_a_false_one_is_not(worked: Post) -> None:
    with worked.database.transaction() as tx:
        true = dashboard.before_after(tx, checkpoint_id=worked.id, kind="car", split=SPLIT, days=21)
        false = dashboard.before_after(tx, checkpoint_id=worked.id, kind="car", split=date(2026, 10, 11), days=10)
        with pytest.raises(BadInput):
            dashboard.before_after(tx, checkpoint_id=worked.id, kind=None, split=SPLIT, days=3)
    assert true["verdict"] == "quicker"
    assert true["low"] < 0.85 < true["high"]
    assert false["verdict"] == "no-difference-shown"
    assert false["low"] < 1 < false["high"]


def test_procedures_unlike_their_peers_come_with_reasons_and_without_names(worked: Post) -> None:
    day = SPLIT + timedelta(days=5)
    odd = next(one for one in play_day(Border(code="UA209140", lanes=("1", "2", "3"), per_day=90, seed=3, pace=0.85), day)
               if one["kind"] == "car")  # fmt: skip
    steps = [step for step in odd["steps"] if step["kind"] != "documents"]
    with worked.database.transaction() as tx:
        take(tx, worked.source, [(1, odd | {"steps": steps})], at=NOON)
        found = dashboard.unlike_peers(tx, checkpoint_id=worked.id, first=day, last=day)
    mine = next(one for one in found if one["number"] == odd["number"])
    assert ("step-left-out", "documents") in [(one["code"], one["detail"]) for one in mine["reasons"]]
    assert all(not {"officers", "plate"} & set(one) for one in found)
    sum_due(worked.database)


@pytest.mark.parametrize(("language", "says"), [("uk", "Оформлення стало швидшим"), ("en", "Clearance became quicker")])
def test_the_monthly_report_opens_and_says_what_the_figures_say(
    worked: Post, tmp_path: Path, language: str, says: str
) -> None:
    steps: list[int] = []
    report = make_report(
        worked.database, tmp_path, checkpoint_id=worked.id, month=SPLIT, language=language, at=NOON,
        progress=lambda done, *_: steps.append(done),
    )  # fmt: skip
    read = pypdf.PdfReader(io.BytesIO((tmp_path / f"{report}.pdf").read_bytes()))
    text = " ".join(" ".join(page.extract_text() for page in read.pages).split())
    assert says in text
    with worked.database.transaction() as tx:
        figures = dashboard.overview(tx, checkpoint_id=worked.id, first=SPLIT, last=date(2026, 10, 31))
    assert f"{figures['all']['procedures']:,}".replace(",", "\u202f") in text.replace(" ", "\u202f")
    assert steps == sorted(steps)
    assert steps[-1] == 5


def test_the_report_has_the_same_words_in_both_languages() -> None:
    assert set(UK) == set(EN)

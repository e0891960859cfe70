"""The contract of procedures: what it takes, what it refuses, and that its schema says the same."""

import json
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svidok.cli.simulate_customs import as_csv
from svidok.customs.contract import body_of, parse, rows_of_csv, schema
from svidok.customs.importing import digest_of
from svidok.simulate.border import Border, is_holiday, play_day

BORDER = Border(code="UA209140", lanes=("1", "2", "3"), per_day=200)
MONDAY = date(2026, 11, 23)


def row(**more: Any) -> dict[str, Any]:
    return {
        "number": "N-1", "checkpoint": "UA209140", "lane": "1", "kind": "car", "direction": "in", "officers": ["140-1"],
        "started_at": "2026-11-23T10:00:00+02:00", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"started_at": "2026-11-23T10:00:00"}, "names no zone"),
        ({"started_at": "yesterday"}, "not an instant"),
        ({"ended_at": "2026-11-23T09:00:00+02:00", "outcome": "released"}, "before started_at"),
        ({"ended_at": "2026-11-23T11:00:00+02:00"}, "come together"),
        ({"queued_at": "2026-11-23T11:00:00+02:00"}, "after started_at"),
        ({"kind": "tank"}, "kind 'tank' is not one of"),
        ({"officers": []}, "1 to 12 badge numbers"),
        ({"number": ""}, "number is text"),
        ({"traveller": "Somebody"}, "no field 'traveller'"),
        ({"steps": [{"kind": "nap", "started_at": "2026-11-23T10:00:00Z"}]}, "a step's kind"),
        ({"irregularities": [{"cause": "bad-mood"}]}, "cause"),
        ({"scan_due": "maybe"}, "scan_due"),
    ],
)
def test_what_would_be_believed_wrongly_is_refused_in_words(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(row(**wrong))


def test_the_schema_takes_what_the_parser_takes_and_refuses_what_it_refuses() -> None:
    check = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    for told in play_day(BORDER, MONDAY):
        check.validate(told)
        parse(told)
    for wrong in (row(kind="tank"), row(officers=[]), row(traveller="Somebody"), row(number="")):
        assert not check.is_valid(wrong)


def test_the_same_told_as_json_and_as_csv_has_one_digest() -> None:
    told = list(play_day(BORDER, MONDAY))
    by_json = [digest_of(parse(one)) for one in told]
    by_csv = [digest_of(parse(one)) for _, one in rows_of_csv("\ufeff" + as_csv(told))]
    assert by_csv == by_json


def test_what_is_written_reads_back_as_it_was() -> None:
    for told in play_day(BORDER, MONDAY):
        first = parse(told)
        assert parse(json.loads(json.dumps(body_of(first)))) == first


def test_the_simulated_border_is_the_same_each_time_and_knows_nights_and_holidays() -> None:
    assert list(play_day(BORDER, MONDAY)) == list(play_day(BORDER, MONDAY))
    assert list(play_day(BORDER, MONDAY)) != list(play_day(BORDER, MONDAY + timedelta(days=1)))
    assert is_holiday(date(2026, 8, 24))
    assert not is_holiday(MONDAY)
    day = [parse(one) for one in play_day(BORDER, MONDAY)]
    assert any(one.queued_at and one.start_at - one.queued_at > timedelta(minutes=10) for one in day), "no queue"
    by_lane = sorted((one.lane, one.start_at, one.end_at) for one in day)
    for (lane, _, end), (other, start, _) in pairwise(by_lane):
        assert lane != other or (end is not None and end <= start), "one lane serves two at once"


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)))  # fmt: skip
def test_nonsense_ends_in_a_sentence(raw: object) -> None:
    with pytest.raises(ValueError):
        parse(raw)
    for name in ("officers", "steps", "irregularities", "started_at", "kind", "plate", "declaration"):
        with suppress(ValueError):  # any other error fails the test
            parse(row(**{name: raw}))

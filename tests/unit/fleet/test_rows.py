"""Reading a fleet as somebody saved it: lenient where that is harmless, and every bad row named by line and reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.base import BadInput
from svidok.fleet.importing import HEADERS, Row, decode, read_rows
from svidok.fleet.regions import region_of, regions

HEAD = "number,name_uk,kind,owner,region_code,lat,lon,heading_deg,fov_deg,px_m_class,life,url,username,password"
KYIV = next(region.code for region in regions().values() if "Kyiv" in region.name_en)
CANARY = "canary-7f3a"


def line(**change: str) -> str:
    cells = {
        "number": "A-1", "name_uk": "Перехрестя", "kind": "plate", "owner": "police", "region_code": KYIV,
        "lat": "50.45", "lon": "30.52", "heading_deg": "90", "fov_deg": "60", "px_m_class": "validate",
        "life": "working", "url": "rtsp://10.0.0.1/main", "username": "eye", "password": CANARY,
    }  # fmt: skip
    cells |= change
    return ",".join(cells[name] for name in HEAD.split(","))


def one(**change: str) -> Row | tuple[int, str]:
    (row,) = read_rows(f"{HEAD}\n{line(**change)}\n")
    return row


def test_a_good_row() -> None:
    row = one()
    assert isinstance(row, Row)
    assert (row.line, row.values["number"], row.values["kind"], row.values["lat"]) == (2, "A-1", "plate", 50.45)
    assert (row.values["heading_deg"], row.values["px_m_class"]) == (90, "validate")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"number": ""}, "number is missing"), ({"number": "x" * 65}, "number is missing"), ({"name_uk": ""}, "name"),
        ({"kind": "drone"}, "kind"), ({"owner": "nobody"}, "owner"), ({"region_code": "XX99"}, "oblast"),
        ({"region_code": ""}, "oblast"), ({"lat": "91"}, "lat"), ({"lat": "nan"}, "lat"), ({"lat": "inf"}, "lat"),
        ({"lat": "50N"}, "lat"), ({"lon": "-181"}, "lon"), ({"heading_deg": "360"}, "heading"), ({"fov_deg": "0"}, "fov"),
        ({"px_m_class": "identify"}, "px/m"), ({"life": "resting"}, "life"), ({"url": "http://10.0.0.1"}, "rtsp"),
        ({"url": f"rtsp://eye:{CANARY}@10.0.0.1/main"}, "login"), ({"password": f"{CANARY},more"}, "cells"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_tells_no_password(change: dict[str, str], says: str) -> None:
    row = one(**change)
    assert isinstance(row, tuple)
    assert row[0] == 2
    assert says in row[1]
    assert CANARY not in row[1]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_delimiters_encodings_and_ukrainian_headers(delimiter: str, encoding: str) -> None:
    names = {"number": "Номер", "name_uk": "Назва", "kind": "Вид", "owner": "Власник", "region_code": "КАТОТТГ"}
    header = delimiter.join(names.get(name, name) for name in HEAD.split(","))
    text = f"{header}\r\n{line(lat='50.45').replace(',', delimiter)}\r\n\r\n"
    (row,) = read_rows(decode(text.encode(encoding)))
    assert isinstance(row, Row)
    assert row.values["name_uk"] == "Перехрестя"


def test_decimal_commas_quotes_and_line_breaks_in_cells() -> None:
    text = HEAD.replace(",", ";") + "\n" + line().replace(",", ";").replace("50.45", "50,45").replace(
        "Перехрестя", '"Пере\nхрестя ""А"""'
    ) + "\n" + line(number="A-2", kind="bad").replace(",", ";")  # fmt: skip
    good, bad = read_rows(text)
    assert isinstance(good, Row)
    assert (good.values["lat"], good.values["name_uk"]) == (50.45, 'Пере\nхрестя "А"')
    assert isinstance(bad, tuple)
    assert bad[0] == 4


def test_a_number_twice_is_named_with_its_first_line() -> None:
    rows = list(read_rows(f"{HEAD}\n{line()}\n{line(number='A-2')}\n{line()}\n"))
    assert [isinstance(row, Row) for row in rows] == [True, True, False]
    assert rows[2] == (4, "number A-1 stands in line 2 already")


@pytest.mark.parametrize("text", ["", "\n", "number,name_uk\n", "a;b;c\n1;2;3\n", "\x00"])
def test_a_header_that_lacks_what_must_be_there_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(read_rows(text))
    assert refused.value.code == "csv-header"


@given(st.text(max_size=300))
def test_no_row_makes_it_fail(text: str) -> None:
    for row in read_rows(f"{HEAD}\n{text}"):
        assert isinstance(row, Row | tuple)


def test_no_header_means_two_things() -> None:
    names = [name for names in HEADERS.values() for name in names]
    assert len(names) == len(set(names))


def test_all_of_ukraine_is_there() -> None:
    assert len(regions()) == 27
    names = {region.name_en for region in regions().values()}
    assert {"Autonomous Republic of Crimea", "Donetsk Oblast", "Luhansk Oblast", "Kherson Oblast"} <= names
    assert any("Sevastopol" in name for name in names)
    assert all(44 < region.lat < 53 and 22 < region.lon < 41 for region in regions().values())
    assert region_of("") is None

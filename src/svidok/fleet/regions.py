"""The oblasts of Ukraine by KATOTTH (the codifier of administrative units), Crimea and Sevastopol among them.

Raions are not listed here: a camera's code may be finer than an oblast's, and
its first four characters name the oblast.
"""

import csv
from functools import cache
from importlib import resources

from svidok.fleet.model import Region

OBLAST_PREFIX = 4


@cache
def regions() -> dict[str, Region]:
    """Every oblast by its code."""
    text = resources.files("svidok.fleet").joinpath("regions.csv").read_text("utf-8")
    return {
        row["code"]: Region(
            code=row["code"], name_uk=row["name_uk"], name_en=row["name_en"], lat=float(row["lat"]),
            lon=float(row["lon"]),
        )
        for row in csv.DictReader(text.splitlines())
    }  # fmt: skip


@cache
def _by_prefix() -> dict[str, Region]:
    return {code[:OBLAST_PREFIX]: region for code, region in regions().items()}


def region_of(code: str) -> Region | None:
    """The oblast that a code of any depth lies in.

    >>> region_of("UA46060250010015970").name_en
    'Lviv Oblast'
    """
    return _by_prefix().get(code[:OBLAST_PREFIX])

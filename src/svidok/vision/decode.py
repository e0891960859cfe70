"""From what a reader saw, place by place, to what the plate says: the grammars decide what fits, at what price. Pure.

Prices are minus logarithms of probabilities. A form of a country takes the
places one after another: a place is taken for the likeliest sign the form
allows there, a look-alike costs, and a place that is no part of the plate (the
band, a crest, a bolt) may be left out, cheaply at the ends and where groups
part. The general rule takes any text, dearly. What it all comes to is a list
of texts with probabilities, not one text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from svidok.vision import grammar
from svidok.vision.grammar import SIGNS, UA_REGIONS, Form
from svidok.vision.plate_text import taken_for
from svidok.vision.sessions import Array, Numbers
from svidok.vision.text import Sign

_LEAK, _LESS = 0.5, 0.35  # how much of a look-alike's probability a sign may claim: of its twin, of others
_TWINS = ({"0", "O"}, {"1", "I"}, {"8", "B"}, {"5", "S"}, {"2", "Z"})
_FLOOR = 3e-4
_LEFT_OUT_END, _LEFT_OUT_PART, _LEFT_OUT_WITHIN = 2.0, 2.8, 6.0
_LEFT_OUT_CODE = 0.4  # the letters of a country's band, read before its plate
_RANK, _UNEXPECTED, _RARE, _GENERAL = 0.1, 0.8, 1.5, 3.3
_ONE_KIND = 1.5  # letters alone, or digits alone, by the general rule
_NO_REGION = 1.5  # a Ukrainian plate whose first letters name no region
_MOST_PLACES = 16
_DEAR = 1e9
_KEPT = 24
_SHARPER = 1.6  # a reader that is sure is right more often than the prices of look-alikes, taken alone, would have it

MIN_PLACES = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """One text a plate may bear, by one form: its price, and how sure each of its signs is by itself."""

    text: str
    form: Form
    price: float
    sure: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Tables:
    """The forms as arrays: what each place allows, how long each is, before which places groups part."""

    forms: tuple[Form, ...]
    allowed: Array
    lengths: Array
    parts: Array


@cache
def _tables() -> _Tables:
    known = grammar.forms()
    longest = max(len(form.places) for form in known)
    allowed = np.zeros((len(known), longest, len(SIGNS)), bool)
    parts = np.zeros((len(known), longest + 1), bool)
    for number, form in enumerate(known):
        for place, signs in enumerate(form.places):
            allowed[number, place, [SIGNS.index(sign) for sign in signs]] = True
        parts[number, sorted(form.parts)] = True
    return _Tables(known, allowed, np.array([len(form.places) for form in known]), parts)


@cache
def _claims() -> Numbers:
    """How much of what was read as one sign (row) another (column) may claim."""
    table = np.zeros((len(SIGNS), len(SIGNS)), np.float32)
    for row, one in enumerate(SIGNS):
        for column, other in enumerate(SIGNS):
            leak = _LEAK if {one, other} in _TWINS else _LESS
            table[row, column] = 1.0 if one == other else leak * math.exp(-taken_for(one, other))
    return table


@cache
def _twins() -> Numbers:
    """As `_claims`, for asking whether anything is there at all: look-alikes count nearly whole."""
    return np.asarray(np.minimum(_claims() * 6.0, 1.0), np.float32)


@lru_cache(maxsize=64)
def _first_prices(expected: tuple[str, ...]) -> Array:
    """What each form costs before anything is read: the countries a site expects are cheap."""
    ranks = grammar.ranks(expected)
    last = len(set(expected))
    return np.array([
        _GENERAL if form.country is None
        else ranks[form.country] * _RANK + _UNEXPECTED * (ranks[form.country] >= last) + _RARE * form.rare
        for form in grammar.forms()
    ])  # fmt: skip


def guesses(signs: Sequence[Sign], expected: Iterable[str] = grammar.NEIGHBOURS) -> list[Guess]:
    """What the places may say, the cheapest first; empty where they are too few or too many to be a plate."""
    if not MIN_PLACES <= len(signs) <= _MOST_PLACES:
        return []
    tables = _tables()
    odds = np.clip(np.stack([sign.odds for sign in signs]) @ _claims(), _FLOOR, 1.0)
    prices = -np.log(odds)
    best, choice = _best_of(prices, tables.allowed)
    total, way = _ways(best, signs, tables)
    ends = total[len(signs), np.arange(len(tables.forms)), tables.lengths] + _first_prices(tuple(expected))
    found = []
    for number in np.argsort(ends, kind="stable")[:_KEPT]:
        if ends[number] >= _DEAR:
            break
        found.append(_guess(int(number), float(ends[number]), signs, tables, way, choice, odds))
    return sorted(found, key=lambda one: one.price)


def _best_of(prices: Array, allowed: Array) -> tuple[Array, Array]:
    """For each place read, form and place of it: the cheapest sign that is allowed, and its price."""
    distinct, number = np.unique(allowed.reshape(-1, len(SIGNS)), axis=0, return_inverse=True)
    masked = np.where(distinct[None], prices[:, None, :], _DEAR)
    shape = (len(prices), *allowed.shape[:2])
    number = number.reshape(-1)
    return masked.min(axis=2)[:, number].reshape(shape), masked.argmin(axis=2)[:, number].reshape(shape)


def _ways(
    best: Array,
    signs: Sequence[Sign],
    tables: _Tables,
) -> tuple[Array, Array]:
    """The least price of having taken so many places and filled so many of a form, and whether the last was taken."""
    count, (forms, longest) = len(signs), best.shape[1:]
    total = np.full((count + 1, forms, longest + 1), _DEAR)
    taken = np.zeros((count + 1, forms, longest + 1), bool)
    total[0, :, 0] = 0.0
    leave = np.full((forms, longest + 1), _LEFT_OUT_WITHIN)
    leave[tables.parts] = _LEFT_OUT_PART
    leave[:, 0] = _LEFT_OUT_END
    leave[np.arange(forms), tables.lengths] = _LEFT_OUT_END
    edge = leave < _LEFT_OUT_WITHIN
    for at, sign in enumerate(signs, 1):
        faint = -math.log(max(sign.nothing, 1e-6))
        clear = float((sign.odds @ _twins()).max())  # a crest is read as many things, none surely
        unclear = -math.log(max(1.0 - clear, 1e-6))
        left_out = total[at - 1] + np.minimum(leave, np.where(edge, min(faint, unclear), faint))
        total[at] = left_out
        step = total[at - 1, :, :-1] + best[at - 1]
        better = step < left_out[:, 1:]
        total[at, :, 1:] = np.where(better, step, left_out[:, 1:])
        taken[at, :, 1:] = better
    return total, taken


def _guess(
    number: int, price: float, signs: Sequence[Sign], tables: _Tables, way: Array, choice: Array,
    odds: Array,
) -> Guess:  # fmt: skip
    form, place = tables.forms[number], int(tables.lengths[number])
    text, sure, before = [], [], ""
    for at in range(len(signs), 0, -1):
        if way[at, number, place]:
            place -= 1
            sign = int(choice[at - 1, number, place])
            text.append(SIGNS[sign])
            sure.append(float(odds[at - 1, sign]))
        elif place == 0:
            before = signs[at - 1].read + before
    said = "".join(reversed(text))
    return Guess(said, form, price + _told(said, form, before), tuple(reversed(sure)))


def _told(text: str, form: Form, before: str) -> float:
    """What is known of a text beyond its places."""
    if form.country is None:
        return _ONE_KIND if text.isdigit() or text.isalpha() else 0.0
    price = 0.0
    if len(before) > 1 and before == grammar.BANDS.get(form.country, form.country):
        price -= (_LEFT_OUT_END - _LEFT_OUT_CODE) * len(before)
    if form.country == "UA" and form.pattern.startswith("rr dddd") and text[:2] not in UA_REGIONS:
        price += _NO_REGION
    return price


def probabilities(found: Iterable[Guess]) -> list[tuple[str, float]]:
    """Each text once, with its probability among all of them, the likeliest first."""
    weights: dict[str, float] = {}
    for guess in found:
        weights[guess.text] = max(weights.get(guess.text, 0.0), math.exp(-min(_SHARPER * guess.price, 600.0)))
    whole = sum(weights.values()) or 1.0
    return sorted(((text, weight / whole) for text, weight in weights.items()), key=lambda one: -one[1])

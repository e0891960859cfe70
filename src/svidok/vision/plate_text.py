"""What a plate says, in one form however it was written, and how easily one text is taken for another. Pure.

The normal form is upper case Latin letters and digits: Cyrillic and Greek
letters that look the same become Latin, marks over letters go, and so does
whatever parts the groups. It says nothing about countries or their grammars.
"""

import math
import unicodedata
from functools import lru_cache

_TWINS = str.maketrans(
    "АВЕЁІЇКМНОРСТУҮХЅЈԚԜ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABEEIIKMHOPCTYYXSJQW" + "ABEZHIKMNOPTYX",
)  # fmt: skip
# What cameras and people take for each other, with how often: the cost is minus the logarithm.
_ALIKE = (
    ("0ODQ", 0.30), ("1I", 0.30), ("8B", 0.25), ("5S", 0.20), ("2Z", 0.20), ("6G", 0.15), ("1L7T", 0.10), ("UV", 0.15),
    ("VY", 0.10), ("CG", 0.10), ("4A", 0.08), ("MNH", 0.08), ("KX", 0.08), ("EF", 0.08), ("PR", 0.08), ("38", 0.08),
    ("3E", 0.05), ("69", 0.05), ("56", 0.05), ("C0", 0.08), ("IJLT", 0.06), ("WM", 0.06), ("68", 0.08), ("9P", 0.04),
)  # fmt: skip
_OTHERWISE = 0.01
_THIN = "1IJLT"  # most often left out, or put in for a bolt or an edge
_LOST, _LOST_THIN = 0.01, 0.04


def normal(text: str) -> str:
    """The normal form; empty where there is neither letter nor digit.

    >>> normal(" аа 12-34 вв ")
    'AA1234BB'
    >>> normal("B·LÖ 77")
    'BLO77'
    """
    parted = unicodedata.normalize("NFKD", text).upper()
    kept = (_digit(sign) for sign in parted if sign.isalnum())
    return "".join(kept).translate(_TWINS)


def _digit(sign: str) -> str:
    """A decimal digit of any script as ours; anything else as it is."""
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


def likeness(one: str, other: str) -> float:
    """How probable it is that `one` was read where `other` is, up to a factor: 1 for the same, less for each error.

    >>> likeness("AA1234BB", "AA1234BB")
    1.0
    >>> likeness("AA1234B8", "AA1234BB") > likeness("AA1234BX", "AA1234BB")
    True
    """
    return 1.0 if one == other else math.exp(-cost(one, other))


def cost(one: str, other: str) -> float:
    """The least sum of the costs of the errors that turn one text into the other, both in normal form."""
    before = [0.0]
    for char in other:
        before.append(before[-1] + _lost(char))
    for char in one:
        now = [before[0] + _lost(char)]
        for column, against in enumerate(other, 1):
            taken = before[column - 1] + taken_for(char, against)
            now.append(min(taken, before[column] + _lost(char), now[-1] + _lost(against)))
        before = now
    return before[-1]


@lru_cache(maxsize=4096)
def taken_for(one: str, other: str) -> float:
    """What it costs to take one character for another."""
    if one == other:
        return 0.0
    likely = max((p for alike, p in _ALIKE if one in alike and other in alike), default=_OTHERWISE)
    return -math.log(likely)


def _lost(char: str) -> float:
    return -math.log(_LOST_THIN if char in _THIN else _LOST)

"""How the plates of each country are made up. Pure data, and the forms made from it.

A pattern is written with one sign for a place:

    d   a digit                     l   a letter
    a   a digit or a letter         u   a letter that Cyrillic and Latin share (Ukraine, Bulgaria)
    r   what the first letters of a Ukrainian plate may be
    p   a letter of Polish series   c   a consonant      n  a letter, neither I, O, Q nor U
    [DP]  one of these              D   (upper case, digits) itself
    blank  where the groups part: seals, crests and bolts sit there and are read as letters
    ~     first: of old or odd plates, of which few are left

Only Latin capitals and digits occur (`plate_text.normal`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNS = DIGITS + LETTERS
SHARED = "ABCEHIKMOPTX"

_CLASSES = {
    "r": SHARED + "D", "d": DIGITS, "l": LETTERS, "a": SIGNS, "u": SHARED, "p": "ACEFGHJKLMNPRSTUVWXY",
    "c": "BCDFGHJKLMNPRSTVWXYZ", "n": "ABCDEFGHJKLMNPRSTVWXYZ", "y": "ABEKMHOPCTYX", "z": "ABCDEFHIJKLMNPRSTUVXYZ",
}  # fmt: skip

UA_REGIONS = frozenset(
    pair
    for row in (
        "AA KA TT TA AB KB MM OK AC KC CM TC AE KE PP MI AH KH TH MH AI KI TI ME AK KK TK MK AM KM TM MB AO KO MT MO",
        "AP KP TP MP AT KT TO XT AX KX XX EX BA HA XA EA BB HB EP EE BC HC CC EC BE HE XE XH BH HH OO EH BI HI XI EI",
        "BK HK XK EK CH IH OT EO BM HM XM EM BO HO XO EB BT HT XB BX HX OX PX CA IA OA PA CB IB OB PB CE IE OE PE IC",
        "OC PC II ED DC DI PD",
    )
    for pair in row.split()
)
"""The letters a Ukrainian plate begins with: one or more pairs a region, and a few of the whole country."""

BANDS = {"AT": "A", "BE": "B", "DE": "D", "ES": "E", "FR": "F", "IT": "I", "HU": "H", "SE": "S", "NO": "N", "PT": "P",
         "FI": "FIN", "IE": "IRL", "SI": "SLO", "RS": "SRB"}  # fmt: skip
"""What stands in the band of a plate, where it is not the two letters of the country."""

_PATTERNS: dict[str, tuple[str, ...]] = {
    "UA": (
        "rr dddd uu", "rr dddd [YZJ]u", "rr dddd u[YZJ]",  # since 2004; electric
        "ddddd uu", "dddd uu", "~u dddd uu",  # since 1995; its trailers and motorcycles; before
        "dd uu dddd", "Td uu dddd",  # of one journey
        "dddd ud", "~dddd u d",  # armed forces
        "DP ddd ddd", "CDP ddd dd", "S ddd ddd", "~D ddd ddd", "~T ddd ddd",  # embassies and missions
    ),
    "PL": (
        "ll ddddd", "ll ddddp", "ll dddpp", "ll dpddd", "ll dppdd", "lll pddd", "lll ddpp", "lll dpdd", "lll ddpd",
        "lll dppd", "lll ppdd", "lll ddddd", "lll ddddp", "lll dddpp", "lll pddp", "lll pdpp", "lld dddp",
    ),
    "SK": ("ll ddd ll", "~ll lllll", "~ll lllld"),
    "HU": ("lll ddd", "ll ll ddd", "~llll dd"),
    "RO": ("ll dd lll", "B ddd lll", "B dd lll", "ll dddddd"),
    "MD": ("lll ddd", "l ll ddd", "ll dd lll"),
    "CZ": ("dzd dddd", "dzz dddd", "~zzz dd dd", "~zz dd dd", "EL ddd zz"),
    "LT": ("lll ddd", "Ez dddd", "ll dddd"),
    "LV": ("ll dddd", "ll ddd", "~ll dd"),
    "EE": ("ddd lll", "dd lll"),
    "BG": ("y dddd yy", "yy dddd yy", "E[AB] dddd yy"),
    "IT": ("nn ddd nn", "~lld dddd d"),
    "ES": ("dddd ccc", "~ll dddd ll", "~l dddd ll", "~ll dddd l"),
    "FR": ("nn ddd nn", "~dddd nn dd", "~ddd nnn dd", "~dddd nnn dd"),
    "NL": (
        "cc dd cc", "dd cc cc", "dd ccc d", "d ccc dd", "cc ddd c", "c ddd cc", "ccc dd c", "c dd ccc", "d cc ddd",
        "ddd cc d", "cc cc dd", "~ll dd ll", "~dd dd ll", "~dd ll dd", "~ll dd dd",
    ),
    "GB": ("nn dd lll", "l ddd lll", "l dd lll", "~l d lll", "lll ddd l", "lll dd l", "~lll d l", "lll dddd"),
    "AT": ("l ddddd l", "l dddd ll", "l ddd ll", "ll ddd ll", "ll ddd l", "l dddddd", "ll ddd lll", "ll dd lll"),
    "PT": ("dd ll dd", "ll dd ll"), "DK": ("ll ddddd", "ll dd ddd"), "SE": ("lll ddd", "lll dda"),
    "FI": ("lll ddd",), "NO": ("ll ddddd",), "HR": ("ll ddd ll", "ll dddd ll", "~ll dddd l"), "SI": ("ll ll ddd",),
    "GR": ("yyy dddd",), "IE": ("dd l dddd", "ddd l ddddd", "ddd ll dddd"), "CH": ("ll dddddd", "ll ddddd", "ll dddd"),
    "BE": ("d lll ddd", "lll ddd"), "RS": ("ll ddd ll", "ll dddd ll"), "BY": ("dddd uu d",),
    "TR": ("dd ll ddd", "dd l dddd", "dd lll dd", "dd lll ddd", "dd ll dddd"),
}  # fmt: skip
_PATTERNS["DE"] = tuple(
    f"{'l' * district} {'l' * series} {'d' * number}{mark}"
    for district, series, number, mark in product((1, 2, 3), (1, 2), (1, 2, 3, 4), ("", "[EH]"))
    if 4 <= district + series + number + len(mark[:1]) <= 8
)

COUNTRIES = tuple(_PATTERNS)
NEIGHBOURS = ("UA", "PL", "MD", "RO", "HU", "SK", "DE", "LT", "CZ", "BG", "LV", "EE", "IT", "FR", "NL", "ES", "GB")
"""Whose vehicles a Ukrainian road sees, the likeliest first; a site may say otherwise."""

_GENERAL = range(4, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way plates are made up: what each place may hold, and before which places the groups part.

    `country` is none for the general rule, which asks for nothing but a length.
    """

    country: str | None
    pattern: str
    places: tuple[str, ...]
    parts: frozenset[int]
    rare: bool = False

    def fits(self, text: str) -> bool:
        """Whether a text in normal form is made up like this."""
        return len(text) == len(self.places) and all(c in allowed for c, allowed in zip(text, self.places, strict=True))


@cache
def forms() -> tuple[Form, ...]:
    """All of them, the general rule last."""
    known = [_form(country, pattern) for country, patterns in _PATTERNS.items() for pattern in patterns]
    return (*known, *(_form(None, "a" * length) for length in _GENERAL))


def fitting(text: str) -> Iterator[Form]:
    """The forms of countries that a text in normal form fits.

    >>> [form.pattern for form in fitting("AA1234BB") if form.country == "UA"]
    ['rr dddd uu']
    """
    return (form for form in forms() if form.country and form.fits(text))


def ranks(expected: Iterable[str]) -> dict[str, int]:
    """The place of each country in the order a site expects them; those it does not name come after all it names."""
    order = list(dict.fromkeys(expected))
    return {country: order.index(country) if country in order else len(order) for country in COUNTRIES}


def _form(country: str | None, written: str) -> Form:
    pattern = written.removeprefix("~")
    places: list[str] = []
    parts: set[int] = set()
    choice: str | None = None
    for sign in pattern:
        if sign == " ":
            parts.add(len(places))
        elif sign == "[":
            choice = ""
        elif sign == "]":
            places.append(choice or "")
            choice = None
        elif choice is not None:
            choice += sign
        else:
            places.append(_CLASSES.get(sign, sign))
    return Form(country=country, pattern=pattern, places=tuple(places), parts=frozenset(parts),
                rare=pattern != written)  # fmt: skip

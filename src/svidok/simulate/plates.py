"""Number plates that nobody has: drawn from the grammars, for demonstrations, benchmarks and training.

The letters are those of an ordinary typeface; no plate of a country is copied.
"""

import importlib.resources
import random
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from svidok.vision import grammar
from svidok.vision.grammar import Form

Picture = NDArray[np.uint8]
Array = NDArray[Any]

HEIGHT, WIDTH = 112, 520
_TWO_LINES = (200, 290)
_BLUE, _YELLOW = (20, 60, 160), (250, 210, 40)
GROUNDS: tuple[tuple[tuple[int, int, int], tuple[int, int, int], int], ...] = (
    ((245, 245, 245), (20, 20, 20), 70), ((250, 205, 30), (20, 20, 20), 10), ((245, 245, 245), (20, 120, 60), 6),
    ((30, 30, 30), (240, 240, 240), 4), ((30, 70, 170), (245, 245, 245), 3), ((180, 25, 30), (245, 245, 245), 3),
    ((245, 245, 245), (170, 25, 30), 4),
)  # fmt: skip
"""Ground, letters, and how often: ordinary, taxi, electric, armed forces, police, embassies, one journey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plate: what is on it, of which form, and how it looks straight from the front (blue first)."""

    text: str
    form: Form
    picture: Picture


def ordinary_font() -> Path:
    """The typeface at hand everywhere: Roboto's medium, from its wheel."""
    return Path(str(importlib.resources.files("font_roboto"))) / "files" / "Roboto-Medium.ttf"


def invent(chance: random.Random, country: str) -> tuple[str, Form]:
    """A text that fits a form of `country`."""
    form = chance.choice([one for one in grammar.forms() if one.country == country])
    text = "".join(chance.choice(places) for places in form.places)
    if country == "UA" and form.pattern.startswith("rr dddd"):
        text = chance.choice(sorted(grammar.UA_REGIONS)) + text[2:]
    return text, form


def draw(
    chance: random.Random, text: str, form: Form, *, font: Path | None = None, plain: bool = True,
    two_lines: bool = False,
) -> Drawn:  # fmt: skip
    """Draw a plate. `plain`: black on white with nothing left to chance, as a demonstration wants it."""
    face = str(font or ordinary_font())
    ground, ink, _ = GROUNDS[0] if plain else chance.choices(GROUNDS, [often for *_, often in GROUNDS])[0]
    height, width = _TWO_LINES if two_lines else (HEIGHT, WIDTH)
    image = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(image)
    band = 46 if plain or chance.random() < 0.75 else 0
    if band:
        _band(pen, form.country or "", band, height, face)
    groups = _groups(text, form.parts)
    rows = _rows(groups) if two_lines else [groups]
    each = height // len(rows)
    for number, row in enumerate(rows):
        area = (band + 8, number * each, width - 8, (number + 1) * each)
        _write(image, row, area, face, ink, chance, plain=plain)
    edge = 2 if plain else chance.choice((0, 2, 3, 4))
    if edge:
        pen.rounded_rectangle((1, 1, width - 2, height - 2), 9, outline=ink, width=edge)
    return Drawn(text=text, form=form, picture=np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))


def _groups(text: str, parts: frozenset[int]) -> list[str]:
    cuts = [0, *sorted(part for part in parts if 0 < part < len(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def _rows(groups: list[str]) -> list[list[str]]:
    half = max(1, (len(groups) + 1) // 2)
    return [row for row in (groups[:half], groups[half:]) if row]


def _band(pen: ImageDraw.ImageDraw, country: str, band: int, height: int, face: str) -> None:
    pen.rectangle((0, 0, band, height), fill=_BLUE)
    if country == "UA":
        pen.rectangle((10, 16, band - 10, 28), fill=(60, 130, 220))
        pen.rectangle((10, 28, band - 10, 40), fill=_YELLOW)
    else:
        pen.ellipse((12, 14, band - 12, 14 + band - 24), outline=_YELLOW, width=3)
    pen.text((band / 2, height - 26), country[:2], font=_font(face, 26), fill=(255, 255, 255), anchor="mm")


def _write(
    image: Image.Image, groups: list[str], area: tuple[int, int, int, int], face: str, ink: tuple[int, int, int],
    chance: random.Random, *, plain: bool,
) -> None:  # fmt: skip
    """Write the groups into an area: drawn as large as letters come, then pressed to fit, as on a plate."""
    left, top, right, bottom = area
    font = _font(face, 120)
    gap, part = (10, 34) if plain else (chance.randint(2, 16), chance.randint(14, 70))
    cells = [[_letter(char, font) for char in group] for group in groups]
    wide = sum(cell.width + gap for row in cells for cell in row) + part * (len(cells) - 1)
    high = max(cell.height for row in cells for cell in row)
    sheet = Image.new("L", (wide + gap, high))
    at = gap
    for number, row in enumerate(cells):
        for cell in row:
            sheet.paste(cell, (at, (high - cell.height) // 2))
            at += cell.width + gap
        if number < len(cells) - 1 and not plain and chance.random() < 0.5:
            _seal(sheet, at + part // 2, high, min(part, 40), chance)
        at += part
    share = 0.74 if plain else chance.uniform(0.62, 0.84)
    tall = max(8, round((bottom - top) * share))
    room = right - left
    across = min(room, round(sheet.width * tall / high * (0.98 if plain else chance.uniform(0.8, 1.1))))
    pressed = sheet.resize((max(8, across), tall), Image.Resampling.LANCZOS)
    spot = (left + (room - pressed.width) // 2, top + (bottom - top - tall) // 2)
    image.paste(Image.new("RGB", pressed.size, ink), spot, pressed)


def _seal(sheet: Image.Image, middle: int, high: int, across: int, chance: random.Random) -> None:
    """A seal or crest between groups: something round that says nothing."""
    pen = ImageDraw.Draw(sheet)
    radius = max(4, round(across * chance.uniform(0.25, 0.5)))
    for spot in chance.choice(((0.5,), (0.3, 0.72))):
        y = high * spot
        pen.ellipse((middle - radius, y - radius, middle + radius, y + radius), fill=chance.randint(60, 190))
        pen.ellipse(
            (middle - radius / 2, y - radius / 2, middle + radius / 2, y + radius / 2), fill=chance.randint(0, 120)
        )


@lru_cache(maxsize=256)
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face, size)


def _letter(char: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    left, top, right, bottom = font.getbbox(char)
    cell = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(cell).text((-left, -top), char, font=font, fill=255)
    return cell

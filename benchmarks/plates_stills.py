"""Are plates on photographs read right, and what does one cost?

    python benchmarks/plates_stills.py FOLDER [--all]

FOLDER holds `labels.csv` (file, country, plate) and `images/`. The table tells
the pictures of even and of odd number apart; the reader's prices were set on
the even ones, and then changed three times for errors seen among the odd ones,
so neither half is unseen. The peer is PP-OCRv6 by itself: the same
models, the same first look, every line read, and of the texts the likeliest to
be a plate by length and mixture of letters and digits. One thread; decoding the
picture is not counted.
"""

import csv
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

import cv2

from svidok.vision import reading, text
from svidok.vision.grammar import NEIGHBOURS
from svidok.vision.plate_text import normal
from svidok.vision.sessions import Picture

EUROPE = ("SK", "CZ", "DE", "GB", "PL", "HU", "RO", "AT", "IT", "FR", "ES", "NL", "LT", "LV", "EE", "BG", "MD")
EXPECTED = {"UA": NEIGHBOURS, "EU": EUROPE}
LARGE_PX = 8_000_000


def ours(picture: Picture, country: str) -> str:
    """The surest plate that may be told."""
    found = reading.plates(picture, expected=EXPECTED.get(country, (country, *EUROPE)))
    return found[0].text if found else ""


def peer(picture: Picture, country: str) -> str:
    """PP-OCRv6 without a grammar."""
    said = []
    for line in text.lines(picture, long_side=1280):
        signs = text.read(text.cut(picture, line.corners))
        said.append((line.height, "".join(sign.read for sign in signs)))
    fitting = [(high, one) for high, one in said if re.fullmatch(r"(?=.*\d)(?=.*[A-Z]).{4,9}", one)]
    if country == "UA":
        fitting = [one for one in fitting if re.fullmatch(r"[A-Z]{2}\d{4}[A-Z]{2}", one[1])] or fitting
    return max(fitting, default=(0.0, ""))[1]


def measure(
    rows: list[dict[str, str]], folder: Path, read: Callable[[Picture, str], str]
) -> dict[str, list[tuple[bool, float, bool, bool]]]:
    """Per country: right, CPU in ms, whether of odd number, whether large."""
    seen: dict[str, list[tuple[bool, float, bool, bool]]] = defaultdict(list)
    for row in rows:
        picture = cv2.imread(str(folder / "images" / row["file"]))
        start = time.process_time()
        said = read(picture, row["country"])
        spent = (time.process_time() - start) * 1000
        wanted = normal(row["plate"])
        if said != wanted and read is ours and "--all" in sys.argv:
            print(f"  {row['file']}: {wanted} read as {said or 'nothing'}")
        number = len(seen[row["country"]])
        seen[row["country"]].append((said == wanted, spent, number % 2 == 1, picture.size / 3 >= LARGE_PX))
    return seen


def main(folder: Path) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ours(cv2.imread(str(folder / "images" / rows[0]["file"])), "UA")
    told = {"ours": measure(rows, folder, ours), "PP-OCRv6 alone": measure(rows, folder, peer)}
    for who, seen in told.items():
        for country, answers in sorted(seen.items()):
            halves = [[right for right, _, held, _ in answers if held == wanted] for wanted in (False, True)]
            large = [spent for _, spent, _, large in answers if large]
            print(
                f"{who:15} {country}: {sum(right for right, *_ in answers)} of {len(answers)} = "
                f"{mean(right for right, *_ in answers):.3f}"
                f" (even {sum(halves[0])} of {len(halves[0])}, odd {sum(halves[1])} of {len(halves[1])});"
                f" CPU median {median(spent for _, spent, *_ in answers):.0f} ms"
                + (f", of 8 Mpx and more {median(large):.0f} ms" if large else "")
            )
    for country, answers in sorted(told["ours"].items()):
        ratio = median(s for _, s, *_ in answers) / median(s for _, s, *_ in told["PP-OCRv6 alone"][country])
        print(f"CPU, ours to the peer's, {country}: {ratio:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

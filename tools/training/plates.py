"""Train the second reader of plates, on plates that nobody has.

    pip install torch==2.13.0 onnx numpy pillow opencv-python-headless==4.14.0.94
    PYTHONPATH=src python tools/training/plates.py FONTS OUT --minutes 55

`FONTS` is a folder of typefaces under free licences (what we used: `@fontsource`
share-tech, barlow-condensed, saira-condensed, rajdhani, sofia-sans-condensed,
roboto-condensed, overpass, pt-sans-narrow; Debian's fonts-opendin and
fonts-roadgeek). Grounds are noise and blurred blocks: no photograph is used,
neither to train nor to choose. The seed is fixed; the clock decides how far
training comes, so two machines do not end with the same weights.
"""

import argparse
import math
import multiprocessing
import random
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from svidok.simulate import plates
from svidok.vision.grammar import SIGNS

SEED = 20261125
HIGH, WIDE = 32, 128
BATCH = 96
COUNTRIES = ("UA",) * 8 + ("PL", "PL", "DE", "SK", "CZ", "RO", "HU", "LT", "LV", "EE", "FR", "IT", "ES", "NL", "GB",
                           "BG", "MD", "AT", "DK")  # fmt: skip
HELD_BACK = 0.15  # of the typefaces, kept to measure with


class Reader(nn.Module):
    """Seven convolutions, one layer that remembers both ways, one that names: grey 32 x 128 to 32 steps of 37."""

    def __init__(self) -> None:
        super().__init__()
        widths = [(1, 24, (2, 2)), (24, 48, (2, 2)), (48, 72, None), (72, 96, (2, 1)), (96, 128, None),
                  (128, 160, (2, 1)), (160, 160, (2, 1))]  # fmt: skip
        layers: list[nn.Module] = []
        for before, after, pool in widths:
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]
            if pool:
                layers.append(nn.MaxPool2d(pool))
        self.see = nn.Sequential(*layers)
        self.remember = nn.LSTM(160, 96, bidirectional=True, batch_first=True)
        self.name = nn.Linear(192, len(SIGNS) + 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Logarithms of probabilities, blank first, then `SIGNS`."""
        steps = self.see(picture).squeeze(2).transpose(1, 2)
        return self.name(self.remember(steps)[0]).log_softmax(2)


def sample(chance: random.Random, fonts: list[Path], hardness: float) -> tuple[np.ndarray, str]:
    """One plate as a camera may see it, and what is on it."""
    if chance.random() < 0.1:
        text = "".join(chance.choice(SIGNS) for _ in range(chance.randint(4, 9)))
        form = next(one for one in plates.grammar.forms() if one.country is None and len(one.places) == len(text))
    else:
        text, form = plates.invent(chance, chance.choice(COUNTRIES))
    drawn = plates.draw(chance, text, form, font=chance.choice(fonts), plain=False).picture
    return scene(chance, drawn, hardness), text


def scene(chance: random.Random, plate: np.ndarray, hardness: float) -> np.ndarray:
    """A plate seen from aside, cut out badly, dirty, dark, shaken and compressed; grey, 32 x 128."""
    height, width = plate.shape[:2]
    space = np.full((height * 2, round(width * 1.4), 3), chance.randint(10, 200), np.uint8)
    space = cv2.add(space, cv2.cvtColor(cv2.resize(_noise(chance, 8, 20), space.shape[1::-1]) // 3, cv2.COLOR_GRAY2BGR))
    top, left = height // 2, round(width * 0.2)
    space[top : top + height, left : left + width] = plate
    spread = 0.16 * hardness
    corners = np.float32([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    jitter = lambda: np.float32([[chance.gauss(0, 0.05) * width * spread * 3, chance.gauss(0, 0.3) * height * spread * 3]
                                 for _ in range(4)])  # fmt: skip
    pad_x, pad_y = chance.uniform(-0.01, 0.06) * width, chance.uniform(-0.06, 0.22) * height
    cut = corners + np.float32([[-pad_x, -pad_y], [pad_x, -pad_y], [pad_x, pad_y], [-pad_x, pad_y]]) + jitter()
    if chance.random() < 0.35:  # the band is cut away, as finders of text do
        cut[[0, 3], 0] += 46 * chance.uniform(0.6, 1.1)
    high = max(9, round(chance.uniform(44 - 30 * hardness, 48)))
    wide = round(high * chance.uniform(3.4, 5.2))
    goal = np.float32([[0, 0], [wide, 0], [wide, high], [0, high]])
    seen = cv2.warpPerspective(space, cv2.getPerspectiveTransform(cut, goal), (wide, high), flags=cv2.INTER_AREA)
    grey = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = _light(chance, grey, hardness)
    if chance.random() < 0.5 * hardness:
        length = chance.randint(1, max(1, high // 9)) * 2 + 1
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), chance.choice((0, 0, 90, 30)), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        grey = cv2.filter2D(grey, -1, kernel / max(kernel.sum(), 1e-6))
    if chance.random() < 0.5:
        grey = cv2.GaussianBlur(grey, (0, 0), chance.uniform(0.3, 0.3 + 0.9 * hardness))
    grey += np.random.default_rng(chance.getrandbits(32)).normal(0, chance.uniform(0, 14) * hardness, grey.shape)
    grey = np.clip(grey, 0, 255).astype(np.uint8)
    if chance.random() < 0.6:
        grey = cv2.imdecode(cv2.imencode(".jpg", grey, [1, chance.randint(25, 90)])[1], cv2.IMREAD_GRAYSCALE)
    return cv2.resize(grey, (WIDE, HIGH), interpolation=cv2.INTER_LINEAR)


def _noise(chance: random.Random, high: int, wide: int) -> np.ndarray:
    return np.random.default_rng(chance.getrandbits(32)).integers(0, 255, (high, wide), np.uint8)


def _light(chance: random.Random, grey: np.ndarray, hardness: float) -> np.ndarray:
    """Shadow, glare, dirt, dusk, infra-red."""
    high, wide = grey.shape
    if chance.random() < 0.4:
        edge = chance.uniform(0, wide)
        slope = chance.uniform(-1, 1)
        mask = (np.arange(wide)[None] + slope * np.arange(high)[:, None]) < edge
        grey = np.where(mask, grey * chance.uniform(0.35, 0.9), grey)
    if chance.random() < 0.25 * hardness:
        x, y, radius = chance.uniform(0, wide), chance.uniform(0, high), chance.uniform(high * 0.3, wide * 0.4)
        far = np.hypot(np.arange(wide)[None] - x, np.arange(high)[:, None] - y)
        grey = grey + chance.uniform(40, 160) * np.exp(-((far / radius) ** 2))
    if chance.random() < 0.5 * hardness:
        dirt = cv2.resize(_noise(chance, chance.randint(3, 8), chance.randint(6, 24)), (wide, high)).astype(np.float32)
        grey = grey * (1 - chance.uniform(0, 0.4) * dirt / 255)
    low = chance.uniform(0, 70) * hardness
    return low + grey * chance.uniform(1 - 0.7 * hardness, 1)


def batches(queue: "multiprocessing.Queue[tuple[np.ndarray, list[str]]]", seed: int, fonts: list[Path],
            minutes: float) -> None:  # fmt: skip
    """Make batches for ever, hardening as the time goes."""
    cv2.setNumThreads(1)
    chance, start = random.Random(seed), time.monotonic()
    while True:
        hardness = min(1.0, 0.15 + 1.3 * (time.monotonic() - start) / 60 / minutes)
        made = [sample(chance, fonts, hardness) for _ in range(BATCH)]
        queue.put((np.stack([picture for picture, _ in made]), [text for _, text in made]))


def read(model: Reader, pictures: np.ndarray) -> list[str]:
    """The likeliest sign at each step, repetitions and blanks left out."""
    with torch.no_grad():
        best = model(tensor(pictures)).argmax(2).numpy()
    return [
        "".join(SIGNS[sign - 1] for sign, before in zip(row, [0, *row[:-1]]) if sign and sign != before) for row in best
    ]


def tensor(pictures: np.ndarray) -> torch.Tensor:
    """Pictures as the net takes them."""
    return torch.from_numpy((pictures.astype(np.float32) - 127.5) / 127.5)[:, None]


def train(fonts: list[Path], out: Path, minutes: float) -> None:
    """Train for so long, measure on typefaces kept back, write ONNX."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    shuffled = sorted(fonts)
    random.Random(SEED).shuffle(shuffled)
    kept_back, used = (
        shuffled[: max(2, round(len(shuffled) * HELD_BACK))],
        shuffled[max(2, round(len(shuffled) * HELD_BACK)) :],
    )
    chance = random.Random(SEED + 1)
    checks = [sample(chance, kept_back, 0.8) for _ in range(400)]
    queue: multiprocessing.Queue[tuple[np.ndarray, list[str]]] = multiprocessing.Queue(24)
    maker = multiprocessing.Process(target=batches, args=(queue, SEED + 2, used, minutes), daemon=True)
    maker.start()
    model = Reader()
    best = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    loss_of = nn.CTCLoss(zero_infinity=True)
    start, seen, shown = time.monotonic(), 0, 0.0
    while (passed := (time.monotonic() - start) / 60) < minutes:
        for group in best.param_groups:
            warm = min(1.0, passed / 1.0)
            group["lr"] = 2e-3 * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * passed / minutes)))
        pictures, texts = queue.get()
        told = model(tensor(pictures)).transpose(0, 1)
        wanted = torch.tensor([SIGNS.index(sign) + 1 for text in texts for sign in text])
        loss = loss_of(told, wanted, torch.full((len(texts),), told.shape[0]), torch.tensor([len(t) for t in texts]))
        best.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        best.step()
        seen += len(texts)
        if passed - shown > 2:
            shown = passed
            model.eval()
            answers = read(model, np.stack([picture for picture, _ in checks]))
            right = sum(answer == text for answer, (_, text) in zip(answers, checks))
            print(f"{passed:.1f} min, {seen} seen, loss {loss.item():.3f}, right {right / len(checks):.3f}", flush=True)
            write(model, out)
            model.train()
    maker.terminate()
    model.eval()
    write(model, out)


def write(model: Reader, out: Path) -> None:
    """The net as ONNX, one picture at a time."""
    torch.save(model.state_dict(), out.with_suffix(".pt"))
    torch.onnx.export(model, (torch.zeros(1, 1, HIGH, WIDE),), str(out), input_names=["picture"], output_names=["signs"],
                      opset_version=17, dynamo=False)  # fmt: skip


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("fonts", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--minutes", type=float, default=55)
    given = asked.parse_args()
    train(
        [path for path in given.fonts.rglob("*") if path.suffix in {".ttf", ".woff", ".otf"}], given.out, given.minutes
    )

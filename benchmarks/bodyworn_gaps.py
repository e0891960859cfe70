"""Are all gaps of two seconds and more found, with their cause, and none where there is none? Simulated shifts, seeded.

    python benchmarks/bodyworn_gaps.py [--shifts 1000] [--seed 1]

Each shift is eight hours in clips of five minutes whose seams are a frame to
1.9 s apart. Nine in ten get faults: switched off, battery empty, a clip that
never came, a torn end, a camera that never docked. What is planted is known
exactly, so that recall and false gaps are counts. How long after docking a gap
is seen is measured by `tests/rooms/bodyworn/test_docking.py` in real clips.
"""

import argparse
import random
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from svidok.base import Span
from svidok.bodyworn.coverage import Evidence, coverage_of
from svidok.bodyworn.model import Announced, DeviceEvent, DeviceEventKind, GapCause, Issue, Stretch

START = datetime(2026, 11, 25, 6, tzinfo=UTC)
LENGTH_S, CLIP_S = 8 * 3600, 300
CAMERA = UUID(int=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Shift:
    """One shift with what was planted in it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.clips: list[tuple[float, float]] = []
        self.missing: list[Announced] = []
        self.events: list[DeviceEvent] = []
        self.planted: list[tuple[float, float, GapCause]] = []
        self.docked = True
        now = -20.0
        while now < LENGTH_S + 10:
            end = now + CLIP_S
            self.clips.append((now, end))
            now = end + rng.choice((0.0, 0.04, 0.4, 1.9))

    def plant(self) -> None:
        for number in sorted(
            self.rng.sample(range(2, len(self.clips) - 3, 2), self.rng.randint(1, 5))
        ):  # never two in one
            kind = self.rng.choice(("off", "battery", "missing", "torn"))
            start, end = self.clips[number]
            if kind == "missing":
                self._lose(number)
            elif kind == "torn":
                cut = self.rng.uniform(2.0, 60.0)
                self.clips[number] = (start, end - cut)
                self.missing.append(Announced(span=Span(at(end - cut), at(end)), name=str(number), torn=True))
                self._planted(number, end - cut, GapCause.CUT_GOP)
            else:
                hole = self.rng.uniform(2.0, 200.0)
                self.clips[number] = (start, end - hole)
                stop = DeviceEventKind.POWER_OFF if kind == "off" else DeviceEventKind.BATTERY_EMPTY
                self.events.append(DeviceEvent(at=at(end - hole), kind=stop))
                self.events.append(DeviceEvent(at=at(self.clips[number + 1][0]), kind=DeviceEventKind.POWER_ON))
                cause = GapCause.SWITCHED_OFF if kind == "off" else GapCause.BATTERY
                self._planted(number, end - hole, cause)

    def _lose(self, number: int) -> None:
        start, end = self.clips[number]
        self.missing.append(Announced(span=Span(at(start), at(end)), name=str(number)))
        begins = self.clips[number - 1][1]
        until = self.clips[number + 1][0]
        self.clips[number] = (0, 0)
        self.planted.append((begins, until, GapCause.CHUNK_MISSING))

    def _planted(self, number: int, start: float, cause: GapCause) -> None:
        self.planted.append((start, self.clips[number + 1][0], cause))

    def evidence(self) -> Evidence:
        issue = Issue(
            id=CAMERA, shift_id=CAMERA, officer_id=CAMERA, camera_id=CAMERA, channel_id=CAMERA, issued_at=at(-60),
            returned_at=at(LENGTH_S + 400), docked_at=at(LENGTH_S + 500),
        )  # fmt: skip
        stretches = [
            Stretch(span=Span(at(start), at(end)), channel_id=CAMERA, clip_id=UUID(int=n))
            for n, (start, end) in enumerate(self.clips) if end > start
        ]  # fmt: skip
        return Evidence(issues=[issue], stretches=stretches, missing=self.missing, events=self.events)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shifts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    planted = found = named = false = clean = 0
    spent = 0.0
    for number in range(asked.shifts):
        shift = Shift(rng)
        if number % 10:
            shift.plant()
        else:
            clean += 1
        began = time.perf_counter()
        gaps = coverage_of([Span(at(0), at(LENGTH_S))], shift.evidence(), at=at(LENGTH_S + 900)).gaps
        spent += time.perf_counter() - began
        left = list(gaps)
        for start, end, cause in shift.planted:
            planted += 1
            hit = next((gap for gap in left if gap.span.start <= at(start) + timedelta(milliseconds=1)
                        and gap.span.end >= at(end) - timedelta(milliseconds=1)), None)  # fmt: skip
            if hit is not None:
                found += 1
                named += hit.cause == cause
                left.remove(hit)
        false += len(left)
    print(f"{asked.shifts} shifts of 8 h, {clean} of them clean; {planted} gaps of 2 to 300 s planted")
    print(f"recall {found / planted:.4f}   cause right {named / planted:.4f}   false gaps {false}")
    print(f"{spent / asked.shifts * 1000:.2f} ms a shift")


if __name__ == "__main__":
    main()

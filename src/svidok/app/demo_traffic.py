"""What truly passes the demonstration's plate cameras, written down, so that reading is measured, not claimed."""

from pathlib import Path

from svidok.plates.accuracy import TRUTH_FILE, Truth, write_truths
from svidok.simulate.region import CAMERAS


def wanted() -> tuple[str, ...]:
    """Two plates that pass the first of those cameras every loop: a hotlist of the demonstration looks for them."""
    first = next(camera for camera in CAMERAS if camera.scene.plates)
    return tuple(one.plate for one in first.scene.traffic() if one.country == "UA")[:2]


def write_truth(data: Path) -> None:
    """Write who passes which camera, once a loop."""
    known = {
        camera.number: Truth(loop_s=camera.scene.length_s, plates=tuple(one.plate for one in camera.scene.traffic()))
        for camera in CAMERAS
        if camera.scene.plates
    }
    write_truths(data / TRUTH_FILE, known)

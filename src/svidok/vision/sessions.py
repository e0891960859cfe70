"""Open a model. One thread by default: whoever has many cameras has many processes."""

import importlib.resources
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from svidok.base import Unavailable

Picture = NDArray[np.uint8]
"""Height x width x 3, blue first, as OpenCV holds pictures."""

Array = NDArray[Any]
Numbers = NDArray[np.float32]

MODELS = Path(str(importlib.resources.files("svidok.vision"))) / "models"
_FATAL_ONLY = 4


@cache
def session(path: Path, *, threads: int = 1) -> ort.InferenceSession:
    """The model of a file, opened once a process. Raises `Unavailable` where it is not there."""
    if not path.exists():
        raise Unavailable("model-missing", f"The model {path.name} is not there. Install Svidok anew.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def own(name: str, *, threads: int = 1) -> ort.InferenceSession:
    """One of the models that lie in this room."""
    return session(MODELS / name, threads=threads)


def ocr(name: str, *, threads: int = 1) -> ort.InferenceSession:
    """One of the models that come with the package `rapidocr`."""
    return session(Path(str(importlib.resources.files("rapidocr"))) / "models" / name, threads=threads)

"""A scan of a lorry that is not there, as a mobile scanner would write it: DICOS over DICOM, sixteen bits of grey."""

import io
from datetime import datetime

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

_DICOS_DX = "1.2.840.10008.5.1.4.1.1.501.2.1"


def lorry(*, seed: int, width: int = 1400, height: int = 420) -> NDArray[np.uint16]:
    """The shadow of a lorry: bright where nothing stands, dark where much does."""
    chance = np.random.default_rng(seed)
    picture = np.full((height, width), 60_000.0)
    across, down = np.meshgrid(np.arange(width), np.arange(height))

    def box(left: int, top: int, right: int, bottom: int, through: float) -> None:
        picture[top:bottom, left:right] *= through

    box(330, 60, 1340, 330, 0.72)
    for edge in (330, 1330):
        box(edge, 60, edge + 10, 330, 0.45)
    box(330, 322, 1340, 340, 0.35)
    box(90, 120, 300, 330, 0.6)
    box(110, 140, 190, 220, 1.3)
    for centre in (170, 470, 1080, 1190, 1300):
        picture[(across - centre) ** 2 + (down - 352) ** 2 < 42**2] *= 0.3
    for _ in range(26):
        left, top = int(chance.integers(350, 1240)), int(chance.integers(130, 270))
        box(left, top, min(1325, left + int(chance.integers(30, 90))), 318, float(chance.uniform(0.55, 0.9)))
    picture += chance.normal(0, 500, picture.shape)
    grey: NDArray[np.uint16] = np.clip(picture, 0, 65_535).astype(np.uint16)
    return grey


def scan(*, seed: int, serial: str, taken_at: datetime) -> bytes:
    """One scan as a file. Only its instance number differs from run to run."""
    pixels = lorry(seed=seed)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.UID(_DICOS_DX)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.Manufacturer, data.DeviceSerialNumber = "DX", "Svidok simulator", serial
    data.StudyDate, data.StudyTime = f"{taken_at:%Y%m%d}", f"{taken_at:%H%M%S}"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = 15, 0, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = pixels.astype("<u2").tobytes()
    into = io.BytesIO()
    data.save_as(into, enforce_file_format=True)
    return into.getvalue()

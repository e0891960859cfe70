"""Derive a picture for the browser from a scan, in a process of its own with little memory and little time.

    python -m svidok.customs.picture SCAN PICTURE FORM

A scan comes from outside. A few kilobytes of it can unfold to terabytes, and
the libraries that read it are large. So it is read where it can do no harm:
the process limits itself before it touches the file, counts the pixels before
it unfolds any, and says on one line of JSON what it found or why it refused; whatever a library
makes of the file beyond that ends the process, which is an answer too.
"""

import json
import resource
import sys
import zlib
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2 * 1024**3
CPU_S = 30
MOST_PIXELS = 120_000_000
MOST_FRAMES = 4000
LONGEST_SIDE = 2400
_INFLATED_BYTES = 512 * 1024 * 1024
_DEFLATED = "1.2.840.10008.1.2.1.99"
_DICOM_TOLD = ("Modality", "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SOPClassUID",
               "SOPInstanceUID", "StudyDate", "StudyTime", "AcquisitionDateTime", "BitsStored", "KVP")  # fmt: skip


class Refused(Exception):
    """The scan is not unfolded; the text says why."""


def main() -> None:
    """Read one scan, write one picture, print one line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024**2, 64 * 1024**2))
    scan, picture, form = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    try:
        told = _dicom(scan, picture) if form == "dicom" else _raster(scan, picture, form)
    except Refused as error:
        told = {"refused": str(error)}
    except MemoryError:
        told = {"refused": "it needs more memory than a scan may"}
    sys.stdout.write(json.dumps(told) + "\n")


def _refuse_many(width: int, height: int, frames: int = 1) -> None:
    if width < 1 or height < 1 or frames < 1:
        raise Refused("it has no pixels")
    if width * height > MOST_PIXELS or frames > MOST_FRAMES:
        raise Refused(f"{width} x {height} pixels in {frames} frames are more than a scan may have")


def _raster(scan: Path, picture: Path, form: str) -> dict[str, Any]:
    """TIFF or PNG by Pillow, which is told to know no other form."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # counted here, where the answer is ours
    with Image.open(scan, formats=[form.upper()]) as image:
        frames = int(getattr(image, "n_frames", 1))
        _refuse_many(image.width, image.height, frames)
        if form == "png":
            _count_png(scan, image.width, image.height)
        metadata = {str(name): str(value)[:200] for name, value in image.info.items() if isinstance(value, str | int)}
        metadata["mode"] = image.mode
        metadata["frames"] = str(frames)
        size = (image.width, image.height)
        _write(image, picture)
    return {"width": size[0], "height": size[1], "metadata": metadata}


def _count_png(scan: Path, width: int, height: int) -> None:
    """What a PNG says it unfolds to must fit the size of what it carries: no stream is packed a thousandfold."""
    packed = scan.stat().st_size
    if width * height > 5_000_000 and width * height > packed * 900:
        raise Refused("it is packed beyond what a picture can be")


def _dicom(scan: Path, picture: Path) -> dict[str, Any]:
    import numpy as np
    import pydicom
    from PIL import Image
    from pydicom.pixels.utils import pixel_array

    meta = pydicom.filereader.read_file_meta_info(scan)
    if str(meta.get("TransferSyntaxUID", "")) == _DEFLATED:
        _count_inflated(scan)
    data = pydicom.dcmread(scan, defer_size="1 MB")
    rows, columns, frames = (int(data.get(name, 1) or 1) for name in ("Rows", "Columns", "NumberOfFrames"))
    samples = int(data.get("SamplesPerPixel", 1) or 1)
    _refuse_many(columns, rows, frames)
    if "PixelData" not in data:
        raise Refused("it has no pixels")
    one = pixel_array(data, index=frames // 2) if frames > 1 else data.pixel_array
    grey = np.asarray(one, dtype=np.float32)
    if samples == 1:
        low, high = (float(value) for value in np.percentile(grey, (0.5, 99.5)))
        grey = np.clip((grey - low) / max(high - low, 1e-9), 0, 1) * 255
        if data.get("PhotometricInterpretation") == "MONOCHROME1":
            grey = 255 - grey
    _write(Image.fromarray(grey.astype(np.uint8)), picture)
    metadata = {name: str(data[name].value)[:200] for name in _DICOM_TOLD if name in data}
    return {"width": columns, "height": rows, "metadata": metadata | {"frames": str(frames)}}


def _count_inflated(scan: Path) -> None:
    """Whether a deflated data set stays within bounds; unfolded piece by piece, each thrown away."""
    import pydicom

    with scan.open("rb") as file:
        pydicom.filereader.read_preamble(file, False)
        pydicom.filereader._read_file_meta_info(file)
        packer, total, piece = zlib.decompressobj(-zlib.MAX_WBITS), 0, file.read(65536)
        while piece:
            total += len(packer.decompress(piece, 4 * 1024 * 1024))
            if total > _INFLATED_BYTES:
                raise Refused("it unfolds to more than a scan may")
            piece = packer.unconsumed_tail or file.read(65536)


def _write(image: Any, picture: Path) -> None:
    """A JPEG that a browser shows; sixteen bits of grey stretched to eight first."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float32)
        low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
        image = Image.fromarray((np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8))
    image = image.convert("L" if image.mode in ("L", "1") else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    image.save(picture, "JPEG", quality=88)


if __name__ == "__main__":
    main()

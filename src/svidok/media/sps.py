"""Size and profile out of sequence parameter sets: ITU-T H.264 section 7.3.2.1.1, H.265 section 7.3.2.2. Pure."""

from dataclasses import dataclass

_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


class BadParameterSet(ValueError):
    """The bytes are not a sequence parameter set that we can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize:
    """In pixels, cropping applied; chroma format 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4; bit depths."""

    width: int
    height: int
    chroma: int
    luma_bits: int
    chroma_bits: int


class _Bits:
    """Reads a NAL unit's payload bit by bit, emulation prevention bytes taken out."""

    def __init__(self, nal: bytes) -> None:
        raw = nal.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(raw, "big")
        self._left = len(raw) * 8

    def u(self, count: int) -> int:
        if count > self._left:
            raise BadParameterSet("it ends too early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def ue(self) -> int:
        zeroes = 0
        while self.u(1) == 0:
            zeroes += 1
            if zeroes > 31:
                raise BadParameterSet("an Exp-Golomb code is too long")
        return (1 << zeroes) - 1 + self.u(zeroes)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def h264_size(sps: bytes) -> PictureSize:
    """The picture that an H.264 SPS (with its NAL header) describes. Raises `BadParameterSet`."""
    bits = _Bits(sps[1:])
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    chroma, separate, luma_bits, chroma_bits = 1, 0, 8, 8
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        if chroma == 3:
            separate = bits.u(1)
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.u(1)
        if bits.u(1):
            for index in range(8 if chroma != 3 else 12):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()
    _skip_picture_order(bits)
    bits.ue()
    bits.u(1)
    width_mbs, height_units = bits.ue() + 1, bits.ue() + 1
    frame_only = bits.u(1)
    if not frame_only:
        bits.u(1)
    bits.u(1)
    left, right, top, bottom = [bits.ue() for _ in range(4)] if bits.u(1) else [0] * 4
    array = 0 if separate else chroma
    unit_x = 2 if array in (1, 2) else 1
    unit_y = (2 if array == 1 else 1) * (2 - frame_only)
    return _size(
        width_mbs * 16 - unit_x * (left + right),
        height_units * 16 * (2 - frame_only) - unit_y * (top + bottom),
        chroma,
        luma_bits,
        chroma_bits,
    )


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def h265_size(sps: bytes) -> PictureSize:
    """The picture that an H.265 SPS (with its NAL header) describes. Raises `BadParameterSet`."""
    bits = _Bits(sps[2:])
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(88)
    bits.u(8)
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        for _ in range(layers, 8):
            bits.u(2)
    for profile, level in present:
        bits.u(88 * profile)
        bits.u(8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    width, height = bits.ue(), bits.ue()
    left, right, top, bottom = [bits.ue() for _ in range(4)] if bits.u(1) else [0] * 4
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = 2 if chroma == 1 else 1
    return _size(width - unit_x * (left + right), height - unit_y * (top + bottom), chroma, luma_bits, chroma_bits)


def _size(width: int, height: int, chroma: int, luma_bits: int, chroma_bits: int) -> PictureSize:
    if not (0 < width <= 16_384 and 0 < height <= 16_384 and chroma <= 3 and luma_bits <= 16 and chroma_bits <= 16):
        raise BadParameterSet(f"it describes a picture of {width} by {height}")
    return PictureSize(width=width, height=height, chroma=chroma, luma_bits=luma_bits, chroma_bits=chroma_bits)


def picture_size(codec: str, sps: bytes) -> PictureSize:
    """The picture of either codec. Raises `BadParameterSet`."""
    try:
        return h264_size(sps) if codec == "h264" else h265_size(sps)
    except IndexError as error:
        raise BadParameterSet("it ends too early") from error

"""Footage cut into RTP packets once, for any number of cameras and viewers. Written apart from `media`, to check it.

H.264 goes out as RFC 6184 says (single NAL units and FU-A), H.265 as RFC 7798
(single and FU). What differs from viewer to viewer (sequence numbers, times,
source) is patched into a copy of the prepared bytes. Sound is in `sound`.
"""

import base64
import hashlib
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import av

MAX_PAYLOAD = 1400
VIDEO_RATE = 90_000
VIDEO_TYPE = 96


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """One picture as interleaved RTP: bytes, where RTP headers begin, its time in ticks, the hashes of its slices."""

    data: bytes
    headers: tuple[int, ...]
    ticks: int
    is_key: bool
    slices: tuple[bytes, ...] = ()

    def with_sei(self, sei: bytes, codec: str, sets: int) -> "PreparedFrame":
        """The picture with an SEI before its slices and behind its `sets` parameter sets; none of it ends a picture."""
        extra = _prepare([sei], codec, self.ticks, self.is_key)
        packets, at = bytearray(extra.data), self.headers[sets] - 4
        for header in extra.headers:
            packets[header + 1] &= 0x7F
        headers = (
            *self.headers[:sets], *(at + one for one in extra.headers),
            *(one + len(packets) for one in self.headers[sets:]),
        )  # fmt: skip
        return replace(self, data=self.data[:at] + bytes(packets) + self.data[at:], headers=headers)

    def patched(self, *, sequence: int, ticks: int, ssrc: int) -> bytearray:
        """A copy with a viewer's own numbers."""
        data = bytearray(self.data)
        for number, at in enumerate(self.headers):
            struct.pack_into(">HII", data, at + 2, sequence + number & 0xFFFF, ticks & 0xFFFFFFFF, ssrc)
        return data


@dataclass(frozen=True, slots=True)
class Footage:
    """A loop of pictures: codec, parameter sets, size in pixels, frames, and its length in ticks."""

    codec: str
    parameter_sets: tuple[bytes, ...]
    width: int
    height: int
    frames: tuple[PreparedFrame, ...]
    length_ticks: int

    def sdp_lines(self) -> list[str]:
        """The video section of a session description."""
        sets = [base64.b64encode(nal).decode() for nal in self.parameter_sets]
        if self.codec == "h265":
            named = zip(("sprop-vps", "sprop-sps", "sprop-pps"), sets, strict=True)
            parameters = ";".join(f"{name}={value}" for name, value in named)
            return [f"m=video 0 RTP/AVP {VIDEO_TYPE}", f"a=rtpmap:{VIDEO_TYPE} H265/90000",
                    f"a=fmtp:{VIDEO_TYPE} {parameters}"]  # fmt: skip
        profile = self.parameter_sets[0][1:4].hex()
        parameters = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
        return [f"m=video 0 RTP/AVP {VIDEO_TYPE}", f"a=rtpmap:{VIDEO_TYPE} H264/90000",
                f"a=fmtp:{VIDEO_TYPE} {parameters}"]  # fmt: skip


def load_footage(path: Path) -> Footage:
    """Cut the video of `path` (MP4 or Matroska, H.264 or H.265 without B-frames) into packets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = {"h264": "h264", "hevc": "h265"}[stream.codec_context.name]
        extradata = bytes(stream.codec_context.extradata or b"")
        sets = _parameter_sets(extradata, codec)
        rate = stream.average_rate or 25
        step = int(VIDEO_RATE / rate)
        frames: list[PreparedFrame] = []
        for packet in container.demux(stream):
            data = bytes(packet)
            if data:
                nals = [nal for nal in _length_prefixed(data) if not _is_parameter_set(nal, codec)]
                sent = [*sets, *nals] if packet.is_keyframe else nals
                frame = _prepare(sent, codec, len(frames) * step, bool(packet.is_keyframe))
                slices = tuple(hashlib.sha256(nal).digest() for nal in nals if _is_slice(nal, codec))
                frames.append(replace(frame, slices=slices))
        return Footage(codec, sets, stream.width, stream.height, tuple(frames), len(frames) * step)


def _parameter_sets(extradata: bytes, codec: str) -> tuple[bytes, ...]:
    """Out of avcC (14496-15, 5.3.3.1) or hvcC (8.3.3.1)."""
    if codec == "h264":
        sets, at = [], 6
        length = struct.unpack_from(">H", extradata, at)[0]
        sets.append(extradata[at + 2 : at + 2 + length])
        at += 2 + length + 1
        length = struct.unpack_from(">H", extradata, at)[0]
        return (*sets, extradata[at + 2 : at + 2 + length])
    found: dict[int, bytes] = {}
    at = 23
    for _ in range(extradata[22]):
        kind, count = extradata[at] & 63, struct.unpack_from(">H", extradata, at + 1)[0]
        at += 3
        for _ in range(count):
            length = struct.unpack_from(">H", extradata, at)[0]
            found.setdefault(kind, extradata[at + 2 : at + 2 + length])
            at += 2 + length
    return found[32], found[33], found[34]


def _length_prefixed(data: bytes) -> list[bytes]:
    nals, at = [], 0
    while at + 4 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        nals.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return nals


def _is_parameter_set(nal: bytes, codec: str) -> bool:
    return nal[0] & 31 in (7, 8, 9) if codec == "h264" else nal[0] >> 1 & 63 in (32, 33, 34, 35)


def _is_slice(nal: bytes, codec: str) -> bool:
    return nal[0] & 31 in (1, 5) if codec == "h264" else nal[0] >> 1 & 63 < 32


def _prepare(nals: list[bytes], codec: str, ticks: int, is_key: bool) -> PreparedFrame:
    payloads: list[bytes] = []
    for nal in nals:
        payloads += [nal] if len(nal) <= MAX_PAYLOAD else _fragmented(nal, codec)
    data, headers = bytearray(), []
    for number, payload in enumerate(payloads):
        marker = 0x80 if number == len(payloads) - 1 else 0
        data += struct.pack(">BBH", 0x24, 0, 12 + len(payload))
        headers.append(len(data))
        data += struct.pack(">BBHII", 0x80, marker | VIDEO_TYPE, 0, 0, 0) + payload
    return PreparedFrame(bytes(data), tuple(headers), ticks, is_key)


def _fragmented(nal: bytes, codec: str) -> list[bytes]:
    if codec == "h264":
        head, kind, body = bytes([nal[0] & 0xE0 | 28]), nal[0] & 31, nal[1:]
    else:
        head, kind, body = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63, nal[2:]
    pieces = [body[i : i + MAX_PAYLOAD - 3] for i in range(0, len(body), MAX_PAYLOAD - 3)]
    last = len(pieces) - 1
    return [
        head + bytes([(0x80 if n == 0 else 0) | (0x40 if n == last else 0) | kind]) + piece
        for n, piece in enumerate(pieces)
    ]

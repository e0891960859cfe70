"""Have a worn camera sign a clip that is there already (ONVIF Media Signing): its documents go before key frames."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import av
from av.packet import Packet

from svidok.simulate.signing import Identity, StreamSigner


def sign_clip(source: Path, target: Path, identity: Identity, *, start: datetime) -> None:
    """Write `source` to `target` signed, as a camera that recorded it from `start` on, by its own clock."""
    kind = "matroska" if target.suffix == ".mkv" else "mp4"
    with av.open(str(source)) as plain, av.open(str(target), "w", format=kind, options={"fflags": "bitexact"}) as out:
        out.metadata["comment"] = plain.metadata.get("COMMENT", plain.metadata.get("comment", ""))
        pictures = plain.streams.video[0]
        signer = StreamSigner(identity=identity, hevc=pictures.codec_context.name == "hevc")
        streams = {
            one.index: out.add_stream_from_template(one) for one in plain.streams if one.type in ("video", "audio")
        }
        for packet in plain.demux(list(plain.streams.video) + list(plain.streams.audio)):
            if packet.dts is None:
                continue
            data = bytes(packet)
            if packet.stream_index == pictures.index:
                at = start + timedelta(seconds=float((packet.pts or 0) * packet.time_base))
                data = _signed(signer, data, packet.is_keyframe, at)
            copy = Packet(data)
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.time_base, copy.is_keyframe, copy.stream = (
                packet.time_base,
                packet.is_keyframe,
                streams[packet.stream_index],
            )
            out.mux(copy)


def _signed(signer: StreamSigner, data: bytes, begins: bool, at: datetime) -> bytes:
    """One picture, after the document that speaks of the group before it."""
    document = signer.begin_group(at=at) if begins else None
    place = 0
    while place + 4 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        nal = data[place + 4 : place + 4 + length]
        if (nal[0] >> 1 & 63) < 32 if signer.hevc else nal[0] & 31 in (1, 5):
            signer.add(hashlib.sha256(nal.rstrip(b"\x00")).digest())
        place += 4 + length
    return (len(document).to_bytes(4, "big") + document if document else b"") + data

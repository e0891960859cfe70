"""Sound for cameras that are not there: a tone in a little noise, never a voice, cut into RTP packets once.

AAC goes out as RFC 3640 says (AAC-hbr, one access unit a packet), G.711 as
RFC 3551 (20 ms a packet). Written apart from `media`, to check it. The tone
swells and falls each second, so that a listener hears that it is not stuck.
"""

import os
import struct
from dataclasses import dataclass
from typing import Literal

import av
from av.audio.codeccontext import AudioCodecContext

from svidok.simulate.packets import PreparedFrame

SoundCodec = Literal["aac", "pcma", "pcmu"]
SOUNDS: tuple[SoundCodec, ...] = ("aac", "pcma", "pcmu")
SOUND_CHANNEL = 2
_AAC_TYPE, _AAC_SAMPLES, _AAC_RATE, _AAC_BITS = 97, 1024, 32_000, 48_000
_G711 = {"pcmu": (0, "pcm_mulaw"), "pcma": (8, "pcm_alaw")}
_G711_RATE, _G711_SAMPLES = 8_000, 160
_LENGTH_S = 8
_AAC_PARAMETERS = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"


@dataclass(frozen=True, slots=True)
class Sound:
    """A loop of sound: its codec, clock rate in Hz, AAC's AudioSpecificConfig, packets, and its length in ticks."""

    codec: SoundCodec
    rate: int
    config: bytes
    packets: tuple[PreparedFrame, ...]
    length_ticks: int

    @property
    def packet_ticks(self) -> int:
        """How long one packet lasts."""
        return self.length_ticks // len(self.packets)

    def sdp_lines(self) -> list[str]:
        """The sound's section of a session description."""
        if self.codec == "aac":
            return [
                f"m=audio 0 RTP/AVP {_AAC_TYPE}",
                f"a=rtpmap:{_AAC_TYPE} MPEG4-GENERIC/{self.rate}/1",
                f"a=fmtp:{_AAC_TYPE} {_AAC_PARAMETERS};config={self.config.hex()}",
            ]
        payload_type, _ = _G711[self.codec]
        return [f"m=audio 0 RTP/AVP {payload_type}", f"a=rtpmap:{payload_type} {self.codec.upper()}/{self.rate}/1"]


def make_sound(codec: SoundCodec, *, tone_hz: int = 440) -> Sound:
    """A tone of `tone_hz` in `codec`, encoded now (some tens of milliseconds)."""
    if codec == "aac":
        return _aac(tone_hz)
    payload_type, encoder = _G711[codec]
    data = b"".join(_encoded(_opened(encoder, _G711_RATE, "s16"), tone_hz))
    payloads = [data[at : at + _G711_SAMPLES] for at in range(0, len(data) - _G711_SAMPLES + 1, _G711_SAMPLES)]
    return _cut(codec, _G711_RATE, b"", payload_type, _G711_SAMPLES, payloads)


def _aac(tone_hz: int) -> Sound:
    encoder = _opened("aac", _AAC_RATE, "fltp")
    encoder.bit_rate = _AAC_BITS
    units = _encoded(encoder, tone_hz)
    payloads = [struct.pack(">HH", 16, len(unit) << 3) + unit for unit in units]
    return _cut("aac", _AAC_RATE, bytes(encoder.extradata or b""), _AAC_TYPE, _AAC_SAMPLES, payloads)


def aac_units(tone_hz: int) -> tuple[int, list[bytes]]:
    """The rate in Hz and the bare AAC units of a loop of `tone_hz`; a tone of 0 Hz is silence."""
    encoder = _opened("aac", _AAC_RATE, "fltp")
    encoder.bit_rate = _AAC_BITS
    return _AAC_RATE, _encoded(encoder, tone_hz)


def _opened(name: str, rate: int, sample_format: str) -> AudioCodecContext:
    encoder = AudioCodecContext.create(name, "w")
    if not isinstance(encoder, AudioCodecContext):
        raise TypeError(f"{name} encodes no sound")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", av.AudioFormat(sample_format)
    encoder.flags |= av.codec.context.Flags.global_header
    return encoder


def _encoded(encoder: AudioCodecContext, tone_hz: int) -> list[bytes]:
    """`_LENGTH_S` seconds of the tone, in the encoder's own units."""
    graph = av.filter.Graph()
    wave = f"(0.08+0.06*sin(2*PI*t))*sin(2*PI*{tone_hz}*t)+0.02*(random(0)-0.5)" if tone_hz else "0"
    source = graph.add("aevalsrc", f"exprs='{wave}':s={encoder.sample_rate}:d={_LENGTH_S}:c=mono")
    shape = graph.add("aformat", f"sample_fmts={encoder.format.name}")
    sink = graph.add("abuffersink")
    source.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    units: list[bytes] = []
    while True:
        try:
            frame = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        if isinstance(frame, av.AudioFrame):
            units += [bytes(packet) for packet in encoder.encode(frame)]
    return units + [bytes(packet) for packet in encoder.encode(None)]


def _cut(codec: SoundCodec, rate: int, config: bytes, payload_type: int, step: int, payloads: list[bytes]) -> Sound:
    marker = 0x80 if codec == "aac" else 0  # a whole access unit; in G.711 it would say that somebody begins to talk
    packets = tuple(
        PreparedFrame(
            struct.pack(">BBH", 0x24, SOUND_CHANNEL, 12 + len(payload))
            + struct.pack(">BBHII", 0x80, marker | payload_type, 0, 0, 0)
            + payload,
            (4,), number * step, True,
        )
        for number, payload in enumerate(payloads)
    )  # fmt: skip
    return Sound(codec, rate, config, packets, len(packets) * step)


class SoundPlay:
    """One viewer's place in a loop of sound, with a viewer's own numbers."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._first_ticks = int.from_bytes(os.urandom(4), "big")
        self._ssrc = int.from_bytes(os.urandom(4), "big")
        self._sent = 0

    def due(self, media_s: float) -> bytes:
        """The packets whose sound has passed when `media_s` seconds of the stream have, and which were not sent yet."""
        sound, out = self._sound, b""
        while (self._sent + 1) * sound.packet_ticks <= media_s * sound.rate:
            packet = sound.packets[self._sent % len(sound.packets)]
            ticks = self._first_ticks + self._sent * sound.packet_ticks
            out += packet.patched(sequence=self._sent, ticks=ticks, ssrc=self._ssrc)
            self._sent += 1
        return out

    def report(self, media_s: float, ntp: int) -> bytes:
        """An RTCP sender report that ties the sound to the camera's clock."""
        ticks = self._first_ticks + int(media_s * self._sound.rate) & 0xFFFFFFFF
        return struct.pack(
            ">BBHBBHIQIII", 0x24, SOUND_CHANNEL + 1, 28, 0x80, 200, 6, self._ssrc, ntp, ticks, self._sent, 0
        )

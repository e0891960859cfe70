"""Fragmented MP4 as we write it: ISO/IEC 14496-12 (boxes), 14496-15 (H.264 and H.265 in them).

A segment file is an init segment (`ftyp`, `moov`) and then, for each group,
`prft` + `moof` + `mdat`. The `prft` (14496-12, 8.16.5) carries the instant at
which the group's first picture was taken, so that the file tells its own time
and an index can be rebuilt from nothing else. Bytes are never copied here:
`fragment` returns what `writev` takes.
"""

import struct
from functools import lru_cache

from svidok.media.model import VIDEO_CLOCK, AudioTrack, Frame, Group, Tracks, VideoTrack
from svidok.media.sps import picture_size

VIDEO_ID, AUDIO_ID = 1, 2
NTP_UNIX_US = 2_208_988_800 * 1_000_000  # microseconds from 1900 (NTP) to 1970 (Unix)

_SYNC_FLAGS = 0x02000000  # sample_depends_on = 2: it stands by itself
_OTHER_FLAGS = 0x01010000  # depends on others, not a sync sample
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MAX_SAMPLES_OF_FORMAT = 4096


def box(name: bytes, *parts: bytes) -> bytes:
    """A box of `parts`."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), name) + b"".join(parts)


def full_box(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


@lru_cache(maxsize=4096)
def init_segment(tracks: Tracks) -> bytes:
    """`ftyp` and `moov` for `tracks`; raises `ValueError` while parameter sets are missing."""
    if not tracks.video.ready:
        raise ValueError("the parameter sets of the video are not known yet")
    traks = [_trak(VIDEO_ID, VIDEO_CLOCK, video_entry(tracks.video), tracks.video)]
    trex = [full_box(b"trex", 0, 0, struct.pack(">5I", VIDEO_ID, 1, 0, 0, _OTHER_FLAGS))]
    if tracks.audio is not None:
        traks.append(_trak(AUDIO_ID, tracks.audio.rate, audio_entry(tracks.audio), None))
        trex.append(full_box(b"trex", 0, 0, struct.pack(">5I", AUDIO_ID, 1, 0, 0, _SYNC_FLAGS)))
    ftyp = box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"cmfc", b"mp41")
    return ftyp + box(b"moov", mvhd(1000, 0), *traks, box(b"mvex", *trex))


def mvhd(timescale: int, duration: int) -> bytes:
    """The movie header; `duration` in ticks of `timescale` a second."""
    return full_box(
        b"mvhd", 1, 0, struct.pack(">QQIQ", 0, 0, timescale, duration), struct.pack(">IH10x", 0x10000, 0x100),
        _MATRIX, bytes(24), struct.pack(">I", AUDIO_ID + 1),
    )  # fmt: skip


def tkhd(track_id: int, duration: int, video: VideoTrack | None) -> bytes:
    """A track header; `duration` in the movie's ticks."""
    width, height = (video.width, video.height) if video else (0, 0)
    return full_box(
        b"tkhd", 1, 3, struct.pack(">QQI4xQ", 0, 0, track_id, duration),
        struct.pack(">8xHHH2x", 0, 0, 0 if video else 0x100), _MATRIX, struct.pack(">II", width << 16, height << 16),
    )  # fmt: skip


def mdhd(timescale: int, duration: int) -> bytes:
    """A media header; language undetermined."""
    return full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, timescale, duration, 0x55C4, 0))


def hdlr(video: bool) -> bytes:
    """Says whether a track is picture or sound."""
    name = b"vide" if video else b"soun"
    return full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, name), b"svidok\0")


def minf(video: bool, stbl: bytes) -> bytes:
    """Media information around a sample table."""
    head = full_box(b"vmhd", 0, 1, bytes(8)) if video else full_box(b"smhd", 0, 0, bytes(4))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    return box(b"minf", head, dinf, stbl)


def _trak(track_id: int, timescale: int, entry: bytes, video: VideoTrack | None) -> bytes:
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    is_video = video is not None
    return box(
        b"trak",
        tkhd(track_id, 0, video),
        box(b"mdia", mdhd(timescale, 0), hdlr(is_video), minf(is_video, stbl)),
    )


def video_entry(track: VideoTrack) -> bytes:
    """The sample entry `avc1` or `hvc1` with its decoder configuration."""
    if track.codec == "h264":
        return _visual(b"avc1", track, box(b"avcC", _avc_configuration(track)))
    return _visual(b"hvc1", track, box(b"hvcC", _hevc_configuration(track)))


def _visual(name: bytes, track: VideoTrack, configuration: bytes) -> bytes:
    return box(
        name,
        struct.pack(">6xH16xHH", 1, track.width, track.height),
        struct.pack(">II4xH32xHh", 0x480000, 0x480000, 1, 24, -1),
        configuration,
    )


def _avc_configuration(track: VideoTrack) -> bytes:
    """AVCDecoderConfigurationRecord (14496-15, 5.3.3.1)."""
    size = picture_size("h264", track.sps)
    record = b"\x01" + track.sps[1:4] + b"\xff\xe1"
    record += struct.pack(">H", len(track.sps)) + track.sps + b"\x01" + struct.pack(">H", len(track.pps)) + track.pps
    if track.sps[1] in (100, 110, 122, 144):
        record += bytes([0xFC | size.chroma, 0xF8 | size.luma_bits - 8, 0xF8 | size.chroma_bits - 8, 0])
    return record


def _hevc_configuration(track: VideoTrack) -> bytes:
    """HEVCDecoderConfigurationRecord (14496-15, 8.3.3.1)."""
    size = picture_size("h265", track.sps)
    general = track.sps.replace(b"\x00\x00\x03", b"\x00\x00")[3:15]
    record = b"\x01" + general + b"\xf0\x00\xfc"
    record += bytes([0xFC | size.chroma, 0xF8 | size.luma_bits - 8, 0xF8 | size.chroma_bits - 8])
    record += b"\x00\x00\x0f\x03"
    for kind, nal in ((32, track.vps), (33, track.sps), (34, track.pps)):
        record += struct.pack(">BHH", 0x80 | kind, 1, len(nal)) + nal
    return record


def audio_entry(track: AudioTrack) -> bytes:
    """The sample entry `mp4a`, `alaw` or `ulaw`."""
    name = {"aac": b"mp4a", "pcma": b"alaw", "pcmu": b"ulaw"}[track.codec]
    fixed = struct.pack(">6xH8xHH4xI", 1, track.channels, 16, min(track.rate, 65535) << 16)
    return box(name, fixed, _esds(track.config)) if track.codec == "aac" else box(name, fixed)


def _esds(config: bytes) -> bytes:
    """Elementary stream descriptor for AAC (ISO/IEC 14496-1, 7.2.6.5)."""
    decoder = _descriptor(4, b"\x40\x15" + bytes(11) + _descriptor(5, config))
    return full_box(b"esds", 0, 0, _descriptor(3, b"\x00\x01\x00" + decoder + _descriptor(6, b"\x02")))


def _descriptor(tag: int, body: bytes) -> bytes:
    """A descriptor with its size in groups of seven bits (ISO/IEC 14496-1, 8.3.3)."""
    size, rest = bytes([len(body) & 0x7F]), len(body) >> 7
    while rest:
        size = bytes([0x80 | rest & 0x7F]) + size
        rest >>= 7
    return bytes([tag]) + size + body


def fragment(
    sequence: int, group: Group, *, video_base: int, audio_base: int, wall_us: int
) -> list[bytes | bytearray | memoryview]:
    """One group as `prft` + `moof` + `mdat`, as buffers for `writev`, uncopied.

    `video_base` and `audio_base` are the decode times of the first samples in
    their tracks' ticks since the segment began; `wall_us` is the instant of
    the first picture in microseconds since 1970.
    """
    audio = group.audio if group.audio is not None and group.audio.sizes else None
    video_run = _video_run(group)
    size = 8 + 16 + _traf_size(video_run) + (_traf_size(_audio_run(audio.sizes, audio.durations)) if audio else 0)
    trafs = [_traf(VIDEO_ID, video_base, video_run, size + 8)]
    payload = len(group.data)
    buffers: list[bytes | bytearray | memoryview] = [b"", group.data]
    if audio is not None:
        run = _audio_run(audio.sizes, audio.durations)
        trafs.append(_traf(AUDIO_ID, audio_base, run, size + 8 + payload))
        payload += len(audio.data)
        buffers.append(audio.data)
    moof = box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), *trafs)
    buffers[0] = prft(wall_us, video_base) + moof + struct.pack(">I4s", 8 + payload, b"mdat")
    return buffers


def frame_fragment(sequence: int, frame: Frame, *, base: int, wall_us: int) -> bytes:
    """One picture as a fragment of its own, for live view."""
    flags = _SYNC_FLAGS if frame.is_key else _OTHER_FLAGS
    run = struct.pack(">III", 0x000701, 1, 0) + struct.pack(">III", frame.duration, len(frame.data), flags)
    size = 8 + 16 + _traf_size(run)
    moof = box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), _traf(VIDEO_ID, base, run, size + 8))
    return prft(wall_us, base) + moof + struct.pack(">I4s", 8 + len(frame.data), b"mdat") + frame.data


def prft(wall_us: int, media_time: int) -> bytes:
    """Producer reference time: `wall_us` since 1970 belongs to `media_time` of the video track."""
    seconds, rest = divmod(wall_us + NTP_UNIX_US, 1_000_000)
    ntp = seconds << 32 | (rest << 32) // 1_000_000
    return full_box(b"prft", 1, 0, struct.pack(">IQQ", VIDEO_ID, ntp, media_time))


def prft_us(ntp: int) -> int:
    """The microseconds since 1970 that an NTP stamp means, rounded to the nearest."""
    return (ntp >> 32) * 1_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000 + (1 << 31) >> 32) - NTP_UNIX_US


def _video_run(group: Group) -> bytes:
    """A `trun` body: flags, count, a hole for the data offset, first sample's flags, then each sample."""
    count = len(group.sizes)
    first = _SYNC_FLAGS if group.starts_clean else _OTHER_FLAGS
    if group.offsets is None:
        table = [0] * (2 * count)
        table[0::2], table[1::2] = group.durations, group.sizes
        return struct.pack(">IIII", 0x000305, count, 0, first) + _table("I" * 2, table, count)
    rows = [0] * (3 * count)
    rows[0::3], rows[1::3], rows[2::3] = group.durations, group.sizes, group.offsets
    return struct.pack(">IIII", 0x01000B05, count, 0, first) + _table("IIi", rows, count)


def _audio_run(sizes: list[int], durations: list[int]) -> bytes:
    table = [0] * (2 * len(sizes))
    table[0::2], table[1::2] = durations, sizes
    return struct.pack(">III", 0x000301, len(sizes), 0) + _table("II", table, len(sizes))


def _table(row: str, values: list[int], count: int) -> bytes:
    return struct.pack(">" + row * count, *values)


def _traf_size(run: bytes) -> int:
    return 8 + 16 + 20 + 8 + len(run)


def _traf(track_id: int, base: int, run: bytes, data_offset: int) -> bytes:
    tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", track_id))  # default-base-is-moof
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", base))
    trun = box(b"trun", run[:8], struct.pack(">i", data_offset), run[12:])
    return box(b"traf", tfhd, tfdt, trun)
